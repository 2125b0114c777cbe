// hot path: a Luhn-valid card number whose first six digits stand for tests; as many digits as the original, separators where they were.
// Prefixes: of the numbers that the schemes and their processors print for testing and answer with "no such account": Visa 411111, Mastercard 555555,
// American Express 378282, Discover 601111; anything else 999999 (ISO/IEC 7812: 9 is for national use, 999 no country). The scheme stays visible.
// `space: format` instead permutes all digits but the last by FF1 (radix 10) and keeps how far the last is from the Luhn digit: unique, but it may be in use.
import { toLuhnDigit } from '../../check-digits.js';
import { LuhnPermutation } from '../permutation/luhn-permutation.js';
import type { Column } from '../../batch.js';
import type { ColumnWriter } from '../column-writer.js';
import { toWord } from '../draw.js';
import { defineTransform } from '../transform.js';

const prefixes = ['411111', '555555', '378282', '601111', '999999'].map((digits) => Uint8Array.from(digits, Number));
const [visa, mastercard, amex, discover, other] = prefixes as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
const [LEAST, MOST] = [12, 19];

function toPrefix(first: number, second: number): Uint8Array {
  if (first === 4) return visa;
  if ((first === 5 && second >= 1 && second <= 5) || (first === 2 && second >= 2 && second <= 7)) return mastercard;
  if (first === 3 && (second === 4 || second === 7)) return amex;
  return first === 6 ? discover : other;
}

/** Writes the digits of a value at `at`; returns their count, or -1 where something else than digits, spaces and hyphens stands in it. */
function readDigits(bytes: Uint8Array, start: number, end: number, digits: Uint8Array, at = 0): number {
  const most = at + MOST;
  const first = at;
  for (let i = start; i < end; i++) {
    const code = bytes[i] as number;
    if (code >= 0x30 && code <= 0x39) {
      if (at === most) return -1;
      digits[at++] = code - 0x30;
    } else if (code !== 0x20 && code !== 0x2d) return -1;
  }
  return at - first < LEAST ? -1 : at - first;
}

export const pan = defineTransform({
  name: 'pan',
  summary: 'A Luhn-valid card number under a prefix that is used for tests, of as many digits and with the same separators.',
  accepts: ['text'],
  params: {
    space: {
      schema: { enum: ['reserved', 'format'] },
      default: 'reserved',
      doc: '`reserved`: test prefixes, 10^9 numbers of 16 digits; `format`: a bijection over all numbers of equal length, which may be in use.',
    },
  },
  scopes: ['value'],
  uniqueness: 'not-guaranteed',
  uniquenessWith: (params) => (params['space'] === 'format' ? 'preserved' : 'not-guaranteed'),
  reveals: ['equality', 'frequency', 'length', 'format', 'band', 'prefix'],
  space: (params) => (params['space'] === 'format' ? 0n : 10n ** 9n),
  reversible: false,
  leavesReservedSpace: (params) => params['space'] === 'format',
  output: 'disjoint',
  produces: (value, params) => {
    if (params['space'] === 'format') return true;
    const digits = new Uint8Array(MOST);
    const count = readDigits(value, 0, value.length, digits);
    if (count < 0 || toLuhnDigit(digits, count - 1) !== digits[count - 1]) return false;
    return prefixes.some((prefix) => prefix.every((digit, i) => digits[i] === digit));
  },
  misfit: (type) => ((type.length ?? LEAST) < LEAST ? `a card number does not fit ${type.display}` : undefined),
  plain: true,
  prepare: ({ params, encryptBlocks }) => {
    const permutation = new LuhnPermutation(encryptBlocks, LEAST, MOST);
    let all = new Uint8Array(0);
    let counts = new Int8Array(0);
    return (column, context, out) => {
      const { rows, bytes, starts, ends } = column;
      if (all.length < MOST * rows) all = new Uint8Array(MOST * rows * 2);
      if (counts.length < rows) counts = new Int8Array(rows * 2);
      for (let row = 0; row < rows; row++) {
        const end = ends[row] as number;
        const count = end === -1 ? 0 : readDigits(bytes, starts[row] as number, end, all, MOST * row);
        if (count < 0) context.refuse(row);
        counts[row] = count;
      }
      if (params['space'] === 'format') permutation.permute(all, counts.subarray(0, rows));
      else drawAll(all, counts, rows, context.draw());
      writeAll(column, all, out);
    };
  },
});

/** The digits in the places of the original ones. */
function writeAll({ rows, bytes, starts, ends }: Column, all: Uint8Array, out: ColumnWriter): void {
  for (let row = 0; row < rows; row++) {
    const start = starts[row] as number;
    const end = ends[row] as number;
    if (end === -1) {
      out.null(row);
      continue;
    }
    out.reserve(end - start);
    const to = out.bytes;
    let at = out.length;
    for (let i = start, digit = MOST * row; i < end; i++) {
      const byte = bytes[i] as number;
      to[at++] = byte >= 0x30 ? 0x30 + (all[digit++] as number) : byte;
    }
    out.end(row, at);
  }
}

function drawAll(all: Uint8Array, counts: Int8Array, rows: number, draw: Uint8Array): void {
  for (let row = 0; row < rows; row++) {
    const count = counts[row] as number;
    if (count === 0) continue;
    const first = MOST * row;
    const last = first + count - 1;
    const prefix = toPrefix(all[first] as number, all[first + 1] as number);
    for (let i = 0; i < 6; i++) all[first + i] = prefix[i] as number;
    // 48 bits for 12 digits at most: no digit string is likelier than another by more than 0.4 %. In two halves, so that both are small integers.
    const number = toWord(draw, row, 0) * 0x1_0000 + (toWord(draw, row, 4) >>> 16);
    const upper = Math.floor(number / 1_000_000);
    const least = Math.max(first + 6, last - 6);
    putDigits(all, least, last, number - upper * 1_000_000);
    putDigits(all, first + 6, least, upper);
    all[last] = toLuhnDigit(all, last, first);
  }
}

/** The last digits of a number below 2³¹. */
function putDigits(digits: Uint8Array, from: number, to: number, value: number): void {
  let rest = value | 0;
  for (let i = to - 1; i >= from; i--) {
    const next = (rest / 10) | 0;
    digits[i] = rest - 10 * next;
    rest = next;
  }
}
