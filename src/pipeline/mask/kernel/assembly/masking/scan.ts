// hot path: where the fields of COPY text end, 64 bytes at a time.

/** How many tabs and newlines stand in the text. */
export function countStops(at: usize, length: usize): i32 {
  let count = 0;
  for (let from: usize = 0; from < length; from += 16) {
    const chunk = v128.load(at + from);
    let found = i8x16.bitmask(v128.or(i8x16.eq(chunk, i8x16.splat(9)), i8x16.eq(chunk, i8x16.splat(10))));
    if (length - from < 16) found &= (1 << <i32>(length - from)) - 1;
    count += popcnt(found);
  }
  return count;
}

// @ts-ignore: decorator
@inline
function mask64(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    <u64>i8x16.bitmask(a) | (<u64>i8x16.bitmask(b) << 16) | (<u64>i8x16.bitmask(c) << 32) | (<u64>i8x16.bitmask(d) << 48)
  );
}

/**
 * Writes the address of every delimiter as 4 bytes each to `stops`, and before the first one the address before the text, so that a field always begins one
 * behind the stop before its own. Sets `flags[field]` (1 byte each, zeroed by the caller) for a field that holds a backslash in some row. The text MUST end
 * in a newline. Returns the number of rows, or −1 − row for a row that has not this many fields; `stops` has room for all of them and 64 bytes.
 */
export function scanLines(at: usize, length: usize, fields: i32, stops: usize, flags: usize): i32 {
  const tabs = i8x16.splat(9);
  const newlines = i8x16.splat(10);
  const slashes = i8x16.splat(92);
  const end = at + length;
  store<u32>(stops, <u32>(at - 1));
  const first = stops + 4;
  let stop = first;
  let lines: u64 = 0;
  for (let from = at; from < end; from += 64) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    const inside: u64 = end - from < 64 ? (1 << <u64>(end - from)) - 1 : u64.MAX_VALUE;
    const ends =
      mask64(i8x16.eq(a, newlines), i8x16.eq(b, newlines), i8x16.eq(c, newlines), i8x16.eq(d, newlines)) & inside;
    const found = (ends | mask64(i8x16.eq(a, tabs), i8x16.eq(b, tabs), i8x16.eq(c, tabs), i8x16.eq(d, tabs))) & inside;
    let escapes = mask64(i8x16.eq(a, slashes), i8x16.eq(b, slashes), i8x16.eq(c, slashes), i8x16.eq(d, slashes)) & inside;
    lines += popcnt(ends);
    for (; escapes != 0; escapes &= escapes - 1) {
      const before = <u32>((stop - first) >> 2) + <u32>popcnt(found & ((escapes & (0 - escapes)) - 1));
      store<u8>(flags + <usize>(before % <u32>fields), 1);
    }
    // Four at a time, whether so many are there or not: what is too much is written over.
    const next = stop + (<usize>popcnt(found) << 2);
    for (let left = found; ; ) {
      store<u32>(stop, <u32>from + <u32>ctz(left));
      left &= left - 1;
      store<u32>(stop, <u32>from + <u32>ctz(left), 4);
      left &= left - 1;
      store<u32>(stop, <u32>from + <u32>ctz(left), 8);
      left &= left - 1;
      store<u32>(stop, <u32>from + <u32>ctz(left), 12);
      left &= left - 1;
      if (left == 0) break;
      stop += 16;
    }
    stop = next;
  }
  // As many newlines as rows, and one at each row's end: then every other delimiter is a tab.
  const rows = <i32>lines;
  const stride = <usize>fields << 2;
  if (stop - first != <usize>rows * stride) return -1 - findMalformed(first, stop, fields);
  for (let last = first + stride - 4; last < stop; last += stride) {
    if (load<u8>(load<u32>(last)) != 10) return -1 - findMalformed(first, stop, fields);
  }
  return rows;
}

/** The row with more or fewer fields, of which there is one. */
function findMalformed(first: usize, stop: usize, fields: i32): i32 {
  let row = 0;
  let field = 0;
  for (let at = first; at < stop; at += 4) {
    const newline = load<u8>(load<u32>(at)) == 10;
    if (newline != (field == fields - 1)) return row;
    field = newline ? 0 : field + 1;
    if (newline) row++;
  }
  return row;
}
