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

/** A table within so much of its fair share keeps nobody waiting at the end: it stays whole, and is then loaded frozen and in order. */
const fairShare = 1.25;

export interface Cutting {
  readonly rangeBytes: number;
  /** A table larger than this is cut whatever the others take: so much is read again, at most, when a reader is gone. */
  readonly wholeBytes: number;
  readonly connections: number;
}

/**
 * The ranges of a plan, `sizes` by index into its tables, for so many readers at once. Together the ranges of a table hold each row once; the
 * last has no upper end. A table of up to `wholeBytes` is cut only where it would be read on when the other readers have nothing left. A
 * partitioned parent and a table with `rows: none` have no range.
 */
export function toRanges(tables: readonly TablePlan[], sizes: readonly TableSize[], cutting: Cutting): Range[] {
  const { rangeBytes, wholeBytes, connections: readers } = cutting;
  const read = tables
    .map((table, index) => ({ table, index, size: sizes[index] ?? { bytes: 0, pages: 0, pageBytes: 8192 } }))
    .filter(({ table }) => table.kind === 'r' && table.rows !== 'none')
    .sort((a, b) => b.size.bytes - a.size.bytes || a.index - b.index);
  const share = (read.reduce((sum, { size }) => sum + size.bytes, 0) / readers) * fairShare;
  return read.flatMap(({ table, index, size }) =>
    size.bytes > Math.min(share, wholeBytes) ? toTableRanges(table, index, size, rangeBytes) : [{ table: index, range: 0 }],
  );
}

function toTableRanges(table: TablePlan, index: number, { pages, pageBytes }: TableSize, rangeBytes: number): Range[] {
  const step = Math.max(1, Math.floor(rangeBytes / pageBytes));
  // A join is paid once per table, so a table that needs one is not cut.
  if (pages <= step || table.inOrder || table.hidden.some(({ via }) => via.length > 0)) return [{ table: index, range: 0 }];
  const count = Math.ceil(pages / step);
  return Array.from({ length: count }, (_, range) => ({
    table: index,
    range,
    pages: [range * step, range === count - 1 ? null : (range + 1) * step] as const,
  }));
}
