// What the log tells, held against the tables of the service, id by id and column by column: nothing that it told is gone from them or stands there
// otherwise, and nothing is in them of which it does not tell. All that the log has is compared and no period of it: a row and its entry stand moments
// apart, and copies live over every border.
import type { LoggedEvent } from '../event.js';
import { collect } from './collect.js';
import { type CounterpartName, Counterparts, counterpartNames, counterparts } from './counterparts.js';
import { populations } from './populations/populations.js';
import type { Say, Says } from './told-rows.js';

export interface StoredRow {
  /** As the entries make it. */
  readonly id: string;
  /** When it came: RFC 3339. */
  readonly at: string;
  /** False: the log may not tell of it, or not yet. */
  readonly owed: boolean;
  /** What stands in the columns that are compared; an empty one as an empty text, one that the log cannot know not at all. */
  readonly says?: Readonly<Record<string, string>>;
}

export interface Apart {
  readonly id: string;
  /** `row`: the log tells of it, and the row is not there. `entry`: the row is there, and the log does not tell of it. */
  readonly missing: 'row' | 'entry';
  /** Of what is there. */
  readonly at: string;
}

export interface Changed {
  readonly id: string;
  /** In which something else stands than the log tells. */
  readonly columns: readonly string[];
}

export interface Held {
  readonly table: string;
  /** Ids that the log tells of. */
  readonly told: number;
  /** Rows that it tells of or has to tell of. */
  readonly rows: number;
  readonly apart: readonly Apart[];
  readonly changed: readonly Changed[];
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

/** Of what the log tells the ids and the compared columns are held, of the rows a page. `nowMs`: by which it is known what the service still keeps. */
export async function reconcile(
  entries: AsyncIterable<LoggedEvent>,
  rowsOf: (name: CounterpartName) => AsyncIterable<StoredRow>,
  nowMs: number,
): Promise<readonly Reconciled[]> {
  const telling = new Counterparts();
  let first = '';
  const collected = await collect(
    noting(entries, (at) => (first = first === '' || at < first ? at : first)),
    always,
    { item: (population, item) => telling.take(population, item) },
  );
  const held = new Map<CounterpartName, Held>();
  for (const name of counterpartNames) {
    const { table, keptDays = Infinity } = counterparts[name];
    const { rows: left } = telling.told.get(name)!;
    const [told, apart, changed] = [left.size, [] as Apart[], [] as Changed[]];
    let rows = 0;
    for await (const row of rowsOf(name)) {
      const known = left.get(row.id);
      if (known) left.delete(row.id);
      // What came before the oldest log that is kept no entry tells of any more.
      else if (!row.owed || row.at < first) continue;
      else apart.push({ id: row.id, missing: 'entry', at: row.at });
      rows += 1;
      const columns = known ? findOther(known.says, row.says ?? {}) : [];
      if (columns.length > 0) changed.push({ id: row.id, columns });
    }
    for (const [id, { at }] of left) if (nowMs - Date.parse(at) < keptDays * DAY_MS) apart.push({ id, missing: 'row', at });
    left.clear();
    held.set(name, { table, told, rows, apart, changed });
  }
  return populations.map(({ name }) => ({
    ...{ population: name, items: collected.populations.get(name)?.rows ?? 0 },
    held: counterpartNames.filter((one) => counterparts[one].populations[0] === name).map((one) => held.get(one)!),
  }));
}

const findOther = (told: Says, row: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(row).flatMap(([column, text]) => (isSaid(told[column], text) ? [] : [column]));

function isSaid(told: Say, text: string): boolean {
  if (told === undefined) return true;
  return typeof told === 'string' ? toInstant(told) === toInstant(text) : told.includes(text);
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;
const toInstant = (text: string): string => (instant.test(text) && !Number.isNaN(Date.parse(text)) ? new Date(text).toISOString() : text);

async function* noting(entries: AsyncIterable<LoggedEvent>, note: (at: string) => void): AsyncGenerator<LoggedEvent> {
  for await (const logged of entries) {
    note(logged.event.at);
    yield logged;
  }
}
