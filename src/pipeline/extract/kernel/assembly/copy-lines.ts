// hot path: every byte that is read from a server goes through here once. AssemblyScript, not TypeScript; compiled by bootstrap.mjs to
// dist/kernel/copy-lines.wasm. Takes the headers off the messages of COPY … TO STDOUT (one message per row; PostgreSQL manual, "Message
// Formats") and packs the lines into batches. Bench: bench/copy-lines.ts; slow twin: test/laws/copy-lines.reference.ts.

const newline: u8 = 10;
const copyData: u8 = 0x64;
const headerBytes: i32 = 5;
/** What the copying of 16 bytes at a time may read and write beyond an end. */
const overrun: usize = 16;

/** What `advance` came to. */
const needsInput: i32 = 0;
const batchReady: i32 = 1;
const otherMessage: i32 = 2;

let inputBytes: usize = 0;
let batchBytes: usize = 0;
/** Where the batch begins, how much of it is there, and how much there may be before it is cut. */
let batchAt: usize = 0;
let filled: usize = 0;
let limit: usize = 0;
/** The batch is the beginning of one line that is longer than a batch, and nothing else. */
let long: bool = false;

/** The input that is not looked at yet. */
let at: usize = 0;
let end: usize = 0;
/** The header at hand, as far as it came. */
let headerFilled: i32 = 0;
let type: u8 = 0;
let size: u32 = 0;
/** Bytes of the message at hand that are still to come, and whether they are data. */
let left: usize = 0;
let isData: bool = false;

/** Where the host writes up to `input` bytes before each `take`. */
export function begin(input: usize, batch: usize): usize {
  inputBytes = input;
  batchBytes = batch;
  batchAt = (__heap_base + input + overrun + 15) & ~15;
  filled = 0;
  limit = batch;
  long = false;
  headerFilled = 0;
  left = 0;
  isData = false;
  at = end = __heap_base;
  reserve();
  return __heap_base;
}

/** So many bytes of input are there. */
export function take(length: usize): void {
  at = __heap_base;
  end = at + length;
}

/** Goes on until the input is used up, a batch is full, or a message comes that is not COPY's own business. */
export function advance(): i32 {
  while (true) {
    if (left > 0) {
      if (!isData) {
        const count = min<usize>(left, end - at);
        at += count;
        left -= count;
      } else if (copyPayload()) return batchReady;
      if (left > 0) return needsInput;
    }
    if (at === end) return needsInput;
    if (!readHeader()) return needsInput;
    if (type !== copyData && !isSkipped(type)) return otherMessage;
    isData = type === copyData;
    left = <usize>size - 4;
    headerFilled = 0;
  }
}

/** The first byte of the batch. */
export function batch(): usize {
  return batchAt;
}

/** After `batchReady`: the length of the batch, as many whole lines as fit. At the end of the input: of all that is there. */
export function length(all: bool): usize {
  if (all || long) return filled;
  let last = batchAt + filled;
  while (load<u8>(last - 1) !== newline) last--;
  return last - batchAt;
}

/** Whether what is there ends with a line, or is nothing. */
export function isWhole(): bool {
  return filled === 0 || load<u8>(batchAt + filled - 1) === newline;
}

/** How many lines end among the first `count` bytes of the batch. */
export function rows(count: usize): i32 {
  let sum = 0;
  let from = batchAt;
  const stop = batchAt + count;
  const lines = i8x16.splat(newline);
  for (; from + 16 <= stop; from += 16) sum += popcnt(i8x16.bitmask(i8x16.eq(v128.load(from), lines)));
  for (; from < stop; from++) sum += i32(load<u8>(from) === newline);
  return sum;
}

/** The first `count` bytes of the batch were copied; the rest begins the next one. */
export function drop(count: usize): void {
  memory.copy(batchAt, batchAt + count, filled - count);
  filled -= count;
  limit = batchBytes;
  long = false;
}

/** How much of the last input stands before what `advance` stopped at, header included; of the header so much may be from inputs before. */
export function position(): usize {
  return at - __heap_base;
}

export function messageType(): i32 {
  return type;
}

export function messageSize(): u32 {
  return size;
}

/** Copies what there is of the message. True when the batch is full. */
function copyPayload(): bool {
  while (true) {
    const room = limit - filled;
    let count = min<usize>(min<usize>(left, end - at), room);
    let stops = false;
    if (long) {
      const stop = findNewline(at, at + count);
      if (stop < at + count) {
        count = stop + 1 - at;
        stops = true;
      }
    }
    copy(batchAt + filled, at, count);
    filled += count;
    at += count;
    left -= count;
    if (stops) return true;
    if (filled < limit) return false;
    if (!long && hasNewline()) return true;
    long = true;
    limit *= 2;
    reserve();
  }
}

function readHeader(): bool {
  while (at < end && headerFilled < headerBytes) {
    const byte = load<u8>(at++);
    if (headerFilled === 0) {
      type = byte;
      size = 0;
    } else size = (size << 8) | byte;
    headerFilled++;
  }
  return headerFilled === headerBytes;
}

/** `H` CopyOutResponse and the messages that may come at any time: `N` notice, `S` parameter, `A` notification. */
// @ts-ignore: decorator
@inline
function isSkipped(type: u8): bool {
  return type === 0x48 || type === 0x4e || type === 0x53 || type === 0x41;
}

// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, count: usize): void {
  if (count > 1024) memory.copy(to, from, count);
  else for (let i: usize = 0; i < count; i += 16) v128.store(to + i, v128.load(from + i));
}

function hasNewline(): bool {
  for (let from = batchAt + filled; from > batchAt; from--) if (load<u8>(from - 1) === newline) return true;
  return false;
}

function findNewline(from: usize, stop: usize): usize {
  while (from < stop && load<u8>(from) !== newline) from++;
  return from;
}

function reserve(): void {
  const needed = <usize>(batchAt + limit + overrun + 0xffff) >>> 16;
  const pages = <usize>memory.size();
  if (needed > pages && memory.grow(<i32>(needed - pages)) < 0) unreachable();
}
