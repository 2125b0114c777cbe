// hot path: all values of one path of a batch as one column, with the row that each came from; arrays are kept from batch to batch.
import type { Column } from '../../batch.js';

export class Leaves implements Column {
  rows = 0;
  bytes: Uint8Array = new Uint8Array(1 << 12);
  starts: Int32Array = new Int32Array(1 << 8);
  ends: Int32Array = new Int32Array(1 << 8);
  /** Row of the batch, and number among the values of that row. */
  rowOf: Int32Array = new Int32Array(1 << 8);
  ordinals: Int32Array = new Int32Array(1 << 8);
  private length = 0;

  reset(): void {
    this.rows = 0;
    this.length = 0;
  }

  /** Room for `count` bytes at the position that is returned; `bytes` may be a new array afterwards. */
  reserve(count: number): number {
    const needed = this.length + count;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    return this.length;
  }

  /** The value is what stands from the reserved position to `stop`. Returns its index. */
  add(row: number, stop: number): number {
    const index = this.rows++;
    if (index === this.starts.length) this.grow();
    this.starts[index] = this.length;
    this.ends[index] = stop;
    this.rowOf[index] = row;
    this.ordinals[index] = index > 0 && this.rowOf[index - 1] === row ? (this.ordinals[index - 1] as number) + 1 : 0;
    this.length = stop;
    return index;
  }

  private grow(): void {
    const copy = (from: Int32Array): Int32Array => {
      const grown = new Int32Array(from.length * 2);
      grown.set(from);
      return grown;
    };
    this.starts = copy(this.starts);
    this.ends = copy(this.ends);
    this.rowOf = copy(this.rowOf);
    this.ordinals = copy(this.ordinals);
  }
}
