// hot path: JSON strings to bytes and back, as jsonb prints them, and what a bare JSON number looks like.
import { toHexDigit } from './column';
import { ensure } from './room';

/** A byte of a number, true, false or null. */
// @ts-ignore: decorator
@inline
export function isBare(byte: u8): bool {
  return isDigit(byte) || <u8>(byte - 97) < 26 || byte == 45 || byte == 46 || byte == 43 || byte == 69;
}

// @ts-ignore: decorator
@inline
export function isDigit(byte: u8): bool {
  return <u8>(byte - 48) < 10;
}

/** Letter after a backslash → byte; 0: none. */
function toMeaning(letter: u8): u8 {
  switch (letter) {
    case 98: return 8;
    case 116: return 9;
    case 110: return 10;
    case 102: return 12;
    case 114: return 13;
    case 34: return 34;
    case 92: return 92;
    case 47: return 47;
    default: return 0;
  }
}

/** Byte → letter after the backslash; 0: none. */
function toLetter(byte: u8): u8 {
  switch (byte) {
    case 8: return 98;
    case 9: return 116;
    case 10: return 110;
    case 12: return 102;
    case 13: return 114;
    case 34: return 34;
    case 92: return 92;
    default: return 0;
  }
}

/** Writes the text of a string's body to `to`, which MAY be where it stands; returns the end, or 0 where it is no JSON string. */
export function unescapeJson(from: usize, stop: usize, to: usize): usize {
  for (let i = from; i < stop; i++) {
    const byte = load<u8>(i);
    if (byte != 92) {
      store<u8>(to++, byte);
      continue;
    }
    const letter = load<u8>(++i);
    if (letter != 117) {
      const meaning = toMeaning(letter);
      if (meaning == 0) return 0;
      store<u8>(to++, meaning);
      continue;
    }
    let point = toUnit(i + 1, stop);
    i += 4;
    if (point >= 0xd800 && point < 0xdc00 && i + 2 < stop && load<u8>(i + 1) == 92 && load<u8>(i + 2) == 117) {
      const low = toUnit(i + 3, stop);
      if (low < 0xdc00 || low > 0xdfff) return 0;
      point = 0x10000 + ((point - 0xd800) << 10) + low - 0xdc00;
      i += 6;
    }
    if (point <= 0 || (point >= 0xd800 && point <= 0xdfff)) return 0;
    to = writePoint(to, point);
  }
  return to;
}

function toUnit(from: usize, stop: usize): i32 {
  if (from + 4 > stop) return -1;
  let unit = 0;
  for (let i = from; i < from + 4; i++) {
    const digit = toHexDigit(load<u8>(i));
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function writePoint(to: usize, point: i32): usize {
  if (point < 0x80) {
    store<u8>(to, <u8>point);
    return to + 1;
  }
  if (point < 0x800) store<u8>(to++, <u8>(0xc0 | (point >> 6)));
  else {
    if (point < 0x10000) store<u8>(to++, <u8>(0xe0 | (point >> 12)));
    else {
      store<u8>(to++, <u8>(0xf0 | (point >> 18)));
      store<u8>(to++, <u8>(0x80 | ((point >> 12) & 63)));
    }
    store<u8>(to++, <u8>(0x80 | ((point >> 6) & 63)));
  }
  store<u8>(to, <u8>(0x80 | (point & 63)));
  return to + 1;
}

/** Writes a JSON string with its quotes, as PostgreSQL's escape_json does. */
export function escapeJson(from: usize, stop: usize, to: usize): usize {
  const quotes = i8x16.splat(34);
  const slashes = i8x16.splat(92);
  const space = i8x16.splat(32);
  store<u8>(to++, 34);
  while (from < stop) {
    ensure(to + 64);
    const chunk = v128.load(from);
    v128.store(to, chunk);
    const left = stop - from;
    let found = i8x16.bitmask(v128.or(v128.or(i8x16.eq(chunk, quotes), i8x16.eq(chunk, slashes)), i8x16.lt_u(chunk, space)));
    if (left < 16) found &= (1 << <i32>left) - 1;
    if (found == 0) {
      const step = min<usize>(left, 16);
      to += step;
      from += step;
      continue;
    }
    const step = <usize>ctz(found);
    to += step;
    const byte = load<u8>(from + step);
    from += step + 1;
    const letter = toLetter(byte);
    store<u8>(to++, 92);
    if (letter != 0) store<u8>(to++, letter);
    else {
      // u00 and two digits
      store<u8>(to, 117);
      store<u16>(to + 1, 0x3030);
      store<u8>(to + 3, toHex(byte >> 4));
      store<u8>(to + 4, toHex(byte & 15));
      to += 5;
    }
  }
  store<u8>(to++, 34);
  return to;
}

function toHex(digit: u8): u8 {
  return digit < 10 ? 48 + digit : 87 + digit;
}

/** Whether jsonb prints this text as it is when it is given as a bare value: a number without exponent and negative zero, true or false. */
export function isBareJson(from: usize, stop: usize): bool {
  const length = stop - from;
  if (length == 4 && load<u32>(from) == 0x65757274) return true;
  if (length == 5 && load<u32>(from) == 0x736c6166 && load<u8>(from, 4) == 101) return true;
  const negative = length > 0 && load<u8>(from) == 45;
  if (negative) from++;
  if (from == stop || !isDigit(load<u8>(from))) return false;
  let zero = true;
  if (load<u8>(from) == 48) from++;
  else {
    while (from < stop && isDigit(load<u8>(from))) from++;
    zero = false;
  }
  if (from < stop) {
    if (load<u8>(from++) != 46 || from == stop) return false;
    while (from < stop && isDigit(load<u8>(from))) {
      if (load<u8>(from) != 48) zero = false;
      from++;
    }
  }
  return from == stop && !(negative && zero);
}
