// What the log tells of one environment around a breach: which copies were there in the window, of how many people, who could reach them, which keys there
// were, who became aware when, and what was done since. One pass, up to an instant that may lie after the window.
import type { Event, LoggedEvent } from '../../event.js';
import { toTableLabel } from '../../catalogue.js';
import { type PlanFacts, isTagged, toPlanFacts } from '../activities.js';
import { type Collected, collect } from '../collect.js';
import type { Period } from '../period.js';
import { textOf, toPlace } from '../populations/population.js';
import { type Recipient, Recipients } from '../recipients.js';
import { BreachAccess, type Holder } from './breach-access.js';

export interface BreachAsked {
  readonly environment: string;
  /** In which somebody may have had what he should not; `zone` is that of shown times. */
  readonly window: Period;
  /** Up to when the log is read, without that instant: awareness and measures come after the window. Absent: to its end. */
  readonly at?: string | undefined;
}

/** A version that stood in the environment within the window. */
export interface BreachCopy {
  readonly pipeline: string;
  readonly target: string;
  readonly version: number;
  readonly publishedAt: string;
  readonly expiresAt: string | null;
  /** Null: nothing says that it was dropped. */
  readonly endedAt: string | null;
  readonly plan: PlanFacts | null;
  /** By label of the table, as loaded. */
  readonly rows: ReadonlyMap<string, number>;
  readonly entries: readonly string[];
}

export interface Awareness {
  /** When it was recorded: the 72 hours run from here. */
  readonly at: string;
  readonly detectedAt: string | null;
  readonly incident: string | null;
  /** Random id of who became aware. */
  readonly actor: string | null;
  readonly entry: string;
}

export interface Measure {
  readonly at: string;
  readonly type: string;
  readonly of: string | null;
  readonly actor: string | null;
  readonly entry: string;
}

export interface Reversal {
  readonly at: string;
  readonly type: string;
  readonly domain: string | null;
  readonly purpose: string | null;
  readonly count: number | null;
  readonly actor: string | null;
  readonly entry: string;
}

export interface DestroyedKeys {
  readonly purpose: string;
  readonly environment: string;
  /** This version and every one before it. */
  readonly upTo: number;
  readonly at: string;
  readonly entry: string;
}

export interface BreachFacts {
  readonly environment: string;
  readonly window: Period;
  /** The last instant that was read. */
  readonly asOf: string;
  readonly copies: readonly BreachCopy[];
  /** In the window; archives that were handed out also before it. */
  readonly recipients: readonly Recipient[];
  readonly archivesBefore: readonly Recipient[];
  readonly clones: number;
  readonly holders: readonly Holder[];
  readonly reversals: readonly Reversal[];
  readonly destroyed: readonly DestroyedKeys[];
  readonly awareness: readonly Awareness[];
  readonly measures: readonly Measure[];
  /** Everything of the window, of all environments: for page 1 and lists that name no environment. */
  readonly collected: Collected;
}

/** A pure function of the log and what is asked: the same gives the same, whoever asks. */
export async function readBreach(entries: AsyncIterable<LoggedEvent>, asked: BreachAsked): Promise<BreachFacts> {
  const reader = new BreachReader(asked);
  const collected = await collect(reader.passing(entries), asked.window);
  return reader.end(collected);
}

interface OpenRun {
  readonly pipeline: string;
  readonly rows: Map<string, number>;
  asked?: LoggedEvent;
}

type Kept = Omit<BreachCopy, 'plan' | 'endedAt'> & { endedAt: string | null; readonly asked: LoggedEvent | undefined };

const BEGINNING = '';

class BreachReader {
  readonly #runs = new Map<string, OpenRun>();
  readonly #copies = new Map<string, Kept>();
  readonly #clones = new Map<string, { readonly madeAt: string; endedAt: string | null }>();
  readonly #recipients: Recipients;
  readonly #before: Recipients;
  readonly #access: BreachAccess;
  readonly #reversals: Reversal[] = [];
  readonly #destroyed: DestroyedKeys[] = [];
  readonly #awareness: Awareness[] = [];
  readonly #measures: Measure[] = [];
  #last = '';

  constructor(private readonly asked: BreachAsked) {
    const { environment, window } = asked;
    this.#recipients = new Recipients(window, environment);
    this.#before = new Recipients({ from: BEGINNING, to: window.from }, environment);
    this.#access = new BreachAccess(environment, window);
  }

  async *passing(entries: AsyncIterable<LoggedEvent>): AsyncGenerator<LoggedEvent> {
    for await (const logged of entries) {
      const { at } = logged.event;
      if (this.asked.at === undefined || at < this.asked.at) {
        if (at > this.#last) this.#last = at;
        this.#take(logged);
      }
      yield logged;
    }
  }

  async end(collected: Collected): Promise<BreachFacts> {
    const { environment, window, at } = this.asked;
    const there = [...this.#copies.values()].filter((one) => isThere(window, one.publishedAt, one.endedAt));
    const copies = await Promise.all(there.map(async ({ asked, ...copy }) => ({ ...copy, plan: asked ? await toPlanFacts(asked) : null })));
    return {
      ...{ environment, window, asOf: at !== undefined && at < this.#last ? at : this.#last, copies },
      recipients: this.#recipients.end(),
      archivesBefore: this.#before.end().filter(({ kind }) => kind === 'archive'),
      clones: [...this.#clones.values()].filter((one) => isThere(window, one.madeAt, one.endedAt)).length,
      holders: this.#access.end(),
      ...{ reversals: this.#reversals, destroyed: this.#destroyed, awareness: this.#awareness, measures: this.#measures, collected },
    };
  }

  #take(logged: LoggedEvent): void {
    const { event } = logged;
    this.#recipients.take(logged);
    this.#before.take(logged);
    this.#access.take(logged);
    this.#noteRun(logged);
    this.#noteEnd(event);
    this.#noteClone(event);
    this.#noteWhatWasDone(logged);
  }

  #noteRun(logged: LoggedEvent): void {
    const { type, runId, data } = logged.event;
    if (type === 'run.started') {
      if (textOf(data, 'environment') === this.asked.environment)
        this.#runs.set(runId, { pipeline: textOf(data, 'pipeline') ?? '', rows: new Map() });
      return;
    }
    const run = this.#runs.get(runId);
    if (!run) return;
    if (type === 'table.loaded')
      run.rows.set(toTableLabel({ schema: textOf(data, 'schema') ?? '', name: textOf(data, 'table') ?? '' }), Number(data['rows'] ?? 0));
    else if (type === 'gate.asked') run.asked = logged;
    else if (type === 'run.ended') this.#runs.delete(runId);
    else if (type === 'dataset.published.done' || type === 'dataset.published.completed') this.#publish(run, logged);
  }

  #publish({ pipeline, rows, asked }: OpenRun, logged: LoggedEvent): void {
    const { at, runId, data } = logged.event;
    if (at >= this.asked.window.to) return;
    this.#copies.set(runId, {
      ...{ pipeline, target: textOf(data, 'target') ?? '', version: Number(data['version'] ?? 0) },
      ...{ publishedAt: at, expiresAt: textOf(data, 'expiresAt'), endedAt: null, rows, asked, entries: [toPlace(logged)] },
    });
  }

  #noteEnd({ type, at, data }: Event): void {
    if (type !== 'dataset.dropped.done' && type !== 'dataset.dropped.completed') return;
    const copy = this.#copies.get(textOf(data, 'run') ?? '');
    if (!copy) return;
    copy.endedAt = at;
    if (at < this.asked.window.from) this.#copies.delete(textOf(data, 'run') ?? '');
  }

  #noteClone({ type, at, data }: Event): void {
    if (!type.startsWith('clone.') || textOf(data, 'environment') !== this.asked.environment) return;
    const clone = textOf(data, 'clone') ?? '';
    if (type === 'clone.made.done' || type === 'clone.made.completed')
      this.#clones.set(clone, this.#clones.get(clone) ?? { madeAt: at, endedAt: null });
    const known = this.#clones.get(clone);
    if (known && (type === 'clone.dropped.done' || type === 'clone.dropped.completed')) known.endedAt = at;
  }

  #noteWhatWasDone(logged: LoggedEvent): void {
    const { type, at, data } = logged.event;
    const { environment, window } = this.asked;
    const [entry, actor] = [toPlace(logged), textOf(data, 'actor')];
    const isOurs = textOf(data, 'environment') === environment;
    if (type.startsWith('key.destroyed.') && !type.endsWith('.failed') && !type.endsWith('.intended'))
      this.#destroyed.push({
        ...{ purpose: textOf(data, 'purpose') ?? '', environment: textOf(data, 'environment') ?? '', upTo: Number(data['upTo'] ?? 0) },
        ...{ at, entry },
      });
    if (isOurs && type === 'breach.aware')
      this.#awareness.push({ at, detectedAt: textOf(data, 'detectedAt'), incident: textOf(data, 'incident'), actor, entry });
    const within = at >= window.from && at < window.to;
    if (isOurs && within && (type === 'tokens.refused' || (type === 'tokens.exchanged' && data['action'] === 'detokenise')))
      this.#reversals.push({
        ...{ at, type, domain: textOf(data, 'domain'), purpose: textOf(data, 'purpose') },
        ...{ count: typeof data['count'] === 'number' ? data['count'] : null, actor, entry },
      });
    if (at >= window.from && measures.has(type) && (isOurs || everywhere.has(type) || this.#isOfCopy(data)))
      this.#measures.push({ at, type, of: toObject(data), actor, entry });
  }

  /** Some entries name the run that made a version, and no environment. */
  #isOfCopy(data: Event['data']): boolean {
    return this.#copies.has(textOf(data, 'run') ?? '');
  }
}

const isThere = ({ from, to }: Period, begin: string, end: string | null): boolean => begin < to && (end === null || end >= from);

const toObject = (data: Event['data']): string | null =>
  ['version', 'clone', 'step', 'token', 'upTo', 'incident', 'domain'].flatMap((name) => {
    const value = textOf(data, name);
    return value === null ? [] : [`${name} ${value}`];
  })[0] ?? null;

/** What ends or narrows what somebody could reach. */
const measures: ReadonlySet<string> = new Set([
  ...['dataset.revoked', 'dataset.quarantined.done', 'dataset.quarantined.completed', 'dataset.dropped.done', 'dataset.dropped.completed'],
  ...[
    'clone.dropped.done',
    'clone.dropped.completed',
    'archive.dropped',
    'key.rotated.done',
    'key.rotated.completed',
    'key.destroyed.done',
  ],
  ...['key.destroyed.completed', 'tokens.shredded', 'hold.placed', 'agent.revoked', 'apikey.revoked', 'secret.rotated'],
  ...['incident.opened', 'incident.step', 'incident.closed'],
]);
/** They name no environment: whoever reads decides. */
const everywhere: ReadonlySet<string> = new Set(['apikey.revoked', 'secret.rotated']);

/** Rows of these tables; of a target with several versions of the window the most that one had. Null: of a version nobody knows the plan. */
export function toMostRows(
  copies: readonly BreachCopy[],
  tablesOf: (plan: PlanFacts) => readonly string[],
): { readonly rows: number; readonly complete: boolean } {
  const most = new Map<string, number>();
  let complete = true;
  for (const { target, pipeline, plan, rows } of copies) {
    const tables = plan ? tablesOf(plan) : [];
    if (tables.length === 0) complete = false;
    const sum = tables.reduce((all, table) => all + (rows.get(table) ?? 0), 0);
    const key = JSON.stringify([pipeline, target]);
    most.set(key, Math.max(most.get(key) ?? 0, sum));
  }
  return { rows: [...most.values()].reduce((all, one) => all + one, 0), complete };
}

/** Tables with something of a person, or whose rows lead to one. */
export const toPersonalTables = ({ columns }: PlanFacts): readonly string[] => [
  ...new Set(columns.filter((one) => one.speaksOfPerson || isTagged(one)).map(({ table }) => table)),
];
