// hot path: a bijection among digit strings of equal length that keeps how far the last digit is from the Luhn digit: valid stays valid.
// FF1, radix 10, on all digits but the last; the lengths of card numbers make domains of 10^11 and more.
import { toLuhnDigit } from '../../check-digits.js';
import { type EncryptBlocks, Ff1 } from './ff1.js';

export class LuhnPermutation {
  private readonly ciphers = new Map<number, Ff1>();

  /** For strings of `least` (7 or more) to `most` (31 or fewer) digits. */
  constructor(
    private readonly encryptBlocks: EncryptBlocks,
    private readonly least: number,
    private readonly most: number,
  ) {}

  /** Permutes in place: string `row` is `counts[row]` digits (0 to 9, not characters) from `most · row` on; other counts are skipped. */
  permute(all: Uint8Array, counts: Int8Array): void {
    for (let count = this.least; count <= this.most; count++) {
      const rows: number[] = [];
      for (let row = 0; row < counts.length; row++) if (counts[row] === count) rows.push(row);
      if (rows.length > 0) this.permuteLength(all, rows, count);
    }
  }

  private permuteLength(all: Uint8Array, rows: readonly number[], count: number): void {
    let ff1 = this.ciphers.get(count);
    if (!ff1) this.ciphers.set(count, (ff1 = new Ff1(this.encryptBlocks, 10, count - 1)));
    const left = new Float64Array(rows.length);
    const right = new Float64Array(rows.length);
    const distances = new Int8Array(rows.length);
    for (let k = 0; k < rows.length; k++) {
      const at = this.most * (rows[k] as number);
      left[k] = toNumber(all, at, at + ff1.leftLength);
      right[k] = toNumber(all, at + ff1.leftLength, at + count - 1);
      distances[k] = (all[at + count - 1] as number) + 10 - toLuhnDigit(all.subarray(at), count - 1);
    }
    ff1.encrypt(left, right, rows.length);
    for (let k = 0; k < rows.length; k++) {
      const at = this.most * (rows[k] as number);
      putNumber(all, at, at + ff1.leftLength, left[k] as number);
      putNumber(all, at + ff1.leftLength, at + count - 1, right[k] as number);
      all[at + count - 1] = (toLuhnDigit(all.subarray(at), count - 1) + (distances[k] as number)) % 10;
    }
  }
}

function toNumber(digits: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = 10 * value + (digits[i] as number);
  return value;
}

function putNumber(digits: Uint8Array, from: number, to: number, value: number): void {
  for (let i = to - 1; i >= from; i--) {
    const next = Math.floor(value / 10);
    digits[i] = value - 10 * next;
    value = next;
  }
}
