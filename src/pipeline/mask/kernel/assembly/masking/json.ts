// hot path: walks JSON text once along a trie of the listed paths; nothing is parsed into objects. Works on jsonb as the server prints it and on json as
// somebody wrote it: what is not masked or left out stays byte for byte. Slow twin: test/laws/json-paths.reference.ts.
import { toHexDigit } from './column';
import { ensure } from './room';

/** Deeper than the server's own parser goes with its default stack. */
const deepest = 3000;
/** Where the keys on the way to here stand, start and end; a start of 0 for an element. */
const keys: usize = memory.data((3000 + 1) << 3, 16);

// What becomes of stretches of a value's text, in ascending order, 24 bytes each: start, end, slot (−1: left out; −2: null), style, and where the leaf's text
// starts and ends. `place` puts the leaf's number in the place of its start.
const editBytes: usize = 24;
const removal = -1;
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
  for (let row = 0; row < rows; row++) {
    const value = <usize>row << 2;
    store<i32>(firsts + value, <i32>((edit - out) / editBytes));
    const stop = load<i32>(ends + value);
    if (stop == -1) continue;
    at = load<u32>(starts + value);
    end = stop;
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
  skipSpace();
  if (isListed(trie)) {
    value(trie, 0);
    skipSpace();
    // More than one value is none.
    if (failure == 0 && at != end) failure = 1;
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
  else if (byte == 110 || load<i32>(node) == noSlot || load<i32>(node, 4) != 0) skip();
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

function leaf(slot: i32): void {
  const start = at;
  const text = load<u8>(start) == 34;
  if (text) skipString();
  else skip();
  if (failure != 0) return;
  const from = text ? start + 1 : start;
  let to = text ? at - 1 : at;
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

// @ts-ignore: decorator
@inline
function isDigit(byte: u8): bool {
  return byte - 48 < 10;
}

// @ts-ignore: decorator
@inline
function isBare(byte: u8): bool {
  return isDigit(byte) || <u8>(byte - 97) < 26 || byte == 45 || byte == 46 || byte == 43 || byte == 69;
}

/** Letter after a backslash → byte; 0: none. */
function toMeaning(letter: u8): u8 {
  switch (letter) {
    case 98: return 8;
    case 116: return 9;
    case 110: return 10;
    case 102: return 12;
    case 114: return 13;
    case 34: return 34;
    case 92: return 92;
    case 47: return 47;
    default: return 0;
  }
}

/** Byte → letter after the backslash; 0: none. */
function toLetter(byte: u8): u8 {
  switch (byte) {
    case 8: return 98;
    case 9: return 116;
    case 10: return 110;
    case 12: return 102;
    case 13: return 114;
    case 34: return 34;
    case 92: return 92;
    default: return 0;
  }
}

/** Writes the text of a string's body to `to`, which MAY be where it stands; returns the end, or 0 where it is no JSON string. */
function unescapeJson(from: usize, stop: usize, to: usize): usize {
  for (let i = from; i < stop; i++) {
    const byte = load<u8>(i);
    if (byte != 92) {
      store<u8>(to++, byte);
      continue;
    }
    const letter = load<u8>(++i);
    if (letter != 117) {
      const meaning = toMeaning(letter);
      if (meaning == 0) return 0;
      store<u8>(to++, meaning);
      continue;
    }
    let point = toUnit(i + 1, stop);
    i += 4;
    if (point >= 0xd800 && point < 0xdc00 && i + 2 < stop && load<u8>(i + 1) == 92 && load<u8>(i + 2) == 117) {
      const low = toUnit(i + 3, stop);
      if (low < 0xdc00 || low > 0xdfff) return 0;
      point = 0x10000 + ((point - 0xd800) << 10) + low - 0xdc00;
      i += 6;
    }
    if (point <= 0 || (point >= 0xd800 && point <= 0xdfff)) return 0;
    to = writePoint(to, point);
  }
  return to;
}

function toUnit(from: usize, stop: usize): i32 {
  if (from + 4 > stop) return -1;
  let unit = 0;
  for (let i = from; i < from + 4; i++) {
    const digit = toHexDigit(load<u8>(i));
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function writePoint(to: usize, point: i32): usize {
  if (point < 0x80) {
    store<u8>(to, <u8>point);
    return to + 1;
  }
  if (point < 0x800) store<u8>(to++, <u8>(0xc0 | (point >> 6)));
  else {
    if (point < 0x10000) store<u8>(to++, <u8>(0xe0 | (point >> 12)));
    else {
      store<u8>(to++, <u8>(0xf0 | (point >> 18)));
      store<u8>(to++, <u8>(0x80 | ((point >> 12) & 63)));
    }
    store<u8>(to++, <u8>(0x80 | ((point >> 6) & 63)));
  }
  store<u8>(to, <u8>(0x80 | (point & 63)));
  return to + 1;
}

/** Adds 1 to `counts[slot]` for each edit that replaces a leaf. */
export function countLeaves(edits: usize, stop: usize, counts: usize): void {
  for (; edits < stop; edits += editBytes) {
    const slot = load<i32>(edits, 8);
    if (slot < 0) continue;
    const count = counts + (<usize>slot << 2);
    store<i32>(count, load<i32>(count) + 1);
  }
}

/**
 * Makes the leaves of each slot a column. `slots`, 20 bytes each: where starts, ends, row of the batch and number among the slot's leaves of that row go, and
 * how many are there already. `rowOf` says which row of the batch a value belongs to; 0: its own number.
 */
export function placeLeaves(edits: usize, firsts: usize, rows: i32, rowOf: usize, slots: usize): void {
  for (let i = 0; i < rows; i++) {
    const row = rowOf ? load<i32>(rowOf + (<usize>i << 2)) : i;
    const stop = edits + editBytes * <usize>load<i32>(firsts + (<usize>(i + 1) << 2));
    for (let one = edits + editBytes * <usize>load<i32>(firsts + (<usize>i << 2)); one < stop; one += editBytes) {
      const number = load<i32>(one, 8);
      if (number < 0) continue;
      const slot = slots + <usize>number * 20;
      const index = load<i32>(slot, 16);
      const leaf = <usize>index << 2;
      const rowsAt = <usize>load<u32>(slot, 8);
      const ordinalsAt = <usize>load<u32>(slot, 12);
      store<i32>(<usize>load<u32>(slot) + leaf, load<i32>(one, 16));
      store<i32>(<usize>load<u32>(slot, 4) + leaf, load<i32>(one, 20));
      store<i32>(rowsAt + leaf, row);
      const follows = index > 0 && load<i32>(rowsAt + leaf - 4) == row;
      store<i32>(ordinalsAt + leaf, follows ? load<i32>(ordinalsAt + leaf - 4) + 1 : 0);
      store<i32>(one, index, 16);
      store<i32>(slot, index + 1, 16);
    }
  }
}

/**
 * Writes the values with their edits at `out`. `masked`, 8 bytes a slot: starts and ends of the masked leaves. Returns where the text ends, or −1 − row where
 * nobody wrote a leaf.
 */
export function renderJson(
  starts: usize, ends: usize, rows: i32, edits: usize, firsts: usize, masked: usize, toStarts: usize, toEnds: usize, out: usize,
): i32 {
  for (let row = 0; row < rows; row++) {
    const value = <usize>row << 2;
    const stop = load<i32>(ends + value);
    store<i32>(toStarts + value, <i32>out);
    if (stop == -1) {
      store<i32>(toEnds + value, -1);
      continue;
    }
    let from = <usize>load<u32>(starts + value);
    const last = edits + editBytes * <usize>load<i32>(firsts + value + 4);
    for (let one = edits + editBytes * <usize>load<i32>(firsts + value); one < last; one += editBytes) {
      out = copy(from, load<u32>(one), out);
      from = load<u32>(one, 4);
      const slot = load<i32>(one, 8);
      if (slot == removal) continue;
      let leafStart: usize = 0;
      let leafEnd = -1;
      if (slot >= 0) {
        const column = masked + (<usize>slot << 3);
        const leaf = <usize>load<i32>(one, 16) << 2;
        leafStart = load<u32>(<usize>load<u32>(column) + leaf);
        leafEnd = load<i32>(<usize>load<u32>(column, 4) + leaf);
        if (leafEnd < -1) return -1 - row;
      }
      if (leafEnd == -1) {
        ensure(out + 64);
        store<u32>(out, 0x6c6c756e);
        out += 4;
      } else if (load<i32>(one, 12) == 1 && isBareJson(leafStart, <usize>leafEnd)) out = copy(leafStart, <usize>leafEnd, out);
      else out = escapeJson(leafStart, <usize>leafEnd, out);
    }
    out = copy(from, <usize>stop, out);
    store<i32>(toEnds + value, <i32>out);
  }
  return <i32>out;
}

// @ts-ignore: decorator
@inline
function copy(from: usize, stop: usize, to: usize): usize {
  const length = stop - from;
  ensure(to + length + 64);
  v128.store(to, v128.load(from));
  for (let i: usize = 16; i < length; i += 16) v128.store(to + i, v128.load(from + i));
  return to + length;
}

/** Writes a JSON string with its quotes, as PostgreSQL's escape_json does. */
function escapeJson(from: usize, stop: usize, to: usize): usize {
  const quotes = i8x16.splat(34);
  const slashes = i8x16.splat(92);
  const space = i8x16.splat(32);
  store<u8>(to++, 34);
  while (from < stop) {
    ensure(to + 64);
    const chunk = v128.load(from);
    v128.store(to, chunk);
    const left = stop - from;
    let found = i8x16.bitmask(v128.or(v128.or(i8x16.eq(chunk, quotes), i8x16.eq(chunk, slashes)), i8x16.lt_u(chunk, space)));
    if (left < 16) found &= (1 << <i32>left) - 1;
    if (found == 0) {
      const step = min<usize>(left, 16);
      to += step;
      from += step;
      continue;
    }
    const step = <usize>ctz(found);
    to += step;
    const byte = load<u8>(from + step);
    from += step + 1;
    const letter = toLetter(byte);
    store<u8>(to++, 92);
    if (letter != 0) store<u8>(to++, letter);
    else {
      // u00 and two digits
      store<u8>(to, 117);
      store<u16>(to + 1, 0x3030);
      store<u8>(to + 3, toHex(byte >> 4));
      store<u8>(to + 4, toHex(byte & 15));
      to += 5;
    }
  }
  store<u8>(to++, 34);
  return to;
}

function toHex(digit: u8): u8 {
  return digit < 10 ? 48 + digit : 87 + digit;
}

/** Whether jsonb prints this text as it is when it is given as a bare value: a number without exponent and negative zero, true or false. */
export function isBareJson(from: usize, stop: usize): bool {
  const length = stop - from;
  if (length == 4 && load<u32>(from) == 0x65757274) return true;
  if (length == 5 && load<u32>(from) == 0x736c6166 && load<u8>(from, 4) == 101) return true;
  const negative = length > 0 && load<u8>(from) == 45;
  if (negative) from++;
  if (from == stop || !isDigit(load<u8>(from))) return false;
  let zero = true;
  if (load<u8>(from) == 48) from++;
  else {
    while (from < stop && isDigit(load<u8>(from))) from++;
    zero = false;
  }
  if (from < stop) {
    if (load<u8>(from++) != 46 || from == stop) return false;
    while (from < stop && isDigit(load<u8>(from))) {
      if (load<u8>(from) != 48) zero = false;
      from++;
    }
  }
  return from == stop && !(negative && zero);
}
