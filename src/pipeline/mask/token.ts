// hot path: up to 14 characters of a draw: a letter of 4 bits, then base32 of 5 bits each. 69 bits at full length, bytes 0 to 8 of the draw.

export const tokenLength = 14;
const letters = Buffer.from('abcdefghijklmnopqrstuvwxyz234567');

export function toTokenSpace(length: number): bigint {
  return length < 1 ? 0n : 16n * 32n ** BigInt(length - 1);
}

/** Writes `length` characters at `at`; returns where they end. The caller has reserved the room. */
export function writeToken(bytes: Uint8Array, at: number, length: number, draw: Uint8Array, row: number): number {
  let from = 16 * row;
  let held = draw[from++] as number;
  let bits = 4;
  bytes[at++] = letters[held >> 4] as number;
  for (let i = 1; i < length; i++) {
    if (bits < 5) {
      held = ((held & 0xff) << 8) | (draw[from++] as number);
      bits += 8;
    }
    bits -= 5;
    bytes[at++] = letters[(held >> bits) & 31] as number;
  }
  return at;
}

/** Whether these bytes are what writeToken may write, at any length. */
export function isToken(bytes: Uint8Array): boolean {
  if (bytes.length < 1 || bytes.length > tokenLength) return false;
  const first = letters.indexOf(bytes[0] as number);
  return first >= 0 && first < 16 && bytes.every((byte) => letters.includes(byte));
}
