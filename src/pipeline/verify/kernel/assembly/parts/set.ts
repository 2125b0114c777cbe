// hot path: a set of originals as 32-bit fingerprints (open addressing), and which lengths begin with which six bytes. No original is ever
// missed: an equal value has an equal fingerprint on the same probe path. A false hit is possible; the caller confirms byte by byte.
import { mix } from './hash';

let table: usize = 0;
let mask: u32 = 0;
let used: u32 = 0;
let limit: u32 = 0;
let dropped: u64 = 0;
let part: u32 = 0;
let parts: u32 = 1;
let lengths: usize = 0;

// By the first six bytes of a value: 2^20 words of 8 bytes, whose bits are lengths. Before them a sieve of one bit each, small enough to stand near:
// nearly every word of an honest copy is told by it. A second sieve is of originals that are looked for as whole cells.
const LENGTH_SLOTS_LOG2: u64 = 20;
const SIEVE_LOG2: u64 = 19;
const SIEVE_BYTES: usize = 1 << 16;
let words: usize = 0;
let cells: usize = 0;
/** Bit n: an original that is looked for as a whole cell is of n bytes; 63 stands for 63 and more. */
let cellLengths: u64 = 0;

/**
 * Empties the set: 2^log2 slots of 4 bytes at `at`, two sieves of 2^16 bytes and 2^20 words of 8 bytes at `lengthsAt`. It takes values of part
 * `ofPart` of `ofParts`.
 */
export function resetSet(at: usize, log2: u32, lengthsAt: usize, ofPart: u32, ofParts: u32): void {
  table = at;
  mask = <u32>((1 << log2) - 1);
  limit = mask - (mask >> 2);
  used = 0;
  dropped = 0;
  part = ofPart;
  parts = ofParts;
  words = lengthsAt;
  cells = words + SIEVE_BYTES;
  lengths = cells + SIEVE_BYTES;
  cellLengths = 0;
  memory.fill(table, 0, (<usize>mask + 1) << 2);
  memory.fill(lengthsAt, 0, ((<usize>1) << <usize>(LENGTH_SLOTS_LOG2 + 3)) + 2 * SIEVE_BYTES);
}

export function sizeOfSet(): u32 {
  return used;
}
/** Values that found no room. MUST be 0 for the answers to mean anything. */
export function droppedOfSet(): u64 {
  return dropped;
}

// @ts-ignore: decorator
@inline
export function isMine(h: u64): bool {
  return parts == 1 || <u32>(h >> 20) % parts == part;
}

// Values on their way into the set: hash and counter, 16 bytes each. A place in the set is far away in memory: many are asked for at once.
const MOST_WAITING: u32 = 64;
const waiting = memory.data(64 * 16);
let waitingCount: u32 = 0;
/** Keeps the compiler from leaving out loads that only bring memory near. */
let touched: u32 = 0;

/** As `insert`, by `flushSet` at the latest; the counter at `counter` (0: none) grows where the value was not there before. */
export function insertLater(h: u64, counter: usize): void {
  const at = waiting + (<usize>waitingCount << 4);
  store<u64>(at, h);
  store<u32>(at, <u32>counter, 8);
  if (++waitingCount == MOST_WAITING) flushSet();
}

export function flushSet(): void {
  const end = waiting + (<usize>waitingCount << 4);
  touchSet(waiting, end, 16);
  for (let at = waiting; at < end; at += 16) {
    const counter = <usize>load<u32>(at, 8);
    if (insert(load<u64>(at)) && counter != 0) store<u64>(counter, load<u64>(counter) + 1);
  }
  waitingCount = 0;
}

/** Brings the places of the hashes that stand `step` bytes apart near, all at once. */
export function touchSet(from: usize, end: usize, step: usize): void {
  let sum: u32 = 0;
  for (let at = from; at < end; at += step) sum += load<u32>(table + (<usize>(<u32>(load<u64>(at) >> 32) & mask) << 2));
  touched = sum;
}

/** True where it was not there before. The fingerprint is the low half, the place comes from the high half; 0 marks an empty slot. */
export function insert(h: u64): bool {
  if (!isMine(h)) return false;
  const print = <u32>h | 1;
  let slot = <u32>(h >> 32) & mask;
  while (true) {
    const address = table + ((<usize>slot) << 2);
    const there = load<u32>(address);
    if (there == print) return false;
    if (there == 0) {
      if (used >= limit) {
        dropped++;
        return false;
      }
      store<u32>(address, print);
      used++;
      return true;
    }
    slot = (slot + 1) & mask;
  }
}

export function contains(h: u64): bool {
  if (!isMine(h)) return false;
  const print = <u32>h | 1;
  let slot = <u32>(h >> 32) & mask;
  let there = load<u32>(table + ((<usize>slot) << 2));
  while (there != 0 && there != print) {
    slot = (slot + 1) & mask;
    there = load<u32>(table + ((<usize>slot) << 2));
  }
  return there == print;
}

// @ts-ignore: decorator
@inline
function sixAt(at: usize): u64 {
  return load<u64>(at) & 0x0000ffffffffffff;
}
// @ts-ignore: decorator
@inline
function toLengths(six: u64): usize {
  return lengths + ((<usize>(mix(six) >> (64 - LENGTH_SLOTS_LOG2))) << 3);
}
// @ts-ignore: decorator
@inline
function toSieve(six: u64): u32 {
  return <u32>((six * 0x9e3779b97f4a7c15) >> (64 - SIEVE_LOG2));
}
// @ts-ignore: decorator
@inline
function isInSieve(sieve: usize, place: u32): bool {
  return (load<u8>(sieve + <usize>(place >> 3)) & (1 << (place & 7))) != 0;
}
function addToSieve(sieve: usize, place: u32): void {
  const at = sieve + <usize>(place >> 3);
  store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(place & 7)));
}

/** A value of `length` bytes begins at `at`; at least 6. */
export function addLength(at: usize, length: u32): void {
  const six = sixAt(at);
  addToSieve(words, toSieve(six));
  const address = toLengths(six);
  store<u64>(address, load<u64>(address) | ((<u64>1) << length));
}

/** The lengths that begin with the six bytes at `at`, as bits. */
// @ts-ignore: decorator
@inline
export function lengthsAt(at: usize): u64 {
  const six = sixAt(at);
  return isInSieve(words, toSieve(six)) ? load<u64>(toLengths(six)) : 0;
}

// @ts-ignore: decorator
@inline
function toLengthBit(length: usize): u64 {
  return <u64>1 << <u64>(length < 63 ? length : 63);
}

/** A value that is looked for as a whole cell; of at least 6 bytes. */
export function addCell(start: usize, end: usize): void {
  cellLengths |= toLengthBit(end - start);
  addToSieve(cells, toSieve(sixAt(start)));
}

/** False: no value that is looked for as a whole cell has this length and beginning. */
// @ts-ignore: decorator
@inline
export function mayBeCell(start: usize, end: usize): bool {
  return (cellLengths & toLengthBit(end - start)) != 0 && isInSieve(cells, toSieve(sixAt(start)));
}
