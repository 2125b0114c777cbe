// hot path: the number of a house, from bytes 8 to 11 of the draw; street and house-number agree on it.
import { toIndex } from './draw.js';

/** The highest number of up to `digits` digits that is used. */
export function toHighest(digits: number): number {
  return digits >= 3 ? 199 : digits === 2 ? 99 : 9;
}

/** Writes 1 to `highest` at `at`; returns where it ends. */
export function writeHouseNumber(bytes: Uint8Array, at: number, draw: Uint8Array, row: number, highest: number): number {
  const number = 1 + toIndex(draw, row, 8, highest);
  if (number >= 100) bytes[at++] = 0x30 + Math.floor(number / 100);
  if (number >= 10) bytes[at++] = 0x30 + (Math.floor(number / 10) % 10);
  bytes[at++] = 0x30 + (number % 10);
  return at;
}
