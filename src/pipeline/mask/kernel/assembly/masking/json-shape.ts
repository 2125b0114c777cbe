// hot path: shapes of documents that were walked. Documents of one column mostly have the same keys in the same order: then all that stands between two of
// their values is the same, byte for byte, and comparing it says what a walk along the trie would say. A shape is what stood between the values of such a
// document, and which kind and slot each value has.
import { isBare } from './json-text';

/** So many shapes are known at once, of so many values each, with so many bytes between them. */
const shapes = 4;
const mostValues = 128;
const mostBytes = 4096;
/** Shapes, one after the other: count of values; for each 16 bytes: length of what stands before it, whether it is a string, slot or −1 for a kept one. */
const valueBytes: usize = 16;
const headBytes: usize = 16 + (mostValues + 1) * 16;
const shapeBytes: usize = headBytes + mostBytes + 64;
const room: usize = memory.data(4 * (16 + 129 * 16 + 4096 + 64), 16);

let known = 0;
/** Which of them is written next, and which fitted last. */
let next = 0;
let last = 0;

// The shape that is being written: −1 values where the document is no document for it.
let writing: usize = 0;
let values = 0;
let text: usize = 0;
/** Where the last value ended. */
let from: usize = 0;

export function forgetShapes(): void {
  known = 0;
  next = 0;
  last = 0;
}

export function beginShape(start: usize): void {
  writing = room + <usize>next * shapeBytes;
  values = 0;
  text = writing + headBytes;
  from = start;
}

/** Something stands here that no shape can tell: a path that is not listed. */
// @ts-ignore: decorator
@inline
export function dropShape(): void {
  values = -1;
}

/** A string between its quotes, or a bare value that is not null. */
export function addToShape(start: usize, end: usize, string: bool, slot: i32): void {
  if (values < 0) return;
  if (values == mostValues || !addText(start)) {
    values = -1;
    return;
  }
  const value = writing + 16 + <usize>values * valueBytes;
  store<i32>(value, <i32>(start - from));
  store<i32>(value, string ? 1 : 0, 4);
  store<i32>(value, slot, 8);
  values++;
  from = end;
}

function addText(end: usize): bool {
  const length = end - from;
  if (text + length > writing + headBytes + mostBytes) return false;
  memory.copy(text, from, length);
  text += length;
  return true;
}

export function endShape(end: usize): void {
  if (values < 0 || !addText(end)) return;
  store<i32>(writing, values);
  store<i32>(writing + 16 + <usize>values * valueBytes, <i32>(end - from));
  last = next;
  next = (next + 1) % shapes;
  known = max(known, last + 1);
}

// @ts-ignore: decorator
@inline
function isSame(a: usize, b: usize, length: usize): bool {
  for (let i: usize = 0; i < length; i += 16) {
    let differs = i8x16.bitmask(i8x16.ne(v128.load(a + i), v128.load(b + i)));
    if (length - i < 16) differs &= (1 << <i32>(length - i)) - 1;
    if (differs != 0) return false;
  }
  return true;
}

/**
 * Writes an edit for each leaf, as json-walk.ts lists them, if the document from `at` to `end` has a known shape: returns the end of the edits, or 0. The caller
 * has made room for an edit per value of a shape.
 */
export function fitShape(at: usize, end: usize, edit: usize): usize {
  for (let i = 0; i < known; i++) {
    const number = last + i < known ? last + i : last + i - known;
    const stop = fit(room + <usize>number * shapeBytes, at, end, edit);
    if (stop != 0) {
      last = number;
      return stop;
    }
  }
  return 0;
}

/** The room that `fitShape` may need. */
export const mostEdits: usize = 128 * 24;

function fit(shape: usize, at: usize, end: usize, edit: usize): usize {
  const quotes = i8x16.splat(34);
  const slashes = i8x16.splat(92);
  const count = load<i32>(shape);
  let value = shape + 16;
  let between = shape + headBytes;
  for (let i = 0; i < count; i++, value += valueBytes) {
    const length = <usize>load<u32>(value);
    if (at + length >= end || !isSame(between, at, length)) return 0;
    between += length;
    at += length;
    const start = at;
    const string = load<i32>(value, 4) != 0;
    if (string) {
      for (;;) {
        const chunk = v128.load(at);
        const found = i8x16.bitmask(v128.or(i8x16.eq(chunk, quotes), i8x16.eq(chunk, slashes)));
        if (found != 0) {
          at += <usize>ctz(found);
          break;
        }
        at += 16;
        if (at >= end) return 0;
      }
      if (at >= end || load<u8>(at) != 34) return 0;
    } else {
      if (load<u8>(at) == 110) return 0;
      while (at < end && isBare(load<u8>(at))) at++;
      if (at == start) return 0;
    }
    const slot = load<i32>(value, 8);
    if (slot < 0) continue;
    // The quotes of a string belong to the stretch that is replaced.
    store<u32>(edit, <u32>(string ? start - 1 : start));
    store<u32>(edit, <u32>(string ? at + 1 : at), 4);
    store<i32>(edit, slot, 8);
    store<i32>(edit, string ? 0 : 1, 12);
    store<u32>(edit, <u32>start, 16);
    store<u32>(edit, <u32>at, 20);
    edit += 24;
  }
  const length = <usize>load<u32>(value);
  return at + length == end && isSame(between, at, length) ? edit : 0;
}
