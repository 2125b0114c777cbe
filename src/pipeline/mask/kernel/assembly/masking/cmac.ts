// hot path: the blocks of AES-256-CMAC (NIST SP 800-38B) of a column; node:crypto encrypts them in between. Round j encrypts block j of every value that is
// still running.
import { ensure } from './room';

/** The longest value that the last `cmacFirst` saw. */
let longest = 0;

export function longestValue(): i32 {
  return longest;
}

/**
 * Block `to` becomes the bytes from `at`, padded and with the subkey if they are the last, xor the chaining value.
 * `table`: per count of bytes left (0 to 16; 17: more) which bits are the value's, then the same for padding and subkey to xor.
 */
// @ts-ignore: decorator
@inline
function pack(at: usize, left: i32, table: usize, chained: v128, to: usize): void {
  const row = table + (<usize>(left > 16 ? 17 : left) << 4);
  v128.store(to, v128.xor(v128.xor(v128.and(v128.load(at), v128.load(row)), v128.load(row, 18 * 16)), chained));
}

/** Packs the first block of each value that is not NULL. Returns how many; `active` and `offsets` say whose they are and where they began. */
export function cmacFirst(
  starts: usize, ends: usize, rows: i32, table: usize, state: usize, blocks: usize, active: usize, offsets: usize,
): i32 {
  const chained = v128.load(state);
  const from = blocks;
  longest = 0;
  for (let row = 0; row < rows; row++) {
    const end = load<i32>(ends + (<usize>row << 2));
    if (end == -1) continue;
    const start = load<i32>(starts + (<usize>row << 2));
    longest = max(longest, end - start);
    pack(start, end - start, table, chained, blocks);
    store<i32>(active, row);
    store<i32>(offsets, start);
    active += 4;
    offsets += 4;
    blocks += 16;
  }
  return <i32>((blocks - from) >> 4);
}

/** Keeps the encrypted blocks of the values that end here at `draws`, packs the next blocks of the others. Returns how many those are. */
export function cmacNext(
  ends: usize, count: i32, table: usize, chained: usize, blocks: usize, active: usize, offsets: usize, draws: usize,
): i32 {
  let running = 0;
  for (let k = 0; k < count; k++, chained += 16) {
    const row = load<i32>(active + (<usize>k << 2));
    const next = load<i32>(offsets + (<usize>k << 2)) + 16;
    const end = load<i32>(ends + (<usize>row << 2));
    const block = v128.load(chained);
    if (next >= end) {
      v128.store(draws + (<usize>row << 4), block);
      continue;
    }
    pack(next, end - next, table, block, blocks + (<usize>running << 4));
    store<i32>(active + (<usize>running << 2), row);
    store<i32>(offsets + (<usize>running << 2), next);
    running++;
  }
  return running;
}

// @ts-ignore: decorator
@inline
function putNumber(at: usize, value: i32): usize {
  store<u32>(at, bswap<u32>(value));
  return at + 4;
}

/**
 * What the draws of scope `row` are a function of: for each value of a column that is not NULL each field of its row's key with its length before it, and the
 * ordinal. `fields`: starts and ends of each field, 8 bytes a field; `rowOf` and `ordinals` may be 0. Returns the end of what it wrote at `out`.
 */
export function rowSeeds(
  ends: usize, rows: i32, fields: usize, count: i32, rowOf: usize, ordinals: usize, toStarts: usize, toEnds: usize, out: usize,
): usize {
  for (let i = 0; i < rows; i++) {
    const value = <usize>i << 2;
    store<i32>(toStarts + value, <i32>out);
    if (load<i32>(ends + value) == -1) {
      store<i32>(toEnds + value, -1);
      continue;
    }
    const row = rowOf ? <usize>load<i32>(rowOf + value) << 2 : value;
    for (let f: usize = 0; f < <usize>count << 3; f += 8) {
      const end = load<i32>(<usize>load<u32>(fields + f + 4) + row);
      const start = load<i32>(<usize>load<u32>(fields + f) + row);
      const length = end == -1 ? 0 : end - start;
      ensure(out + <usize>length + 32);
      out = putNumber(out, end == -1 ? -1 : length);
      memory.copy(out, start, length);
      out += length;
    }
    if (ordinals) out = putNumber(out, load<i32>(ordinals + value));
    store<i32>(toEnds + value, <i32>out);
  }
  return out;
}
