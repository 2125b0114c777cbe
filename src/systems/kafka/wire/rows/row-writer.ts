// hot path: the lines of a batch as records, key and value one after the other in one piece of memory; no object per row or value.
import { type BautaError, toError } from '../../../../kernel/errors.js';
import { ByteWriter } from './byte-writer.js';
import { unescapeField } from './field-text.js';
import type { RowCodec } from './row-form.js';
import type { RowColumn } from './row-table.js';
import { Refused, refusals } from './value-writer.js';

const tab = 9;
const newline = 10;
const backslash = 92;

export interface RowRecords {
  readonly rows: number;
  readonly bytes: Buffer;
  /** Where the key and the value of record n end: `ends[2n]`, `ends[2n + 1]`; each begins where the one before ends. */
  readonly ends: Int32Array;
  /** False: the table has no primary key, and every key is null. */
  readonly keyed: boolean;
}

export class RowWriter {
  readonly #out = new ByteWriter();
  readonly #plain = new ByteWriter();
  /** Where each field of the line ends, and whether it holds a backslash: an escape or NULL. */
  readonly #stops: Int32Array;
  readonly #escaped: Uint8Array;
  #row = 0;

  constructor(private readonly codec: RowCodec) {
    this.#stops = new Int32Array(codec.table.columns.length + 1);
    this.#escaped = new Uint8Array(codec.table.columns.length + 1);
  }

  /** The records are the caller's. Throws ROWS_VALUE_REFUSED with the row (from 1) in these lines. */
  write(lines: Uint8Array): RowRecords {
    const { key } = this.codec.table;
    let ends = new Int32Array(1024);
    this.#row = 0;
    for (let at = 0; at < lines.length; this.#row++) {
      const next = this.#findStops(lines, at);
      if (2 * this.#row + 2 > ends.length) ends = grow(ends);
      if (key.length > 0) this.#writeKey(lines, at);
      ends[2 * this.#row] = this.#out.length;
      this.#writeValue(lines, at);
      ends[2 * this.#row + 1] = this.#out.length;
      at = next;
    }
    return { rows: this.#row, bytes: this.#out.take(), ends, keyed: key.length > 0 };
  }

  /** The key that belongs to one line. */
  writeKey(line: Uint8Array): Buffer {
    this.#row = 0;
    this.#findStops(line, 0);
    this.#writeKey(line, 0);
    return this.#out.take();
  }

  #writeKey(lines: Uint8Array, at: number): void {
    const { form, table } = this.codec;
    this.#out.put(form.keyHead);
    for (let i = 0; i < table.key.length; i++) {
      this.#out.put(form.keyBefore[i] as Buffer);
      this.#writeField(lines, at, table.key[i] as number, false);
    }
    this.#out.put(form.keyTail);
  }

  #writeValue(lines: Uint8Array, at: number): void {
    const { form, table } = this.codec;
    this.#out.put(form.valueHead);
    for (let i = 0; i < table.columns.length; i++) {
      this.#out.put(form.before[i] as Buffer);
      this.#writeField(lines, at, i, (table.columns[i] as RowColumn).nullable);
    }
    this.#out.put(form.valueTail);
  }

  #writeField(lines: Uint8Array, lineAt: number, field: number, nullable: boolean): void {
    const { type } = this.codec.table.columns[field] as RowColumn;
    const { writer } = this.codec;
    const start = field === 0 ? lineAt : (this.#stops[field - 1] as number) + 1;
    const end = this.#stops[field] as number;
    try {
      if (this.#escaped[field] === 0) {
        if (nullable) writer.beginNullable(this.#out);
        return writer.write(this.#out, type, lines, start, end);
      }
      if (end - start === 2 && lines[start] === backslash && lines[start + 1] === 78) {
        if (!nullable) throw new Refused('a value: the column has no NULL');
        return writer.writeNull(this.#out);
      }
      const plain = this.#plain;
      plain.length = 0;
      if (!unescapeField(lines, start, end, plain)) throw new Refused(refusals.text);
      if (nullable) writer.beginNullable(this.#out);
      writer.write(this.#out, type, plain.bytes, 0, plain.length);
    } catch (error) {
      throw error instanceof Refused ? this.#toError(field, error) : error;
    }
  }

  /** Where the next line begins. */
  #findStops(lines: Uint8Array, at: number): number {
    const stops = this.#stops;
    const last = this.codec.table.columns.length - 1;
    let field = 0;
    let escaped = 0;
    for (; at < lines.length; at++) {
      const byte = lines[at] as number;
      if (byte > newline) {
        if (byte === backslash) escaped = 1;
        continue;
      }
      if (byte !== tab && byte !== newline) continue;
      stops[field] = at;
      this.#escaped[field] = escaped;
      if (byte === newline) break;
      escaped = 0;
      if (++field > last) break;
    }
    if (lines[at] !== newline || field !== Math.max(last, 0)) throw this.#toBroken();
    return at + 1;
  }

  #toError(field: number, { expected }: Refused): BautaError {
    const { schema, name, columns } = this.codec.table;
    const { name: column, type } = columns[field] as RowColumn;
    return toError('ROWS_VALUE_REFUSED', { schema, table: name, column, row: this.#row + 1, type: type.kind, expected });
  }

  #toBroken(): BautaError {
    const { schema, name } = this.codec.table;
    return toError('ROWS_LINE_BROKEN', { schema, table: name, row: this.#row + 1 });
  }
}

function grow(ends: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * ends.length);
  larger.set(ends);
  return larger;
}
