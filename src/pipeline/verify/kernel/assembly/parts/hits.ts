// hot path: what was found, for the caller to read after a look: 96 bytes each.
import { columnOf } from './field';

export const BY_TOKEN: u32 = 1;
export const BY_DIGITS: u32 = 2;
export const BY_CELL: u32 = 3;
export const BY_OWN: u32 = 4;
export const BY_LAW: u32 = 5;

let hits: usize = 0;
let hitRoom: u32 = 0;
let hitCount: u32 = 0;
let input: usize = 0;

/** Hits are written from `at` on, 96 bytes each. */
export function placeHits(at: usize, most: u32): void {
  hits = at;
  hitRoom = most;
}
/** A look at lines from `inputAt` on begins. */
export function beginHits(inputAt: usize): void {
  hitCount = 0;
  input = inputAt;
}
export function hitsSeen(): u32 { return hitCount; }

/** 96 bytes: kind, column, row, length of the value, where the cell begins in the input and ends, hash (8); then up to 64 bytes of the value. */
export function hit(kind: u32, h: u64, field: usize, start: usize, end: usize, raw: usize, rawLength: usize, row: u32): void {
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
