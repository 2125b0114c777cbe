// One number per row, in the space 555-0100 to 555-0199 that the North American plan keeps for fiction, in all 800 area codes.
// 80,000 numbers are few: a unique column takes `phone-format` with a reason, or `hash-token`. The form follows the width of the column.
import type { DataType } from '../../catalogue.js';
import { toRoom } from '../dressed-token.js';
import { kernel } from '../kernel/kernel.js';
import { defineTransform } from '../transform.js';

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
  // With and without what people write between, so that a number is known by its digits too.
  pattern: () => '(\\+?1[-. ]?)?\\(?[2-9]\\d\\d\\)?[-. ]{0,2}555[-. ]?01\\d\\d *',
  fixedPoints: () => 1 / 80_000,
  produces: (value) => /^(\+1-[2-9]\d\d-555-01\d\d|[2-9]\d\d-555-01\d\d|[2-9]\d\d55501\d\d)$/.test(Buffer.from(value).toString('latin1')),
  misfit: (type) => (toForm(type) === undefined ? `a phone number takes 10 digits, more than ${type.display} holds` : undefined),
  laws: (_params, type) => {
    const form = toForm(type) ?? '';
    return [
      {
        law: 'form',
        form: form.replace('+', '\\+').replace('AAA', '[2-9][0-9]{2}').replace('LL', '[0-9]{2}'),
        what: 'a number that is kept for fiction',
      },
    ];
  },
  plain: true,
  prepare: ({ type }) => {
    const form = Buffer.from(toForm(type) ?? '');
    const area = form.indexOf('A');
    const line = form.indexOf('L');
    return (column, context) => {
      const memory = kernel();
      const { rows, endsAt } = memory.toMemory(column);
      const draws = memory.addressOf(context.draw());
      const formAt = memory.put(form);
      return memory.write(
        rows,
        (...to) => memory.calls.writePhones(endsAt, rows, draws, formAt, form.length, area, line, ...to),
        context.refuse,
      );
    };
  },
});
