// hot path: what stands in the output, looked for in the set: whole cells, and every word where an original may begin.
import { CELL, OWN, WINDOWS, count, ownCountOf, ownOf, seedCountOf, seedsOf } from './field';
import { hash, mix } from './hash';
import { BY_CELL, BY_DIGITS, BY_OWN, BY_TOKEN, hit } from './hits';
import {
  AS_DIGITS, LEAST, LEAST_DIGITS, MOST, MOST_DIGITS, areNumbersWanted, isNumberWanted, seedOfCells,
} from './originals';
import { isGathering, isThere } from './probes';
import { lengthsAt, mayBeCell } from './set';
import { isDigit, isEnd, isStartAfter, wordMask } from './text';

const chain = memory.data(64);
const offsets = memory.data(40 * 4);
let chainLength: u32 = 0;
let groups: u32 = 0;
let chainEnd: usize = 0;

export function searchCell(field: usize, flags: u32, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
  if (flags & OWN) {
    const seeds = ownOf(field);
    const many = ownCountOf(field);
    for (let i: u32 = 0; i < many; i++) {
      const h = hash(start, end, load<u64>(seeds + (<usize>i << 3)));
      if (isThere(h)) hit(BY_OWN, h, field, start, start, raw, rawLength, row);
    }
  }
  if ((flags & CELL) == 0 || !mayBeCell(start, end)) return;
  const h = hash(start, end, seedOfCells());
  if (isThere(h)) hit(BY_CELL, h, field, start, end, raw, rawLength, row);
}

export function searchText(field: usize, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
  let carry: u32 = 0;
  groups = 0;
  chainEnd = 0;
  for (let p = start; p < end; p += 16) {
    const bytes = v128.load(p);
    const valid: u32 = end - p >= 16 ? 0xffff : (<u32>1 << <u32>(end - p)) - 1;
    const mask = wordMask(bytes) & valid;
    let starts = mask & ~((mask << 1) | carry);
    carry = (mask >> 15) & 1;
    // After a dash, a quotation mark or another sign beyond ASCII a word begins too, and ASCII after Han, Kana, Thai or the like.
    if ((i8x16.bitmask(bytes) & valid) != 0 || (p > start && load<u8>(p - 1) >= 128)) starts |= startsAfterSymbols(p, start, mask & ~starts);
    while (starts != 0) {
      token(field, p + <usize>ctz(starts), start, end, raw, rawLength, row);
      starts &= starts - 1;
    }
  }
}

function startsAfterSymbols(p: usize, start: usize, words: u32): u32 {
  let starts: u32 = 0;
  for (; words != 0; words &= words - 1) {
    const at = p + <usize>ctz(words);
    const byte: u32 = load<u8>(at);
    if (at > start && load<u8>(at - 1) >= 128 && (byte & 0xc0) != 0x80 && isStartAfter(at, start)) starts |= words & (~words + 1);
  }
  return starts;
}

// @ts-ignore: decorator
@inline
function token(field: usize, p: usize, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
  if (areNumbersWanted() && isDigit(load<u8>(p))) number(field, p, start, end, raw, rawLength, row);
  if (end - p < LEAST) return;
  let lengths = lengthsAt(p);
  while (lengths != 0) {
    const length = <usize>ctz(lengths);
    lengths &= lengths - 1;
    if (length > end - p || (length < <usize>MOST && !isEnd(p + length, end))) continue;
    const h = lookFor(field, hash(p, p + length, 0));
    if (h != 0) hit(BY_TOKEN, h, field, p, p + length, raw, rawLength, row);
  }
}

/** The hash under which it is in the set; 0: it is not. */
function lookFor(field: usize, h: u64): u64 {
  const seeds = seedsOf(field);
  const many = seedCountOf(field);
  for (let i: u32 = 0; i < many; i++) {
    const seeded = mix(h ^ load<u64>(seeds + (<usize>i << 3)));
    if (isThere(seeded)) return seeded;
  }
  return 0;
}

/** A group of digits at `p`; groups with one space or hyphen between them are one number, from each of them on. */
function number(field: usize, p: usize, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
  let q = p;
  while (q < end && isDigit(load<u8>(q))) q++;
  const follows = chainEnd != 0 && chainEnd + 1 == p && (load<u8>(chainEnd) == 32 || load<u8>(chainEnd) == 45);
  if (!follows || groups == 40 || chainLength + <u32>(q - p) > 64) {
    groups = 0;
    chainLength = 0;
  }
  chainEnd = 0;
  if (q - p > <usize>MOST_DIGITS || !isEnd(q, end)) return;
  store<u32>(offsets + (<usize>groups << 2), chainLength);
  groups++;
  for (let i = p; i < q; i++) store<u8>(chain + chainLength++, load<u8>(i));
  chainEnd = q;
  for (let i: u32 = 0; i < groups; i++) {
    const from = load<u32>(offsets + (<usize>i << 2));
    const length = chainLength - from;
    if (length > MOST_DIGITS || !isNumberWanted(length)) continue;
    if (isGathering()) count(field, WINDOWS + (<usize>(length - 6) << 3));
    if (length < LEAST_DIGITS) continue;
    const h = lookFor(field, hash(chain + from, chain + chainLength, AS_DIGITS));
    if (h != 0) hit(BY_DIGITS, h, field, chain + from, chain + chainLength, raw, rawLength, row);
  }
}
