// hot path: how 16 pseudorandom bytes become numbers. A draw is 16 bytes per row; every transform states which of them it uses.

/** The 32 bits of row `row` at byte `at` (0 to 12) as a number below 2³². */
export function toWord(draw: Uint8Array, row: number, at: number): number {
  const from = 16 * row + at;
  return (
    (((draw[from] as number) << 24) |
      ((draw[from + 1] as number) << 16) |
      ((draw[from + 2] as number) << 8) |
      (draw[from + 3] as number)) >>>
    0
  );
}

/** A number from 0 to count − 1, for count ≤ 2²¹; no number is likelier than another by more than count / 2³². */
export function toIndex(draw: Uint8Array, row: number, at: number, count: number): number {
  return Math.floor((toWord(draw, row, at) * count) / 4294967296);
}
