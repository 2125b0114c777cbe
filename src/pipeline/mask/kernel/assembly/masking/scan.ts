// hot path: where the fields of COPY text end, 16 bytes at a time.

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

/**
 * Writes the address of every delimiter as 4 bytes each to `stops`, and before the first one the address before the text, so that a field always begins one
 * behind the stop before its own. Sets `flags[field]` (1 byte each, zeroed by the caller) for a field that holds a backslash in some row. The text MUST end
 * in a newline. Returns the number of rows, or −1 − row for a row that has not this many fields; `stops` has room for all of them.
 */
export function scanLines(at: usize, length: usize, fields: i32, stops: usize, flags: usize): i32 {
  const tabs = i8x16.splat(9);
  const newlines = i8x16.splat(10);
  const slashes = i8x16.splat(92);
  const last = fields - 1;
  const end = at + length;
  let field = 0;
  let rows = 0;
  store<u32>(stops, <u32>(at - 1));
  stops += 4;
  for (let from = at; from < end; from += 16) {
    const chunk = v128.load(from);
    let found = i8x16.bitmask(v128.or(v128.or(i8x16.eq(chunk, tabs), i8x16.eq(chunk, newlines)), i8x16.eq(chunk, slashes)));
    if (end - from < 16) found &= (1 << <i32>(end - from)) - 1;
    while (found != 0) {
      const position = from + <usize>ctz(found);
      found &= found - 1;
      const byte = load<u8>(position);
      if (byte == 92) {
        store<u8>(flags + <usize>field, 1);
        continue;
      }
      if ((byte == 10) != (field == last)) return -1 - rows;
      store<u32>(stops, <u32>position);
      stops += 4;
      if (byte == 10) {
        field = 0;
        rows++;
      } else field++;
    }
  }
  return rows;
}
