// hot path: values that are words of tables, tokens, streets and phone numbers: functions of the row's draw alone.
import { isNull, put, putDigit, putNull, toIndex } from './draw';
import { ensure } from './room';

/** Each row becomes the word that its draw names at byte `from`. Words are not copied: starts and ends point into the table. */
export function pickWords(
  rowEnds: usize, rows: i32, draws: usize, from: usize, count: u32, offsets: usize, bytes: usize, starts: usize, ends: usize,
): void {
  for (let value: usize = 0; value < <usize>rows << 2; value += 4, draws += 16) {
    if (isNull(rowEnds, value)) putNull(starts, ends, value, bytes);
    else {
      const word = offsets + (<usize>toIndex(draws, from, count) << 2);
      put(starts, ends, value, bytes + <usize>load<u32>(word), bytes + <usize>load<u32>(word, 4));
    }
  }
}

/** 0 to 25 are letters, 26 to 31 the digits 2 to 7. */
// @ts-ignore: decorator
@inline
function toLetter(five: u32): u8 {
  return <u8>(five + (five < 26 ? 97 : 24));
}

/**
 * Each row becomes `before`, a token of `count` characters and `after`. A token is a letter of 4 bits, then base32 of 5 bits each: 69 bits at full length (14),
 * bytes 0 to 8 of the draw. Returns where the last one ends.
 */
export function writeTokens(
  rowEnds: usize, rows: i32, draws: usize, count: i32, before: usize, beforeLength: usize, after: usize, afterLength: usize,
  starts: usize, ends: usize, out: usize,
): usize {
  const length = beforeLength + <usize>count + afterLength;
  ensure(out + <usize>rows * length + 256);
  for (let value: usize = 0; value < <usize>rows << 2; value += 4, draws += 16) {
    if (isNull(rowEnds, value)) {
      putNull(starts, ends, value, out);
      continue;
    }
    for (let i: usize = 0; i < beforeLength; i += 16) v128.store(out + i, v128.load(before + i));
    let at = out + beforeLength;
    let bits = bswap<u64>(load<u64>(draws));
    store<u8>(at++, <u8>(97 + <u32>(bits >> 60)));
    bits <<= 4;
    const most = min(count, 13);
    for (let i = 1; i < most; i++) {
      store<u8>(at++, toLetter(<u32>(bits >> 59)));
      bits <<= 5;
    }
    if (count > 13) store<u8>(at++, toLetter(load<u8>(draws, 8) >> 3));
    for (let i: usize = 0; i < afterLength; i += 16) v128.store(at + i, v128.load(after + i));
    put(starts, ends, value, out, out + length);
    out += length;
  }
  return out;
}

/** A number of one to three digits. */
// @ts-ignore: decorator
@inline
function putNumber(at: usize, number: u32): usize {
  if (number >= 100) putDigit(at++, number / 100);
  if (number >= 10) putDigit(at++, (number / 10) % 10);
  putDigit(at++, number % 10);
  return at;
}

/**
 * A street of the place that the draw names at byte 0, and unless `highest` is 0 a house number. `places`, 16 bytes each: how many streets there are, the
 * addresses of their offsets and bytes, and whether the number stands before them.
 */
export function writeStreets(
  rowEnds: usize, rows: i32, draws: usize, places: usize, count: u32, highest: u32, starts: usize, ends: usize, out: usize,
): usize {
  for (let value: usize = 0; value < <usize>rows << 2; value += 4, draws += 16) {
    if (isNull(rowEnds, value)) {
      putNull(starts, ends, value, out);
      continue;
    }
    const place = places + (<usize>toIndex(draws, 0, count) << 4);
    const word = <usize>load<u32>(place, 4) + (<usize>toIndex(draws, 4, load<u32>(place)) << 2);
    const street = <usize>load<u32>(place, 8) + <usize>load<u32>(word);
    const length = <usize>(load<u32>(word, 4) - load<u32>(word));
    const number = highest == 0 ? 0 : 1 + toIndex(draws, 8, highest);
    const before = highest != 0 && load<u32>(place, 12) != 0;
    ensure(out + length + 64);
    let at = out;
    if (before) {
      at = putNumber(at, number);
      store<u8>(at++, 32);
    }
    for (let i: usize = 0; i < length; i += 16) v128.store(at + i, v128.load(street + i));
    at += length;
    if (highest != 0 && !before) {
      store<u8>(at++, 32);
      at = putNumber(at, number);
    }
    put(starts, ends, value, out, at);
    out = at;
  }
  return out;
}

/** Each row becomes `form`, 16 bytes at most, with a three-digit area code from 200 on at `area` and two digits at `line`. */
export function writePhones(
  rowEnds: usize, rows: i32, draws: usize, form: usize, length: usize, area: usize, line: usize, starts: usize, ends: usize, out: usize,
): usize {
  ensure(out + (<usize>rows << 4) + 64);
  const text = v128.load(form);
  for (let value: usize = 0; value < <usize>rows << 2; value += 4, draws += 16) {
    if (isNull(rowEnds, value)) {
      putNull(starts, ends, value, out);
      continue;
    }
    const code = 200 + toIndex(draws, 0, 800);
    const last = toIndex(draws, 4, 100);
    v128.store(out, text);
    putDigit(out + area, code / 100);
    putDigit(out + area + 1, (code / 10) % 10);
    putDigit(out + area + 2, code % 10);
    putDigit(out + line, last / 10);
    putDigit(out + line + 1, last % 10);
    put(starts, ends, value, out, out + length);
    out += length;
  }
  return out;
}
