// hot path: rows of source and output meet by key, or by place; per pair: is it a fixed point, and has the same original had another
// pseudonym? Rows wait until their partner comes, so two streams in nearly the same order need little memory.
import { hash, mix } from './hash';
import {
  COMPARED, KEY, NULLS_FILLED, NULLS_MADE, PADDED, PAIRS, UNIT, chanceKindOf, count, flagsOf, pairOf, ruleSeedOf, unitKindOf,
} from './field';
import { NOTHING_TO_MASK, measure } from './measure';
import { LIKELY, NO_UNIT, ask, isFirstPart, isOfPart, judge } from './units';

const MOST_PAIRS = 256;

/** Of the line at hand, per pair: field, digest (0: NULL, 1: nothing that could be masked), chance. */
const fields = memory.data(MOST_PAIRS * 4);
const digests = memory.data(MOST_PAIRS * 4);
const chances = memory.data(MOST_PAIRS * 8);
/** As it is written, capitals and all: what pseudonyms are a function of. */
const exact = memory.data(MOST_PAIRS * 8);
let key: u64 = 0;
let unit: u64 = 0;
/** The person of the line is not known: its pseudonyms are the row's own. */
let nobody: bool = false;
let lastKey: u64 = 0;
let ordinal: u32 = 0;

let width: u32 = 0;
let byPlace: bool = false;
let elements: bool = false;

// Waiting rows: chains from 2^17 heads; a record is next, side, key (8), row, then digest and unit of each pair.
const HEADS: u32 = 1 << 17;
let heads: usize = 0;
let records: usize = 0;
let recordBytes: usize = 0;
let room: u32 = 0;
let free: u32 = 0;
let fresh: u32 = 0;
let waiting: u32 = 0;
let lost: u64 = 0;

export function beginPairs(pairs: u32, place: bool, multiple: bool, headsAt: usize, recordsAt: usize, recordRoom: u32): void {
  width = pairs;
  byPlace = place;
  elements = multiple;
  heads = headsAt;
  records = recordsAt;
  recordBytes = 24 + (<usize>pairs << 3);
  room = recordRoom;
  free = 0;
  fresh = 1;
  waiting = 0;
  lost = 0;
  memory.fill(heads, 0, HEADS << 2);
}
/** Rows that wait, and rows that found no room. */
export function rowsWaiting(): u32 { return waiting; }
export function rowsLost(): u64 { return lost; }
export function beginSide(): void { lastKey = 0; ordinal = 0; }
/** Of the fields that tell rows apart, as far as the line has been read. */
// @ts-ignore: decorator
@inline
export function keyOfLine(): u64 { return key; }

export function beginLine(): void {
  key = 0;
  unit = 0;
  nobody = false;
}

/** A field of the line, NULL or `[start, end)`, and `shift` further on in small letters. */
export function takeField(field: usize, isNull: bool, start: usize, end: usize, shift: usize): void {
  const flags = flagsOf(field);
  if (flags & KEY) key = mix(key ^ (isNull ? 0x9e37 : hash(start, end, 0x517c)));
  if (flags & UNIT) {
    unit = mix(unit ^ (isNull ? 0x9e37 : hash(start, end, 0x517c)));
    if (isNull) nobody = true;
  }
  const pair = pairOf(field);
  if (pair == 0) return;
  const at = <usize>(pair - 1);
  store<u32>(fields + (at << 2), <u32>field);
  if (isNull) return store<u32>(digests + (at << 2), 0);
  if (flags & PADDED) while (end > start && load<u8>(end - 1) == 32) end--;
  if (unitKindOf(field) != 0) store<u64>(exact + (at << 3), hash(start, end, 0x71ea));
  const h = hash(start + shift, end + shift, 0x2545f491);
  const digest = <u32>h;
  const chance = measure(field, start + shift, end + shift, h);
  store<u32>(digests + (at << 2), chance == NOTHING_TO_MASK ? 1 : digest < 2 ? 2 : digest);
  store<f64>(chances + (at << 3), chance);
}

/** The line is over; `row` is its number on its side, `source` says which. */
export function endLine(row: u32, source: bool): void {
  if (width == 0) return;
  let mine: u64 = byPlace ? mix(<u64>row + 0x632be59bd9b4e019) : key;
  if (elements && !byPlace) {
    ordinal = mine == lastKey ? ordinal + 1 : 0;
    lastKey = mine;
    mine = mix(mine ^ <u64>ordinal);
  }
  const head = heads + (<usize>(<u32>(mine >> 40) & (HEADS - 1)) << 2);
  let before = head;
  for (let at = load<u32>(head); at != 0;) {
    const record = records + <usize>at * recordBytes;
    if (load<u64>(record, 8) == mine && load<u32>(record, 4) != <u32>source) {
      store<u32>(before, load<u32>(record));
      meet(record, row, source);
      store<u32>(record, free);
      free = at;
      waiting--;
      return;
    }
    before = record;
    at = load<u32>(record);
  }
  wait(head, mine, row, source);
}

function wait(head: usize, mine: u64, row: u32, source: bool): void {
  let at = free;
  if (at != 0) free = load<u32>(records + <usize>at * recordBytes);
  else if (fresh < room) at = fresh++;
  else {
    lost++;
    return;
  }
  waiting++;
  const record = records + <usize>at * recordBytes;
  store<u32>(record, load<u32>(head));
  store<u32>(record, <u32>source, 4);
  store<u64>(record, mine, 8);
  store<u32>(record, row, 16);
  store<u32>(head, at);
  for (let i: usize = 0; i < <usize>width; i++) {
    const cell = record + 24 + (i << 3);
    store<u32>(cell, load<u32>(digests + (i << 2)));
    store<u32>(cell, NO_UNIT, 4);
    if (source) toUnit(i, cell, 0, row, 0);
  }
}

/** Asks for the unit of the original of the line at hand, for the record that waits (`cell`), or to judge the pair by it. */
function toUnit(i: usize, cell: usize, pseudonym: u32, sourceRow: u32, row: u32): void {
  const original = load<u32>(digests + (i << 2));
  if (original < 2) return;
  const field = <usize>load<u32>(fields + (i << 2));
  const kind = unitKindOf(field);
  const chance = load<f64>(chances + (i << 3));
  const likely: u32 = chance > 0.0101 && chanceKindOf(field) == 1 ? LIKELY : 0;
  const isRow = kind == 0 || (kind == 2 && nobody);
  const h: u64 = isRow ? 0 : mix(load<u64>(exact + (i << 3)) ^ ruleSeedOf(field) ^ (kind == 2 ? mix(unit + 0x9e3779b97f4a7c15) : 0));
  if (isOfPart(h, isRow)) ask(h, chance, field, likely, isRow, cell, i, original, pseudonym, sourceRow, row);
}

/** A pair: one side waits in the record, the other is the line at hand. */
function meet(record: usize, row: u32, source: bool): void {
  const waitingRow = load<u32>(record, 16);
  for (let i: usize = 0; i < <usize>width; i++) {
    const cell = record + 24 + (i << 3);
    const here = load<u32>(digests + (i << 2));
    const there = load<u32>(cell);
    const original = source ? here : there;
    const pseudonym = source ? there : here;
    const field = <usize>load<u32>(fields + (i << 2));
    if (isFirstPart()) {
      count(field, PAIRS);
      if (original >= 2) count(field, COMPARED);
      if (original == 0 && pseudonym != 0) count(field, NULLS_FILLED);
      if (original != 0 && pseudonym == 0) count(field, NULLS_MADE);
    }
    if (source) {
      toUnit(i, 0, pseudonym, row, waitingRow);
      continue;
    }
    const mark = load<u32>(cell, 4);
    if (original >= 2 && pseudonym != 0 && mark != NO_UNIT) judge(<u32>i, mark, original, pseudonym, waitingRow, row);
  }
}
