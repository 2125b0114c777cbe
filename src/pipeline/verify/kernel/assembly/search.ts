// hot path: lines of COPY text of source and output: originals go into a set, cells and tokens of the output are looked for in it, and rows of
// both sides are paired. AssemblyScript; memory is laid out by the caller (search-kernel.ts).
import { hash, mix } from './parts/hash';
import {
  CELL, DISTINCTIVE, FIELD_BYTES, INSERT, INSIDE, IN_SPACE, LAW, LONG_ONLY, MODE_CELL, MODE_INSIDE, ORIGINALS, OUTSIDE_SPACE, OWN, PADDED,
  SPREAD, WINDOWS, accepts, columnOf, count, countersOf, flagsOf, ownCountOf, ownOf, ownSeedOf, seedCountOf, seedsOf, spaceOf, tagSeedOf,
} from './parts/field';
import { beginLine, endLine, endLines, takeField } from './parts/pairs';
import { addLength, contains, flushSet, insert, insertLater, isMine, lengthsAt, touchSet } from './parts/set';
import { fold, hasBackslash, isBorder, isDigit, isSmall, isSymbolBefore, unescape, wordMask } from './parts/text';

export { droppedOfSet, resetSet, sizeOfSet } from './parts/set';
export { addWord, beginEvents, beginPairs, beginSide, beginUnits, eventsSeen, lostUnits, rowsLost, rowsWaiting } from './parts/pairs';
export { accepts } from './parts/field';
export { fold } from './parts/text';

/** Originals are searched from this many bytes on; of longer ones than the last the first bytes. */
const LEAST: usize = 6;
const MOST: u32 = 63;
/** Digits of a number that is found whatever stands between them, and of the shortest whose coincidences are counted. */
const LEAST_DIGITS: u32 = 9;
const MOST_DIGITS: u32 = 19;
const LEAST_CELL: usize = 7;
/** Turned into the seed of digits without what stands between them, and of whole cells. */
const AS_DIGITS: u64 = 0x5851f42d4c957f2d;
const AS_CELL: u64 = 0x14057b7ef767814f;

const BY_TOKEN: u32 = 1;
const BY_DIGITS: u32 = 2;
const BY_CELL: u32 = 3;
const BY_OWN: u32 = 4;
const BY_LAW: u32 = 5;

let every: u64 = 0;
let hits: usize = 0;
let hitRoom: u32 = 0;
let hitCount: u32 = 0;
/** Bit n: there are numbers of n digits that are looked for. */
let digitLengths: u32 = 0;
/** Probes instead of inserting: originals are compared with the candidates of a look before. */
let probing: bool = false;
let rows: u32 = 0;
let input: usize = 0;

// Probes of the set that wait for their answers: hash, field, where the cell begins and ends, row; 32 bytes each.
const ENOUGH_PROBES: u32 = 64;
const MOST_PROBES: u32 = 256;
const probes = memory.data(256 * 32);
let probeCount: u32 = 0;
/** False while a cell is searched again. */
let gathering: bool = true;
let cellField: usize = 0;
let cellStart: usize = 0;
let cellEnd: usize = 0;
let cellRow: u32 = 0;

const chain = memory.data(64);
const offsets = memory.data(40 * 4);
let chainLength: u32 = 0;
let groups: u32 = 0;
let chainEnd: usize = 0;

/** `seed`: of what is looked for everywhere. Hits are written from `hitsAt` on, 96 bytes each. */
export function begin(seed: u64, hitsAt: usize, mostHits: u32): void {
  every = seed;
  hits = hitsAt;
  hitRoom = mostHits;
  digitLengths = 0;
  probing = false;
}
export function setProbing(on: bool): void { probing = on; }
/** A hash that a hit had, into the set. */
export function addCandidate(h: u64): void { insert(h); }
export function hitsSeen(): u32 { return hitCount; }
export function rowsSeen(): u32 { return rows; }
export function lengthsOfNumbers(): u32 { return digitLengths; }
export function setLengthsOfNumbers(bits: u32): void { digitLengths = bits; }

/**
 * Every whole line of `length` bytes at `at`; `folded` and `scratch` are as long and more. `row` is the number of lines before them, `source`
 * says which side they are of. Returns the bytes used.
 */
export function run(at: usize, length: usize, folded: usize, scratch: usize, fields: usize, row: u32, source: bool): usize {
  hitCount = 0;
  rows = 0;
  input = at;
  let stop = at + length;
  while (stop > at && load<u8>(stop - 1) != 10) stop--;
  if (stop == at) return 0;
  fold(at, folded, stop - at);
  const shift = folded - at;
  let p = at;
  let start = at;
  let field = fields;
  beginLine();
  while (p < stop) {
    p = nextBorder(p, stop);
    const isNull = p - start == 2 && load<u16>(start) == 0x4e5c;
    takeField(field, isNull, start, p, shift);
    const flags = flagsOf(field);
    if (!isNull && (flags & (INSERT | INSIDE | CELL | OWN | LAW)) != 0) {
      cellField = field;
      cellStart = start;
      cellEnd = p;
      cellRow = row;
      useField(field, flags, start, start + shift, p + shift, scratch, row);
      if (probeCount >= ENOUGH_PROBES) answer(shift, scratch);
    }
    if (load<u8>(p) == 10) {
      endLine(row, source);
      row++;
      rows++;
      field = fields;
      beginLine();
    } else field += FIELD_BYTES;
    start = ++p;
  }
  answer(shift, scratch);
  flushSet();
  endLines();
  return stop - at;
}

// The next \t or \n at or after p; there is one before `stop`.
// @ts-ignore: decorator
@inline
function nextBorder(p: usize, stop: usize): usize {
  while (p + 16 <= stop) {
    const bytes = v128.load(p);
    const found = i8x16.bitmask(v128.or(i8x16.eq(bytes, i8x16.splat(9)), i8x16.eq(bytes, i8x16.splat(10))));
    if (found != 0) return p + ctz(found);
    p += 16;
  }
  while (load<u8>(p) != 9 && load<u8>(p) != 10) p++;
  return p;
}

function useField(field: usize, flags: u32, raw: usize, start: usize, end: usize, scratch: usize, row: u32): void {
  const rawLength = end - start;
  if ((flags & LONG_ONLY) != 0 && rawLength < 12) return;
  let escaped = hasBackslash(start, end);
  if (escaped) {
    end = unescape(start, end, scratch);
    start = scratch;
  }
  if (flags & PADDED) while (end > start && load<u8>(end - 1) == 32) end--;
  if (flags & INSERT) return takeOriginal(field, flags, start, end, raw, rawLength, row);
  if (start == end) return;
  if ((flags & LAW) != 0 && !accepts(spaceOf(field), start, end)) hit(BY_LAW, 0, field, start, start, raw, rawLength, row);
  if ((flags & (CELL | OWN)) != 0) searchCell(field, flags, start, end, raw, rawLength, row);
  if ((flags & INSIDE) == 0) return;
  searchText(field, start, end, raw, rawLength, row);
  // What stands in JSON, arrays and the like has escapes of its own, and may hold such things again.
  for (let layer = 0; escaped && layer < 3; layer++) {
    escaped = hasBackslash(start, end);
    if (!escaped) break;
    const to = end + 16;
    end = unescape(start, end, to);
    start = to;
    searchText(field, start, end, raw, rawLength, row);
  }
}

// ── probes, many at once: memory far away is waited for once. A cell with a probe that is in the set is searched again, one by one.

/** Whether it is in the set; where probes are gathered, never yet. */
function isThere(h: u64): bool {
  if (!gathering) return contains(h);
  if (!isMine(h)) return false;
  if (probeCount == MOST_PROBES) {
    // A cell of many words: one of its probes that is there stands for all of them.
    if (!contains(h)) return false;
    probeCount--;
  }
  const at = probes + (<usize>probeCount << 5);
  probeCount++;
  store<u64>(at, h);
  store<u32>(at, <u32>cellField, 8);
  store<u32>(at, <u32>cellStart, 12);
  store<u32>(at, <u32>cellEnd, 16);
  store<u32>(at, cellRow, 20);
  return false;
}

/** The answers to the probes so far; MUST NOT be asked for within a cell. */
function answer(shift: usize, scratch: usize): void {
  const end = probes + (<usize>probeCount << 5);
  touchSet(probes, end, 32);
  gathering = false;
  let last: usize = 0;
  for (let at = probes; at < end; at += 32) {
    const start = <usize>load<u32>(at, 12);
    if (start == last || !contains(load<u64>(at))) continue;
    last = start;
    const field = <usize>load<u32>(at, 8);
    useField(field, flagsOf(field) & ~LAW, start, start + shift, <usize>load<u32>(at, 16) + shift, scratch, load<u32>(at, 20));
  }
  gathering = true;
  probeCount = 0;
}

// ── originals

function takeOriginal(field: usize, flags: u32, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
  if (start == end) return;
  const space = spaceOf(field);
  const inSpace = (flags & SPREAD) != 0 || (space != 0 && accepts(space, start, end));
  if (!probing) {
    count(field, ORIGINALS);
    if (inSpace) count(field, IN_SPACE);
  }
  if (flags & MODE_INSIDE) {
    const seed = inSpace ? tagSeedOf(field) : every;
    if (takeDistinctive(field, start, end, seed, raw, rawLength, row)) {
      if (!probing) count(field, DISTINCTIVE);
      return;
    }
  }
  if (inSpace) return;
  if (!probing) count(field, OUTSIDE_SPACE);
  if ((flags & MODE_CELL) != 0 && end - start >= LEAST_CELL) {
    take(field, BY_CELL, hash(start, end, every ^ AS_CELL), 0, start, end, raw, rawLength, row);
  } else take(field, BY_OWN, hash(start, end, ownSeedOf(field)), 0, start, start, raw, rawLength, row);
}

/** The value without what stands around its letters and digits, if it is told from others by its form. */
function takeDistinctive(field: usize, start: usize, end: usize, seed: u64, raw: usize, rawLength: usize, row: u32): bool {
  while (start < end && (isBorder(start, end) || (load<u8>(start) & 0xc0) == 0x80)) start++;
  while (end > start && !isWordEnd(end - 1)) end--;
  if (end - start < LEAST) return false;
  let digits: u32 = 0;
  let letters: u32 = 0;
  let others: u32 = 0;
  let number = true;
  let at: bool = false;
  let slashes: bool = false;
  for (let p = start; p < end; p++) {
    const byte: u32 = load<u8>(p);
    if (isDigit(byte)) digits++;
    else if (isSmall(byte) || byte >= 128) letters++;
    else {
      others++;
      if (byte == 64) at = true;
      if (byte == 47 && load<u8>(p - 1) == 47) slashes = true;
      if ((byte != 32 && byte != 45) || !isDigit(load<u8>(p + 1))) number = false;
    }
  }
  if (letters == 0 && number && digits >= LEAST_DIGITS && digits <= MOST_DIGITS) {
    digitLengths |= 1 << digits;
    const length = toDigits(start, end);
    const h = mix(hash(chain, chain + length, AS_DIGITS) ^ seed);
    take(field, BY_DIGITS, h, windowsOf(field, digits), chain, chain + length, raw, rawLength, row);
    return true;
  }
  const length = end - start;
  const distinctive = at || slashes || (letters == 0 ? digits >= 6 && others > 0 : digits >= 6 || (length >= 12 && digits > 0));
  if (!distinctive) return false;
  if (letters == 0 && digits < 20) digitLengths |= 1 << digits;
  const part = length < <usize>MOST ? length : <usize>MOST;
  if (!probing) addLength(start, <u32>part);
  const counter = letters == 0 && digits < 20 ? windowsOf(field, digits) : 0;
  take(field, BY_TOKEN, mix(hash(start, start + part, 0) ^ seed), counter, start, start + part, raw, rawLength, row);
  return true;
}

function isWordEnd(p: usize): bool {
  const byte: u32 = load<u8>(p);
  return isDigit(byte) || isSmall(byte) || byte >= 128;
}

function toDigits(start: usize, end: usize): usize {
  let length: usize = 0;
  for (let p = start; p < end; p++) if (isDigit(load<u8>(p))) store<u8>(chain + length++, load<u8>(p));
  return length;
}

/** Where distinct numbers of so many digits are counted. */
function windowsOf(field: usize, digits: u32): usize {
  return countersOf(field) + WINDOWS + (<usize>(digits - 6) << 3);
}

/** Into the set, counted where it is new; or, when originals are compared with candidates, a hit where it is one. */
function take(field: usize, kind: u32, h: u64, counter: usize, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
  if (!probing) insertLater(h, counter);
  else if (contains(h)) hit(kind, h, field, start, end, raw, rawLength, row);
}

// ── the output

function searchCell(field: usize, flags: u32, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
  if (flags & OWN) {
    const seeds = ownOf(field);
    const many = ownCountOf(field);
    for (let i: u32 = 0; i < many; i++) {
      const h = hash(start, end, load<u64>(seeds + (<usize>i << 3)));
      if (isThere(h)) hit(BY_OWN, h, field, start, start, raw, rawLength, row);
    }
  }
  if ((flags & CELL) == 0 || end - start < LEAST_CELL || end - start > 64) return;
  const h = hash(start, end, every ^ AS_CELL);
  if (isThere(h)) hit(BY_CELL, h, field, start, end, raw, rawLength, row);
}

function searchText(field: usize, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
  let carry: u32 = 0;
  groups = 0;
  chainEnd = 0;
  for (let p = start; p < end; p += 16) {
    const bytes = v128.load(p);
    const valid: u32 = end - p >= 16 ? 0xffff : (<u32>1 << <u32>(end - p)) - 1;
    const mask = wordMask(bytes) & valid;
    let starts = mask & ~((mask << 1) | carry);
    carry = (mask >> 15) & 1;
    // After a dash, a quotation mark or another sign beyond ASCII a word begins too.
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
    if (at > start && load<u8>(at - 1) >= 128 && (byte & 0xc0) != 0x80 && isSymbolBefore(at, start)) starts |= words & (~words + 1);
  }
  return starts;
}

// @ts-ignore: decorator
@inline
function token(field: usize, p: usize, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
  if (digitLengths != 0 && isDigit(load<u8>(p))) number(field, p, start, end, raw, rawLength, row);
  if (end - p < LEAST) return;
  let lengths = lengthsAt(p);
  while (lengths != 0) {
    const length = <usize>ctz(lengths);
    lengths &= lengths - 1;
    if (length > end - p || (length < <usize>MOST && !isBorder(p + length, end))) continue;
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
  if (q - p > <usize>MOST_DIGITS || !isBorder(q, end)) return;
  store<u32>(offsets + (<usize>groups << 2), chainLength);
  groups++;
  for (let i = p; i < q; i++) store<u8>(chain + chainLength++, load<u8>(i));
  chainEnd = q;
  for (let i: u32 = 0; i < groups; i++) {
    const from = load<u32>(offsets + (<usize>i << 2));
    const length = chainLength - from;
    if (length > MOST_DIGITS || (digitLengths & (1 << length)) == 0) continue;
    if (gathering) count(field, WINDOWS + (<usize>(length - 6) << 3));
    if (length < LEAST_DIGITS) continue;
    const h = lookFor(field, hash(chain + from, chain + chainLength, AS_DIGITS));
    if (h != 0) hit(BY_DIGITS, h, field, chain + from, chain + chainLength, raw, rawLength, row);
  }
}

/** 96 bytes: kind, column, row, length of the value, where the cell begins in the input and ends, hash (8); then up to 64 bytes of the value. */
function hit(kind: u32, h: u64, field: usize, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
  if (hitCount < hitRoom) {
    const at = hits + <usize>hitCount * 96;
    const length = end - start < 64 ? end - start : 64;
    store<u32>(at, kind);
    store<u32>(at, columnOf(field), 4);
    store<u32>(at, row, 8);
    store<u32>(at, <u32>length, 12);
    store<u32>(at, <u32>(raw - input), 16);
    store<u32>(at, <u32>(raw - input + rawLength), 20);
    store<u64>(at, h, 24);
    memory.copy(at + 32, start, length);
  }
  hitCount++;
}
