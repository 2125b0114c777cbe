// The frequency attack: whoever knows how often each value stands in the source takes the pseudonym of the same rank for it. Every row that is tried says
// whether that was right, and whether always naming the most frequent value would have been.
import { createHash } from 'node:crypto';

import type { ColumnPlan } from '../../plan.js';
import type { Frequencies, GuessFigures } from '../../privacy.js';
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
  const meant = new Map(copy.top.map(({ digest }, rank) => [digest, source.top[rank]?.digest]));
  const first = source.top[0]?.digest;
  let [tried, guessed, chance] = [0, 0, 0];
  for (const [i, row] of rows.copies.entries()) {
    const [pseudonym, original] = [toDigest(row[field], column), toDigest(rows.originals[i]?.[field], column)];
    if (pseudonym === undefined || original === undefined) continue;
    tried++;
    if (meant.get(pseudonym) === original) guessed++;
    if (first === original) chance++;
  }
  return { column: column.name, rows: tried, guessed, chance, ...(sampled ? { sampled } : {}) };
}

/** As the server makes it of the value's text. */
function toDigest(field: string | undefined, { type }: ColumnPlan): string | undefined {
  const text = field === undefined ? undefined : toText(field);
  if (text === undefined) return undefined;
  return createHash('md5').update(type.base === 'bpchar' ? text.trimEnd() : text).digest('hex'); // prettier-ignore
}
