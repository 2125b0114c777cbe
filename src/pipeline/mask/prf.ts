// hot path: AES-256-CMAC (NIST SP 800-38B) of a whole column. Round j encrypts block j of every value that is still running, in one call of
// node:crypto; AES has no state in ECB, so one cipher serves all rounds of all batches.
import { type Cipher, createCipheriv } from 'node:crypto';

import type { Column } from '../batch.js';

const block = 16;

/** AES-256 in ECB over whole blocks. */
export class BlockCipher {
  private readonly cipher: Cipher;

  constructor(key: Uint8Array) {
    this.cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  }

  /** MUST be given a multiple of 16 bytes. The result is fresh. */
  encrypt(blocks: Uint8Array): Uint8Array {
    return this.cipher.update(blocks);
  }
}

export class Cmac {
  private readonly cipher: BlockCipher;
  /** Per count of bytes left (0 to 16; 17: more), four words each: which bits are the value's, and padding and subkey to xor. */
  private readonly masks = new Int32Array(4 * (block + 2)).fill(-1);
  private readonly tails = new Int32Array(4 * (block + 2));
  private readonly edge = new DataView(new ArrayBuffer(block));
  /** The chaining value after `prefix`: zero without one. */
  private readonly state: Int32Array;
  private rows = 0;
  private draws = new Int32Array(0);
  private blocks = new Int32Array(0);
  private active = new Int32Array(0);
  private offsets = new Int32Array(0);

  /** `prefix` stands before every message; its length MUST be a multiple of 16, and then no message may be empty. */
  constructor(key: Uint8Array, prefix: Uint8Array = new Uint8Array(0)) {
    this.cipher = new BlockCipher(key);
    // K1 is for a complete last block, K2 for one with padding.
    const whole = double(this.cipher.encrypt(new Uint8Array(block)));
    for (let left = 0; left <= block; left++) {
      const tail = Uint8Array.from(left === block ? whole : double(whole));
      if (left < block) (tail[left] as number) ^= 0x80;
      this.tails.set(toWords(tail), left * 4);
      this.masks.set(toWords(new Uint8Array(block).fill(0xff, 0, left)), left * 4);
    }
    let state = new Uint8Array(block);
    for (let at = 0; at < prefix.length; at += block) {
      const chained = Uint8Array.from(prefix.subarray(at, at + block));
      for (let i = 0; i < block; i++) (chained[i] as number) ^= state[i] as number;
      state = Uint8Array.from(this.cipher.encrypt(chained));
    }
    this.state = toWords(state);
  }

  /** 16 bytes per row, at 16 · row; those of NULL rows mean nothing. Valid until the next call. */
  compute(column: Column): Uint8Array {
    this.reserve(column.rows);
    const { active, offsets, state } = this;
    const { starts, ends } = column;
    const view = new DataView(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength);
    let count = 0;
    let longest = 0;
    for (let row = 0; row < column.rows; row++) {
      const end = ends[row] as number;
      if (end === -1) continue;
      const start = starts[row] as number;
      if (end - start > longest) longest = end - start;
      active[count] = row;
      offsets[count] = start;
      this.pack(view, start, end, count++, state, 0);
    }
    // One block each and no NULL: what comes out of the cipher is in its place already.
    if (longest <= block && count > 0 && count === column.rows) {
      return this.cipher.encrypt(new Uint8Array(this.blocks.buffer, 0, count * block));
    }
    while (count > 0) count = this.round(column, view, count);
    return new Uint8Array(this.draws.buffer, 0, column.rows * block);
  }

  /** Encrypts the packed blocks, keeps the results of the values that end here, packs the next blocks of the others. */
  private round(column: Column, view: DataView, count: number): number {
    const { active, offsets, draws } = this;
    const { ends } = column;
    const encrypted = this.cipher.encrypt(new Uint8Array(this.blocks.buffer, 0, count * block));
    const chained = toWords(encrypted);
    let running = 0;
    for (let k = 0; k < count; k++) {
      const row = active[k] as number;
      const next = (offsets[k] as number) + block;
      const end = ends[row] as number;
      if (next < end) {
        this.pack(view, next, end, running, chained, k * 4);
        active[running] = row;
        offsets[running++] = next;
        continue;
      }
      draws[row * 4] = chained[k * 4] as number;
      draws[row * 4 + 1] = chained[k * 4 + 1] as number;
      draws[row * 4 + 2] = chained[k * 4 + 2] as number;
      draws[row * 4 + 3] = chained[k * 4 + 3] as number;
    }
    return running;
  }

  /** Block `slot` becomes the bytes from `at`, padded and with the subkey if they are the last, xor the chaining value. Four words, no branch. */
  private pack(view: DataView, at: number, end: number, slot: number, chained: Int32Array, from: number): void {
    const { blocks, masks, tails } = this;
    const left = end - at;
    if (at + block > view.byteLength) {
      // At the end of the array the bytes behind the value are not there to be cut off.
      for (let i = 0; i < left; i++) this.edge.setUint8(i, view.getUint8(at + i));
      view = this.edge;
      at = 0;
    }
    const to = slot * 4;
    const row = (left > block ? block + 1 : left) * 4;
    blocks[to] = (view.getInt32(at, true) & (masks[row] as number)) ^ (tails[row] as number) ^ (chained[from] as number);
    blocks[to + 1] =
      (view.getInt32(at + 4, true) & (masks[row + 1] as number)) ^ (tails[row + 1] as number) ^ (chained[from + 1] as number);
    blocks[to + 2] =
      (view.getInt32(at + 8, true) & (masks[row + 2] as number)) ^ (tails[row + 2] as number) ^ (chained[from + 2] as number);
    blocks[to + 3] =
      (view.getInt32(at + 12, true) & (masks[row + 3] as number)) ^ (tails[row + 3] as number) ^ (chained[from + 3] as number);
  }

  private reserve(rows: number): void {
    if (this.rows >= rows) return;
    this.rows = rows + (rows >> 1);
    this.draws = new Int32Array(this.rows * 4);
    this.blocks = new Int32Array(this.rows * 4);
    this.active = new Int32Array(this.rows);
    this.offsets = new Int32Array(this.rows);
  }
}

/** The bytes as words. Little-endian machines only, as `pack` reads them: elsewhere the vectors of the standard fail and nothing is masked wrongly unseen. */
function toWords(bytes: Uint8Array): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

/** Doubling in GF(2¹²⁸), SP 800-38B §6.1. */
function double(value: Uint8Array): Uint8Array {
  const result = new Uint8Array(block);
  for (let i = 0; i < block; i++) result[i] = ((value[i] as number) << 1) | ((value[i + 1] ?? 0) >> 7);
  if ((value[0] as number) & 0x80) (result[15] as number) ^= 0x87;
  return result;
}
