// A batch is columns, not rows. On its way between processes and threads it is whole lines of COPY text; a stage that looks inside
// splits it into columns of bytes. Nothing here ever becomes a string per value.
import type { Brand } from '../kernel/brand.js';

/**
 * Whole lines of `COPY … TO STDOUT` text of one table: each line ends in `\n`, fields are separated by `\t`, NULL is `\N`, and bytes are
 * escaped as the PostgreSQL manual says under COPY, "Text Format". The fields are the columns of the table's plan in order, followed, before
 * masking, by the hidden columns of `TablePlan.hidden`. A line is never split over two batches.
 */
export interface Batch {
  /** Index into `Plan.tables`. */
  readonly table: number;
  /** Position of the batch in its table, for errors: the range's number and the batch's number in it, both from 0. */
  readonly range: number;
  readonly sequence: number;
  /** The lines. Owned by the holder of the batch; handing a batch on hands the bytes on. */
  readonly bytes: Uint8Array;
  /** The tokens of columns whose tokens are kept outside of the run, looked up before the batch is masked. */
  readonly vaulted?: readonly VaultedColumn[];
  /** Gives the memory of the bytes back. MAY be called, once, by the holder who is the last to look at them; stays in the thread that made it. */
  readonly release?: () => void;
}

/** Only the mask stage makes one; only this is accepted by deliver. Hidden columns are gone. */
export type Masked<B extends Batch = Batch> = Brand<B & { readonly rows: number }, 'masked'>;

/**
 * One column of a batch: the bytes of all values, unescaped, and where each begins and ends.
 * Invariants: `starts.length >= rows`, `ends.length >= rows`; value i is `bytes[starts[i] .. ends[i])`; NULL has `ends[i] === -1`.
 * Values may overlap nothing and may stand in any order; bytes between them belong to nobody.
 */
export interface Column {
  readonly rows: number;
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** What a column of a batch becomes, row by row; NULL where the original is. */
export interface VaultedColumn extends Column {
  /** Index into `TablePlan.columns`. */
  readonly field: number;
}
