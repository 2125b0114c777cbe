// All dates of one person move by the same number of days, so that their order and the time between them stay; the time of day stays too.
import { mapDays, toDateMisfit } from '../date-column.js';
import { toIndex } from '../draw.js';
import { defineTransform } from '../transform.js';

export const dateShift = defineTransform({
  name: 'date-shift',
  summary:
    'The date moved by a number of days that belongs to the person, never by none; order and distances of one person stay, and so does the time of day.',
  accepts: ['date', 'timestamp', 'text'],
  params: {
    days: { schema: { type: 'integer', minimum: 7, maximum: 3650 }, default: 182, doc: 'The furthest move, in days, either way.' },
  },
  scopes: ['subject', 'row'],
  uniqueness: 'not-guaranteed',
  // `value` and `length` are the time of day, which goes through to the microsecond.
  reveals: ['order', 'band', 'length', 'value'],
  space: (params) => 2n * BigInt(params['days'] as number),
  reversible: false,
  output: 'kept',
  // Never by no day.
  fixedPoints: () => 0,
  misfit: toDateMisfit,
  laws: (params) => [{ law: 'moved', days: params['days'] as number }],
  plain: true,
  prepare: ({ params, type }) => {
    const days = params['days'] as number;
    return mapDays(type, 'all', true, (day, draw, row) => {
      const step = toIndex(draw, row, 0, 2 * days);
      return day + (step < days ? step - days : step - days + 1);
    });
  },
});
