// Laws of days and times, as the server writes them: YYYY-MM-DD[ HH:MM:SS[.ffffff][+hh]][ BC].
import type { Unit } from '../../law.js';

interface Moment {
  /** Year 0 is 1 BC. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** Of 1970-01-01. */
  readonly number: number;
  /** With the zone's offset; empty for a day. */
  readonly time: string;
}

function toMoment(text: string): Moment | undefined {
  const [all, years = '', months = '', days = '', time = '', era] =
    /^(\d{4,})-(\d\d)-(\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d(?::\d\d)*)?))?( BC)?$/.exec(text) ?? [];
  if (all === undefined) return undefined;
  const year = era ? 1 - Number(years) : Number(years);
  return { year, month: Number(months), day: Number(days), number: toNumber(year, Number(months), Number(days)), time };
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar (years of 365 days, and the leap days before). */
function toNumber(year: number, month: number, day: number): number {
  // March is the first month, so that the leap day is the last.
  const years = month > 2 ? year : year - 1;
  const leapDays = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  return 365 * years + leapDays + Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 719_469;
}

const isEndless = (text: string): boolean => /^-?infinity$/.test(text);

function compare(original: string, output: string, holds: (before: Moment, after: Moment) => boolean): boolean | undefined {
  if (isEndless(original)) return original === output;
  const [before, after] = [toMoment(original), toMoment(output)];
  return before && (after ? holds(before, after) : false);
}

const isMidnight = ({ time }: Moment): boolean => time === '' || /^00:00:00(\+|-|$)/.test(time);

export function isCohortKept(years: number, original: string, output: string): boolean | undefined {
  return compare(
    original,
    output,
    (before, after) => Math.floor(before.year / years) === Math.floor(after.year / years) && isMidnight(after),
  );
}

export function isMoved(most: number, original: string, output: string): boolean | undefined {
  return compare(original, output, (before, after) => {
    const days = Math.abs(after.number - before.number);
    return days >= 1 && days <= most && before.time === after.time;
  });
}

const years: Readonly<Partial<Record<Unit, number>>> = { century: 100, decade: 10, lustrum: 5, year: 1, quarter: 1, month: 1 };
const months: Readonly<Partial<Record<Unit, number>>> = { quarter: 3, month: 1 };
const kept: Readonly<Partial<Record<Unit, number>>> = { hour: 2, minute: 5, second: 8 };

/** Whether it is the first moment of the unit that the original lies in. */
export function isPeriodOf(unit: Unit, original: string, output: string): boolean | undefined {
  return compare(original, output, (before, after) => {
    const width = years[unit];
    if (width === undefined) {
      const time = `${before.time.slice(0, kept[unit] ?? 0)}${'00:00:00'.slice(kept[unit] ?? 0)}`;
      return before.number === after.number && (before.time === '' || after.time.slice(0, 8) === time) && !after.time.includes('.');
    }
    const month = months[unit] === undefined ? 1 : before.month - ((before.month - 1) % (months[unit] ?? 1));
    const year = Math.floor(before.year / width) * width;
    return after.number === toNumber(year, month, 1) && isMidnight(after);
  });
}
