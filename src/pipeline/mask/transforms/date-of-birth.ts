// Another day of the same five years (1980 to 1984, 1985 to 1989, …): ages stay right to the cohort, and no clock is asked.
import { noDay, toCivil, toDay } from '../civil-date.js';
import { mapDays, toDateMisfit } from '../date-column.js';
import { toIndex } from '../draw.js';
import { kernel, toUndefined } from '../kernel/kernel.js';
import { defineTransform } from '../transform.js';

const cohortYears = 5;
/** First day of each cohort from the year 0 on. */
const firstDays = Int32Array.from({ length: 10_000 / cohortYears + 1 }, (_, cohort) => toDay(cohort * cohortYears, 1, 1));

function toFirstDay(cohort: number): number {
  return firstDays[cohort] ?? toDay(cohort * cohortYears, 1, 1);
}

function toOtherDay(day: number, draw: Uint8Array, row: number): number {
  const year = toCivil(day) >> 9;
  // Nobody was born in five digits, and a day beyond the type's end could not be written.
  if (year > 9999) return noDay;
  const cohort = Math.floor(year / cohortYears);
  const from = toFirstDay(cohort);
  return from + toIndex(draw, row, 0, toFirstDay(cohort + 1) - from);
}

export const dateOfBirth = defineTransform({
  name: 'date-of-birth',
  summary: 'A day in the same five-year birth cohort; a time of birth becomes midnight.',
  accepts: ['date', 'timestamp', 'text'],
  params: {},
  scopes: ['subject', 'row', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: ['band'],
  // The days of one cohort: whatever else is in the column, no date can become more than these.
  space: () => 1826n,
  reversible: false,
  output: 'overlapping',
  fixedPoints: () => 1 / 1826,
  misfit: toDateMisfit,
  laws: () => [{ law: 'cohort', years: cohortYears }],
  plain: true,
  prepare: ({ type }) => {
    const others = mapDays(type, 'none', true, toOtherDay);
    const isTimestamp = type.base === 'timestamp' || type.base === 'timestamptz';
    return (column, context, out) => {
      const memory = kernel();
      const { rows, startsAt, endsAt } = memory.toMemory(column);
      const draws = memory.addressOf(context.draw());
      const days = isTimestamp
        ? undefined
        : memory.write(rows, (...to) => memory.calls.writeBirthDays(startsAt, endsAt, rows, draws, ...to), toUndefined);
      // Times, days before Christ and what is no day at all: the whole column anew.
      return days ?? others(column, context, out);
    };
  },
});
