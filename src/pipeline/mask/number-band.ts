// hot path: a decimal number of any length to the beginning of its band, toward zero, so that no type overflows and the output is never longer
// than the input's integer part. Long division digit by digit: exact at any size, no BigInt.

/** Writes the band of `from[start .. end)` at `at`; returns where it ends, or −1 where this is no plain decimal number. NaN and Infinity stay.
 * A float in exponent form keeps one digit of its mantissa if it is large, and is 0 if it is small: its digits reach no further than its band. */
export function writeBand(bytes: Uint8Array, at: number, from: Uint8Array, start: number, end: number, width: number): number {
  const negative = from[start] === 0x2d;
  const first = negative ? start + 1 : start;
  const lead = from[first] as number;
  if (lead === 0x4e || lead === 0x49) {
    for (let i = start; i < end; i++) bytes[at++] = from[i] as number;
    return at;
  }
  let dot = first;
  let rest = 0;
  for (; dot < end && from[dot] !== 0x2e; dot++) {
    if (from[dot] === 0x65) return writeExponent(bytes, at, from, start, first, dot, end);
    const digit = (from[dot] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    rest = (rest * 10 + digit) % width;
  }
  if (dot === first) return -1;
  for (let i = dot + 1; i < end; i++) {
    if (from[i] === 0x65) return writeExponent(bytes, at, from, start, first, i, end);
    if ((from[i] as number) < 0x30 || (from[i] as number) > 0x39) return -1;
  }
  return subtract(bytes, at, from, first, dot, rest, negative);
}

/** Writes the digits of `from[first .. dot)` less `rest`, which is not greater; the sign only before a number that is not 0. */
function subtract(bytes: Uint8Array, at: number, from: Uint8Array, first: number, dot: number, rest: number, negative: boolean): number {
  const begin = at + 1;
  let borrow = 0;
  for (let i = dot - 1; i >= first; i--) {
    let digit = (from[i] as number) - 0x30 - (rest % 10) - borrow;
    rest = Math.floor(rest / 10);
    borrow = digit < 0 ? 1 : 0;
    if (borrow === 1) digit += 10;
    bytes[begin + i - first] = 0x30 + digit;
  }
  let from0 = begin;
  const stop = begin + dot - first;
  while (from0 < stop - 1 && bytes[from0] === 0x30) from0++;
  if (negative && bytes[from0] !== 0x30) bytes[at++] = 0x2d;
  while (from0 < stop) bytes[at++] = bytes[from0++] as number;
  return at;
}

/** `d[.ddd]e±xx`: `de+xx`, or 0. `exponent` is where the e stands. */
function writeExponent(
  bytes: Uint8Array,
  at: number,
  from: Uint8Array,
  start: number,
  first: number,
  exponent: number,
  end: number,
): number {
  if (from[exponent + 1] === 0x2d) {
    bytes[at++] = 0x30;
    return at;
  }
  for (let i = start; i <= first; i++) bytes[at++] = from[i] as number;
  for (let i = exponent; i < end; i++) bytes[at++] = from[i] as number;
  return at;
}
