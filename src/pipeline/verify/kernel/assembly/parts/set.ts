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

const LENGTH_SLOTS_LOG2: u64 = 20;

/** Empties the set: 2^log2 slots of 4 bytes at `at`, 2^20 words of 8 bytes at `lengthsAt`. It takes values of part `ofPart` of `ofParts`. */
export function resetSet(at: usize, log2: u32, lengthsAt: usize, ofPart: u32, ofParts: u32): void {
  table = at;
  mask = <u32>((1 << log2) - 1);
  limit = mask - (mask >> 2);
  used = 0;
  dropped = 0;
  part = ofPart;
  parts = ofParts;
  lengths = lengthsAt;
  memory.fill(table, 0, (<usize>mask + 1) << 2);
  memory.fill(lengths, 0, (<usize>1) << <usize>(LENGTH_SLOTS_LOG2 + 3));
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
function isMine(h: u64): bool {
  return parts == 1 || <u32>(h >> 20) % parts == part;
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
function toLengths(at: usize): usize {
  const six = load<u64>(at) & 0x0000ffffffffffff;
  return lengths + ((<usize>(mix(six) >> (64 - LENGTH_SLOTS_LOG2))) << 3);
}

/** A value of `length` bytes begins at `at`; at least 6. */
export function addLength(at: usize, length: u32): void {
  const address = toLengths(at);
  store<u64>(address, load<u64>(address) | ((<u64>1) << length));
}

/** The lengths that begin with the six bytes at `at`, as bits. */
// @ts-ignore: decorator
@inline
export function lengthsAt(at: usize): u64 {
  return load<u64>(toLengths(at));
}
