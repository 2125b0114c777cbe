// hot path: how 16 pseudorandom bytes become numbers, and what all that write one value per row share.

/** The 32 bits of the draw at byte `from` as a number below 2³². */
// @ts-ignore: decorator
@inline
export function toWord(draw: usize, from: usize): u32 {
  return bswap<u32>(load<u32>(draw + from));
}

/** A number from 0 to count − 1; no number is likelier than another by more than count / 2³². */
// @ts-ignore: decorator
@inline
export function toIndex(draw: usize, from: usize, count: u32): u32 {
  return <u32>((<u64>toWord(draw, from) * <u64>count) >> 32);
}

// @ts-ignore: decorator
@inline
export function isNull(ends: usize, value: usize): bool {
  return load<i32>(ends + value) == -1;
}

// @ts-ignore: decorator
@inline
export function put(starts: usize, ends: usize, value: usize, from: usize, to: usize): void {
  store<u32>(starts + value, <u32>from);
  store<u32>(ends + value, <u32>to);
}

// @ts-ignore: decorator
@inline
export function putNull(starts: usize, ends: usize, value: usize, at: usize): void {
  store<u32>(starts + value, <u32>at);
  store<i32>(ends + value, -1);
}

// @ts-ignore: decorator
@inline
export function putDigit(at: usize, digit: u32): void {
  store<u8>(at, <u8>(48 + digit));
}
