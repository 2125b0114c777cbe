// hot path: whether a value holds anything that could be masked, and how likely chance lets it out as it was.
import { NUMERIC, chanceDetailOf, chanceKindOf, chanceOf, flagsOf } from './field';
import { hash } from './hash';
import { beyond, beyondChance, countBeyond } from './letters';
import { hasBackslash, isDigit, isSmall } from './text';

/** There is nothing that could be masked. */
export const NOTHING_TO_MASK: f64 = -1;

let digits: i32 = 0;
let letters: i32 = 0;
/** Digits but 0. */
let telling: i32 = 0;
/** Bytes beyond ASCII. */
let others: u32 = 0;

/** Chance of the value `[start, end)` (small letters, as COPY wrote it) whose hash is `h`. */
export function measure(field: usize, start: usize, end: usize, h: u64): f64 {
  digits = letters = telling = 0;
  others = 0;
  if (hasBackslash(start, end)) countEscaped(start, end);
  else countPlain(start, end);
  if (others != 0) {
    countBeyond(start, end);
    if (beyond == 0) others = 0;
  }
  if (telling == 0 && ((letters == 0 && others == 0) || (flagsOf(field) & NUMERIC) != 0)) return NOTHING_TO_MASK;
  const kind = chanceKindOf(field);
  if (kind == 2) return findChance(<usize>chanceDetailOf(field), h);
  const least = chanceOf(field);
  if (kind != 1) return least;
  let chance: f64 = 1;
  for (let i = <i32>chanceDetailOf(field); i < digits; i++) chance *= 0.1;
  for (let i: i32 = 0; i < letters; i++) chance /= 26;
  if (others != 0) chance *= beyondChance;
  return chance < least ? least : chance;
}

function countPlain(start: usize, end: usize): void {
  const zero = i8x16.splat(48);
  for (let p = start; p < end; p += 16) {
    const bytes = v128.load(p);
    const valid: u32 = end - p >= 16 ? 0xffff : (<u32>1 << <u32>(end - p)) - 1;
    const isDigits = i8x16.bitmask(i8x16.lt_u(i8x16.sub(bytes, zero), i8x16.splat(10))) & valid;
    digits += popcnt(isDigits);
    telling += popcnt(isDigits & ~i8x16.bitmask(i8x16.eq(bytes, zero)));
    letters += popcnt(i8x16.bitmask(i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(97)), i8x16.splat(26))) & valid);
    others |= <u32>i8x16.bitmask(bytes) & valid;
  }
}

/** What follows a backslash is none of the value's: COPY writes a tab as a letter. */
function countEscaped(start: usize, end: usize): void {
  for (let p = start; p < end; p++) {
    const byte: u32 = load<u8>(p);
    if (byte == 92) p++;
    else if (isSmall(byte)) letters++;
    else if (isDigit(byte)) {
      digits++;
      if (byte != 48) telling++;
    } else if (byte >= 128) others = 1;
  }
}

/** Tables of words: 2^log2 slots (log2 in the first 8 bytes) of hash and chance. */
function findChance(table: usize, h: u64): f64 {
  const mask: u64 = (<u64>1 << load<u64>(table)) - 1;
  let slot = h & mask;
  while (true) {
    const at = table + 8 + (<usize>slot << 4);
    const there = load<u64>(at);
    if (there == 0) return 0;
    if (there == h) return load<f64>(at, 8);
    slot = (slot + 1) & mask;
  }
}

/** Adds a word of `[start, end)` (in small letters) to a table; words that meet add up. */
export function addWord(table: usize, start: usize, end: usize, chance: f64): void {
  const h = hash(start, end, 0x2545f491);
  const mask: u64 = (<u64>1 << load<u64>(table)) - 1;
  let slot = h & mask;
  let at = table + 8 + (<usize>slot << 4);
  while (load<u64>(at) != 0 && load<u64>(at) != h) {
    slot = (slot + 1) & mask;
    at = table + 8 + (<usize>slot << 4);
  }
  store<u64>(at, h);
  store<f64>(at, load<f64>(at, 8) + chance, 8);
}
