// hot path: every byte of COPY text is looked at here once; one array of delimiter positions per batch, no object per line or value.
import type { Column } from '../batch.js';
import { findSpecial, unescapeValue } from './copy-text.js';

const tab = 9;
const newline = 10;
const backslash = 92;

/** The lines of one batch and where their fields end. Reused from batch to batch. */
export class Lines {
  bytes: Uint8Array = new Uint8Array(0);
  rows = 0;
  fields = 0;
  /** Position of the delimiter after field f of row r, at `r * fields + f`. */
  stops: Int32Array = new Int32Array(1 << 14);
  /** 1 for a field that holds a backslash in some row: an escape or NULL. */
  escaped: Uint8Array = new Uint8Array(0);

  /** Finds every delimiter. Returns -1, or the row (from 0) that has not this many fields or no end. */
  scan(bytes: Uint8Array, fields: number): number {
    this.bytes = bytes;
    this.fields = fields;
    this.rows = 0;
    this.escaped = new Uint8Array(fields);
    if (bytes.length > 0 && bytes[bytes.length - 1] !== newline) return this.countLines();
    if (fields === 0) return this.scanEmpty();
    const { escaped } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lastWord = bytes.length - 4;
    let { stops } = this;
    let at = 0;
    let stop = 0;
    const last = fields - 1;
    while (at < bytes.length) {
      if (stop + fields > stops.length) stops = this.grow();
      for (let field = 0; field < fields; field++) {
        let byte = 0;
        // Every batch ends in a newline, so this ends without a bound.
        for (;;) {
          if (at <= lastWord) {
            const special = findSpecial(view.getInt32(at, true));
            at += special;
            if (special === 4) continue;
          }
          byte = bytes[at] as number;
          if (byte === tab || byte === newline) break;
          if (byte === backslash) escaped[field] = 1;
          at++;
        }
        if ((byte === newline) !== (field === last)) return this.rows;
        stops[stop++] = at++;
      }
      this.rows++;
    }
    return -1;
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

  private grow(): Int32Array {
    const grown = new Int32Array(this.stops.length * 2 + this.fields);
    grown.set(this.stops);
    this.stops = grown;
    return grown;
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
