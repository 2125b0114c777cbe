// hot path: columns: where each value starts and ends, 4 bytes each; an end of −1 is NULL, of −2 a row that nobody wrote.

/** The values of one field. `stops` as scanLines leaves them, at the first field of the first row. */
export function fieldColumn(stops: usize, fields: i32, field: i32, rows: i32, starts: usize, ends: usize): void {
  const stride = <usize>fields << 2;
  let stop = stops + (<usize>field << 2);
  for (const last = starts + (<usize>rows << 2); starts < last; starts += 4, ends += 4, stop += stride) {
    store<i32>(starts, load<i32>(stop - 4) + 1);
    store<i32>(ends, load<i32>(stop));
  }
}

/** Byte after a backslash → the byte it stands for. */
function toMeaning(letter: u8): u8 {
  switch (letter) {
    case 98: return 8;
    case 116: return 9;
    case 110: return 10;
    case 118: return 11;
    case 102: return 12;
    case 114: return 13;
    default: return letter;
  }
}

// @ts-ignore: decorator
@inline
export function toHexDigit(byte: u8): i32 {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** COPY text of a field becomes its bytes where it stands, `\N` becomes NULL (PostgreSQL manual, COPY, "Text Format"). */
export function unescapeColumn(starts: usize, ends: usize, rows: i32): void {
  for (let row: usize = 0; row < <usize>rows << 2; row += 4) {
    const start = load<u32>(starts + row);
    const end = load<u32>(ends + row);
    if (end - start == 2 && load<u16>(start) == 0x4e5c) store<i32>(ends + row, -1);
    else store<u32>(ends + row, unescape(start, end));
  }
}

function unescape(start: usize, end: usize): usize {
  const slashes = i8x16.splat(92);
  let from = start;
  while (from < end) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(from), slashes));
    from += found == 0 ? 16 : <usize>ctz(found);
    if (found != 0) break;
  }
  if (from >= end) return end;
  let to = from;
  while (from < end) {
    const byte = load<u8>(from++);
    if (byte != 92 || from == end) {
      store<u8>(to++, byte);
      continue;
    }
    const letter = load<u8>(from++);
    if (letter >= 48 && letter <= 55) {
      let value: u32 = letter - 48;
      for (let digits = 1; digits < 3 && from < end && load<u8>(from) >= 48 && load<u8>(from) <= 55; digits++) {
        value = value * 8 + load<u8>(from++) - 48;
      }
      store<u8>(to++, <u8>value);
    } else if (letter == 120 && from < end && toHexDigit(load<u8>(from)) >= 0) {
      let value = toHexDigit(load<u8>(from++));
      if (from < end && toHexDigit(load<u8>(from)) >= 0) value = value * 16 + toHexDigit(load<u8>(from++));
      store<u8>(to++, <u8>value);
    } else store<u8>(to++, toMeaning(letter));
  }
  return to;
}

/** Ends without the spaces before them. */
export function trimSpaces(starts: usize, ends: usize, rows: i32, toEnds: usize): void {
  for (let row: usize = 0; row < <usize>rows << 2; row += 4) {
    const start = load<u32>(starts + row);
    let end = load<i32>(ends + row);
    if (end != -1) while (<u32>end > start && load<u8>(end - 1) == 32) end--;
    store<i32>(toEnds + row, end);
  }
}

/** Whether some value has fewer characters than `length`. */
export function isShort(starts: usize, ends: usize, rows: i32, length: i32): i32 {
  for (let row: usize = 0; row < <usize>rows << 2; row += 4) {
    const end = load<i32>(ends + row);
    if (end < 0) continue;
    let count = 0;
    for (let at = load<i32>(starts + row); at < end; at += 16) {
      // As signed numbers the bytes that continue a character are those below −64.
      let first = i8x16.bitmask(i8x16.ge_s(v128.load(at), i8x16.splat(-64)));
      if (end - at < 16) first &= (1 << (end - at)) - 1;
      count += popcnt(first);
    }
    if (count < length) return 1;
  }
  return 0;
}

/** Moves a column whose bytes were copied: adds `by` to what is no NULL. */
export function shiftColumn(starts: usize, ends: usize, rows: i32, by: i32): void {
  for (let row: usize = 0; row < <usize>rows << 2; row += 4) {
    store<i32>(starts + row, load<i32>(starts + row) + by);
    const end = load<i32>(ends + row);
    if (end >= 0) store<i32>(ends + row, end + by);
  }
}
