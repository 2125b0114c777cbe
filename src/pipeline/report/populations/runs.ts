// Runs, one item for each attempt: what was decided before rows moved, what verification found, and how it ended. One that was under way over the border
// of two periods is in both: in one alone nobody would ask whether what it published had been allowed and verified.
import type { Json } from '../../../kernel/canonical-json.js';
import type { LoggedEvent } from '../../event.js';
import { type Period, isWithin } from '../period.js';
import { type Cell, type Item, type Population, pick, recordsOf, textOf, toCell, toPlace } from './population.js';

interface OpenRun {
  readonly at: string;
  readonly entries: string[];
  readonly cells: Record<string, Cell>;
  readonly tables: Map<string, number>;
  errors: number;
  /** An entry of it lies in the period. */
  within: boolean;
}

const columns = {
  run: 'id of the run',
  pipeline: 'the pipeline that was run',
  environment: 'where the copy goes',
  actor: 'random id of who started it; empty: the service itself',
  decision: 'id of the gate’s decision about the plan',
  allowed: 'whether the gate allowed it',
  reasons: 'codes of the gate’s reasons',
  policyRevision: 'revision of the policy that decided',
  policyDigest: 'digest of that policy',
  planDigest: 'digest of the plan: what is done to each column',
  tables: 'tables loaded',
  rows: 'rows loaded',
  sourceRows: 'rows of the source that the run read; empty: it did not come to a verification',
  verified: 'whether the copy was verified before it was published',
  verifyErrors: 'findings of severity error, of any stage',
  checksHeld: 'checks of the pipeline whose count was as expected',
  checksBroken: 'checks whose count was not',
  checksNotRun: 'checks that could not be made',
  version: 'number of the version that was published',
  expiresAt: 'until when that version may be there',
  state: 'how it ended; open: nothing says that it ended',
  error: 'code, where it failed',
  endedAt: 'when it ended',
} as const;

type Column = keyof typeof columns;

const takes: Readonly<Record<string, (run: OpenRun, data: LoggedEvent['event']['data']) => void>> = {
  'plan.decided': ({ cells }, data) => {
    cells['decision'] = pick(data, 'decision.decisionId');
    cells['allowed'] = pick(data, 'decision.allow');
    cells['reasons'] = toCodes(data['decision']);
    cells['policyRevision'] = pick(data, 'decision.policy.revision');
    cells['policyDigest'] = pick(data, 'decision.policy.digest');
    cells['planDigest'] = pick(data, 'planDigest');
  },
  'table.loaded': ({ tables }, data) =>
    void tables.set(JSON.stringify([data['schema'] ?? '', data['table'] ?? '']), Number(data['rows'] ?? 0)),
  'dataset.verified': ({ cells }, data) => {
    // What was published already is not verified first.
    if ((cells['version'] ?? null) === null) cells['verified'] = 'yes';
    cells['sourceRows'] = pick(data, 'source.rows');
  },
  'findings.made': (run, data) => void (run.errors += countErrors(data['findings'])),
  'checks.made': ({ cells }, data) => {
    cells['checksHeld'] = pick(data, 'pass');
    cells['checksBroken'] = pick(data, 'fail');
    cells['checksNotRun'] = pick(data, 'notRun');
  },
  'dataset.published.done': published,
  'dataset.published.completed': published,
  'run.ended': ({ cells }, data) => {
    cells['state'] = pick(data, 'state');
    cells['error'] = pick(data, 'error.code');
  },
};

function published({ cells }: OpenRun, data: LoggedEvent['event']['data']): void {
  cells['version'] = pick(data, 'version');
  cells['expiresAt'] = pick(data, 'expiresAt');
  cells['state'] ??= 'published';
}

export const runs: Population = {
  name: 'runs',
  title: 'Runs that make masked copies',
  query:
    'every run that was started or under way in the period: an entry of it lies there, from its run.started up to its run.ended (one that was under way over the border of two periods is in both, and what came of it in the second); a run that was taken up again after its end is an item of its own. Runs that published but never said how they ended count as published',
  types: ['run.started', ...Object.keys(takes)],
  columns: Object.entries(columns).map(([name, means]) => ({ name, means })),
  open: (period) => new Runs(period),
};

class Runs {
  readonly #open = new Map<string, OpenRun>();

  constructor(private readonly period: Period) {}

  take(logged: LoggedEvent): readonly Item[] {
    const { event } = logged;
    const told: Item[] = [];
    const within = isWithin(this.period, event.at);
    if (event.type === 'run.started') {
      const before = this.#open.get(event.runId);
      if (before) told.push(...this.#close(before));
      const cells: Record<string, Cell> = {
        run: event.runId,
        pipeline: textOf(event.data, 'pipeline'),
        environment: textOf(event.data, 'environment'),
        actor: textOf(event.data, 'actor'),
      };
      this.#open.set(event.runId, { at: event.at, entries: [toPlace(logged)], cells, tables: new Map(), errors: 0, within });
      return told;
    }
    const take = takes[event.type];
    const run = take && this.#open.get(event.runId);
    if (!take || !run) return told;
    take(run, event.data);
    run.within ||= within;
    if (event.type !== 'table.loaded') run.entries.push(toPlace(logged));
    if (event.type !== 'run.ended') return told;
    run.cells['endedAt'] = event.at;
    this.#open.delete(event.runId);
    return this.#close(run);
  }

  end(): readonly Item[] {
    const left = [...this.#open.values()];
    this.#open.clear();
    return left.flatMap((run) => this.#close(run));
  }

  #close({ at, entries, cells, tables, errors, within }: OpenRun): readonly Item[] {
    if (!within) return [];
    const rows = [...tables.values()].reduce((sum, one) => sum + one, 0);
    const whole: Record<string, Cell> = {
      ...{ verified: 'no', state: 'open', ...cells },
      ...{ tables: tables.size, rows, verifyErrors: errors },
    };
    return [{ at, entries, cells: (Object.keys(columns) as Column[]).map((name) => whole[name] ?? null) }];
  }
}

const countErrors = (findings: Json | undefined): number => recordsOf(findings).filter(({ severity }) => severity === 'error').length;

const toCodes = (decision: Json | undefined): string =>
  [...new Set(recordsOf(recordsOf([decision ?? null])[0]?.['reasons']).map(({ code }) => String(toCell(code))))].join(' ');
