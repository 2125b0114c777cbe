// hot path: every byte that leaves is written here, as COPY TO would print it: row after row, 16 or 32 bytes at a time.
import { ensure } from './room';

let unwrittenRow = 0;
let unwrittenPiece = 0;

/** Where the last `joinLines` that returned 0 stopped. */
export function unwrittenAt(): i32 {
  return unwrittenRow;
}

export function unwrittenIn(): i32 {
  return unwrittenPiece;
}

/** The letter after the backslash that COPY TO prints for a byte; 0: printed as it is. */
// @ts-ignore: decorator
@inline
function toLetter(byte: u8): u8 {
  switch (byte) {
    case 8: return 98;
    case 9: return 116;
    case 10: return 110;
    case 11: return 118;
    case 12: return 102;
    case 13: return 114;
    case 92: return 92;
    default: return 0;
  }
}

// @ts-ignore: decorator
@inline
function copy(start: usize, end: usize, at: usize): usize {
  const length = end - start;
  // Most values are shorter: no branch for 16.
  v128.store(at, v128.load(start));
  v128.store(at, v128.load(start, 16), 16);
  for (let i: usize = 32; i < length; i += 16) v128.store(at + i, v128.load(start + i));
  return at + length;
}

function escape(from: usize, end: usize, at: usize): usize {
  const fourteen = i8x16.splat(14);
  const slashes = i8x16.splat(92);
  while (from < end) {
    const chunk = v128.load(from);
    v128.store(at, chunk);
    const left = end - from;
    let found = i8x16.bitmask(v128.or(i8x16.lt_u(chunk, fourteen), i8x16.eq(chunk, slashes)));
    if (left < 16) found &= (1 << <i32>left) - 1;
    if (found == 0) {
      const step = min<usize>(left, 16);
      at += step;
      from += step;
      continue;
    }
    const step = <usize>ctz(found);
    at += step;
    const byte = load<u8>(from + step);
    from += step + 1;
    const letter = toLetter(byte);
    if (letter != 0) store<u8>(at++, 92);
    store<u8>(at++, letter == 0 ? byte : letter);
  }
  return at;
}

/**
 * The lines. A piece is 16 bytes. Masked: starts, ends, 0 or 1 for one that may need escapes, 0. Raw, neighbouring fields as they stand: address of the first
 * row's stop before its first field, distance from there to the stop of its last field, 2, bytes from row to row. Returns where the lines end; 0, for `unwrittenAt`.
 */
export function joinLines(pieces: usize, count: i32, rows: i32, out: usize): usize {
  const last = pieces + (<usize>count << 4);
  let at = out;
  for (let row: usize = 0; row < <usize>rows; row++) {
    for (let piece = pieces; piece < last; piece += 16) {
      const kind = load<i32>(piece, 8);
      let start: usize;
      let end: i32;
      if (kind == 2) {
        const stop = <usize>load<u32>(piece) + row * <usize>load<u32>(piece, 12);
        start = <usize>load<u32>(stop) + 1;
        end = load<i32>(stop + <usize>load<u32>(piece, 4));
      } else {
        start = load<u32>(<usize>load<u32>(piece) + (row << 2));
        end = load<i32>(<usize>load<u32>(piece, 4) + (row << 2));
      }
      if (end < 0) {
        if (end != -1) {
          unwrittenRow = <i32>row;
          unwrittenPiece = <i32>((piece - pieces) >> 4);
          return 0;
        }
        ensure(at + 16);
        store<u16>(at, 0x4e5c);
        at += 2;
      } else {
        // An escaped value may be twice as long.
        ensure(at + ((<usize>end - start) << 1) + 64);
        at = kind == 1 ? escape(start, <usize>end, at) : copy(start, <usize>end, at);
      }
      store<u8>(at++, 9);
    }
    store<u8>(at - 1, 10);
  }
  return at;
}
