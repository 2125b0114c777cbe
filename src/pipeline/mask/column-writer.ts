// hot path: every masked byte goes through here; one growing buffer per column, reused from batch to batch, no object per value.
import type { Column } from '../batch.js';

/** `ends` of a row that nobody has written since the last reset: never a valid value, so that join can refuse it. */
const unwritten = -2;

export class ColumnWriter implements Column {
  rows = 0;
  bytes: Uint8Array = new Uint8Array(1 << 16);
  starts: Int32Array = new Int32Array(1 << 10);
  ends: Int32Array = new Int32Array(1 << 10);
  /** Bytes written so far; the next value begins here. */
  length = 0;

  /** Forgets everything and makes room for this many rows. */
  reset(rows: number): void {
    this.rows = rows;
    this.length = 0;
    if (this.starts.length < rows) {
      this.starts = new Int32Array(rows * 2);
      this.ends = new Int32Array(rows * 2);
    }
    // A row that its transform forgets must not come out as the row that stood here a batch ago.
    this.ends.fill(unwritten, 0, rows);
  }

  /** After this, `bytes` (read it again: it may be a new array) has room for `count` more bytes at `length`. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    // All of it: a value that is half written beyond `length` goes along.
    grown.set(this.bytes);
    this.bytes = grown;
  }

  /** Row `row` is NULL. */
  null(row: number): void {
    this.starts[row] = this.length;
    this.ends[row] = -1;
  }

  /** Row `row` is these bytes. For loops that write bytes themselves: reserve, write at `length`, then `end(row, stop)`. */
  copy(row: number, from: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    const { bytes } = this;
    let at = this.length;
    if (count > 48) bytes.set(from.subarray(start, end), at);
    else for (let i = start; i < end; i++) bytes[at++] = from[i] as number;
    this.end(row, this.length + count);
  }

  /** Row `row` is what was written from `length` to `stop`. */
  end(row: number, stop: number): void {
    this.starts[row] = this.length;
    this.ends[row] = stop;
    this.length = stop;
  }
}
