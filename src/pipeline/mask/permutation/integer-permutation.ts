// hot path: a keyed permutation of the numbers from 0 to size - 1, a column at a time.
// From 2^17 on it is FF1 with radix 2 on the fewest bits that hold the size, but never fewer than 20 (FF1 wants 10^6), walking the cycle
// until the number is inside. Below 2^17 it is a table: Fisher and Yates' shuffle (Durstenfeld 1964) fed from AES in counter mode with
// rejection, so every permutation is equally likely and nothing is walked; 512 KB at most.
import { type EncryptBlocks, Ff1 } from './ff1.js';

const TABLE_LIMIT = 2n ** 17n;
const LEAST_BITS = 20;
/** Two halves of FF1. */
export const INTEGER_PERMUTATION_LIMIT = 2n ** 104n;

export class IntegerPermutation {
  readonly size: bigint;
  private readonly table?: Uint32Array;
  private readonly ff1?: Ff1;
  private left = new Float64Array(0);
  private right = new Float64Array(0);
  private walkLeft = new Float64Array(0);
  private walkRight = new Float64Array(0);
  private slots = new Int32Array(0);

  /** `tweak` (up to 8 bytes) tells permutations of one key and size apart. */
  constructor(encryptBlocks: EncryptBlocks, size: bigint, tweak: Uint8Array = new Uint8Array(0)) {
    if (size < 1n || size > INTEGER_PERMUTATION_LIMIT || tweak.length > 8) throw new RangeError('no permutation of this size');
    this.size = size;
    if (size < TABLE_LIMIT) this.table = toShuffled(encryptBlocks, Number(size), tweak);
    else this.ff1 = new Ff1(encryptBlocks, 2, Math.max(LEAST_BITS, (size - 1n).toString(2).length), tweak);
  }

  /** Replaces the first `count` numbers, each below `size` and `size` at most 2^53; `inverse` undoes it. */
  permute(values: Float64Array, count: number, inverse = false): void {
    const { table, ff1 } = this;
    if (table) return permuteByTable(inverse ? toInverse(table) : table, values, count);
    const { rightCount } = ff1 as Ff1;
    this.reserve(count);
    const { left, right } = this;
    for (let i = 0; i < count; i++) {
      const value = values[i] as number;
      const high = Math.floor(value / rightCount);
      left[i] = high;
      right[i] = value - high * rightCount;
    }
    this.walk(ff1 as Ff1, count, inverse);
    for (let i = 0; i < count; i++) values[i] = (left[i] as number) * rightCount + (right[i] as number);
  }

  /** The same for sizes that a double cannot hold. */
  permuteBig(values: bigint[], count: number, inverse = false): void {
    if (!this.ff1) {
      const small = Float64Array.from(values, Number);
      this.permute(small, count, inverse);
      for (let i = 0; i < count; i++) values[i] = BigInt(small[i] as number);
      return;
    }
    const bits = BigInt(this.ff1.rightLength);
    const mask = (1n << bits) - 1n;
    this.reserve(count);
    for (let i = 0; i < count; i++) {
      this.left[i] = Number((values[i] as bigint) >> bits);
      this.right[i] = Number((values[i] as bigint) & mask);
    }
    this.walk(this.ff1, count, inverse);
    for (let i = 0; i < count; i++) values[i] = (BigInt(this.left[i] as number) << bits) | BigInt(this.right[i] as number);
  }

  /** Applies FF1 to all, then again to those that fell outside, until none is left. Terminates: a cycle comes back to its start, which is inside. */
  private walk(ff1: Ff1, count: number, inverse: boolean): void {
    const { left, right, walkLeft, walkRight, slots } = this;
    const last = this.size - 1n;
    const lastLeft = Number(last >> BigInt(ff1.rightLength));
    const lastRight = Number(last & ((1n << BigInt(ff1.rightLength)) - 1n));
    for (let i = 0; i < count; i++) {
      walkLeft[i] = left[i] as number;
      walkRight[i] = right[i] as number;
      slots[i] = i;
    }
    for (let open = count; open > 0;) {
      if (inverse) ff1.decrypt(walkLeft, walkRight, open);
      else ff1.encrypt(walkLeft, walkRight, open);
      let still = 0;
      for (let i = 0; i < open; i++) {
        const high = walkLeft[i] as number;
        const low = walkRight[i] as number;
        const slot = slots[i] as number;
        if (high < lastLeft || (high === lastLeft && low <= lastRight)) {
          left[slot] = high;
          right[slot] = low;
        } else {
          walkLeft[still] = high;
          walkRight[still] = low;
          slots[still++] = slot;
        }
      }
      open = still;
    }
  }

  private reserve(count: number): void {
    if (this.left.length >= count) return;
    this.left = new Float64Array(count);
    this.right = new Float64Array(count);
    this.walkLeft = new Float64Array(count);
    this.walkRight = new Float64Array(count);
    this.slots = new Int32Array(count);
  }
}

function permuteByTable(table: Uint32Array, values: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) values[i] = table[values[i] as number] as number;
}

function toInverse(table: Uint32Array): Uint32Array {
  const inverse = new Uint32Array(table.length);
  for (let i = 0; i < table.length; i++) inverse[table[i] as number] = i;
  return inverse;
}

function toShuffled(encryptBlocks: EncryptBlocks, size: number, tweak: Uint8Array): Uint32Array {
  const table = Uint32Array.from({ length: size }, (_, i) => i);
  // Counter blocks begin with a byte that no P block of FF1 (1, 2, 1 …) begins with.
  const counters = new Uint8Array(16 * 256);
  const view = new DataView(counters.buffer);
  let counter = 0;
  let stream: DataView | undefined;
  let at = counters.length;
  for (let i = size - 1; i > 0;) {
    if (at === counters.length || !stream) {
      for (let block = 0; block < counters.length; block += 16, counter++) {
        view.setUint8(block, 0xf1);
        counters.set(tweak, block + 1);
        view.setUint32(block + 9, ((tweak.length << 24) | size) >>> 0);
        view.setUint16(block + 13, counter >>> 8);
        view.setUint8(block + 15, counter);
      }
      const sealed = encryptBlocks(counters);
      stream = new DataView(sealed.buffer, sealed.byteOffset, counters.length);
      at = 0;
    }
    const word = stream.getUint32(at);
    at += 4;
    const bound = i + 1;
    if (word >= Math.floor(0x1_0000_0000 / bound) * bound) continue;
    const other = word % bound;
    const held = table[i] as number;
    table[i] = table[other] as number;
    table[other] = held;
    i--;
  }
  return table;
}
