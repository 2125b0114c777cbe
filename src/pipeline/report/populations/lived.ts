// What is made and has to end again, by an expiry: versions of copies, and clones of them. One item for each that was there within the period.
import type { LoggedEvent } from '../../event.js';
import { type Period, isWithin } from '../period.js';
import { type Cell, type Item, type Population, pick, toPlace } from './population.js';

interface Lived {
  readonly at: string;
  readonly entries: string[];
  readonly data: LoggedEvent['event']['data'];
  readonly run: string;
}

interface Kind {
  readonly name: string;
  readonly title: string;
  readonly made: readonly string[];
  readonly ended: readonly string[];
  /** What tells one from another. */
  readonly keyOf: (logged: LoggedEvent) => string;
  readonly columns: Readonly<Record<string, readonly [means: string, path: string]>>;
}

const isEnd = 'when it was dropped; empty: nothing says that it was';

function lived(kind: Kind): Population {
  const columns = {
    ...Object.fromEntries(Object.entries(kind.columns).map(([name, [means]]) => [name, means])),
    run: 'id of the run that made it',
    expiresAt: 'until when it may be there; empty: nothing says so',
    endedAt: isEnd,
    why: 'why it was dropped',
    seenGone: 'whether all that was dropped was looked for afterwards and not found; empty: nobody says that he looked',
    overdueHours:
      'hours from the expiry to its end, or to the last instant that was read, one that was begun counted whole; 0: in time; empty: not due, or no expiry',
  };
  return {
    name: kind.name,
    title: kind.title,
    query: `everything that an entry ${kind.made.join(' or ')} tells of, whenever that was, and that had not ended before the period began; its end is the entry ${kind.ended.join(' or ')} of the same`,
    types: [...kind.made, ...kind.ended],
    columns: Object.entries(columns).map(([name, means]) => ({ name, means })),
    open: (period) => new Reader(kind, period),
  };
}

class Reader {
  readonly #there = new Map<string, Lived>();
  readonly #made: ReadonlySet<string>;
  readonly #ended: ReadonlySet<string>;

  constructor(
    private readonly kind: Kind,
    private readonly period: Period,
  ) {
    this.#made = new Set(kind.made);
    this.#ended = new Set(kind.ended);
  }

  take(logged: LoggedEvent): readonly Item[] {
    const { event } = logged;
    const made = this.#made.has(event.type);
    if (!made && !this.#ended.has(event.type)) return [];
    const key = this.kind.keyOf(logged);
    const there = this.#there.get(key);
    if (made) {
      // Asked for again, it goes on: the newest expiry counts.
      const since = there ?? { at: event.at, entries: [], run: event.runId };
      this.#there.set(key, { ...since, data: event.data, entries: [...since.entries.slice(0, 1), toPlace(logged)] });
      return [];
    }
    this.#there.delete(key);
    return there ? this.#toItem(there, logged, event.at) : [];
  }

  end(asOf: string): readonly Item[] {
    const left = [...this.#there.values()];
    this.#there.clear();
    return left.flatMap((one) => this.#toItem(one, undefined, asOf));
  }

  #toItem({ at, entries, data, run }: Lived, ended: LoggedEvent | undefined, until: string): readonly Item[] {
    if (at >= this.period.to || (ended && !isWithin(this.period, ended.event.at))) return [];
    const expiresAt = pick(data, 'expiresAt');
    const lateMs = expiresAt === null ? Number.NaN : Date.parse(until) - Date.parse(String(expiresAt));
    const overdue = Number.isNaN(lateMs) || (!ended && lateMs < 0) ? null : Math.max(0, Math.ceil(lateMs / 3_600_000));
    const cells: Cell[] = Object.values(this.kind.columns).map(([, path]) => pick(data, path));
    const end = ended?.event;
    return [
      {
        ...{ at, entries: ended ? [...entries, toPlace(ended)] : entries },
        cells: [...cells, run, expiresAt, end?.at ?? null, end ? pick(end.data, 'why') : null, end ? toSeen(end.data) : null, overdue],
      },
    ];
  }
}

function toSeen(data: LoggedEvent['event']['data']): Cell {
  const { dropped } = data;
  // Of nothing that was dropped nothing was seen.
  if (!Array.isArray(dropped) || dropped.length === 0) return null;
  return dropped.every((one) => (one as { readonly seen?: unknown } | null)?.seen === 'gone') ? 'yes' : 'no';
}

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

export const versions = lived({
  name: 'versions',
  title: 'Versions of masked copies',
  made: ['dataset.published.done', 'dataset.published.completed'],
  ended: ['dataset.dropped.done', 'dataset.dropped.completed'],
  keyOf: ({ event: { data, runId, type } }) => (type.startsWith('dataset.published') ? runId : text(data['run'])),
  columns: {
    pipeline: ['the pipeline that made it', 'pipeline'],
    environment: ['where it is', 'environment'],
    target: ['name of the target', 'target'],
    version: ['its number', 'version'],
    planDigest: ['digest of the plan that it was made by', 'planDigest'],
    keyVersion: ['version of the key that its pseudonyms were made with', 'key.version'],
  },
});

export const clones = lived({
  name: 'clones',
  title: 'Clones for tests',
  made: ['clone.made.done', 'clone.made.completed'],
  ended: ['clone.dropped.done', 'clone.dropped.completed'],
  keyOf: ({ event: { data } }) => `${text(data['environment'])} ${text(data['clone'])}`,
  columns: {
    environment: ['of which environment', 'environment'],
    clone: ['its name', 'clone'],
    target: ['name of the target', 'target'],
    version: ['the version that it was copied from', 'version'],
    actor: ['random id of who asked for it', 'actor'],
  },
});
