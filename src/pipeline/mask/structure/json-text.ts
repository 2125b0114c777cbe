// hot path: JSON strings to bytes and back, as jsonb prints them (PostgreSQL's escape_json), and what a bare JSON number looks like.
import { toHexDigit } from '../copy-text.js';

const quote = 34;
const backslash = 92;
const hex = Buffer.from('0123456789abcdef');
/** Letter after a backslash → byte; 0: none. */
const meanings = new Uint8Array(256);
/** Byte → letter after the backslash; 0: none. */
const letters = new Uint8Array(256);

for (const [letter, byte] of [['b', 8], ['t', 9], ['n', 10], ['f', 12], ['r', 13], ['"', 34], ['\\', 92], ['/', 47]] as const) {
  meanings[letter.charCodeAt(0)] = byte;
  if (byte !== 47) letters[byte] = letter.charCodeAt(0);
} // prettier-ignore

/**
 * Position (0 to 3) of the first byte of a little-endian word that JSON text escapes or ends a string with: below 32, quote or backslash; 4 when there is
 * none. As findSpecial in copy-text.ts.
 */
export function findJsonSpecial(word: number): number {
  const quotes = word ^ 0x22222222;
  const slashes = word ^ 0x5c5c5c5c;
  const flags = (((word - 0x20202020) & ~word) | ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes)) & 0x80808080;
  return flags === 0 ? 4 : (31 - Math.clz32(flags & -flags)) >> 3;
}

/** Writes the text of the string body `from[start .. end)` (without quotes) to `to` at `at`; returns the end, or -1 where it is no JSON string. */
export function unescapeJson(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  for (let i = start; i < end; i++) {
    const byte = from[i] as number;
    if (byte !== backslash) {
      to[at++] = byte;
      continue;
    }
    const letter = from[++i] as number;
    if (letter !== 117) {
      if (meanings[letter] === 0) return -1;
      to[at++] = meanings[letter] as number;
      continue;
    }
    let point = parseUnit(from, i + 1, end);
    i += 4;
    if (point >= 0xd800 && point < 0xdc00 && from[i + 1] === backslash && from[i + 2] === 117) {
      const low = parseUnit(from, i + 3, end);
      if (low < 0xdc00 || low > 0xdfff) return -1;
      point = 0x10000 + ((point - 0xd800) << 10) + low - 0xdc00;
      i += 6;
    }
    if (point <= 0 || (point >= 0xd800 && point <= 0xdfff)) return -1;
    at = writePoint(to, at, point);
  }
  return at;
}

function parseUnit(from: Uint8Array, start: number, end: number): number {
  if (start + 4 > end) return -1;
  let unit = 0;
  for (let i = start; i < start + 4; i++) {
    const digit = toHexDigit(from[i] as number);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function writePoint(to: Uint8Array, at: number, point: number): number {
  if (point < 0x80) {
    to[at++] = point;
    return at;
  }
  if (point < 0x800) to[at++] = 0xc0 | (point >> 6);
  else {
    if (point < 0x10000) to[at++] = 0xe0 | (point >> 12);
    else {
      to[at++] = 0xf0 | (point >> 18);
      to[at++] = 0x80 | ((point >> 12) & 63);
    }
    to[at++] = 0x80 | ((point >> 6) & 63);
  }
  to[at++] = 0x80 | (point & 63);
  return at;
}

/** 1 for a byte that needs an escape. */
const special = Uint8Array.from(letters, (letter, byte) => (letter !== 0 || byte < 32 ? 1 : 0));

/** Writes a JSON string with its quotes; needs room for 6 bytes a byte and 2. */
export function escapeJson(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  to[at++] = quote;
  // Most leaves need no escape: copied without a branch, and written again where they do.
  let found = 0;
  for (let i = start, k = at; i < end; i++, k++) {
    const byte = from[i] as number;
    found |= special[byte] as number;
    to[k] = byte;
  }
  if (found === 0) {
    to[at + end - start] = quote;
    return at + end - start + 1;
  }
  for (let i = start; i < end; i++) {
    const byte = from[i] as number;
    if (letters[byte] !== 0) {
      to[at++] = backslash;
      to[at++] = letters[byte] as number;
    } else if (byte < 32) {
      to[at++] = backslash;
      to[at++] = 117;
      to[at++] = 48;
      to[at++] = 48;
      to[at++] = hex[byte >> 4] as number;
      to[at++] = hex[byte & 15] as number;
    } else to[at++] = byte;
  }
  to[at++] = quote;
  return at;
}

const numberPattern = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

/** Whether jsonb prints this text as it is when it is given as a bare value: a number without exponent and negative zero, true or false. */
export function isBareJson(bytes: Uint8Array, start: number, end: number): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  return text === 'true' || text === 'false' || (numberPattern.test(text) && !/^-[0.]+$/.test(text));
}
