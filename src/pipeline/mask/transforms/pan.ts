// hot path: a Luhn-valid card number whose first six digits stand for tests; as many digits as the original, separators where they were.
// Prefixes: of the numbers that the schemes and their processors print for testing and answer with "no such account": Visa 411111, Mastercard 555555,
// American Express 378282, Discover 601111; anything else 999999 (ISO/IEC 7812: 9 is for national use, 999 no country). The scheme stays visible.
// `space: format` instead permutes all digits but the last by FF1 (radix 10) and keeps how far the last is from the Luhn digit: unique, but it may be in use.
import { toLuhnDigit } from '../../check-digits.js';
import { LuhnPermutation } from '../permutation/luhn-permutation.js';
import { toWord } from '../draw.js';
import { defineTransform } from '../transform.js';

const prefixes = [[4, 1, 1, 1, 1, 1], [5, 5, 5, 5, 5, 5], [3, 7, 8, 2, 8, 2], [6, 0, 1, 1, 1, 1], [9, 9, 9, 9, 9, 9]] as const; // prettier-ignore
const [LEAST, MOST] = [12, 19];

function toPrefix(first: number, second: number): readonly number[] {
  if (first === 4) return prefixes[0];
  if ((first === 5 && second >= 1 && second <= 5) || (first === 2 && second >= 2 && second <= 7)) return prefixes[1];
  if (first === 3 && (second === 4 || second === 7)) return prefixes[2];
  return first === 6 ? prefixes[3] : prefixes[4];
}

/** The digits of a value, or their count as -1 where something else than digits, spaces and hyphens stands in it. */
function readDigits(bytes: Uint8Array, start: number, end: number, digits: Uint8Array): number {
  let count = 0;
  for (let i = start; i < end; i++) {
    const code = bytes[i] as number;
    if (code >= 0x30 && code <= 0x39) {
      if (count === MOST) return -1;
      digits[count++] = code - 0x30;
    } else if (code !== 0x20 && code !== 0x2d) return -1;
  }
  return count < LEAST ? -1 : count;
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
    return (column, context, out) => {
      const { rows, bytes, starts, ends } = column;
      const all = new Uint8Array(MOST * rows);
      const counts = new Int8Array(rows);
      for (let row = 0; row < rows; row++) {
        if (ends[row] === -1) continue;
        counts[row] = readDigits(bytes, starts[row] as number, ends[row] as number, all.subarray(MOST * row, MOST * row + MOST));
        if ((counts[row] as number) < 0) context.refuse(row);
      }
      if (params['space'] === 'format') permutation.permute(all, counts);
      else drawAll(all, counts, context.draw());
      for (let row = 0; row < rows; row++) {
        if (ends[row] === -1) {
          out.null(row);
          continue;
        }
        out.copy(row, bytes, starts[row] as number, ends[row] as number);
        for (let i = out.starts[row] as number, at = MOST * row; i < out.length; i++) {
          if ((out.bytes[i] as number) >= 0x30) out.bytes[i] = 0x30 + (all[at++] as number);
        }
      }
    };
  },
});

function drawAll(all: Uint8Array, counts: Int8Array, draw: Uint8Array): void {
  for (let row = 0; row < counts.length; row++) {
    const count = counts[row] as number;
    if (count === 0) continue;
    const digits = all.subarray(MOST * row, MOST * row + MOST);
    digits.set(toPrefix(digits[0] as number, digits[1] as number));
    // 48 bits for 12 digits at most: no digit string is likelier than another by more than 0.4 %.
    let number = toWord(draw, row, 0) * 0x1_0000 + (toWord(draw, row, 4) >>> 16);
    for (let i = count - 2; i >= 6; i--, number = Math.floor(number / 10)) digits[i] = number % 10;
    digits[count - 1] = toLuhnDigit(digits, count - 1);
  }
}
