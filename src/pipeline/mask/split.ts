// hot path: the fields of a batch's lines, in the kernel's memory; one array of delimiter addresses per batch, no object per line or value.
import type { MemoryColumn } from './kernel/kernel.js';
import { kernel } from './kernel/kernel.js';

const newline = 10;
/** Up to here room for a delimiter per byte is cheaper than counting them first. */
const small = 1 << 20;

/** The lines of one batch and where their fields end, until the next batch of the same thread is scanned. */
export class Lines {
  rows = 0;
  fields = 0;
  /** Where the address of the delimiter after field f of row r stands, at `stopsAt + 4 * (r * fields + f)`; one more before the first. */
  stopsAt = 0;
  /** 1 for a field that holds a backslash in some row: an escape or NULL. */
  escaped: Uint8Array = new Uint8Array(0);

  /** Copies the lines and finds every delimiter. Returns -1, or the row (from 0) that has not this many fields or no end. */
  scan(bytes: Uint8Array, fields: number): number {
    const memory = kernel();
    memory.begin();
    this.fields = fields;
    this.rows = 0;
    if (bytes.length > 0 && bytes[bytes.length - 1] !== newline) return countLines(bytes);
    if (fields === 0) return this.scanEmpty(bytes);
    const textAt = memory.put(bytes);
    const flagsAt = memory.put(new Uint8Array(fields));
    const most = bytes.length <= small ? bytes.length : memory.calls.countStops(textAt, bytes.length);
    memory.reserve(4 * most + 68);
    const rows = memory.calls.scanLines(textAt, bytes.length, fields, memory.open, flagsAt);
    if (rows < 0) return -1 - rows;
    this.rows = rows;
    this.stopsAt = memory.take(4 * rows * fields + 4) + 4;
    this.escaped = memory.bytes.slice(flagsAt, flagsAt + fields);
    return -1;
  }

  /** The values of one field, unescaped where they stand: the bytes of this field are no COPY text afterwards. */
  column(field: number): MemoryColumn {
    const { rows, fields, stopsAt } = this;
    const memory = kernel();
    const column = memory.takeColumn(rows);
    memory.calls.fieldColumn(stopsAt, fields, field, rows, column.startsAt, column.endsAt);
    if (this.escaped[field] === 1) memory.calls.unescapeColumn(column.startsAt, column.endsAt, rows);
    return column;
  }

  /** A table may have no column at all: then its lines are empty. */
  private scanEmpty(bytes: Uint8Array): number {
    this.rows = countLines(bytes);
    return this.rows === bytes.length ? -1 : 0;
  }
}

function countLines(bytes: Uint8Array): number {
  let rows = 0;
  for (const byte of bytes) if (byte === newline) rows++;
  return rows;
}
