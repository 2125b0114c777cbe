// What the caller says of each field of a line: 80 bytes, written by field-table.ts.

export const FIELD_BYTES: usize = 80;

/** Its values are originals: they go into the set. */
export const INSERT: u32 = 1;
/** Text to be searched from token to token. */
export const INSIDE: u32 = 2;
/** The whole cell is looked for among originals that are looked for as a whole everywhere. */
export const CELL: u32 = 4;
/** The whole cell is looked for among the originals of its own tag. */
export const OWN: u32 = 8;
/** Part of what tells rows apart. */
export const KEY: u32 = 16;
/** Part of what tells persons apart. */
export const UNIT: u32 = 32;
/** A number, date or the like: a value without a digit but 0 is none that can be masked. */
export const NUMERIC: u32 = 64;
/** char(n): spaces at the end are none of the value's. */
export const PADDED: u32 = 128;
/** Only cells of 12 bytes and more are searched. */
export const LONG_ONLY: u32 = 256;
/** Originals: looked for inside text (where they are distinctive), as whole cells, else in their own columns only. */
export const MODE_INSIDE: u32 = 512;
export const MODE_CELL: u32 = 1024;
/** The output is spread over the space of the originals: each of them lies in it. */
export const SPREAD: u32 = 2048;
/** Every value must be of the declared output space. */
export const LAW: u32 = 4096;

// @ts-ignore: decorator
@inline
export function flagsOf(field: usize): u32 {
  return load<u32>(field);
}
// @ts-ignore: decorator
@inline
export function columnOf(field: usize): u32 {
  return load<u32>(field, 4);
}
/** Seeds of what is searched from token to token, and how many. */
// @ts-ignore: decorator
@inline
export function seedsOf(field: usize): usize {
  return load<u32>(field, 8);
}
// @ts-ignore: decorator
@inline
export function seedCountOf(field: usize): u32 {
  return load<u32>(field, 12);
}
/** Seeds of the originals of its own tags, and how many. */
// @ts-ignore: decorator
@inline
export function ownOf(field: usize): usize {
  return load<u32>(field, 16);
}
// @ts-ignore: decorator
@inline
export function ownCountOf(field: usize): u32 {
  return load<u32>(field, 20);
}
/** The automaton of the output space, 0: none. */
// @ts-ignore: decorator
@inline
export function spaceOf(field: usize): usize {
  return load<u32>(field, 24);
}
/** Number of the pair, from 1; 0: none. */
// @ts-ignore: decorator
@inline
export function pairOf(field: usize): u32 {
  return load<u32>(field, 28);
}
/** 32 counters of 8 bytes. */
// @ts-ignore: decorator
@inline
export function countersOf(field: usize): usize {
  return load<u32>(field, 32);
}
/** 0: a constant chance; 1: each letter and digit is drawn, but for some; 2: a table of words with their chances. */
// @ts-ignore: decorator
@inline
export function chanceKindOf(field: usize): u32 {
  return load<u32>(field, 36);
}
/** How many digits are not drawn, or where the table of words begins. */
// @ts-ignore: decorator
@inline
export function chanceDetailOf(field: usize): u32 {
  return load<u32>(field, 40);
}
/** 0: the row; 1: the value; 2: the person and the value. */
// @ts-ignore: decorator
@inline
export function unitKindOf(field: usize): u32 {
  return load<u32>(field, 44);
}
// @ts-ignore: decorator
@inline
export function chanceOf(field: usize): f64 {
  return load<f64>(field, 48);
}
/** Seed of the originals of the tag in the output space, and of those that are looked for in its own columns. */
// @ts-ignore: decorator
@inline
export function tagSeedOf(field: usize): u64 {
  return load<u64>(field, 56);
}
// @ts-ignore: decorator
@inline
export function ownSeedOf(field: usize): u64 {
  return load<u64>(field, 64);
}
/** What tells rules apart: the same for fields whose pseudonyms have to agree. */
// @ts-ignore: decorator
@inline
export function ruleSeedOf(field: usize): u64 {
  return load<u64>(field, 72);
}

export const ORIGINALS: usize = 0;
export const IN_SPACE: usize = 8;
export const DISTINCTIVE: usize = 16;
export const OUTSIDE_SPACE: usize = 24;
/** Expected fixed points, as a 64-bit float. */
export const EXPECTED: usize = 32;
export const UNITS: usize = 40;
export const PAIRS: usize = 48;
export const EXCLUDED: usize = 56;
export const NULLS_FILLED: usize = 64;
export const NULLS_MADE: usize = 72;
/** Pairs whose original has something to mask. */
export const COMPARED: usize = 80;
/** 48: windows of n digits from here on, 8 bytes each, n from 6 to 19; for originals: numbers of n digits. */
export const WINDOWS: usize = 96;

// @ts-ignore: decorator
@inline
export function count(field: usize, counter: usize): void {
  const at = countersOf(field) + counter;
  store<u64>(at, load<u64>(at) + 1);
}

/**
 * Whether `[start, end)` is a word of the automaton at `space`: number of byte classes, last accepting state, first state (4 bytes each), the
 * class of each byte (256 bytes), then a byte per state and class. State 0 leads nowhere; the accepting ones come right after it.
 */
export function accepts(space: usize, start: usize, end: usize): bool {
  const classes: u32 = load<u32>(space);
  const map = space + 12;
  const steps = map + 256;
  let state: u32 = load<u32>(space, 8);
  for (let p = start; p < end; p++) {
    state = load<u8>(steps + <usize>(state * classes + load<u8>(map + <usize>load<u8>(p))));
    if (state == 0) return false;
  }
  return state <= load<u32>(space, 4);
}
