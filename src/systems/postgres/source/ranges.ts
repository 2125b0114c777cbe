// Tables largest first by what they really take on disk, big ones cut into ranges of pages.
import type { Range } from '../../../pipeline/ports.js';
import type { TablePlan } from '../../../pipeline/plan.js';

export interface TableSize {
  /** Heap, TOAST and maps, without indexes. */
  readonly bytes: number;
  /** Pages of the main fork. */
  readonly pages: number;
  readonly pageBytes: number;
}

/**
 * The ranges of a plan, `sizes` by index into its tables. Together the ranges of a table hold each row once; the last has no upper end
 * in the statement, its second page says only where the table ended. A partitioned parent and a table with `rows: none` have none.
 */
export function toRanges(tables: readonly TablePlan[], sizes: readonly TableSize[], rangeBytes: number): Range[] {
  return tables
    .map((table, index) => ({ table, index, size: sizes[index] ?? { bytes: 0, pages: 0, pageBytes: 8192 } }))
    .filter(({ table }) => table.kind === 'r' && table.rows !== 'none')
    .sort((a, b) => b.size.bytes - a.size.bytes || a.index - b.index)
    .flatMap(({ table, index, size }) => toTableRanges(table, index, size, rangeBytes));
}

function toTableRanges(table: TablePlan, index: number, { pages, pageBytes }: TableSize, rangeBytes: number): Range[] {
  const step = Math.max(1, Math.floor(rangeBytes / pageBytes));
  // A join is paid once per table, so a table that needs one is not cut.
  if (pages <= step || table.hidden.some(({ via }) => via.length > 0)) return [{ table: index, range: 0 }];
  const count = Math.ceil(pages / step);
  return Array.from({ length: count }, (_, range) => ({
    table: index,
    range,
    pages: [range * step, Math.min(pages, (range + 1) * step)] as const,
  }));
}
