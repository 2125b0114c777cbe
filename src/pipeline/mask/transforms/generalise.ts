// hot path: numbers and dates to the beginning of their band. No key: the band is the original's, and the plan prints that.
import type { DataType } from '../../catalogue.js';
import { toCivil, toDay } from '../civil-date.js';
import { type DayMap, mapDays } from '../date-column.js';
import { writeBand } from '../number-band.js';
import { type Apply, defineTransform } from '../transform.js';
import { toTypeFamily } from '../type-family.js';
import type { Unit } from '../../law.js';

const years: Readonly<Record<string, number>> = { month: 0, year: 1, lustrum: 5, decade: 10, century: 100 };

function toBandOfDay(unit: string): DayMap {
  const width = years[unit] as number;
  return (day) => {
    const civil = toCivil(day);
    const year = civil >> 9;
    return width === 0 ? toDay(year, (civil >> 5) & 15, 1) : toDay(Math.floor(year / width) * width, 1, 1);
  };
}

function bandNumbers(width: number): Apply {
  return (column, context, out) => {
    const { bytes: from } = column;
    for (let row = 0; row < column.rows; row++) {
      const start = column.starts[row] as number;
      const end = column.ends[row] as number;
      if (end === -1) {
        out.null(row);
        continue;
      }
      out.reserve(end - start + 1);
      const stop = writeBand(out.bytes, out.length, from, start, end, width);
      if (stop === -1) context.refuse(row);
      out.end(row, stop);
    }
  };
}

/** Money is written as its locale likes. */
function toMisfit(type: DataType): string | undefined {
  return type.base === 'money' ? 'money has no bands; name a numeric column' : undefined;
}

export const generalise = defineTransform({
  name: 'generalise',
  summary: 'A number or date becomes the beginning of its band, counted from zero outwards.',
  accepts: ['integer', 'number', 'date', 'timestamp'],
  params: {
    width: { schema: { type: 'integer', minimum: 2, maximum: 1_000_000_000 }, default: 10, doc: 'Numbers: how wide a band is.' },
    unit: { schema: { enum: Object.keys(years) }, default: 'year', doc: 'Dates and times: how long a band is.' },
  },
  scopes: ['value'],
  uniqueness: 'lossy',
  reveals: ['equality', 'frequency', 'order', 'length', 'band'],
  // A lossy transform never stands on a unique column; the plan has nothing to compare.
  space: () => 0n,
  reversible: false,
  keyed: false,
  output: 'kept',
  misfit: toMisfit,
  laws: (params, type) =>
    ['integer', 'number'].includes(toTypeFamily(type) ?? '')
      ? [{ law: 'band', width: params['width'] as number }]
      : [{ law: 'period', unit: params['unit'] as Unit }],
  plain: true,
  prepare: ({ params, type }) => {
    const family = toTypeFamily(type);
    if (family === 'integer' || family === 'number') return bandNumbers(params['width'] as number);
    return mapDays(type, 'none', false, toBandOfDay(params['unit'] as string));
  },
});
