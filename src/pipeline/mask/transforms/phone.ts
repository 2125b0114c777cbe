// hot path: one number per row, in the space 555-0100 to 555-0199 that the North American plan keeps for fiction, in all 800 area codes.
// 80,000 numbers are few: a unique column takes `phone-format` with a reason, or `hash-token`. The form follows the width of the column.
import type { DataType } from '../../catalogue.js';
import { toRoom } from '../dressed-token.js';
import { toIndex } from '../draw.js';
import { defineTransform } from '../transform.js';

const zero = 0x30;

/** `A` is the area code, `L` the last two digits. */
function toForm(type: DataType): string | undefined {
  const room = toRoom(type);
  if (type.base === 'int8') return 'AAA55501LL';
  if (type.base === 'int2' || type.base === 'int4' || type.base === 'oid' || room < 10) return undefined;
  return room >= 15 ? '+1-AAA-555-01LL' : room >= 12 ? 'AAA-555-01LL' : 'AAA55501LL';
}

export const phone = defineTransform({
  name: 'phone',
  summary: 'A number that is kept for fiction: +1-NXX-555-01XX.',
  accepts: ['text', 'integer'],
  params: {},
  scopes: ['value', 'subject', 'row'],
  uniqueness: 'not-guaranteed',
  reveals: ['equality', 'frequency'],
  space: () => 80_000n,
  reversible: false,
  output: 'disjoint',
  produces: (value) => /^(\+1-[2-9]\d\d-555-01\d\d|[2-9]\d\d-555-01\d\d|[2-9]\d\d55501\d\d)$/.test(Buffer.from(value).toString('latin1')),
  misfit: (type) => (toForm(type) === undefined ? `a phone number takes 10 digits, more than ${type.display} holds` : undefined),
  plain: true,
  prepare: ({ type }) => {
    const form = Buffer.from(toForm(type) ?? '');
    const area = form.indexOf('A');
    const line = form.indexOf('L');
    return (column, context, out) => {
      const draw = context.draw();
      for (let row = 0; row < column.rows; row++) {
        if (column.ends[row] === -1) {
          out.null(row);
          continue;
        }
        out.reserve(form.length);
        const { bytes, length } = out;
        for (let i = 0; i < form.length; i++) bytes[length + i] = form[i] as number;
        const code = 200 + toIndex(draw, row, 0, 800);
        const last = toIndex(draw, row, 4, 100);
        bytes[length + area] = zero + Math.floor(code / 100);
        bytes[length + area + 1] = zero + (Math.floor(code / 10) % 10);
        bytes[length + area + 2] = zero + (code % 10);
        bytes[length + line] = zero + Math.floor(last / 10);
        bytes[length + line + 1] = zero + (last % 10);
        out.end(row, length + form.length);
      }
    };
  },
});
