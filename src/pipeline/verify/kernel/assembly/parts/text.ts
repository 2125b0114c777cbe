// hot path: letters, digits and what stands between them; small letters; the escapes of COPY text and of JSON.
import { foldAt, isApartAt } from './letters';

// @ts-ignore: decorator
@inline
export function isDigit(byte: u32): bool {
  return byte - 48 < 10;
}
// @ts-ignore: decorator
@inline
export function isSmall(byte: u32): bool {
  return byte - 97 < 26;
}
// @ts-ignore: decorator
@inline
function isWordByte(byte: u32): bool {
  return isDigit(byte) || isSmall(byte) || byte >= 128;
}

/** Bit i: byte i of the 16 at `p` (in small letters) is a letter or a digit; every byte beyond ASCII counts as one. */
// @ts-ignore: decorator
@inline
export function wordMask(bytes: v128): u32 {
  const digits = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(48)), i8x16.splat(10));
  const letters = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(97)), i8x16.splat(26));
  return <u32>i8x16.bitmask(v128.or(v128.or(digits, letters), bytes));
}

/** Whether the character beyond ASCII that begins at `p` is neither letter nor digit: punctuation, spaces, symbols, emoji. */
function isSymbolAt(p: usize, end: usize): bool {
  const lead = load<u8>(p);
  const second: u32 = p + 1 < end ? load<u8>(p + 1) : 0;
  if (lead == 0xc2) return second != 0xaa && second != 0xb5 && second != 0xba;
  if (lead == 0xc3) return second == 0x97 || second == 0xb7;
  if (lead == 0xe2) return second < 0xb0;
  if (lead == 0xe3) return second == 0x80;
  if (lead == 0xef) return second == 0xbb || (second == 0xbc && p + 2 < end && load<u8>(p + 2) <= 0x8f);
  return lead == 0xf0 && second == 0x9f;
}

/** Whether a value may end before `p`. */
// @ts-ignore: decorator
@inline
export function isBorder(p: usize, end: usize): bool {
  if (p >= end) return true;
  const byte: u32 = load<u8>(p);
  return !isWordByte(byte) || (byte >= 128 && isSymbolAt(p, end));
}

/** Whether a value may end before `p`, which is after its first byte: ASCII ends before a script that writes no spaces around it, too. */
// @ts-ignore: decorator
@inline
export function isEnd(p: usize, end: usize): bool {
  return isBorder(p, end) || (load<u8>(p) >= 128 && load<u8>(p - 1) < 128 && isApartAt(p, end));
}

/** Whether a word begins at `p` after a character beyond ASCII: after one that is neither letter nor digit, or ASCII after a script without capitals. */
export function isStartAfter(p: usize, start: usize): bool {
  let q = p - 1;
  while (q > start && (load<u8>(q) & 0xc0) == 0x80 && p - q < 4) q--;
  return isSymbolAt(q, p) || (load<u8>(p) < 128 && isApartAt(q, p));
}

// First bytes of characters that may be capitals: two bytes to U+05BF; some of three bytes, and of four.
const TWO = i8x16.splat(-61);
const TWO_COUNT = i8x16.splat(20);
const GEORGIAN_TO_GREEK = i8x16.splat(-31);
const NUMBERS_TO_COPTIC = i8x16.splat(-30);
const CYRILLIC_TO_CHEROKEE = i8x16.splat(-22);
const FULL_WIDTH = i8x16.splat(-17);
const FOUR = i8x16.splat(-16);

// @ts-ignore: decorator
@inline
function leadsOf(bytes: v128): u32 {
  const three = v128.or(v128.or(i8x16.eq(bytes, GEORGIAN_TO_GREEK), i8x16.eq(bytes, NUMBERS_TO_COPTIC)), i8x16.eq(bytes, CYRILLIC_TO_CHEROKEE));
  const more = v128.or(i8x16.eq(bytes, FULL_WIDTH), i8x16.eq(bytes, FOUR));
  return <u32>i8x16.bitmask(v128.or(v128.or(three, more), i8x16.lt_u(i8x16.sub(bytes, TWO), TWO_COUNT)));
}

/** `length` bytes at `from` in small letters at `to`; up to 15 bytes more are written. */
export function fold(from: usize, to: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) {
    const bytes = v128.load(from + i);
    const capital = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(65)), i8x16.splat(26));
    v128.store(to + i, v128.or(bytes, v128.and(capital, i8x16.splat(0x20))));
  }
  for (let i: usize = 0; i < length; i += 16) {
    const bytes = v128.load(from + i);
    if (i8x16.bitmask(bytes) == 0) continue;
    for (let some = leadsOf(bytes); some != 0; some &= some - 1) {
      const at = i + <usize>ctz(some);
      if (at + 1 < length) foldAt(to + at, to + length);
    }
  }
}

/** Up to 15 bytes after `end` are read. */
export function hasBackslash(start: usize, end: usize): bool {
  let p = start;
  for (; p + 16 <= end; p += 16) if (v128.any_true(i8x16.eq(v128.load(p), i8x16.splat(92)))) return true;
  if (p >= end) return false;
  const rest: u32 = (<u32>1 << <u32>(end - p)) - 1;
  return (i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(92))) & rest) != 0;
}

function toControl(letter: u32): u32 {
  if (letter == 98) return 8;
  if (letter == 102) return 12;
  if (letter == 110) return 10;
  if (letter == 114) return 13;
  if (letter == 116) return 9;
  if (letter == 118) return 11;
  return letter;
}

function toHex(p: usize): i32 {
  let value: i32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const byte: u32 = load<u8>(p + i);
    if (isDigit(byte)) value = (value << 4) | <i32>(byte - 48);
    else if (byte - 97 < 6) value = (value << 4) | <i32>(byte - 87);
    else return -1;
  }
  return value;
}

/** One layer of backslashes less, from `[start, end)` (in small letters) to `to`; returns where it ends. JSON's \u is known too. */
export function unescape(start: usize, end: usize, to: usize): usize {
  let p = start;
  let q = to;
  while (p < end) {
    const byte: u32 = load<u8>(p);
    if (byte != 92 || p + 1 >= end) {
      store<u8>(q++, <u8>byte);
      p++;
      continue;
    }
    const letter: u32 = load<u8>(p + 1);
    let code = letter == 117 && p + 6 <= end ? toHex(p + 2) : -1;
    if (code < 0) {
      store<u8>(q++, <u8>toControl(letter));
      p += 2;
      continue;
    }
    p += 6;
    if (code >= 0xd800 && code < 0xdc00 && p + 6 <= end && load<u16>(p) == 0x755c) {
      const low = toHex(p + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        p += 6;
      }
    }
    if (code - 65 < 26 && code >= 65) code += 32;
    q = putCharacter(q, <u32>code);
  }
  return q;
}

function putCharacter(q: usize, code: u32): usize {
  if (code < 0x80) {
    store<u8>(q, <u8>code);
    return q + 1;
  }
  if (code < 0x800) {
    store<u8>(q, <u8>(0xc0 | (code >> 6)));
    store<u8>(q + 1, <u8>(0x80 | (code & 63)));
    foldAt(q, q + 2);
    return q + 2;
  }
  if (code < 0x10000) {
    store<u8>(q, <u8>(0xe0 | (code >> 12)));
    store<u8>(q + 1, <u8>(0x80 | ((code >> 6) & 63)));
    store<u8>(q + 2, <u8>(0x80 | (code & 63)));
    foldAt(q, q + 3);
    return q + 3;
  }
  store<u8>(q, <u8>(0xf0 | (code >> 18)));
  store<u8>(q + 1, <u8>(0x80 | ((code >> 12) & 63)));
  store<u8>(q + 2, <u8>(0x80 | ((code >> 6) & 63)));
  store<u8>(q + 3, <u8>(0x80 | (code & 63)));
  foldAt(q, q + 4);
  return q + 4;
}
