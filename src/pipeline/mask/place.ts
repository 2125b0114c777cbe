// Where the values of a column stand: which row of the batch each belongs to, what its person and its row are, and how to say so in an error.
import type { Column } from '../batch.js';
import type { Companion } from './transform.js';

export interface Place {
  /** Person's key and row's key in canonical form, one column per field, by row of the batch. */
  readonly subjects: readonly Column[];
  readonly rowKeys: readonly Column[];
  /** Value → row of the batch; absent: value i belongs to row i. */
  readonly rows?: Int32Array;
  /** Value → its number among the values of its row and path, from 0; absent: there is one. */
  readonly ordinals?: Int32Array;
  readonly companions: readonly Companion[];
  /** Stops the run at a row of the batch. */
  fail(
    code: 'MASK_VALUE_REFUSED' | 'MASK_ROW_KEY_MISSING' | 'MASK_PATH_UNLISTED' | 'MASK_OUTPUT_INCOMPLETE',
    row: number,
    path?: string,
  ): never;
}

/** The columns as the values of another column see them: value i has what stands in row `rows[i]`. */
export function spread(column: Column, rows: Int32Array, count: number): Column {
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    starts[i] = column.starts[rows[i] as number] as number;
    ends[i] = column.ends[rows[i] as number] as number;
  }
  return { rows: count, bytes: column.bytes, starts, ends };
}
