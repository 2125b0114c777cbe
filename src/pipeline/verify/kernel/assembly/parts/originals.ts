// hot path: an original into the set: as what, and under which seed, hangs on what it is looked for by.
import {
  DISTINCTIVE, IN_SPACE, MODE_CELL, MODE_INSIDE, ORIGINALS, OUTSIDE_SPACE, SPREAD, WINDOWS, accepts, count, countersOf, ownSeedOf, spaceOf, tagSeedOf,
} from './field';
import { hash, mix } from './hash';
import { BY_CELL, BY_DIGITS, BY_OWN, BY_TOKEN, hit } from './hits';
import { addCell, addLength, contains, insert, insertLater } from './set';
import { isBorder, isDigit, isSmall } from './text';

/** Originals are searched from this many bytes on; of longer ones than the last the first bytes. */
export const LEAST: usize = 6;
export const MOST: u32 = 63;
/** Digits of a number that is found whatever stands between them, and of the shortest whose coincidences are counted. */
export const LEAST_DIGITS: u32 = 9;
export const MOST_DIGITS: u32 = 19;
/** Whole cells are looked for everywhere from this many bytes on. */
const LEAST_CELL: usize = 7;
/** Turned into the seed of digits without what stands between them, and of whole cells. */
export const AS_DIGITS: u64 = 0x5851f42d4c957f2d;
const AS_CELL: u64 = 0x14057b7ef767814f;

let every: u64 = 0;
/** Bit n: there are numbers of n digits that are looked for. */
let digitLengths: u32 = 0;
/** Probes instead of inserting: originals are compared with the candidates of a look before. */
let probing: bool = false;
const chain = memory.data(64);

/** `seed`: of what is looked for everywhere. */
export function beginOriginals(seed: u64): void {
  every = seed;
  digitLengths = 0;
  probing = false;
}
export function setProbing(on: bool): void { probing = on; }
/** A hash that a hit had, into the set. */
export function addCandidate(h: u64): void { insert(h); }
export function lengthsOfNumbers(): u32 { return digitLengths; }
export function setLengthsOfNumbers(bits: u32): void { digitLengths = bits; }
// @ts-ignore: decorator
@inline
export function seedOfCells(): u64 { return every ^ AS_CELL; }
// @ts-ignore: decorator
@inline
export function isNumberWanted(digits: u32): bool { return (digitLengths & (1 << digits)) != 0; }
// @ts-ignore: decorator
@inline
export function areNumbersWanted(): bool { return digitLengths != 0; }

export function takeOriginal(field: usize, flags: u32, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
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
    if (!probing) addCell(start, end);
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
