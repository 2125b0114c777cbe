// Which columns single persons out: the most identifying one, pair and triple of a sample. What they come to is counted by the server.
import type { ColumnPlan } from '../../plan.js';
import { type TriedRows, fieldOf } from './tried-rows.js';

/** More columns are not tried together: those with the most values are. */
const MOST_COLUMNS = 8;

/** Of each size the set with the most rows that are alone; sets of the same size that tell as much: the first. */
export function findIdentifying(rows: TriedRows, columns: readonly ColumnPlan[]): readonly (readonly ColumnPlan[])[] {
  const varied = columns
    .map((column) => ({ column, field: fieldOf(rows, column) }))
    .map(({ column, field }) => ({ column, values: new Set(rows.copies.map((row) => row[field])).size }))
    .filter(({ values }) => values > 1)
    .sort((a, b) => b.values - a.values)
    .slice(0, MOST_COLUMNS)
    .map(({ column }) => column);
  return [1, 2, 3].flatMap((size) => {
    const sets = choose(varied, size).map((set) => ({ set, alone: countAlone(rows, set) }));
    const best = sets.reduce<(typeof sets)[number] | undefined>(
      (found, one) => (found && found.alone >= one.alone ? found : one),
      undefined,
    );
    return best ? [best.set] : [];
  });
}

export function choose<T>(all: readonly T[], size: number, from = 0): readonly (readonly T[])[] {
  if (size === 0) return [[]];
  return all.slice(from).flatMap((one, i) => choose(all, size - 1, from + i + 1).map((rest) => [one, ...rest]));
}

function countAlone(rows: TriedRows, set: readonly ColumnPlan[]): number {
  const fields = set.map((column) => fieldOf(rows, column));
  const groups = new Map<string, number>();
  for (const row of rows.copies) {
    const key = fields.map((field) => row[field]).join('\t');
    groups.set(key, (groups.get(key) ?? 0) + 1);
  }
  return [...groups.values()].filter((size) => size === 1).length;
}
