// hot path: walks JSON text once along a trie of the listed paths; nothing is parsed into objects. Works on jsonb as the server prints it and on json as
// somebody wrote it: what is not masked or left out stays byte for byte. Slow twin: test/laws/json-paths.reference.ts.
import { addToShape, beginShape, dropShape, endShape, fitShape, forgetShapes, mostEdits } from './json-shape';
import { isBare, unescapeJson } from './json-text';
import { ensure } from './room';

/** Deeper than the server's own parser goes with its default stack. */
const deepest = 3000;
/** Where the keys on the way to here stand, start and end; a start of 0 for an element. */
const keys: usize = memory.data((3000 + 1) << 3, 16);

// What becomes of stretches of a value's text, in ascending order, 24 bytes each: start, end, slot (−1: left out; −2: null), style, and where the leaf's text
// starts and ends. `place` puts the leaf's number in the place of its start.
export const editBytes: usize = 24;
export const removal = -1;
const nullInstead = -2;

// A node of the trie, addresses counted from its begin: slot or −1, whether the slot is kept, the elements' node or 0, count of members; and for each member
// its key's address and length and its node.
const noSlot = -1;

const refuse = 0;
const drop = 1;

/** Why and where the last walk stopped: 1 the text is not what the server prints, 2 the path of `depth` keys is not listed. */
let failure = 0;
let failedRow = 0;
let failedDepth = 0;

let at: usize = 0;
let end: usize = 0;
let edit: usize = 0;
let rest = 0;
let trie: usize = 0;
/** Whether the string that was stepped over last holds a backslash. */
let escaped = false;

export function jsonFailure(): i32 {
  return failure;
}

export function jsonFailedRow(): i32 {
  return failedRow;
}

export function jsonFailedDepth(): i32 {
  return failedDepth;
}

export function jsonKeys(): usize {
  return keys;
}

/** Lists the edits of all values at `out`; `firsts[row]` is the number of the row's first, one more at the end. Returns their end, 0 for a failure. */
export function walkJson(
  starts: usize, ends: usize, rows: i32, nodes: usize, others: i32, firsts: usize, out: usize,
): usize {
  failure = 0;
  edit = out;
  rest = others;
  trie = nodes;
  forgetShapes();
  for (let row = 0; row < rows; row++) {
    const value = <usize>row << 2;
    store<i32>(firsts + value, <i32>((edit - out) / editBytes));
    const stop = load<i32>(ends + value);
    if (stop == -1) continue;
    at = load<u32>(starts + value);
    end = stop;
    ensure(edit + mostEdits);
    const fitted = fitShape(at, end, edit);
    if (fitted != 0) {
      edit = fitted;
      continue;
    }
    document();
    if (failure != 0) {
      failedRow = row;
      return 0;
    }
  }
  store<i32>(firsts + (<usize>rows << 2), <i32>((edit - out) / editBytes));
  return edit;
}

function document(): void {
  const start = at;
  beginShape(start);
  skipSpace();
  if (isListed(trie)) {
    value(trie, 0);
    skipSpace();
    // More than one value is none.
    if (failure == 0 && at != end) failure = 1;
    if (failure == 0) endShape(end);
  } else if (rest == refuse) unlisted(0);
  // A document that is a lone scalar cannot be left out of itself: it becomes null.
  else if (rest == drop) put(start, end, nullInstead, 0, 0, 0);
}

// @ts-ignore: decorator
@inline
function put(start: usize, stop: usize, slot: i32, style: i32, from: usize, to: usize): void {
  ensure(edit + 64);
  store<u32>(edit, <u32>start);
  store<u32>(edit, <u32>stop, 4);
  store<i32>(edit, slot, 8);
  store<i32>(edit, style, 12);
  store<u32>(edit, <u32>from, 16);
  store<u32>(edit, <u32>to, 20);
  edit += editBytes;
}

// @ts-ignore: decorator
@inline
function remove(start: usize, stop: usize): void {
  if (stop > start) put(start, stop, removal, 0, 0, 0);
}

/** Whether what stands here may stand at this node: null anywhere on a listed way, a leaf at a slot, a container with listed content or none. */
function isListed(node: usize): bool {
  const byte = load<u8>(at);
  if (byte == 110) return true;
  const container = byte == 123 || byte == 91;
  // Where the rest is refused, the first member that is not listed names the path better than its container.
  if (container && rest == refuse) return true;
  if (byte == 123) return load<i32>(node, 12) > 0 || isEmpty();
  if (byte == 91) return load<i32>(node, 8) != 0 || isEmpty();
  return load<i32>(node) != noSlot;
}

/** Whether the container that begins here has no content. */
function isEmpty(): bool {
  let i = at + 1;
  while (i < end && isSpace(load<u8>(i))) i++;
  return load<u8>(i) == 125 || load<u8>(i) == 93;
}

function value(node: usize, depth: i32): void {
  const byte = load<u8>(at);
  if (byte == 123) container(node, depth, 125);
  else if (byte == 91) container(node, depth, 93);
  // Null has no slot and stays: the kernel's shapes take it for a part of what stands between the values.
  else if (byte == 110 || load<i32>(node) == noSlot) skip();
  else if (load<i32>(node, 4) != 0) keep();
  else leaf(load<i32>(node));
}

/**
 * An object or an array. Left-out members of a list: the comma before goes with a member, or the one after where none is kept before it.
 */
function container(node: usize, depth: i32, close: u8): void {
  if (depth >= deepest) {
    failure = 1;
    return;
  }
  const object = close == 125;
  const key = keys + (<usize>depth << 3);
  let kept = false;
  let pending: usize = 0;
  let last: usize = 0;
  let comma = at++;
  for (;;) {
    skipSpace();
    if (load<u8>(at) == close && at < end) break;
    const start = at;
    if (pending != 0) remove(pending, start);
    pending = 0;
    let child: usize;
    if (object) {
      skipString();
      if (failure != 0) return;
      store<u32>(key, <u32>(start + 1));
      store<u32>(key, <u32>(at - 1), 4);
      child = findChild(node, start + 1, at - 1);
      skipSpace();
      at++;
      skipSpace();
    } else {
      store<u32>(key, 0);
      const element = load<i32>(node, 8);
      child = element == 0 ? 0 : trie + <usize>element;
    }
    if (child != 0 && isListed(child)) {
      value(child, depth + 1);
      kept = true;
    } else if (rest == refuse) unlisted(depth + 1);
    else {
      dropShape();
      skip();
      if (rest == drop) {
        if (kept) remove(comma, at);
        else pending = start;
        last = at;
      }
    }
    if (failure != 0) return;
    skipSpace();
    comma = at;
    const byte = load<u8>(at);
    if (byte == 44) at++;
    else if (byte != close || at >= end) {
      failure = 1;
      return;
    }
  }
  at++;
  if (pending != 0) remove(pending, last);
}

function findChild(node: usize, start: usize, stop: usize): usize {
  if (escaped) {
    // Rare: the key is read into the room that the next edit will take.
    ensure(edit + (stop - start) + 64);
    const read = unescapeJson(start, stop, edit);
    return read == 0 ? 0 : findMember(node, edit, read - edit);
  }
  return findMember(node, start, stop - start);
}

function findMember(node: usize, key: usize, length: usize): usize {
  let member = node + 16;
  for (let last = member + <usize>load<i32>(node, 12) * 12; member < last; member += 12) {
    if (<usize>load<i32>(member, 4) != length) continue;
    if (memory.compare(trie + <usize>load<i32>(member), key, length) == 0) return trie + <usize>load<i32>(member, 8);
  }
  return 0;
}

/** A listed value that stays as it is. */
function keep(): void {
  const start = at;
  const text = load<u8>(start) == 34;
  skip();
  if (failure != 0) return;
  if (text) addToShape(start + 1, at - 1, true, noSlot);
  else addToShape(start, at, false, noSlot);
}

function leaf(slot: i32): void {
  const start = at;
  const text = load<u8>(start) == 34;
  if (text) skipString();
  else skip();
  if (failure != 0) return;
  const from = text ? start + 1 : start;
  let to = text ? at - 1 : at;
  addToShape(from, to, text, slot);
  if (text && escaped) {
    // The text is written where it stood: the whole stretch will be replaced.
    to = unescapeJson(from, to, from);
    if (to == 0) {
      failure = 1;
      return;
    }
  }
  put(start, at, slot, text ? 0 : 1, from, to);
}

/** Steps over one value of any kind, however deep. */
function skip(): void {
  let depth = 0;
  do {
    skipSpace();
    const byte = load<u8>(at);
    if (byte == 34) skipString();
    else if (byte == 123 || byte == 91) {
      depth++;
      at++;
    } else if (byte == 125 || byte == 93) {
      depth--;
      at++;
    } else if (byte == 44 || byte == 58) at++;
    else skipBare();
  } while (depth > 0 && failure == 0);
}

function skipString(): void {
  let i = at;
  if (load<u8>(i++) != 34) {
    failure = 1;
    return;
  }
  const quotes = i8x16.splat(34);
  const slashes = i8x16.splat(92);
  escaped = false;
  while (i < end) {
    const chunk = v128.load(i);
    const found = i8x16.bitmask(v128.or(i8x16.eq(chunk, quotes), i8x16.eq(chunk, slashes)));
    if (found == 0) {
      i += 16;
      continue;
    }
    i += <usize>ctz(found);
    if (load<u8>(i) == 34) break;
    escaped = true;
    i += 2;
  }
  if (i >= end) failure = 1;
  at = i + 1;
}

/** A number, true, false or null. */
function skipBare(): void {
  const start = at;
  while (at < end && isBare(load<u8>(at))) at++;
  if (at == start) failure = 1;
}

// @ts-ignore: decorator
@inline
function skipSpace(): void {
  while (at < end && isSpace(load<u8>(at))) at++;
}

function unlisted(depth: i32): void {
  failure = 2;
  failedDepth = depth;
}

// @ts-ignore: decorator
@inline
function isSpace(byte: u8): bool {
  return byte <= 32 && (byte == 32 || byte == 10 || byte == 9 || byte == 13);
}
