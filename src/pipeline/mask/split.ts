// hot path: the fields of a batch's lines; one array of delimiter positions per batch, no object per line or value.
import type { Column } from '../batch.js';
import { unescapeValue } from './copy-text.js';
import { scanLines } from './line-scanner.js';

const newline = 10;
const backslash = 92;

/** The lines of one batch and where their fields end, until the next batch of the same thread is scanned. */
export class Lines {
  bytes: Uint8Array = new Uint8Array(0);
  rows = 0;
  fields = 0;
  /** Position of the delimiter after field f of row r, at `r * fields + f`. */
  stops: Int32Array = new Int32Array(0);
  /** 1 for a field that holds a backslash in some row: an escape or NULL. */
  escaped: Uint8Array = new Uint8Array(0);

  /** Finds every delimiter. Returns -1, or the row (from 0) that has not this many fields or no end. */
  scan(bytes: Uint8Array, fields: number): number {
    this.bytes = bytes;
    this.fields = fields;
    this.rows = 0;
    if (bytes.length > 0 && bytes[bytes.length - 1] !== newline) return this.countLines();
    if (fields === 0) return this.scanEmpty();
    const { rows, stops, escaped } = scanLines(bytes, fields);
    this.stops = stops;
    this.escaped = escaped;
    this.rows = Math.max(rows, 0);
    return rows < 0 ? -1 - rows : -1;
  }

  /** The values of one field, unescaped where they stand: the bytes of this field are no COPY text afterwards. `into` is overwritten. */
  column(field: number, into: FieldColumn): Column {
    const { rows, fields, stops } = this;
    into.reset(this.bytes, rows);
    const { starts, ends } = into;
    let stop = field;
    for (let row = 0; row < rows; row++, stop += fields) {
      starts[row] = stop === 0 ? 0 : (stops[stop - 1] as number) + 1;
      ends[row] = stops[stop] as number;
    }
    if (this.escaped[field] === 1) this.unescape(starts, ends);
    return into;
  }

  private unescape(starts: Int32Array, ends: Int32Array): void {
    const { bytes, rows } = this;
    for (let row = 0; row < rows; row++) {
      const start = starts[row] as number;
      const end = ends[row] as number;
      if (end - start === 2 && bytes[start] === backslash && bytes[start + 1] === 78) ends[row] = -1;
      else ends[row] = unescapeValue(bytes, start, end);
    }
  }

  /** A table may have no column at all: then its lines are empty. */
  private scanEmpty(): number {
    this.rows = this.countLines();
    return this.rows === this.bytes.length ? -1 : 0;
  }

  private countLines(): number {
    let rows = 0;
    for (const byte of this.bytes) if (byte === newline) rows++;
    return rows;
  }
}

/** A column whose arrays are kept from batch to batch. */
export class FieldColumn implements Column {
  rows = 0;
  bytes: Uint8Array = new Uint8Array(0);
  starts: Int32Array = new Int32Array(0);
  ends: Int32Array = new Int32Array(0);

  reset(bytes: Uint8Array, rows: number): void {
    this.bytes = bytes;
    this.rows = rows;
    if (this.starts.length >= rows) return;
    this.starts = new Int32Array(rows * 2);
    this.ends = new Int32Array(rows * 2);
  }
}
