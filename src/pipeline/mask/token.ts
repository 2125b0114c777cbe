// Up to 14 characters of a draw: a letter of 4 bits, then base32 of 5 bits each. 69 bits at full length, bytes 0 to 8 of the draw.

export const tokenLength = 14;
const letters = Buffer.from('abcdefghijklmnopqrstuvwxyz234567');

export function toTokenSpace(length: number): bigint {
  return length < 1 ? 0n : 16n * 32n ** BigInt(length - 1);
}

/** Whether these bytes are what the kernel writes, at any length. */
export function isToken(bytes: Uint8Array): boolean {
  if (bytes.length < 1 || bytes.length > tokenLength) return false;
  const first = letters.indexOf(bytes[0] as number);
  return first >= 0 && first < 16 && bytes.every((byte) => letters.includes(byte));
}
