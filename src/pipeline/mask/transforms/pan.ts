// hot path: a Luhn-valid card number whose first six digits stand for tests; as many digits as the original, separators where they were.
// Prefixes: of the numbers that the schemes and their processors print for testing and answer with "no such account": Visa 411111, Mastercard 555555,
// American Express 378282, Discover 601111; anything else 999999 (ISO/IEC 7812: 9 is for national use, 999 no country). The scheme stays visible.
// `space: format` instead permutes all digits but the last by FF1 (radix 10) and keeps how far the last is from the Luhn digit: unique, but it may be in use.
import { toLuhnDigit } from '../../check-digits.js';
import { LuhnPermutation } from '../permutation/luhn-permutation.js';
import type { Column } from '../../batch.js';
import type { ColumnWriter } from '../column-writer.js';
import { kernel } from '../kernel/kernel.js';
import { type ApplyContext, defineTransform } from '../transform.js';
import type { Law } from '../../law.js';

const prefixes = ['411111', '555555', '378282', '601111', '999999'].map((digits) => Uint8Array.from(digits, Number));
const [LEAST, MOST] = [12, 19];
const testPrefix: Law = {
  law: 'form',
  form: `(${prefixes.map((prefix) => [...prefix].join('[ -]*')).join('|')})[0-9 -]*`,
  what: 'a prefix that is used for tests',
};

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
  pattern: () => `(${prefixes.map((prefix) => [...prefix].join('[ -]*')).join('|')})([ -]*\\d){${LEAST - 6}}[\\d -]*`,
  fixedPoints: () => ({ drawn: 7 }),
  produces: (value, params) => {
    if (params['space'] === 'format') return true;
    const digits = new Uint8Array(MOST);
    const count = readDigits(value, 0, value.length, digits);
    if (count < 0 || toLuhnDigit(digits, count - 1) !== digits[count - 1]) return false;
    return prefixes.some((prefix) => prefix.every((digit, i) => digits[i] === digit));
  },
  misfit: (type) => ((type.length ?? LEAST) < LEAST ? `a card number does not fit ${type.display}` : undefined),
  laws: (params) => [
    { law: 'check-digits', of: 'luhn', as: params['space'] === 'format' ? 'original' : 'valid' },
    { law: 'characters', become: [['[0-9]', '[0-9]']] },
    ...(params['space'] === 'format' ? [] : [testPrefix]),
  ],
  plain: true,
  prepare: ({ params, encryptBlocks }) => {
    const permutation = new LuhnPermutation(encryptBlocks, LEAST, MOST);
    let all = new Uint8Array(0);
    let counts = new Int8Array(0);
    return (column, context, out) => {
      if (params['space'] === 'reserved') return drawCards(column, context);
      const { rows, bytes, starts, ends } = column;
      if (all.length < MOST * rows) all = new Uint8Array(MOST * rows * 2);
      if (counts.length < rows) counts = new Int8Array(rows * 2);
      for (let row = 0; row < rows; row++) {
        const end = ends[row] as number;
        const count = end === -1 ? 0 : readDigits(bytes, starts[row] as number, end, all, MOST * row);
        if (count < 0) context.refuse(row);
        counts[row] = count;
      }
      permutation.permute(all, counts.subarray(0, rows));
      writeAll(column, all, out);
      return out;
    };
  },
});

/** Test prefix, drawn digits and Luhn's, in the kernel: numbers.ts has the schemes. */
function drawCards(column: Column, context: ApplyContext): Column {
  const memory = kernel();
  const { rows, startsAt, endsAt } = memory.toMemory(column);
  const draws = memory.addressOf(context.draw());
  return memory.write(rows, (...to) => memory.calls.writeCards(startsAt, endsAt, rows, draws, ...to), context.refuse);
}

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
