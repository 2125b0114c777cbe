// hot path: the lines of a sample, told by the keys of the rows that were drawn for it at the source; the caller compares them byte by byte.

/** 2^12 keys of 8 bytes (0: none), then up to 2^12 lines: row, where the line begins in the input and ends, 12 bytes each. */
const KEYS: usize = 1 << 12;
const MOST_LINES: u32 = 1 << 12;

/** 0: nothing is sampled; 1: the keys of lines are taken; 2: lines with these keys are told. */
let mode: u32 = 0;
let keys: usize = 0;
let lines: usize = 0;
let lineCount: u32 = 0;
let input: usize = 0;

/** Taking keys begins without any. MUST NOT be given more than half of `KEYS`. */
export function beginSample(ofMode: u32, at: usize): void {
  mode = ofMode;
  keys = at;
  lines = at + (KEYS << 3);
  if (mode == 1) memory.fill(keys, 0, KEYS << 3);
}
export function beginSampled(inputAt: usize): void {
  lineCount = 0;
  input = inputAt;
}
export function sampledSeen(): u32 { return lineCount; }

// @ts-ignore: decorator
@inline
export function takeLine(key: u64, row: u32, start: usize, end: usize, source: bool): void {
  if (mode != 0 && (mode == 1) == source) useLine(key, row, start, end);
}

function useLine(key: u64, row: u32, start: usize, end: usize): void {
  let at = keys + (<usize>((<u32>(key >> 32)) & (<u32>KEYS - 1)) << 3);
  for (let there = load<u64>(at); there != 0 && there != key; there = load<u64>(at)) {
    at += 8;
    if (at == keys + (KEYS << 3)) at = keys;
  }
  if (mode == 1) return store<u64>(at, key);
  if (load<u64>(at) != key || key == 0 || lineCount == MOST_LINES) return;
  const line = lines + <usize>lineCount * 12;
  store<u32>(line, row);
  store<u32>(line, <u32>(start - input), 4);
  store<u32>(line, <u32>(end - input), 8);
  lineCount++;
}
