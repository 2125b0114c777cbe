// hot path: rows of source and output meet by key, or by place; per pair: is it a fixed point, and has the same original had another
// pseudonym? Rows wait until their partner comes, so two streams in nearly the same order need little memory.
import { hash, mix } from './hash';
import {
  EXCLUDED, EXPECTED, KEY, NULLS_FILLED, NULLS_MADE, NUMERIC, PADDED, PAIRS, UNIT, UNITS,
  chanceDetailOf, chanceKindOf, chanceOf, count, countersOf, flagsOf, pairOf, ruleSeedOf, unitKindOf,
} from './field';

const MOST_PAIRS = 256;
const NOTHING: u32 = 0xffffffff;
const ROW_IS_UNIT: u32 = 0x7fffffff;
/** Too likely to come out as it was to be counted. */
const LIKELY: u32 = 0x80000000;

/** Of the line at hand, per pair: field, digest (0: NULL, 1: nothing that could be masked), whole hash, chance. */
const fields = memory.data(MOST_PAIRS * 4);
const digests = memory.data(MOST_PAIRS * 4);
const hashes = memory.data(MOST_PAIRS * 8);
const chances = memory.data(MOST_PAIRS * 8);
/** As it is written, capitals and all: what pseudonyms are a function of. */
const exact = memory.data(MOST_PAIRS * 8);
let seen: u32 = 0;
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

// Units: fingerprint and digest of the pseudonym, 8 bytes each.
let units: usize = 0;
let unitMask: u32 = 0;
let unitsUsed: u32 = 0;
let unitsLost: u64 = 0;
let part: u32 = 0;
let parts: u32 = 1;

// What is asked of the units: hash, chance, field, is it likely, is the row the unit, cell of the waiting record or 0, pair, original,
// pseudonym, rows of both sides.
const ASK_BYTES: usize = 56;
const MOST_ASKED: u32 = 64;
const asks = memory.data(64 * 56);
let asked: u32 = 0;
/** Keeps the compiler from leaving out loads that only bring memory near. */
let touched: u32 = 0;

let events: usize = 0;
let eventRoom: u32 = 0;
let eventCount: u32 = 0;

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
export function beginUnits(at: usize, log2: u32, ofPart: u32, ofParts: u32): void {
  units = at;
  unitMask = <u32>((1 << log2) - 1);
  unitsUsed = 0;
  unitsLost = 0;
  asked = 0;
  part = ofPart;
  parts = ofParts;
  memory.fill(units, 0, (<usize>unitMask + 1) << 3);
}
export function beginEvents(at: usize, most: u32): void {
  events = at;
  eventRoom = most;
  eventCount = 0;
}
/** Rows that wait, rows that found no room, units that found none, and what was seen since `beginEvents`. */
export function rowsWaiting(): u32 { return waiting; }
export function rowsLost(): u64 { return lost; }
export function lostUnits(): u64 { return unitsLost; }
export function eventsSeen(): u32 { return eventCount; }
export function beginSide(): void { lastKey = 0; ordinal = 0; }

export function beginLine(): void {
  seen = 0;
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
  seen++;
  if (isNull) return store<u32>(digests + (at << 2), 0);
  if (flags & PADDED) while (end > start && load<u8>(end - 1) == 32) end--;
  if (unitKindOf(field) != 0) store<u64>(exact + (at << 3), hash(start, end, 0x71ea));
  const h = hash(start + shift, end + shift, 0x2545f491);
  store<u64>(hashes + (at << 3), h);
  const digest = <u32>h;
  store<u32>(digests + (at << 2), digest < 2 ? 2 : digest);
  measure(field, at, start + shift, end + shift);
}

/** Digits and letters of the value: whether there is anything to mask, and how likely it comes out as it was. */
function measure(field: usize, at: usize, start: usize, end: usize): void {
  let digits: i32 = 0;
  let letters: i32 = 0;
  let telling: i32 = 0;
  const zero = i8x16.splat(48);
  for (let p = start; p < end; p += 16) {
    const bytes = v128.load(p);
    const valid: u32 = end - p >= 16 ? 0xffff : (<u32>1 << <u32>(end - p)) - 1;
    const isDigits = i8x16.bitmask(i8x16.lt_u(i8x16.sub(bytes, zero), i8x16.splat(10))) & valid;
    digits += popcnt(isDigits);
    telling += popcnt(isDigits & ~i8x16.bitmask(i8x16.eq(bytes, zero)));
    letters += popcnt(i8x16.bitmask(i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(97)), i8x16.splat(26))) & valid);
  }
  if ((flagsOf(field) & NUMERIC) == 0) telling += letters;
  if (telling == 0) return store<u32>(digests + (at << 2), 1);
  const kind = chanceKindOf(field);
  let chance = chanceOf(field);
  if (kind == 1) {
    chance = 1;
    for (let i = <i32>chanceDetailOf(field); i < digits; i++) chance *= 0.1;
    for (let i: i32 = 0; i < letters; i++) chance /= 26;
    const least = chanceOf(field);
    if (chance < least) chance = least;
  } else if (kind == 2) chance = findChance(<usize>chanceDetailOf(field), load<u64>(hashes + (at << 3)));
  store<f64>(chances + (at << 3), chance);
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
    store<u32>(cell, NOTHING, 4);
    if (source) toUnit(i, cell, 0, row, 0);
  }
}

/**
 * The unit of an original of the line at hand, its slot or a mark; a new one adds to what chance is expected to give. It is told to the record
 * that waits (`cell`), or the pair is judged by it: by `endLines` at the latest.
 */
function toUnit(i: usize, cell: usize, pseudonym: u32, sourceRow: u32, row: u32): void {
  const original = load<u32>(digests + (i << 2));
  if (original < 2) return;
  const field = <usize>load<u32>(fields + (i << 2));
  const kind = unitKindOf(field);
  const chance = load<f64>(chances + (i << 3));
  const likely: u32 = chance > 0.0101 && chanceKindOf(field) == 1 ? LIKELY : 0;
  const isRow = kind == 0 || (kind == 2 && nobody);
  let h: u64 = 0;
  if (isRow) {
    if (part != 0) return;
  } else {
    h = mix(load<u64>(exact + (i << 3)) ^ ruleSeedOf(field) ^ (kind == 2 ? mix(unit + 0x9e3779b97f4a7c15) : 0));
    if (parts > 1 && <u32>(h >> 12) % parts != part) return;
  }
  if (asked == MOST_ASKED) endLines();
  const at = asks + <usize>asked * ASK_BYTES;
  asked++;
  store<u64>(at, h);
  store<f64>(at, chance, 8);
  store<u32>(at, <u32>field, 16);
  store<u32>(at, likely, 20);
  store<u32>(at, <u32>isRow, 24);
  store<u32>(at, <u32>cell, 28);
  store<u32>(at, <u32>i, 32);
  store<u32>(at, original, 36);
  store<u32>(at, pseudonym, 40);
  store<u32>(at, sourceRow, 44);
  store<u32>(at, row, 48);
}

/** Answers what was asked of the units: their places are brought near all at once. MUST be called before lines of the other side come. */
export function endLines(): void {
  const end = asks + <usize>asked * ASK_BYTES;
  let sum: u32 = 0;
  for (let at = asks; at < end; at += ASK_BYTES) sum += load<u32>(units + (<usize>(<u32>(load<u64>(at) >> 32) & unitMask) << 3));
  touched = sum;
  for (let at = asks; at < end; at += ASK_BYTES) {
    const field = <usize>load<u32>(at, 16);
    const likely = load<u32>(at, 20);
    const chance = load<f64>(at, 8);
    let mark = likely | ROW_IS_UNIT;
    if (load<u32>(at, 24) != 0) expect(field, chance, likely);
    else mark = findUnit(load<u64>(at), field, chance, likely);
    const cell = <usize>load<u32>(at, 28);
    const pseudonym = load<u32>(at, 40);
    if (cell != 0) store<u32>(cell, mark, 4);
    else if (pseudonym != 0 && mark != NOTHING) judge(field, load<u32>(at, 32), mark, load<u32>(at, 36), pseudonym, load<u32>(at, 44), load<u32>(at, 48));
  }
  asked = 0;
}

function findUnit(h: u64, field: usize, chance: f64, likely: u32): u32 {
  const print = <u32>h | 1;
  let slot = <u32>(h >> 32) & unitMask;
  while (true) {
    const at = units + (<usize>slot << 3);
    const there = load<u32>(at);
    if (there == print) return likely | slot;
    if (there == 0) {
      if (unitsUsed >= unitMask - (unitMask >> 3)) {
        unitsLost++;
        return NOTHING;
      }
      unitsUsed++;
      store<u32>(at, print);
      expect(field, chance, likely);
      return likely | slot;
    }
    slot = (slot + 1) & unitMask;
  }
}

function expect(field: usize, chance: f64, likely: u32): void {
  if (likely != 0) return count(field, EXCLUDED);
  const at = countersOf(field) + EXPECTED;
  store<f64>(at, load<f64>(at) + chance);
  count(field, UNITS);
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
    if (part == 0) {
      count(field, PAIRS);
      if (original == 0 && pseudonym != 0) count(field, NULLS_FILLED);
      if (original != 0 && pseudonym == 0) count(field, NULLS_MADE);
    }
    if (source) {
      toUnit(i, 0, pseudonym, row, waitingRow);
      continue;
    }
    const mark = load<u32>(cell, 4);
    if (original >= 2 && pseudonym != 0 && mark != NOTHING) judge(field, <u32>i, mark, original, pseudonym, waitingRow, row);
  }
}

function judge(field: usize, i: u32, mark: u32, original: u32, pseudonym: u32, sourceRow: u32, row: u32): void {
  const likely = (mark & LIKELY) != 0;
  const slot = mark & 0x7fffffff;
  if (slot != ROW_IS_UNIT) {
    const at = units + (<usize>slot << 3) + 4;
    const known = load<u32>(at);
    if (known == pseudonym) return;
    if (known != 0) return tell(2, i, sourceRow, row, original);
    store<u32>(at, pseudonym);
  }
  if (original == pseudonym && !likely) tell(1, i, sourceRow, row, original);
}

/** An event: kind (1 fixed point, 2 another pseudonym), pair, row of the source, row of the output, digest of the original. */
function tell(kind: u32, i: u32, sourceRow: u32, row: u32, original: u32): void {
  if (eventCount < eventRoom) {
    const at = events + <usize>eventCount * 20;
    store<u32>(at, kind);
    store<u32>(at, i, 4);
    store<u32>(at, sourceRow, 8);
    store<u32>(at, row, 12);
    store<u32>(at, original, 16);
  }
  eventCount++;
}
