// hot path: the digits of integer keys as numbers and back; doubles up to 15 digits, BigInt above.
import type { ColumnWriter } from '../column-writer.js';
import type { IntegerPermutation } from './integer-permutation.js';

/** The keys of one sign and count of digits in one batch, and their permutation; `low` is the least of them. */
export interface KeyGroup {
  readonly digits: number;
  readonly low: bigint;
  readonly permutation: IntegerPermutation;
  readonly rows: number[];
}

/** Permutes the keys `bytes[heads[row] .. heads[row] + digits)` of the group's rows in place. */
export function permuteKeys(group: KeyGroup, bytes: Uint8Array, heads: Int32Array): void {
  if (group.digits > 15) return permuteLongKeys(group, bytes, heads);
  const { digits, rows, permutation } = group;
  const low = Number(group.low);
  const values = new Float64Array(rows.length);
  for (let k = 0; k < rows.length; k++) {
    const at = heads[rows[k] as number] as number;
    let value = 0;
    for (let i = at; i < at + digits; i++) value = value * 10 + (bytes[i] as number) - 0x30;
    values[k] = value - low;
  }
  permutation.permute(values, rows.length);
  for (let k = 0; k < rows.length; k++) {
    const at = heads[rows[k] as number] as number;
    let rest = (values[k] as number) + low;
    for (let i = at + digits - 1; i >= at; i--) {
      const next = Math.floor(rest / 10);
      bytes[i] = 0x30 + rest - 10 * next;
      rest = next;
    }
  }
}

function permuteLongKeys({ digits, low, permutation, rows }: KeyGroup, bytes: Uint8Array, heads: Int32Array): void {
  const values = rows.map((row) => toBig(bytes, heads[row] as number, digits) - low);
  permutation.permuteBig(values, rows.length);
  rows.forEach((row, k) => {
    const text = ((values[k] as bigint) + low).toString();
    for (let i = 0; i < digits; i++) bytes[(heads[row] as number) + i] = text.charCodeAt(i);
  });
}

/** Whether a key is past the end of its group: a wide column holds what the narrow one that it is joined to cannot. */
export function isPastEnd(group: KeyGroup, bytes: Uint8Array, at: number): boolean {
  return toBig(bytes, at, group.digits) - group.low >= group.permutation.size;
}

/** Where a numeric's whole part ends, when the rest is zeros: 10.00 is 10. Else `end`. */
export function toWholeEnd(bytes: Uint8Array, at: number, end: number): number {
  let stop = end;
  while (stop > at && bytes[stop - 1] === 0x30) stop--;
  return stop > at && bytes[stop - 1] === 0x2e ? stop - 1 : end;
}

/** Whether all from `at` to `end` are digits, and at least one. */
export function isDigits(bytes: Uint8Array, at: number, end: number): boolean {
  for (let i = at; i < end; i++) if ((bytes[i] as number) < 0x30 || (bytes[i] as number) > 0x39) return false;
  return end > at;
}

/** Copies values to the writer, char(n) without its padding, so that they can be changed in place; the rows' ends are final. */
export function copyAll(
  column: { rows: number; bytes: Uint8Array; starts: Int32Array; ends: Int32Array },
  out: ColumnWriter,
  padded: boolean,
): void {
  for (let row = 0; row < column.rows; row++) {
    const start = column.starts[row] as number;
    let end = column.ends[row] as number;
    if (end < 0) {
      out.null(row);
      continue;
    }
    if (padded) while (end > start && column.bytes[end - 1] === 0x20) end--;
    out.copy(row, column.bytes, start, end);
  }
}

function toBig(bytes: Uint8Array, at: number, digits: number): bigint {
  let text = '';
  for (let i = at; i < at + digits; i++) text += String.fromCharCode(bytes[i] as number);
  return BigInt(text);
}
