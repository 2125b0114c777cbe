// hot path: every byte that is delivered passes here once. AssemblyScript, not TypeScript; compiled by bootstrap.mjs to dist/kernel/line-digest.wasm.
// SipHash-2-4 with 128 bits of output over each line (without its \n), summed modulo 2^128. Bench: bench/line-digest.ts; slow twin:
// test/support/line-digest.reference.ts.

let k0: u64 = 0;
let k1: u64 = 0;
let sumLow: u64 = 0;
let sumHigh: u64 = 0;
let rows: u64 = 0;

let v0: u64 = 0;
let v1: u64 = 0;
let v2: u64 = 0;
let v3: u64 = 0;

/** Where the host writes lines; memory grows behind it. */
export function inputAt(): usize {
  return __heap_base;
}

/** Makes room for `bytes` of input. */
export function reserve(bytes: usize): void {
  const needed = (__heap_base + bytes + 64 + 0xffff) >>> 16;
  const pages = <usize>memory.size();
  if (needed > pages && memory.grow(<i32>(needed - pages)) < 0) unreachable();
}

/** A new sum under the key, which is the first 16 bytes of the input, little-endian as in the reference implementation. */
export function begin(): void {
  k0 = load<u64>(__heap_base);
  k1 = load<u64>(__heap_base, 8);
  sumLow = 0;
  sumHigh = 0;
  rows = 0;
}

/** Adds whole lines that stand at the input. Returns the number of bytes after the last \n, which it did not read into the sum. */
export function add(length: usize): usize {
  let at = __heap_base;
  const end = at + length;
  while (at < end) {
    const stop = findNewline(at, end);
    if (stop === end) break;
    addLine(at, stop);
    at = stop + 1;
  }
  return end - at;
}

export function low(): u64 {
  return sumLow;
}
export function high(): u64 {
  return sumHigh;
}
export function count(): u64 {
  return rows;
}

// Reads up to 15 bytes past the end: reserve() leaves room, and a hit there is cut off by the comparison.
// @ts-ignore: decorator
@inline
function findNewline(from: usize, end: usize): usize {
  const newline = i8x16.splat(10);
  for (let at = from; at < end; at += 16) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(at), newline));
    if (hits) {
      const hit = at + <usize>ctz(hits);
      return hit < end ? hit : end;
    }
  }
  return end;
}

// @ts-ignore: decorator
@inline
function round(): void {
  v0 += v1;
  v1 = rotl<u64>(v1, 13) ^ v0;
  v0 = rotl<u64>(v0, 32);
  v2 += v3;
  v3 = rotl<u64>(v3, 16) ^ v2;
  v0 += v3;
  v3 = rotl<u64>(v3, 21) ^ v0;
  v2 += v1;
  v1 = rotl<u64>(v1, 17) ^ v2;
  v2 = rotl<u64>(v2, 32);
}

function addLine(from: usize, to: usize): void {
  v0 = k0 ^ 0x736f6d6570736575;
  v1 = k1 ^ 0x646f72616e646f6d ^ 0xee;
  v2 = k0 ^ 0x6c7967656e657261;
  v3 = k1 ^ 0x7465646279746573;
  const length = to - from;
  let at = from;
  for (const words = from + (length & ~7); at < words; at += 8) {
    const word = load<u64>(at);
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  const rest = length & 7;
  // The tail is read as a word and cut: the bytes behind the line belong to the next line or to the reserve.
  const tail = rest ? load<u64>(at) & ((<u64>1 << (<u64>rest << 3)) - 1) : 0;
  const last = (<u64>length << 56) | tail;
  v3 ^= last;
  round();
  round();
  v0 ^= last;
  v2 ^= 0xee;
  round();
  round();
  round();
  round();
  const first = v0 ^ v1 ^ v2 ^ v3;
  v1 ^= 0xdd;
  round();
  round();
  round();
  round();
  const second = v0 ^ v1 ^ v2 ^ v3;
  const sum = sumLow + first;
  sumHigh += second + <u64>(sum < first);
  sumLow = sum;
  rows++;
}
