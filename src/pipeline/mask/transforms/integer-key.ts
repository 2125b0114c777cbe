// hot path: a permutation among the numbers of equal sign and equal count of decimal digits, so that magnitude, type and sequence keep their room.
// One permutation per count and sign (integer-permutation.ts); the top count ends where the type ends. 0 is its own. In text, zeros in front stay.
import type { DataType } from '../../catalogue.js';
import { copyAll, isDigits, isPastEnd, type KeyGroup, permuteKeys, toWholeEnd } from '../permutation/decimal-key.js';
import { IntegerPermutation } from '../permutation/integer-permutation.js';
import { defineTransform, type Params } from '../transform.js';

const MOST_DIGITS = 31;
const limits: Readonly<Record<string, bigint>> = { int2: 2n ** 15n, int4: 2n ** 31n, int8: 2n ** 63n, oid: 2n ** 32n };

/** First number past the range of the type that the parameters or the column name; undefined: no such end. */
function toLimit(params: Params, type: DataType): bigint | undefined {
  return limits[params['narrowest'] === 'own' ? type.base : (params['narrowest'] as string)];
}

export const integerKey = defineTransform({
  name: 'integer-key',
  summary: 'Another whole number of the same sign and as many decimal digits.',
  accepts: ['integer', 'number', 'text'],
  params: {
    narrowest: {
      schema: { enum: ['own', 'int2', 'int4', 'int8', 'oid'] },
      default: 'own',
      doc: 'The narrowest type among the columns that foreign keys join; `own` is the type of the column.',
    },
  },
  scopes: ['value'],
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency', 'length', 'band', 'format'],
  space: () => 0n,
  reversible: false,
  output: 'overlapping',
  fixedPoints: () => ({ drawn: 1 }),
  misfit: (type) => {
    if (['float4', 'float8', 'money'].includes(type.base)) return `${type.display} is not exact; integer-key takes whole numbers`;
    return type.base === 'numeric' && (type.scale ?? 0) > 0 ? `${type.display} has decimals; integer-key takes whole numbers` : undefined;
  },
  laws: () => [{ law: 'magnitude' }],
  plain: true,
  prepare: ({ params, type, encryptBlocks }) => {
    const limit = toLimit(params, type);
    const endDigits = limit === undefined ? Infinity : String(limit).length;
    const groups = new Map<number, KeyGroup>();
    const toGroup = (digits: number, negative: boolean): KeyGroup | undefined => {
      const key = negative ? -digits : digits;
      let group = groups.get(key);
      if (!group) {
        const low = 10n ** BigInt(digits - 1);
        const all = 10n ** BigInt(digits);
        const bound = limit !== undefined && negative ? limit + 1n : limit;
        const size = (bound !== undefined && bound < all ? bound : all) - low;
        if (size < 1n) return undefined;
        const permutation = new IntegerPermutation(encryptBlocks, size, Uint8Array.of(digits, Number(negative)));
        groups.set(key, (group = { digits, low, permutation, rows: [] }));
      }
      return group;
    };
    return (column, context, out) => {
      for (const group of groups.values()) group.rows.length = 0;
      copyAll(column, out, type.base === 'bpchar');
      const { bytes, starts, ends } = out;
      const heads = new Int32Array(column.rows);
      for (let row = 0; row < column.rows; row++) {
        let at = starts[row] as number;
        if (ends[row] === -1) continue;
        const negative = bytes[at] === 0x2d;
        if (negative) at++;
        if (type.base === 'numeric') ends[row] = toWholeEnd(bytes, at, ends[row] as number);
        const end = ends[row] as number;
        if (!isDigits(bytes, at, end)) context.refuse(row);
        while (at < end && bytes[at] === 0x30) at++;
        if (end - at > MOST_DIGITS) context.refuse(row);
        heads[row] = at;
        if (at === end) continue;
        const group = toGroup(end - at, negative);
        if (!group || (end - at >= endDigits && isPastEnd(group, bytes, at))) return context.refuse(row);
        group.rows.push(row);
      }
      for (const group of groups.values()) permuteKeys(group, bytes, heads);
    };
  },
});
