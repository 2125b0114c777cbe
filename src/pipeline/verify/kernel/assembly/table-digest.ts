// hot path: the verifier's own SipHash-2-4 with 128-bit output (Aumasson and Bernstein, "SipHash: a fast short-input PRF", and its
// reference implementation's 128-bit mode), summed over lines. AssemblyScript; it shares no code with what deliver uses.

let low: u64 = 0;
let high: u64 = 0;
let rows: u64 = 0;
let total: u64 = 0;

/** Starts a table: the sums are 0. */
export function start(): void {
  low = 0;
  high = 0;
  rows = 0;
  total = 0;
}

export function sumLow(): u64 {
  return low;
}
export function sumHigh(): u64 {
  return high;
}
export function bytes(): u64 {
  return total;
}
export function count(): u64 {
  return rows;
}

/** Adds every whole line in `[at, at + length)` without its first `skipped` fields; the `\n` is not part of it. Returns how many bytes were used. */
export function add(at: usize, length: usize, key0: u64, key1: u64, skipped: u32): usize {
  const end = at + length;
  let line = at;
  while (line < end) {
    let stop = line;
    while (stop + 16 <= end) {
      const hits = i8x16.bitmask(i8x16.eq(v128.load(stop), i8x16.splat(10)));
      if (hits != 0) {
        stop += ctz(hits);
        break;
      }
      stop += 16;
    }
    while (stop < end && load<u8>(stop) != 10) stop++;
    if (stop >= end) break;
    let from = line;
    for (let i: u32 = 0; i < skipped; i++) {
      while (load<u8>(from) != 9) from++;
      from++;
    }
    total += stop - from + 1;
    addLine(from, stop - from, key0, key1);
    line = stop + 1;
  }
  return line - at;
}

// @inline keeps the four words of state in locals; a class would put them on the heap.
function addLine(at: usize, length: usize, key0: u64, key1: u64): void {
  let a = key0 ^ 0x736f6d6570736575;
  let b = key1 ^ 0x646f72616e646f6d ^ 0xee;
  let c = key0 ^ 0x6c7967656e657261;
  let d = key1 ^ 0x7465646279746573;
  const whole = at + (length & ~7);
  for (let p = at; p < whole; p += 8) {
    const word = load<u64>(p);
    d ^= word;
    for (let round = 0; round < 2; round++) {
      a += b; b = rotl<u64>(b, 13); b ^= a; a = rotl<u64>(a, 32);
      c += d; d = rotl<u64>(d, 16); d ^= c;
      a += d; d = rotl<u64>(d, 21); d ^= a;
      c += b; b = rotl<u64>(b, 17); b ^= c; c = rotl<u64>(c, 32);
    }
    a ^= word;
  }
  let last: u64 = (<u64>length) << 56;
  for (let i: usize = 0; i < (length & 7); i++) last |= (<u64>load<u8>(whole + i)) << (<u64>i * 8);
  d ^= last;
  for (let round = 0; round < 2; round++) {
    a += b; b = rotl<u64>(b, 13); b ^= a; a = rotl<u64>(a, 32);
    c += d; d = rotl<u64>(d, 16); d ^= c;
    a += d; d = rotl<u64>(d, 21); d ^= a;
    c += b; b = rotl<u64>(b, 17); b ^= c; c = rotl<u64>(c, 32);
  }
  a ^= last;
  c ^= 0xee;
  for (let round = 0; round < 4; round++) {
    a += b; b = rotl<u64>(b, 13); b ^= a; a = rotl<u64>(a, 32);
    c += d; d = rotl<u64>(d, 16); d ^= c;
    a += d; d = rotl<u64>(d, 21); d ^= a;
    c += b; b = rotl<u64>(b, 17); b ^= c; c = rotl<u64>(c, 32);
  }
  const first = a ^ b ^ c ^ d;
  b ^= 0xdd;
  for (let round = 0; round < 4; round++) {
    a += b; b = rotl<u64>(b, 13); b ^= a; a = rotl<u64>(a, 32);
    c += d; d = rotl<u64>(d, 16); d ^= c;
    a += d; d = rotl<u64>(d, 21); d ^= a;
    c += b; b = rotl<u64>(b, 17); b ^= c; c = rotl<u64>(c, 32);
  }
  const second = a ^ b ^ c ^ d;
  low += first;
  high += second + (low < first ? 1 : 0);
  rows++;
}
