// hot path: IBANs of banks that do not exist; transforms/iban.ts says which. Three calls, AES between the second and the third.
import { isNull, put, putDigit, putNull } from './draw';
import { ensure } from './room';

const least: usize = 15;
const most: usize = 34;

/** Which of 16 bytes are capitals, and which digits, as bits: digits in the upper half. */
// @ts-ignore: decorator
@inline
function toKinds(chunk: v128): u32 {
  const capitals = i8x16.bitmask(i8x16.lt_u(i8x16.sub(chunk, i8x16.splat(0x41)), i8x16.splat(26)));
  const digits = i8x16.bitmask(i8x16.lt_u(i8x16.sub(chunk, i8x16.splat(0x30)), i8x16.splat(10)));
  return capitals | (digits << 16);
}

/** Whether the text is an IBAN by its shape and needs no change: in capitals and without spaces. */
// @ts-ignore: decorator
@inline
function isCompact(from: usize, end: usize): bool {
  const length = end - from;
  if (length < least || length > most) return false;
  const begin = toKinds(v128.load(from));
  if ((begin & 3) != 3 || ((begin >>> 18) & 3) != 3) return false;
  for (let i: usize = 0; i < length; i += 16) {
    const kinds = toKinds(v128.load(from + i));
    const beyond = length - i < 16 ? 0xffff << <u32>(length - i) : 0;
    if (((kinds | (kinds >>> 16) | beyond) & 0xffff) != 0xffff) return false;
  }
  return true;
}

/**
 * Writes IBAN number i in upper case without spaces at 34 · i of `texts`, which has room for 16 bytes more, and where it ends to `stops`, −1 for NULL. Returns 0, or −1 − row for a text that is
 * none by its shape.
 */
export function readIbans(starts: usize, ends: usize, rows: i32, texts: usize, stops: usize): i32 {
  for (let row = 0; row < rows; row++, texts += most) {
    const value = <usize>row << 2;
    if (isNull(ends, value)) {
      store<i32>(stops + value, -1);
      continue;
    }
    const end = <usize>load<u32>(ends + value);
    let length: usize = 0;
    let from = <usize>load<u32>(starts + value);
    if (isCompact(from, end)) {
      v128.store(texts, v128.load(from));
      v128.store(texts, v128.load(from, 16), 16);
      v128.store(texts, v128.load(from, 32), 32);
      store<u32>(stops + value, <u32>(texts + (end - from)));
      continue;
    }
    for (; from < end; from++) {
      let code = load<u8>(from);
      if (code == 0x20) continue;
      if (code >= 0x61 && code <= 0x7a) code -= 32;
      const letter = code >= 0x41 && code <= 0x5a;
      const digit = code >= 0x30 && code <= 0x39;
      if (length == most || (length < 2 ? !letter : length < 4 ? !digit : !letter && !digit)) return -1 - row;
      store<u8>(texts + length++, code);
    }
    if (length < least) return -1 - row;
    store<u32>(stops + value, <u32>(texts + length));
  }
  return 0;
}

/** Length of the bank identifier, by the two letters of the country. */
// @ts-ignore: decorator
@inline
function toBankLength(text: usize, banks: usize): usize {
  return load<u8>(banks + ((<usize>load<u8>(text) << 8) | <usize>load<u8>(text, 1)));
}

/** How many blocks of four characters the account takes, from the one in which the bank ends. */
// @ts-ignore: decorator
@inline
function toBlocks(length: usize, bank: usize): usize {
  return ((length - 1) >> 2) - (bank >> 2);
}

/** Packs AES(draw ⊕ number of the block) for the characters behind the bank, four a block. Returns the bytes written. */
export function packIbans(stops: usize, rows: i32, draws: usize, texts: usize, banks: usize, blocks: usize): usize {
  const begin = blocks;
  for (let row = 0; row < rows; row++, draws += 16, texts += most) {
    const stop = load<i32>(stops + (<usize>row << 2));
    if (stop == -1) continue;
    const first = toBankLength(texts, banks) >> 2;
    const count = toBlocks(<usize>stop - texts, toBankLength(texts, banks));
    const draw = v128.load(draws);
    for (let block = first; block < first + count; block++, blocks += 16) {
      v128.store(blocks, v128.xor(draw, i8x16.replace_lane(i8x16.splat(0), 15, <i8>block)));
    }
  }
  return blocks - begin;
}

/** Eight digits as a number, or more than 99,999,999 where a byte is none. */
// @ts-ignore: decorator
@inline
function toEight(at: usize): u64 {
  const text = load<u64>(at) ^ 0x3030303030303030;
  if (((text + 0x0606060606060606) | text) & 0xf0f0f0f0f0f0f0f0) return u64.MAX_VALUE;
  const pairs = (text * 10 + (text >>> 8)) & 0x00ff00ff00ff00ff;
  const fours = (pairs * 100 + (pairs >>> 16)) & 0x0000ffff0000ffff;
  return (fours * 10_000 + (fours >>> 32)) & 0xffffffff;
}

// @ts-ignore: decorator
@inline
function step(rest: u64, code: u8): u64 {
  const next = code < 0x41 ? rest * 10 + <u64>code - 0x30 : rest * 100 + <u64>code - 0x37;
  return next > 10_000_000_000_000_000 ? next % 97 : next;
}

/** The check digits (mod 97-10) of country and BBAN. */
// @ts-ignore: decorator
@inline
function toCheck(text: usize, stop: usize): u32 {
  let rest: u64 = 0;
  let at = text + 4;
  while (at < stop) {
    const eight = at + 8 <= stop ? toEight(at) : u64.MAX_VALUE;
    if (eight == u64.MAX_VALUE) rest = step(rest, load<u8>(at++));
    else {
      rest = (rest % 97) * 100_000_000 + eight;
      at += 8;
    }
  }
  rest = step(step(rest, load<u8>(text)), load<u8>(text, 1));
  return 98 - <u32>(((rest % 97) * 100) % 97);
}

/** Writes the account, the bank and the check digits, and the whole with spaces where the original has them. Returns where the last one ends. */
export function writeIbans(
  rowStarts: usize, rowEnds: usize, rows: i32, texts: usize, stops: usize, words: usize, banks: usize, starts: usize, ends: usize, out: usize,
): usize {
  for (let row = 0; row < rows; row++, texts += most) {
    const value = <usize>row << 2;
    const end = load<i32>(stops + value);
    if (end == -1) {
      putNull(starts, ends, value, out);
      continue;
    }
    const stop = <usize>end;
    const bank = toBankLength(texts, banks);
    let word = words + ((bank & 3) << 2);
    for (let at = texts + 4 + bank; at < stop; at++, word += 4) {
      const number = bswap<u32>(load<u32>(word));
      store<u8>(at, <u8>(load<u8>(at) >= 0x41 ? 0x41 + (number % 26) : 0x30 + (number % 10)));
    }
    words += toBlocks(stop - texts, bank) << 4;
    for (let i: usize = 0; i < bank; i++) {
      const at = texts + 4 + i;
      // T, E, S, T where the bank is of letters.
      store<u8>(at, load<u8>(at) >= 0x41 ? <u8>(0x54534554 >>> (<u32>(i & 3) << 3)) : 0x30);
    }
    const check = toCheck(texts, stop);
    putDigit(texts + 2, check / 10);
    putDigit(texts + 3, check % 10);
    const from = <usize>load<u32>(rowStarts + value);
    const length = <usize>load<u32>(rowEnds + value) - from;
    ensure(out + length + 64);
    if (length == stop - texts) for (let i: usize = 0; i < length; i += 16) v128.store(out + i, v128.load(texts + i));
    else for (let i: usize = 0, text = texts; i < length; i++) store<u8>(out + i, load<u8>(from + i) == 0x20 ? 0x20 : load<u8>(text++));
    put(starts, ends, value, out, out + length);
    out += length;
  }
  return out;
}
