// hot path: the first characters of a text, or a date cut to its unit. No key: what stays is the original, and the plan prints that.
import { toDay, toCivil } from '../civil-date.js';
import { type DayMap, type KeptTime, mapDays } from '../date-column.js';
import { type Apply, defineTransform } from '../transform.js';
import { toTypeFamily } from '../type-family.js';

const units = ['year', 'quarter', 'month', 'day', 'hour', 'minute', 'second'] as const;
type Unit = (typeof units)[number];
/** Finer than a date. */
const hours: readonly string[] = ['hour', 'minute', 'second'];

const keptTime: Readonly<Record<Unit, KeptTime>> = {
  year: 'none', quarter: 'none', month: 'none', day: 'none', hour: 'hour', minute: 'minute', second: 'second',
}; // prettier-ignore

function cutDay(unit: Unit): DayMap {
  const months = unit === 'year' ? 12 : unit === 'quarter' ? 3 : 1;
  if (unit !== 'year' && unit !== 'quarter' && unit !== 'month') return (day) => day;
  return (day) => {
    const civil = toCivil(day);
    const month = (civil >> 5) & 15;
    return toDay(civil >> 9, month - ((month - 1) % months), 1);
  };
}

/** The first `length` characters (code points) of each value. */
function cutText(length: number): Apply {
  return (column, _context, out) => {
    const { bytes } = column;
    for (let row = 0; row < column.rows; row++) {
      const end = column.ends[row] as number;
      if (end === -1) {
        out.null(row);
        continue;
      }
      const start = column.starts[row] as number;
      let stop = start;
      for (let count = 0; stop < end; stop++) {
        if (((bytes[stop] as number) & 0xc0) !== 0x80 && ++count > length) break;
      }
      out.copy(row, bytes, start, stop);
    }
  };
}

export const truncate = defineTransform({
  name: 'truncate',
  summary: 'The first characters of a text, or a date or time cut to a unit. What stays is the original.',
  accepts: ['text', 'date', 'timestamp'],
  params: {
    length: { schema: { type: 'integer', minimum: 0, maximum: 10_000 }, default: 1, doc: 'Texts: how many characters stay.' },
    unit: { schema: { enum: [...units] }, default: 'month', doc: 'Dates and times: the smallest unit that stays.' },
  },
  scopes: ['value'],
  uniqueness: 'lossy',
  reveals: ['equality', 'frequency', 'order', 'length', 'prefix', 'value'],
  // A lossy transform never stands on a unique column; the plan has nothing to compare.
  space: () => 0n,
  reversible: false,
  keyed: false,
  output: 'kept',
  laws: (params, type) =>
    toTypeFamily(type) === 'text'
      ? [{ law: 'cut', length: params['length'] as number }]
      : [{ law: 'period', unit: type.base === 'date' && hours.includes(params['unit'] as string) ? 'day' : (params['unit'] as Unit) }],
  plain: false,
  prepare: ({ params, type }) => {
    if (toTypeFamily(type) === 'text') return cutText(params['length'] as number);
    const unit = params['unit'] as Unit;
    return mapDays(type, keptTime[unit], false, cutDay(unit));
  },
});
