// hot path: lines of COPY text of source and output: originals go into a set, cells and tokens of the output are looked for in it, and rows of
// both sides are paired. AssemblyScript; memory is laid out by the caller (search-kernel.ts).
import { CELL, FIELD_BYTES, INSERT, INSIDE, LAW, LONG_ONLY, OWN, PADDED, accepts, flagsOf, spaceOf } from './parts/field';
import { BY_LAW, beginHits, hit, placeHits } from './parts/hits';
import { placeLetters } from './parts/letters';
import { beginOriginals, takeOriginal } from './parts/originals';
import { beginLine, endLine, keyOfLine, takeField } from './parts/pairs';
import { areEnough, beginAnswers, beginCell, endAnswers, nextAnswer } from './parts/probes';
import { beginSampled, takeLine } from './parts/sample';
import { flushSet } from './parts/set';
import { fold, hasBackslash, unescape } from './parts/text';
import { endLines } from './parts/units';
import { searchCell, searchText } from './parts/words';

export { accepts } from './parts/field';
export { hitsSeen } from './parts/hits';
export { addWord } from './parts/measure';
export { addCandidate, lengthsOfNumbers, setLengthsOfNumbers, setProbing } from './parts/originals';
export { beginPairs, beginSide, rowsLost, rowsWaiting } from './parts/pairs';
export { beginSample, sampledSeen } from './parts/sample';
export { droppedOfSet, resetSet, sizeOfSet } from './parts/set';
export { fold } from './parts/text';
export { beginEvents, beginUnits, eventsSeen, lostUnits } from './parts/units';

let rows: u32 = 0;

/** `seed`: of what is looked for everywhere. Hits are written from `hitsAt` on, 96 bytes each. The others: what is known of letters. */
export function begin(seed: u64, hitsAt: usize, mostHits: u32, kinds: usize, folds: usize, chances: usize, apart: usize): void {
  placeLetters(kinds, folds, chances, apart);
  beginOriginals(seed);
  placeHits(hitsAt, mostHits);
}
export function rowsSeen(): u32 { return rows; }

/**
 * Every whole line of `length` bytes at `at`; `folded` and `scratch` are as long and more. `row` is the number of lines before them, `source`
 * says which side they are of. Returns the bytes used.
 */
export function run(at: usize, length: usize, folded: usize, scratch: usize, fields: usize, row: u32, source: bool): usize {
  beginHits(at);
  beginSampled(at);
  rows = 0;
  let stop = at + length;
  while (stop > at && load<u8>(stop - 1) != 10) stop--;
  if (stop == at) return 0;
  fold(at, folded, stop - at);
  const shift = folded - at;
  let p = at;
  let start = at;
  let line = at;
  let field = fields;
  beginLine();
  while (p < stop) {
    p = nextBorder(p, stop);
    const isNull = p - start == 2 && load<u16>(start) == 0x4e5c;
    takeField(field, isNull, start, p, shift);
    const flags = flagsOf(field);
    if (!isNull && (flags & (INSERT | INSIDE | CELL | OWN | LAW)) != 0) {
      beginCell(field, start, p, row);
      useField(field, flags, start, start + shift, p + shift, scratch, row);
      if (areEnough()) answer(shift, scratch);
    }
    if (load<u8>(p) == 10) {
      takeLine(keyOfLine(), row, line, p, source);
      endLine(row, source);
      row++;
      rows++;
      field = fields;
      line = p + 1;
      beginLine();
    } else field += FIELD_BYTES;
    start = ++p;
  }
  answer(shift, scratch);
  flushSet();
  endLines();
  return stop - at;
}

// The next \t or \n at or after p; there is one before `stop`.
// @ts-ignore: decorator
@inline
function nextBorder(p: usize, stop: usize): usize {
  while (p + 16 <= stop) {
    const bytes = v128.load(p);
    const found = i8x16.bitmask(v128.or(i8x16.eq(bytes, i8x16.splat(9)), i8x16.eq(bytes, i8x16.splat(10))));
    if (found != 0) return p + ctz(found);
    p += 16;
  }
  while (load<u8>(p) != 9 && load<u8>(p) != 10) p++;
  return p;
}

function useField(field: usize, flags: u32, raw: usize, start: usize, end: usize, scratch: usize, row: u32): void {
  const rawLength = end - start;
  if ((flags & LONG_ONLY) != 0 && rawLength < 12) return;
  let escaped = hasBackslash(start, end);
  if (escaped) {
    end = unescape(start, end, scratch);
    start = scratch;
  }
  if (flags & PADDED) while (end > start && load<u8>(end - 1) == 32) end--;
  if (flags & INSERT) return takeOriginal(field, flags, start, end, raw, rawLength, row);
  if (start == end) return;
  if ((flags & LAW) != 0 && !accepts(spaceOf(field), start, end)) hit(BY_LAW, 0, field, start, start, raw, rawLength, row);
  if ((flags & (CELL | OWN)) != 0) searchCell(field, flags, start, end, raw, rawLength, row);
  if ((flags & INSIDE) == 0) return;
  searchText(field, start, end, raw, rawLength, row);
  // What stands in JSON, arrays and the like has escapes of its own, and may hold such things again.
  for (let layer = 0; escaped && layer < 3; layer++) {
    escaped = hasBackslash(start, end);
    if (!escaped) break;
    const to = end + 16;
    end = unescape(start, end, to);
    start = to;
    searchText(field, start, end, raw, rawLength, row);
  }
}

/** The answers to the probes so far: a cell with one that is there is searched again. MUST NOT be asked for within a cell. */
function answer(shift: usize, scratch: usize): void {
  let last: usize = 0;
  for (let at = nextAnswer(beginAnswers(), last); at != 0; at = nextAnswer(at + 32, last)) {
    const field = <usize>load<u32>(at, 8);
    last = <usize>load<u32>(at, 12);
    useField(field, flagsOf(field) & ~LAW, last, last + shift, <usize>load<u32>(at, 16) + shift, scratch, load<u32>(at, 20));
  }
  endAnswers();
}
