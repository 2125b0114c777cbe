// Which step comes when: before the data what rows need, after it in phases whose steps may run at the same time.
import { type Finding, toFinding } from '../../../kernel/errors.js';
import { type Statement, type Step, ranks } from './step.js';

export class Graph {
  private readonly steps: Map<string, Step>;

  constructor(steps: readonly Step[]) {
    this.steps = new Map(steps.map((step) => [step.label, step]));
  }

  needs(label: string): string[] {
    return (this.steps.get(label)?.needs ?? []).filter((need) => need !== label && this.steps.has(need));
  }

  all(): Step[] {
    return [...this.steps.values()];
  }

  get(label: string): Step | undefined {
    return this.steps.get(label);
  }

  /** A cycle as the labels on it, if there is one. */
  findCycle(): string[] | undefined {
    const state = new Map<string, 'open' | 'done'>();
    const path: string[] = [];
    const visit = (label: string): string[] | undefined => {
      if (state.get(label) === 'done') return undefined;
      if (state.get(label) === 'open') return path.slice(path.indexOf(label));
      state.set(label, 'open');
      path.push(label);
      for (const need of this.needs(label)) {
        const cycle = visit(need);
        if (cycle) return cycle;
      }
      path.pop();
      state.set(label, 'done');
      return undefined;
    };
    for (const label of this.steps.keys()) {
      const cycle = visit(label);
      if (cycle) return cycle;
    }
    return undefined;
  }

  /** The labels and everything that they need, each after what it needs. */
  closure(labels: readonly string[]): string[] {
    const done = new Set<string>();
    const order: string[] = [];
    const visit = (label: string): void => {
      if (done.has(label)) return;
      done.add(label);
      this.needs(label).forEach(visit);
      order.push(label);
    };
    labels.forEach(visit);
    return order;
  }
}

/** Steps without what is dropped and its pieces; findings where something that stays needs something that goes. */
export function withoutDropped(
  steps: readonly Step[],
  drop: readonly string[],
): { readonly steps: readonly Step[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const gone = new Set<string>();
  for (const wanted of drop) {
    // A function may be named without its arguments: then all of that name go.
    const hits = steps.filter(({ label }) => label === wanted || label.replace(/\(.*\)$/s, '') === wanted);
    const droppable = hits.filter(({ label }) => !/^(table|schema|attachment|extension) /.test(label));
    if (droppable.length === 0) findings.push(toFinding('SCHEMA_DROP_UNKNOWN', { object: wanted }));
    for (const { label } of droppable) gone.add(label);
  }
  for (let before = -1; before !== gone.size;) {
    before = gone.size;
    for (const step of steps) if (step.pieceOf !== undefined && gone.has(step.pieceOf)) gone.add(step.label);
  }
  const left = steps.filter(({ label }) => !gone.has(label));
  for (const step of left) {
    for (const need of step.needs) if (gone.has(need)) findings.push(toFinding('SCHEMA_NEEDS_DROPPED', { object: step.label, name: need }));
  }
  return { steps: left, findings };
}

/** What goes before the data, in order: what rows need, and every definition that needs nothing of after the data. */
export function toEarly(graph: Graph): string[] {
  const late = new Map<string, boolean>();
  const isLate = (label: string): boolean => {
    const known = late.get(label);
    if (known !== undefined) return known;
    late.set(label, false);
    const found = graph.get(label)?.rank !== 'early' || graph.needs(label).some(isLate);
    late.set(label, found);
    return found;
  };
  const wanted = graph.all().filter((step) => step.required || !isLate(step.label));
  return graph.closure(wanted.map((step) => step.label));
}

/** What is left, in phases: of all that can be done now the lowest rank, split so that no two steps of a phase lock the same thing. */
export function toPhases(graph: Graph, done: ReadonlySet<string>): Statement[][] {
  const finished = new Set(done);
  const rankOf = (step: Step): number => (step.rank === 'early' ? ranks.indexOf('definitions') : ranks.indexOf(step.rank));
  const waiting = new Map<string, number>();
  const waiters = new Map<string, string[]>();
  let ready: Step[] = [];
  for (const step of graph.all()) {
    if (finished.has(step.label)) continue;
    const open = new Set(graph.needs(step.label).filter((need) => !finished.has(need)));
    waiting.set(step.label, open.size);
    for (const need of open) waiters.set(need, [...(waiters.get(need) ?? []), step.label]);
    if (open.size === 0) ready.push(step);
  }
  const phases: Statement[][] = [];
  while (ready.length > 0) {
    const lowest = Math.min(...ready.map(rankOf));
    const now = ready.filter((step) => rankOf(step) === lowest);
    ready = ready.filter((step) => rankOf(step) !== lowest);
    phases.push(...toLockFreePhases(interleave(mergeAlters(now))));
    for (const { label } of now) {
      finished.add(label);
      for (const waiter of waiters.get(label) ?? []) {
        const left = (waiting.get(waiter) ?? 0) - 1;
        waiting.set(waiter, left);
        const step = graph.get(waiter);
        if (left === 0 && step) ready.push(step);
      }
    }
  }
  return phases.filter((phase) => phase.length > 0);
}

/** Several checks of one table become one statement. */
function mergeAlters(steps: readonly Step[]): Step[] {
  const merged = new Map<string, Step>();
  for (const step of steps) {
    const before = step.alter ? merged.get(step.alter.table) : undefined;
    if (!step.alter) merged.set(step.label, step);
    else if (!before?.alter) merged.set(step.alter.table, step);
    else {
      const alter = { table: step.alter.table, action: `${before.alter.action}, ${step.alter.action}` };
      merged.set(alter.table, { ...before, label: step.pieceOf ?? step.label, sql: [`ALTER TABLE ${alter.table} ${alter.action}`], alter });
    }
  }
  return [...merged.values()];
}

/** One of each table in turn: neighbours of one table would wait for each other's lock. */
function interleave(steps: readonly Step[]): Step[] {
  const seen = new Map<string, number>();
  const turns = steps.map((step) => {
    const owner = step.pieceOf ?? step.label;
    const turn = seen.get(owner) ?? 0;
    seen.set(owner, turn + 1);
    return { step, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn).map(({ step }) => step);
}

/** Greedy colouring: each step into the first phase whose locks it does not share. Further statements of a step follow in phases of their own. */
function toLockFreePhases(steps: readonly Step[]): Statement[][] {
  const phases: { locks: Set<string>; steps: Step[] }[] = [];
  for (const step of steps) {
    const locks = step.locks ?? [];
    let phase = phases.find((candidate) => !locks.some((lock) => candidate.locks.has(lock)));
    if (!phase) phases.push((phase = { locks: new Set(), steps: [] }));
    phase.steps.push(step);
    for (const lock of locks) phase.locks.add(lock);
  }
  return phases.flatMap(({ steps: members }) => {
    const rounds = Math.max(...members.map((member) => member.sql.length));
    return Array.from({ length: rounds }, (_, round) =>
      members.flatMap((member) => {
        const sql = member.sql[round];
        return sql === undefined ? [] : [{ sql, object: member.label, ...(round === 0 ? toRowsOf(member) : {}) }];
      }),
    );
  });
}

function toRowsOf({ rank, ownRows, pieceOf }: Step): Pick<Statement, 'rowsOf'> {
  return rank === 'keys' && ownRows && pieceOf !== undefined ? { rowsOf: pieceOf } : {};
}
