// The exact-join attack: whoever has the source looks for a row of the copy by what came through as it was. Rows of the source pass by once, and of each
// a digest is looked up among those of the rows that are tried; no row of the source stays.
import type { ColumnPlan } from '../../plan.js';
import type { LinkFigures } from '../../privacy.js';
import { choose } from './classes.js';
import { type TriedRows, fieldOf } from './tried-rows.js';

const TAB = 9;
const NEWLINE = 10;
/** Columns that come through in some rows are tried in sets beside those that always do: so many of them. */
const MOST_CHANGING = 5;

interface LinkSet {
  readonly columns: readonly ColumnPlan[];
  /** Into the fields that are read. */
  readonly places: readonly number[];
  /** Of each digest among the tried rows its number. */
  readonly entries: ReadonlyMap<number, number>;
  /** How many rows of the source have it. */
  readonly counts: Int32Array;
  /** By tried row: the number of its copy's digest; whether its own original has it too. */
  readonly of: Int32Array;
  readonly own: Uint8Array;
}

export class Links {
  /** What has to be read of the source, in this order; none: nothing came through. */
  readonly columns: readonly ColumnPlan[];
  readonly #sets: readonly LinkSet[];
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  #field = 0;
  #population = 0;

  constructor(
    private readonly rows: TriedRows,
    private readonly personal: readonly ColumnPlan[],
    other: readonly ColumnPlan[],
  ) {
    const shares = new Map([...personal, ...other].map((column) => [column, toShare(rows, column)]));
    this.columns = [...shares].filter(([, share]) => share > 0).map(([column]) => column);
    const sets = [...toSets(personal, shares), ...toSets([...personal, ...other], shares)];
    const distinct = new Map(sets.map((set) => [set.map(({ name }) => name).join('\t'), set]));
    this.#low = new Int32Array(this.columns.length).fill(basis);
    this.#high = new Int32Array(this.columns.length).fill(basis);
    this.#sets = [...distinct.values()].map((set) => this.#toSet(set));
  }

  /** Lines of COPY text with `columns` as fields; chunks may be cut anywhere. */
  feed(chunk: Uint8Array): void {
    const [low, high] = [this.#low, this.#high];
    let field = this.#field;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === TAB) field++;
      else if (byte === NEWLINE) {
        this.#count();
        field = 0;
        low.fill(basis);
        high.fill(basis);
      } else {
        low[field] = Math.imul((low[field] as number) ^ byte, 0x01000193);
        high[field] = Math.imul((high[field] as number) ^ byte, 0x5bd1e995) + 1;
      }
    }
    this.#field = field;
  }

  /** The set of columns by which most rows are linked; of personal columns only, or of all. Undefined: nothing of them came through. */
  worst(of: 'personal' | 'all', sampled: boolean): LinkFigures | undefined {
    const sets = this.#sets.filter(({ columns }) => of === 'all' || columns.every((column) => this.personal.includes(column)));
    const all = sets.map((set) => this.#toFigures(set, sampled));
    return all.reduce<LinkFigures | undefined>((found, one) => (found && found.linked >= one.linked ? found : one), undefined);
  }

  #toFigures({ columns, counts, of, own }: LinkSet, sampled: boolean): LinkFigures {
    let [linked, wrong] = [0, 0];
    for (const [row, entry] of of.entries()) {
      const count = counts[entry] as number;
      // Of a part of the source its own row may be missing: then nobody else has these values either.
      if (own[row] === 1 && count <= 1) linked++;
      else if (own[row] === 0 && count === 1) wrong++;
    }
    const names = columns.map(({ name }) => name);
    return { columns: names, rows: of.length, linked, wrong, population: this.#population, ...(sampled ? { sampled } : {}) };
  }

  #count(): void {
    this.#population++;
    for (const { places, entries, counts } of this.#sets) {
      const entry = entries.get(mix(places, this.#low, this.#high));
      if (entry !== undefined) counts[entry] = (counts[entry] as number) + 1;
    }
  }

  #toSet(columns: readonly ColumnPlan[]): LinkSet {
    const places = columns.map((column) => this.columns.indexOf(column));
    const fields = columns.map((column) => fieldOf(this.rows, column));
    const entries = new Map<number, number>();
    const [low, high] = [new Int32Array(this.columns.length), new Int32Array(this.columns.length)];
    const digest = (row: readonly string[]): number => {
      for (const [i, place] of places.entries()) [low[place], high[place]] = hash(row[fields[i] ?? 0] ?? '');
      return mix(places, low, high);
    };
    const of = Int32Array.from(this.rows.copies, (row) => {
      const key = digest(row);
      const known = entries.get(key) ?? entries.size;
      entries.set(key, known);
      return known;
    });
    const own = Uint8Array.from(this.rows.originals, (row, i) => (entries.get(digest(row)) === of[i] ? 1 : 0));
    return { columns, places, entries, counts: new Int32Array(entries.size), of, own };
  }
}

/** Columns that always come through make every set more telling; each few of the others are tried with them. */
function toSets(columns: readonly ColumnPlan[], shares: ReadonlyMap<ColumnPlan, number>): readonly (readonly ColumnPlan[])[] {
  const share = (column: ColumnPlan): number => shares.get(column) ?? 0;
  const always = columns.filter((column) => share(column) === 1);
  const some = columns
    .filter((column) => share(column) > 0 && share(column) < 1)
    .sort((a, b) => share(b) - share(a))
    .slice(0, MOST_CHANGING);
  return [0, 1, 2, 3].flatMap((size) => choose(some, size).map((few) => [...always, ...few])).filter((set) => set.length > 0);
}

/** Rows in which the copy has the original; that both have none tells nobody anything. */
function toShare(rows: TriedRows, column: ColumnPlan): number {
  const field = fieldOf(rows, column);
  const through = rows.copies.filter((row, i) => row[field] === rows.originals[i]?.[field]).length;
  const empty = rows.copies.every((row) => row[field] === '\\N');
  return empty || rows.copies.length === 0 ? 0 : through / rows.copies.length;
}

const basis = 0x811c9dc5 | 0;

function hash(field: string): readonly [number, number] {
  let [low, high] = [basis, basis];
  for (let i = 0; i < field.length; i++) {
    const byte = field.charCodeAt(i);
    low = Math.imul(low ^ byte, 0x01000193);
    high = (Math.imul(high ^ byte, 0x5bd1e995) + 1) | 0;
  }
  return [low, high];
}

/** 53 bits of what stands in these places. */
function mix(places: readonly number[], low: Int32Array, high: Int32Array): number {
  let [a, b] = [0x9e3779b9 | 0, 0x85ebca6b | 0];
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    a = Math.imul(a ^ (low[place] as number), 0xc2b2ae35);
    a ^= a >>> 15;
    b = Math.imul(b ^ (high[place] as number), 0x27d4eb2f);
    b ^= b >>> 13;
  }
  return (a >>> 0) * 0x200000 + (b >>> 11);
}
