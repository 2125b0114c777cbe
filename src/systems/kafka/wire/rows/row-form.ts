// What stands around the values of a table's records in one format: the same bytes in every record of a run.
import type { RowTable } from './row-table.js';
import type { ValueReader } from './value-reader.js';
import type { ValueWriter } from './value-writer.js';

export interface RowForm {
  readonly valueHead: Buffer;
  readonly valueTail: Buffer;
  /** Before each column's value. */
  readonly before: readonly Buffer[];
  readonly keyHead: Buffer;
  readonly keyTail: Buffer;
  /** Before each value of the key. */
  readonly keyBefore: readonly Buffer[];
}

export interface RowCodec {
  readonly table: RowTable;
  readonly form: RowForm;
  readonly writer: ValueWriter;
  readonly reader: ValueReader;
}
