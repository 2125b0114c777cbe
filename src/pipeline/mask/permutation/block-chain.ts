// hot path: CBC over many short messages side by side, one call of the block cipher per block position, whatever the number of messages.
import type { EncryptBlocks } from './ff1.js';

let gathered = new Uint8Array(1 << 14);

/**
 * Takes span `i` of `bytes`, padded with zeros to whole blocks, into the chain value at `state[16·i]`, for `count` spans. What tells lengths
 * apart MUST stand in an earlier block of the same chain (see `startChains`): then the chain is a PRF (prefix-free CBC-MAC).
 */
export function absorb(
  encryptBlocks: EncryptBlocks,
  state: Uint8Array,
  bytes: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  count: number,
): void {
  if (gathered.length < 16 * count) gathered = new Uint8Array(16 * count);
  for (let offset = 0; ; offset += 16) {
    let open = 0;
    for (let i = 0; i < count; i++) {
      const from = (starts[i] as number) + offset;
      const end = ends[i] as number;
      if (from >= end) continue;
      const room = Math.min(16, end - from);
      for (let k = 0; k < room; k++) gathered[open + k] = (state[16 * i + k] as number) ^ (bytes[from + k] as number);
      for (let k = room; k < 16; k++) gathered[open + k] = state[16 * i + k] as number;
      open += 16;
    }
    if (open === 0) return;
    const sealed = encryptBlocks(gathered.subarray(0, open));
    let at = 0;
    for (let i = 0; i < count; i++) {
      if ((starts[i] as number) + offset >= (ends[i] as number)) continue;
      for (let k = 0; k < 16; k++) state[16 * i + k] = sealed[at++] as number;
    }
  }
}

/** First chain values: one block per span of its purpose and its length, so that no message is the beginning of another. */
export function startChains(
  encryptBlocks: EncryptBlocks,
  purpose: number,
  starts: Int32Array,
  ends: Int32Array,
  count: number,
): Uint8Array {
  const first = new Uint8Array(16 * count);
  const view = new DataView(first.buffer);
  for (let i = 0; i < count; i++) {
    // No P block of FF1 and no counter block of a shuffle begins like this.
    view.setUint16(16 * i, 0xc5c0 | purpose);
    view.setInt32(16 * i + 4, (ends[i] as number) - (starts[i] as number));
  }
  return Uint8Array.from(encryptBlocks(first));
}
