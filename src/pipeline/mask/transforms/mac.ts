// hot path: a hardware address with the bit for "locally administered" set and the one for "group" clear (IEEE 802c): no maker's, nobody's card.
import type { DataType } from '../../catalogue.js';
import { defineTransform } from '../transform.js';

const lower = Buffer.from('0123456789abcdef');
const upper = Buffer.from('0123456789ABCDEF');

function toNibble(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function toFreeBits(type: DataType): bigint {
  return type.base === 'macaddr8' ? 62n : 46n;
}

export const mac = defineTransform({
  name: 'mac',
  summary: 'A locally administered hardware address, written as the original is.',
  accepts: ['mac', 'text'],
  params: {},
  scopes: ['value', 'subject', 'row'],
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency', 'length', 'format'],
  space: (_params, type) => 2n ** toFreeBits(type),
  reversible: false,
  output: 'disjoint',
  pattern: () => '[0-9a-f][26ae]([-:.]?[0-9a-f]){10}(([-:.]?[0-9a-f]){4})? *',
  fixedPoints: (params, type) => 1 / Number(mac.space(params, type)),
  produces: (value) => {
    const nibbles = [...value].map(toNibble).filter((nibble) => nibble >= 0);
    return (nibbles.length === 12 || nibbles.length === 16) && ((nibbles[1] as number) & 3) === 2;
  },
  misfit: (type) => ((type.length ?? 12) < 12 ? `a hardware address does not fit ${type.display}` : undefined),
  laws: () => [
    { law: 'characters', become: [['[0-9A-Fa-f]', '[0-9A-Fa-f]']] },
    { law: 'form', form: '[0-9A-Fa-f][26AEae]([-:.]?[0-9A-Fa-f])+', what: 'an address of no maker and of no group' },
  ],
  plain: true,
  prepare: ({ type }) => {
    return (column, context, out) => {
      const draw = context.draw();
      for (let row = 0; row < column.rows; row++) {
        const start = column.starts[row] as number;
        let end = column.ends[row] as number;
        if (end < 0) {
          out.null(row);
          continue;
        }
        if (type.base === 'bpchar') while (end > start && column.bytes[end - 1] === 0x20) end--;
        out.copy(row, column.bytes, start, end);
        const digits = out.bytes.subarray(out.starts[row], out.length).some((code) => code >= 0x41 && code <= 0x46) ? upper : lower;
        let count = 0;
        for (let i = out.starts[row] as number; i < out.length; i++) {
          const code = out.bytes[i] as number;
          if (toNibble(code) < 0) {
            if (code !== 0x3a && code !== 0x2d && code !== 0x2e) context.refuse(row);
            continue;
          }
          let nibble = ((draw[16 * row + ((count >> 1) & 15)] as number) >> (count % 2 === 0 ? 4 : 0)) & 15;
          if (count === 1) nibble = (nibble & 12) | 2;
          out.bytes[i] = digits[nibble] as number;
          count++;
        }
        if (count !== 12 && count !== 16) context.refuse(row);
      }
    };
  },
});
