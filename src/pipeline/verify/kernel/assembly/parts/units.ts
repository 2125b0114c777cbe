// hot path: per original in its scope (its unit): has it had another pseudonym before, and is this one a fixed point? Places in the table are far
// away in memory, so questions are gathered and answered many at once.
import { EXCLUDED, EXPECTED, UNITS, count, countersOf } from './field';

/** No unit: it found no room, or is of another part. */
export const NO_UNIT: u32 = 0xffffffff;
const ROW_IS_UNIT: u32 = 0x7fffffff;
/** Too likely to come out as it was to be counted. */
export const LIKELY: u32 = 0x80000000;

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
/** Units that found no room, and what was seen since `beginEvents`. */
export function lostUnits(): u64 { return unitsLost; }
export function eventsSeen(): u32 { return eventCount; }
export function isFirstPart(): bool { return part == 0; }

/** Rows are units of the first part. */
// @ts-ignore: decorator
@inline
export function isOfPart(h: u64, isRow: bool): bool {
  return isRow ? part == 0 : parts == 1 || <u32>(h >> 12) % parts == part;
}

/**
 * A question, answered by `endLines` at the latest: the unit of hash `h` is told to the record that waits (`cell`), or the pair is judged by it.
 * A new unit adds to what chance is expected to give.
 */
export function ask(
  h: u64, chance: f64, field: usize, likely: u32, isRow: bool, cell: usize, i: usize, original: u32, pseudonym: u32, sourceRow: u32, row: u32,
): void {
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
    else if (pseudonym != 0 && mark != NO_UNIT) judge(load<u32>(at, 32), mark, load<u32>(at, 36), pseudonym, load<u32>(at, 44), load<u32>(at, 48));
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
        return NO_UNIT;
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

/** Two rows met: is the pseudonym that of the unit, and is it the original? */
export function judge(i: u32, mark: u32, original: u32, pseudonym: u32, sourceRow: u32, row: u32): void {
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
