// The frequency attack: whoever knows how often each value stands in the source takes the pseudonym of the same rank for it. Every row that is tried says
// whether that was right, and whether always naming the most frequent value would have been.
import { hash } from 'node:crypto';

import type { ColumnPlan } from '../../plan.js';
import type { Frequencies, Frequency, GuessFigures } from '../../privacy.js';
import { toLowerBound } from './confidence.js';
import { type TriedRows, fieldOf, toText } from './tried-rows.js';

/** Ranks that are matched. */
export const MOST_RANKS = 2_000;

/** Whether a value comes more than once on both sides: otherwise there is no rank to go by. */
export function hasRanks(rows: TriedRows, column: ColumnPlan): boolean {
  const field = fieldOf(rows, column);
  return [rows.originals, rows.copies].every((side) => {
    const values = side.map((row) => row[field]).filter((value) => value !== '\\N');
    return new Set(values).size < values.length;
  });
}

export function guess(rows: TriedRows, column: ColumnPlan, source: Frequencies, copy: Frequencies, sampled: boolean): GuessFigures {
  const field = fieldOf(rows, column);
  const [meant, there] = [toRanks(copy.top), toRanks(source.top)];
  const first = source.top[0]?.digest;
  let [guessed, chance] = [0, 0];
  const gains: number[] = [];
  for (const [i, row] of rows.copies.entries()) {
    const [pseudonym, original] = [toDigest(row[field], column), toDigest(rows.originals[i]?.[field], column)];
    if (pseudonym === undefined || original === undefined) continue;
    const hit = toChance(meant.get(pseudonym), there.get(original));
    const byChance = first === original ? 1 : 0;
    guessed += hit;
    chance += byChance;
    gains.push(hit - byChance);
  }
  const told = {
    rows: gains.length,
    guessed: Math.max(0, Math.ceil(guessed - 1e-9)),
    chance,
    beyondChance: Math.max(0, toLowerBound(gains, 2)),
  };
  return { column: column.name, ...told, ...(sampled ? { sampled } : {}) };
}

/** First and last of the ranks that a value may have. */
type Ranks = readonly [number, number];

/** Counts of a part of the rows are told apart from three standard errors on; those of all rows by one row. */
const APART = 3;

function toRanks(top: readonly Frequency[]): ReadonlyMap<string, Ranks> {
  const isOne = (a: Frequency, b: Frequency | undefined): boolean =>
    b !== undefined && Math.abs(a.rows - b.rows) <= APART * Math.sqrt(a.variance + b.variance);
  const known = new Map<string, Ranks>();
  return new Map(
    top.map((one, rank) => {
      // Between two of the same count and variance no other is told apart from them.
      const like = `${one.rows} ${one.variance}`;
      let [from, to] = [rank, rank];
      while (!known.has(like) && isOne(one, top[from - 1])) from--;
      while (!known.has(like) && isOne(one, top[to + 1])) to++;
      const ranks = known.get(like) ?? [from, to];
      known.set(like, ranks);
      return [one.digest, ranks];
    }),
  );
}

/** That two ranks are one, each drawn from those that there are. */
function toChance(a: Ranks | undefined, b: Ranks | undefined): number {
  if (!a || !b) return 0;
  const shared = Math.min(a[1], b[1]) - Math.max(a[0], b[0]) + 1;
  return shared <= 0 ? 0 : shared / ((a[1] - a[0] + 1) * (b[1] - b[0] + 1));
}

/** As the server makes it of the value's text. */
function toDigest(field: string | undefined, { type }: ColumnPlan): string | undefined {
  const text = field === undefined ? undefined : toText(field);
  if (text === undefined) return undefined;
  return hash('md5', type.base === 'bpchar' ? text.trimEnd() : text); // prettier-ignore
}
