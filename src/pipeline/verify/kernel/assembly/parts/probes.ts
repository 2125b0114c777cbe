// hot path: probes of the set, many at once: memory far away is waited for once. A cell with a probe that is in the set is searched again, one by
// one; the caller does that (search.ts).
import { contains, isMine, touchSet } from './set';

// Probes that wait for their answers: hash, field, where the cell begins and ends, row; 32 bytes each.
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

/** The cell that probes are of from now on. */
// @ts-ignore: decorator
@inline
export function beginCell(field: usize, start: usize, end: usize, row: u32): void {
  cellField = field;
  cellStart = start;
  cellEnd = end;
  cellRow = row;
}
// @ts-ignore: decorator
@inline
export function isGathering(): bool { return gathering; }
// @ts-ignore: decorator
@inline
export function areEnough(): bool { return probeCount >= ENOUGH_PROBES; }

/** Whether it is in the set; where probes are gathered, never yet. */
export function isThere(h: u64): bool {
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

/** Where the probes so far begin, brought near; from here to `endProbes` cells are searched one by one. */
export function beginAnswers(): usize {
  touchSet(probes, probes + (<usize>probeCount << 5), 32);
  gathering = false;
  return probes;
}
/** The next probe from `at` on that is in the set, of another cell than the one that begins at `last`; 0: there is none. */
export function nextAnswer(at: usize, last: usize): usize {
  const end = probes + (<usize>probeCount << 5);
  for (; at < end; at += 32) if (<usize>load<u32>(at, 12) != last && contains(load<u64>(at))) return at;
  return 0;
}
export function endAnswers(): void {
  gathering = true;
  probeCount = 0;
}
