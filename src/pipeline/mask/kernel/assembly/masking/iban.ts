// hot path: IBANs of banks that do not exist; transforms/iban.ts says which. Three calls, AES between the second and the third.
import { isNull, put, putDigit, putNull } from './draw';
import { ensure } from './room';

const least: usize = 15;
const most: usize = 34;

/**
 * Writes IBAN number i in upper case without spaces at 34 · i of `texts`, and where it ends to `stops`, −1 for NULL. Returns 0, or −1 − row for a text that is
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
    for (let from = <usize>load<u32>(starts + value); from < end; from++) {
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
  for (let at = text + 4; at < stop; at++) rest = step(rest, load<u8>(at));
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
    for (let i: usize = 0, text = texts; i < length; i++) store<u8>(out + i, load<u8>(from + i) == 0x20 ? 0x20 : load<u8>(text++));
    put(starts, ends, value, out, out + length);
    out += length;
  }
  return out;
}
