// hot path: a number shifted by a drawn share of itself: sign and decimals stay, 0 stays 0, anything else moves.
// Digits are taken as one whole number (12.50 is 1250), shifted, and written back; more than 15 digits go through BigInt, floats with an exponent through doubles.
import type { DataType } from '../../catalogue.js';
import { toWord } from '../draw.js';
import { defineTransform } from '../transform.js';

const limits: Readonly<Record<string, bigint>> = { int2: 2n ** 15n - 1n, int4: 2n ** 31n - 1n, int8: 2n ** 63n - 1n, oid: 2n ** 32n - 1n };

/**
 * The largest number that the digits of a value of so many decimals may make, the point left out; undefined: no end. A value comes without trailing zeros, so
 * 9.9 in numeric(4,3) has one decimal, and its two digits may make no more than 99.
 */
function toMost(type: DataType): (decimals: number) => bigint | undefined {
  const limit = limits[type.base];
  const { precision, scale = 0 } = type;
  if (limit !== undefined || precision === undefined) return () => limit;
  const most = Array.from(
    { length: Math.max(0, scale) + 1 },
    (_, decimals) => 10n ** BigInt(Math.max(0, precision - scale + decimals)) - 1n,
  );
  return (decimals) => most[Math.max(0, decimals)];
}

/** `digits` moved by `share` (−1 to 1, nearly); at least by one, never to 0, never past `most`. */
function shift(digits: string, share: number, most: bigint | undefined): string {
  if (digits.length <= 15) {
    const value = Number(digits);
    if (value === 0) return digits;
    let step = Math.round(value * share) || (share < 0 ? -1 : 1);
    if (value + step < 1 || (most !== undefined && value + step > most)) step = -step;
    return String(value + step);
  }
  const value = BigInt(digits);
  if (value === 0n) return digits;
  let step = (value * BigInt(Math.round(share * 1e12))) / 1_000_000_000_000n || 1n;
  if (value + step < 1n || (most !== undefined && value + step > most)) step = -step;
  return String(value + step);
}

/** Floats with an exponent: grown where shrinking or growing would leave the range. */
function shiftFloat(text: string, share: number, type: DataType): string {
  const value = Number(text);
  const [least, most] = type.base === 'float4' ? [1e-37, 3e38] : [1e-300, 1e308];
  const size = Math.abs(value);
  const moved = value * (1 + (size < least ? Math.abs(share) : size * (1 + share) > most ? -Math.abs(share) : share));
  // The smallest numbers that there are have no share of themselves: the next one.
  return String(moved === value ? value + Math.sign(value) * Number.MIN_VALUE : moved);
}

export const numberNoise = defineTransform({
  name: 'number-noise',
  summary: 'The number moved up or down by a drawn share of itself, with the same sign and decimals.',
  accepts: ['integer', 'number'],
  params: {
    ratio: {
      schema: { type: 'number', minimum: 0.001, maximum: 0.5 },
      default: 0.1,
      doc: 'The largest share: 0.1 moves a number by up to ten per cent of itself.',
    },
  },
  scopes: ['row', 'subject', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: ['band', 'length', 'format'],
  // As many as numbers within the share around the original: the caller's numbers decide, no count can be given.
  space: () => 0n,
  reversible: false,
  output: 'overlapping',
  // A float4 has 24 bits, and a smaller share of it than the last of them is none.
  fixedPoints: ({ ratio }, type) => (type.base === 'float4' ? 2 ** -23 / (ratio as number) : 0),
  misfit: (type) => (type.base === 'money' ? 'money is printed with a currency; number-noise takes numbers' : undefined),
  laws: (params) => [{ law: 'near', ratio: params['ratio'] as number }],
  plain: true,
  prepare: ({ params, type }) => {
    const ratio = params['ratio'] as number;
    const toLimit = toMost(type);
    const float = type.base === 'float4' || type.base === 'float8';
    return (column, context, out) => {
      const draw = context.draw();
      for (let row = 0; row < column.rows; row++) {
        const start = column.starts[row] as number;
        const end = column.ends[row] as number;
        if (end < 0) {
          out.null(row);
          continue;
        }
        const negative = column.bytes[start] === 0x2d;
        let digits = '';
        let decimals = -1;
        let plain = true;
        for (let i = start + (negative ? 1 : 0); i < end; i++) {
          const code = column.bytes[i] as number;
          if (code >= 0x30 && code <= 0x39) {
            digits += String.fromCharCode(code);
            if (decimals >= 0) decimals++;
          } else if (code === 0x2e && decimals < 0) decimals = 0;
          else plain = false;
        }
        const share = ratio * ((2 * toWord(draw, row, 0) + 1) / 4294967296 - 1);
        let text: string;
        if (plain && digits !== '') {
          text = shift(digits, share, toLimit(decimals));
          if (decimals >= 0)
            text = `${text.padStart(decimals + 1, '0').slice(0, -decimals || undefined)}.${text.padStart(decimals, '0').slice(-decimals || text.length)}`;
          if (negative) text = `-${text}`;
        } else {
          const original = Buffer.from(column.bytes.subarray(start, end)).toString('latin1');
          // NaN and the infinities have no size to move.
          if (/^(NaN|-?Infinity)$/.test(original)) text = original;
          else if (float && /^-?\d+(\.\d+)?e[-+]?\d+$/.test(original)) text = shiftFloat(original, share, type);
          else return context.refuse(row);
        }
        const bytes = Buffer.from(text, 'latin1');
        out.copy(row, bytes, 0, bytes.length);
      }
    };
  },
});
