// hot path: the escapes of COPY text (PostgreSQL manual, COPY, "Text Format"), byte by byte in place.

const backslash = 92;
/** Byte after a backslash → the byte it stands for; itself where it stands for nothing else. */
const meanings = Uint8Array.from({ length: 256 }, (_, byte) => byte);
/** Byte → the letter after the backslash that COPY TO prints for it; 0: printed as it is. */
export const escapes: Uint8Array = new Uint8Array(256);

for (const [letter, byte] of [['b', 8], ['t', 9], ['n', 10], ['v', 11], ['f', 12], ['r', 13], ['\\', 92]] as const) {
  meanings[letter.charCodeAt(0)] = byte;
  escapes[byte] = letter.charCodeAt(0);
} // prettier-ignore

/**
 * Position (0 to 3) of the first byte of a little-endian word that is below 14 or a backslash: all that COPY text escapes or ends a field with;
 * 4 when there is none. Warren, Hacker's Delight, 6-1: a flag may be false only above a true one, and the lowest is taken.
 */
export function findSpecial(word: number): number {
  const slashes = word ^ 0x5c5c5c5c;
  const flags = (((word - 0x0e0e0e0e) & ~word) | ((slashes - 0x01010101) & ~slashes)) & 0x80808080;
  return flags === 0 ? 4 : (31 - Math.clz32(flags & -flags)) >> 3;
}

/** Unescapes `bytes[start .. end)` where it stands; returns the new end. */
export function unescapeValue(bytes: Uint8Array, start: number, end: number): number {
  let from = start;
  while (from < end && bytes[from] !== backslash) from++;
  let to = from;
  while (from < end) {
    const byte = bytes[from++] as number;
    if (byte !== backslash || from === end) {
      bytes[to++] = byte;
      continue;
    }
    const letter = bytes[from++] as number;
    if (letter >= 48 && letter <= 55) {
      let value = letter - 48;
      for (let digits = 1; digits < 3 && from < end && isOctal(bytes[from] as number); digits++) {
        value = value * 8 + (bytes[from++] as number) - 48;
      }
      bytes[to++] = value;
    } else if (letter === 120 && from < end && toHexDigit(bytes[from] as number) >= 0) {
      let value = toHexDigit(bytes[from++] as number);
      if (from < end && toHexDigit(bytes[from] as number) >= 0) value = value * 16 + toHexDigit(bytes[from++] as number);
      bytes[to++] = value;
    } else bytes[to++] = meanings[letter] as number;
  }
  return to;
}

function isOctal(byte: number): boolean {
  return byte >= 48 && byte <= 55;
}

/** 0 to 15, or -1. */
export function toHexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
