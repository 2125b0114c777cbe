// hot path: AES-256-CMAC (NIST SP 800-38B) of a whole column. Round j encrypts block j of every value that is still running, in one call of
// node:crypto; AES has no state in ECB, so one cipher serves all rounds of all batches. The kernel packs the blocks.
import { type Cipher, createCipheriv } from 'node:crypto';

import type { Column } from '../batch.js';
import { kernel } from './kernel/kernel.js';

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
  /**
   * As cmac.ts of the kernel has it: 18 blocks by the count of bytes left (0 to 16; 17: more) that say which bits are the value's, as many with padding
   * and subkey to xor, and the chaining value after `prefix`: zero without one.
   */
  private readonly table = new Uint8Array(37 * block).fill(0xff, 0, 18 * block);

  /** `prefix` stands before every message; its length MUST be a multiple of 16, and then no message may be empty. */
  constructor(key: Uint8Array, prefix: Uint8Array = new Uint8Array(0)) {
    this.cipher = new BlockCipher(key);
    // K1 is for a complete last block, K2 for one with padding.
    const whole = double(this.cipher.encrypt(new Uint8Array(block)));
    for (let left = 0; left <= block; left++) {
      const tail = Uint8Array.from(left === block ? whole : double(whole));
      if (left < block) (tail[left] as number) ^= 0x80;
      this.table.set(tail, (18 + left) * block);
      this.table.fill(0, left * block + left, (left + 1) * block);
    }
    let state = new Uint8Array(block);
    for (let at = 0; at < prefix.length; at += block) {
      const chained = Uint8Array.from(prefix.subarray(at, at + block));
      for (let i = 0; i < block; i++) (chained[i] as number) ^= state[i] as number;
      state = Uint8Array.from(this.cipher.encrypt(chained));
    }
    this.table.set(state, 36 * block);
  }

  /** The address in the kernel's memory of 16 bytes per row, at 16 · row; those of NULL rows mean nothing. Valid until the next batch. */
  compute(column: Column): number {
    const memory = kernel();
    const { calls } = memory;
    const { rows, startsAt, endsAt } = memory.toMemory(column);
    const table = memory.put(this.table);
    const draws = memory.take(rows * block);
    const blocks = memory.take(rows * block);
    const active = memory.take(rows * 8);
    const offsets = active + rows * 4;
    let count = calls.cmacFirst(startsAt, endsAt, rows, table, table + 36 * block, blocks, active, offsets);
    // One block each and no NULL: what comes out of the cipher is in its place already.
    if (calls.longestValue() <= block && count === rows) {
      this.encrypt(blocks, count, draws);
      return draws;
    }
    const chained = memory.take(rows * block);
    while (count > 0) {
      this.encrypt(blocks, count, chained);
      count = calls.cmacNext(endsAt, count, table, chained, blocks, active, offsets, draws);
    }
    return draws;
  }

  private encrypt(blocks: number, count: number, to: number): void {
    const { bytes } = kernel();
    if (count > 0) bytes.set(this.cipher.encrypt(bytes.subarray(blocks, blocks + count * block)), to);
  }
}

/** Doubling in GF(2¹²⁸), SP 800-38B §6.1. */
function double(value: Uint8Array): Uint8Array {
  const result = new Uint8Array(block);
  for (let i = 0; i < block; i++) result[i] = ((value[i] as number) << 1) | ((value[i + 1] ?? 0) >> 7);
  if ((value[0] as number) & 0x80) (result[15] as number) ^= 0x87;
  return result;
}
