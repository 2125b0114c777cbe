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
  /** K1 for a complete last block, K2 for a padded one. */
  private readonly whole: Uint8Array;
  private readonly padded: Uint8Array;
  /** The chaining value after `prefix`, or null without one. */
  private readonly state: Uint8Array | null;
  private draws = new Uint8Array(0);
  private blocks = new Uint8Array(0);
  private active = new Int32Array(0);
  private offsets = new Int32Array(0);

  /** `prefix` stands before every message; its length MUST be a multiple of 16, and then no message may be empty. */
  constructor(key: Uint8Array, prefix: Uint8Array = new Uint8Array(0)) {
    this.cipher = new BlockCipher(key);
    this.whole = double(this.cipher.encrypt(new Uint8Array(block)));
    this.padded = double(this.whole);
    let state: Uint8Array | null = null;
    for (let at = 0; at < prefix.length; at += block) {
      const chained = Uint8Array.from(prefix.subarray(at, at + block));
      if (state) for (let i = 0; i < block; i++) (chained[i] as number) ^= state[i] as number;
      state = this.cipher.encrypt(chained);
    }
    this.state = state;
  }

  /** 16 bytes per row, at 16 · row; those of NULL rows mean nothing. Valid until the next call. */
  compute(column: Column): Uint8Array {
    this.reserve(column.rows);
    const { active, offsets } = this;
    let count = 0;
    for (let row = 0; row < column.rows; row++) {
      if (column.ends[row] === -1) continue;
      active[count] = row;
      offsets[count] = column.starts[row] as number;
      this.pack(column, row, column.starts[row] as number, count++, this.state, 0);
    }
    while (count > 0) count = this.round(column, count);
    return this.draws;
  }

  /** Encrypts the packed blocks, keeps the results of the values that end here, packs the next blocks of the others. */
  private round(column: Column, count: number): number {
    const { active, offsets, draws } = this;
    const chained = this.cipher.encrypt(this.blocks.subarray(0, count * block));
    let running = 0;
    for (let k = 0; k < count; k++) {
      const row = active[k] as number;
      const next = (offsets[k] as number) + block;
      if (next < (column.ends[row] as number)) {
        this.pack(column, row, next, running, chained, k * block);
        active[running] = row;
        offsets[running++] = next;
        continue;
      }
      let from = k * block;
      let to = row * block;
      for (let i = 0; i < block; i++) draws[to++] = chained[from++] as number;
    }
    return running;
  }

  /** Block `slot` becomes the value's bytes from `at`, padded and with the subkey if they are the last, xor the chaining value. */
  private pack(column: Column, row: number, at: number, slot: number, chained: Uint8Array | null, from: number): void {
    const { blocks } = this;
    const { bytes } = column;
    const left = (column.ends[row] as number) - at;
    const base = slot * block;
    const taken = left < block ? left : block;
    for (let i = 0; i < taken; i++) blocks[base + i] = bytes[at + i] as number;
    if (taken < block) {
      blocks[base + taken] = 0x80;
      for (let i = taken + 1; i < block; i++) blocks[base + i] = 0;
    }
    if (left <= block) {
      const subkey = left === block ? this.whole : this.padded;
      for (let i = 0; i < block; i++) (blocks[base + i] as number) ^= subkey[i] as number;
    }
    if (chained) for (let i = 0; i < block; i++) (blocks[base + i] as number) ^= chained[from + i] as number;
  }

  private reserve(rows: number): void {
    if (this.draws.length >= rows * block) return;
    const room = rows + (rows >> 1);
    this.draws = new Uint8Array(room * block);
    this.blocks = new Uint8Array(room * block);
    this.active = new Int32Array(room);
    this.offsets = new Int32Array(room);
  }
}

/** Doubling in GF(2¹²⁸), SP 800-38B §6.1. */
function double(value: Uint8Array): Uint8Array {
  const result = new Uint8Array(block);
  for (let i = 0; i < block; i++) result[i] = ((value[i] as number) << 1) | ((value[i + 1] ?? 0) >> 7);
  if ((value[0] as number) & 0x80) (result[15] as number) ^= 0x87;
  return result;
}
