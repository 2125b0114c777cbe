// The lines of a table again from its records: what the service itself reads back before anybody else may.
import { toError } from '../../../../kernel/errors.js';
import { ByteWriter } from './byte-writer.js';
import type { RowCodec } from './row-form.js';
import { RowWriter } from './row-writer.js';

export class RowReader {
  readonly #writer: RowWriter;
  readonly #line = new ByteWriter();

  constructor(private readonly codec: RowCodec) {
    this.#writer = new RowWriter(codec);
  }

  /**
   * Adds the record's line. A key MUST be what the line's primary key makes, so that nothing else can stand in one. Throws ROWS_RECORD_BROKEN
   * with the record's number (from 1), which the caller counts.
   */
  read(key: Buffer | null, value: Buffer | null, row: number, lines: ByteWriter): void {
    const { table, reader } = this.codec;
    const line = this.#line;
    line.length = 0;
    if (value === null || !reader.readLine(value, line) || !this.#isKey(key, line.bytes.subarray(0, line.length)))
      throw toError('ROWS_RECORD_BROKEN', { schema: table.schema, table: table.name, row });
    lines.copy(line.bytes, 0, line.length);
  }

  #isKey(key: Buffer | null, line: Uint8Array): boolean {
    if (this.codec.table.key.length === 0) return key === null;
    return key !== null && this.#writer.writeKey(line).equals(key);
  }
}
