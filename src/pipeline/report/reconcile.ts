// What the log tells, held against the tables of the service, id by id: nothing that it told is gone from them, and nothing stands in them of which it does
// not tell. All that the log has is compared and no period of it: a row and its entry stand moments apart, and copies live over every border.
import type { LoggedEvent } from '../event.js';
import { collect } from './collect.js';
import { type CounterpartName, counterpartNames, counterparts, idsOf } from './counterparts.js';
import { populations } from './populations/populations.js';

export interface StoredRow {
  /** As `idsOf` makes it of an item. */
  readonly id: string;
  /** When it came: RFC 3339. */
  readonly at: string;
  /** False: the log may not tell of it, or not yet. */
  readonly owed: boolean;
}

export interface Apart {
  readonly id: string;
  /** `row`: the log tells of it, and the row is not there. `entry`: the row is there, and the log does not tell of it. */
  readonly missing: 'row' | 'entry';
  /** Of what is there. */
  readonly at: string;
}

export interface Held {
  readonly table: string;
  /** Ids that the log tells of. */
  readonly told: number;
  /** Rows that it tells of or has to tell of. */
  readonly rows: number;
  readonly apart: readonly Apart[];
}

export interface Reconciled {
  readonly population: string;
  /** Rows of its CSV. */
  readonly items: number;
  /** Empty: the log alone has it. */
  readonly held: readonly Held[];
}

/** Before and after everything that an event may say of itself. */
const always = { from: '0000-01-01T00:00:00.000Z', to: '9999-12-31T23:59:59.999Z', zone: 'UTC' };
const DAY_MS = 86_400_000;

/** MUST be given rows that were read before the entries. `nowMs`: by which it is known what the service still keeps. */
export async function reconcile(
  entries: AsyncIterable<LoggedEvent>,
  rows: ReadonlyMap<CounterpartName, readonly StoredRow[]>,
  nowMs: number,
): Promise<readonly Reconciled[]> {
  const told = new Map(counterpartNames.map((name) => [name, new Map<string, string>()]));
  const named = new Map(populations.map(({ name }) => [name, counterpartNames.filter((one) => counterparts[one].population === name)]));
  let first = '';
  const collected = await collect(
    noting(entries, (at) => (first = first === '' || at < first ? at : first)),
    always,
    {
      item: (population, item) => {
        for (const name of named.get(population.name) ?? [])
          for (const id of idsOf(name, population, item)) told.get(name)!.set(id, item.at);
      },
    },
  );
  const hold = (name: CounterpartName): Held => {
    const there = new Map((rows.get(name) ?? []).map((row) => [row.id, row]));
    const known = told.get(name)!;
    const { table, keptDays = Infinity } = counterparts[name];
    // What came before the oldest log that is kept no entry tells of any more.
    const untold = [...there.values()].filter(({ id, at, owed }) => owed && at >= first && !known.has(id));
    const gone = [...known].filter(([id, at]) => !there.has(id) && nowMs - Date.parse(at) < keptDays * DAY_MS);
    return {
      ...{ table, told: known.size, rows: [...known.keys()].filter((id) => there.has(id)).length + untold.length },
      apart: [
        ...gone.map(([id, at]) => ({ id, missing: 'row' as const, at })),
        ...untold.map(({ id, at }) => ({ id, missing: 'entry' as const, at })),
      ],
    };
  };
  return populations.map(({ name }) => ({
    ...{ population: name, items: collected.populations.get(name)?.rows ?? 0 },
    held: (named.get(name) ?? []).map(hold),
  }));
}

async function* noting(entries: AsyncIterable<LoggedEvent>, note: (at: string) => void): AsyncGenerator<LoggedEvent> {
  for await (const logged of entries) {
    note(logged.event.at);
    yield logged;
  }
}
