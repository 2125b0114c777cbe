// hot path: a set of originals as 32-bit fingerprints (open addressing), filled from and probed with lines of COPY text.
// No original is ever missed: an equal value has an equal fingerprint on the same probe path. A false hit is possible and is confirmed
// byte by byte by the caller. AssemblyScript. Memory: [0, 4096) ours, then the caller's buffers, then the table at `table`.

let table: usize = 0;
let mask: u32 = 0;
let used: u32 = 0;
let limit: u32 = 0;
let dropped: u64 = 0;

/** The table begins at `at` and has 2^log2 slots of 4 bytes; it is emptied. */
export function reset(at: usize, log2: u32): void {
  table = at;
  mask = <u32>((1 << log2) - 1);
  limit = mask - (mask >> 2);
  used = 0;
  dropped = 0;
  memory.fill(table, 0, (<usize>mask + 1) << 2);
}

export function size(): u32 {
  return used;
}
/** Values that found no room. MUST be 0 for the answers to mean anything. */
export function overflow(): u64 {
  return dropped;
}

/** A line's fields are looked at where `flags[field]` (4 bytes each) is not 0; the flag is the number of the column under test. */
export function collect(at: usize, length: usize, flags: usize, part: u32, parts: u32, seed: u64): usize {
  const end = at + length;
  const stop = lastLine(at, end);
  let field: usize = 0;
  let start = at;
  let p = at;
  while (p < stop) {
    p = nextBorder(p, stop);
    const column = load<u32>(flags + (field << 2));
    if (column != 0 && !isNull(start, p)) {
      const h = hash(start, p, seed ^ column);
      if (<u32>(h >> 20) % parts == part) insert(h);
    }
    field = load<u8>(p) == 10 ? 0 : field + 1;
    start = ++p;
  }
  return stop - at;
}

/** Probes; each hit is written to `hits` as start, end (from `at`) and column, up to `room` hits. Returns the bytes used; `found()` counts all. */
export function check(at: usize, length: usize, flags: usize, part: u32, parts: u32, seed: u64, hits: usize, room: u32): usize {
  const end = at + length;
  const stop = lastLine(at, end);
  let field: usize = 0;
  let start = at;
  let p = at;
  matches = 0;
  while (p < stop) {
    p = nextBorder(p, stop);
    const column = load<u32>(flags + (field << 2));
    if (column != 0 && !isNull(start, p)) {
      const h = hash(start, p, seed ^ column);
      if (<u32>(h >> 20) % parts == part && contains(h)) {
        if (matches < room) {
          const slot = hits + <usize>matches * 12;
          store<u32>(slot, <u32>(start - at));
          store<u32>(slot + 4, <u32>(p - at));
          store<u32>(slot + 8, column);
        }
        matches++;
      }
    }
    field = load<u8>(p) == 10 ? 0 : field + 1;
    start = ++p;
  }
  return stop - at;
}

let matches: u32 = 0;
export function found(): u32 {
  return matches;
}

// One past the last \n.
function lastLine(at: usize, end: usize): usize {
  let p = end;
  while (p > at && load<u8>(p - 1) != 10) p--;
  return p;
}

// The next \t or \n at or after p; there is one before `stop`.
function nextBorder(p: usize, stop: usize): usize {
  while (p + 16 <= stop) {
    const bytes = v128.load(p);
    const hits = i8x16.bitmask(v128.or(i8x16.eq(bytes, i8x16.splat(9)), i8x16.eq(bytes, i8x16.splat(10))));
    if (hits != 0) return p + ctz(hits);
    p += 16;
  }
  while (load<u8>(p) != 9 && load<u8>(p) != 10) p++;
  return p;
}

function isNull(start: usize, end: usize): bool {
  return end - start == 2 && load<u16>(start) == 0x4e5c;
}

// 64 bits over 8-byte words; the high half is folded down before each multiply, or structured text collides.
function hash(start: usize, end: usize, seed: u64): u64 {
  let h = seed ^ (<u64>(end - start) * 0x9e3779b97f4a7c15);
  let p = start;
  for (; p + 8 <= end; p += 8) h = mix(h ^ load<u64>(p));
  let last: u64 = 0;
  for (let i: u64 = 0; p < end; p++, i += 8) last |= <u64>load<u8>(p) << i;
  return mix(mix(h ^ last) + 0x632be59bd9b4e019);
}

function mix(word: u64): u64 {
  let h = word ^ (word >> 32);
  h *= 0xd6e8feb86659fd93;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93;
  return h ^ (h >> 32);
}

// The fingerprint is the low half, the place comes from the high half; 0 marks an empty slot.
function insert(h: u64): void {
  const print = <u32>h | 1;
  let slot = <u32>(h >> 32) & mask;
  for (;;) {
    const address = table + ((<usize>slot) << 2);
    const there = load<u32>(address);
    if (there == print) return;
    if (there == 0) {
      if (used >= limit) {
        dropped++;
        return;
      }
      store<u32>(address, print);
      used++;
      return;
    }
    slot = (slot + 1) & mask;
  }
}

function contains(h: u64): bool {
  const print = <u32>h | 1;
  let slot = <u32>(h >> 32) & mask;
  let there = load<u32>(table + ((<usize>slot) << 2));
  while (there != 0 && there != print) {
    slot = (slot + 1) & mask;
    there = load<u32>(table + ((<usize>slot) << 2));
  }
  return there == print;
}
