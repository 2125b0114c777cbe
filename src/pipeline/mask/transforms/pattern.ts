// hot path: letters to letters of their alphabet and case, digits to digits, all else kept: number plates, order references, room numbers.
import { copyAll } from '../permutation/decimal-key.js';
import { drawCharacters } from '../permutation/drawn-characters.js';
import { defineTransform } from '../transform.js';
import { sameKinds } from '../text-laws.js';

export const pattern = defineTransform({
  name: 'pattern',
  summary: 'Letters become letters of the same case, digits become digits, all other characters stay.',
  accepts: ['text'],
  params: {},
  scopes: ['value', 'subject', 'row'],
  // Two texts may meet: where that must not be, text-key is the bijection of the same form.
  uniqueness: 'not-guaranteed',
  reveals: ['equality', 'frequency', 'length', 'format'],
  // All texts of the value's own pattern: never fewer than the originals of that pattern.
  space: () => 0n,
  reversible: false,
  output: 'overlapping',
  fixedPoints: () => ({ drawn: 1 }),
  laws: () => [sameKinds],
  plain: false,
  prepare:
    ({ type, encryptBlocks }) =>
    (column, context, out) => {
      copyAll(column, out, type.base === 'bpchar');
      drawCharacters(encryptBlocks, context.draw(), out.bytes, out.starts, out.ends, column.rows);
    },
});
