// hot path: a bijection among the texts of equal pattern: letters among letters of their alphabet and case, digits among digits, the rest stays.
import { CharacterPermutation } from '../permutation/character-permutation.js';
import { putCodePoint, toCodePoint, toFolded, toLength } from '../permutation/character-class.js';
import { copyAll } from '../permutation/decimal-key.js';
import { defineTransform } from '../transform.js';
import { sameKinds, sameKindsSmall } from '../text-laws.js';

export const textKey = defineTransform({
  name: 'text-key',
  summary:
    'Another text of the same pattern: every letter and digit replaced by one of its kind, all other characters kept, no two texts alike.',
  accepts: ['text'],
  params: {},
  scopes: ['value'],
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency', 'length', 'format'],
  space: () => 0n,
  reversible: false,
  output: 'overlapping',
  fixedPoints: () => ({ drawn: 1 }),
  laws: (_params, type) => [type.base === 'citext' ? sameKindsSmall : sameKinds],
  plain: false,
  prepare: ({ type, encryptBlocks }) => {
    const permutation = new CharacterPermutation(encryptBlocks);
    const folded = type.base === 'citext';
    return (column, context, out) => {
      copyAll(column, out, type.base === 'bpchar');
      const { bytes, starts, ends } = out;
      if (folded) {
        // Texts that citext holds equal must stay equal, so all are lower-cased first; a letter whose case is not known here is refused.
        for (let row = 0; row < column.rows; row++) {
          for (let at = starts[row] as number; at < (ends[row] as number);) {
            const code = toCodePoint(bytes, at);
            const lower = toFolded(code);
            if (lower < 0) context.refuse(row);
            putCodePoint(bytes, at, lower);
            at += toLength(code);
          }
        }
      }
      permutation.permute(bytes, starts, ends, column.rows);
    };
  },
});
