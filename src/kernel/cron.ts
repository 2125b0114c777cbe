// When a cron expression is due, in a time zone. Five fields, or six with seconds first, or @hourly, @daily, @weekly, @monthly.
// Which hours are listed decides what a change of the clocks does. Not all of them: the expression names times on a clock, and each is due once,
// the first time it is shown; one that is skipped is due when the clock goes on. Every hour: it names a rhythm, and is due whenever a clock shows it.
import { type DayOfZone, dayOfZone, offsetAt, toInstants } from './zone.js';

export interface Cron {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Both day fields are restricted: it is enough that one of them fits. */
  readonly eitherDay: boolean;
}

export interface DueInstant {
  readonly atMs: number;
  /** `moved`: its time is skipped that day, it is due when the clock goes on. `first of two`: clocks show its time twice. */
  readonly change?: 'moved' | 'first of two';
}

const presets: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
};
const monthNames = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface Field {
  readonly from: number;
  readonly to: number;
  readonly names?: readonly string[];
  readonly doc: string;
}

const fields: readonly Field[] = [
  { from: 0, to: 59, doc: 'seconds from 0 to 59' },
  { from: 0, to: 59, doc: 'minutes from 0 to 59' },
  { from: 0, to: 23, doc: 'hours from 0 to 23' },
  { from: 1, to: 31, doc: 'days of the month from 1 to 31' },
  { from: 1, to: 12, names: monthNames, doc: 'months from 1 to 12 or JAN to DEC' },
  { from: 0, to: 7, names: weekdayNames, doc: 'days of the week from 0 to 7 or SUN to SAT' },
];

/** `expected`: what it should have been, where it is no cron expression. */
export function parseCron(text: string): { readonly cron?: Cron; readonly expected?: string } {
  const words = (presets[text] ?? text).trim().split(/[ \t]+/);
  if (words.length !== 5 && words.length !== 6)
    return { expected: 'five fields (minute hour day month weekday), six with seconds first, or @hourly, @daily, @weekly or @monthly' };
  const written = words.length === 5 ? ['0', ...words] : words;
  const parsed = fields.map((field, i) => parseField(field, written[i] ?? ''));
  const wrong = parsed.findIndex((values) => values === undefined);
  if (wrong >= 0) return { expected: `${fields[wrong]?.doc}, as *, 5, 1-5, 1-9/2, */2 or a list of these` };
  const [seconds = [], minutes = [], hours = [], days = [], months = [], weekdays = []] = parsed as number[][];
  // As cron has it: a field that begins with a star does not count as restricted.
  const eitherDay = !written[3]?.startsWith('*') && !written[5]?.startsWith('*');
  const cron: Cron = {
    ...{ seconds, minutes, hours, eitherDay, days: new Set(days), months: new Set(months) },
    weekdays: new Set(weekdays.map((day) => day % 7)),
  };
  const longest = Math.max(...months.map((month) => [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0));
  if (!eitherDay && !days.some((day) => day <= longest)) return { expected: 'a day that one of its months has' };
  return { cron };
}

function parseField(field: Field, text: string): readonly number[] | undefined {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [, range = '', step] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(part) ?? [];
    const [from, to] = range === '*' ? [field.from, field.to] : parseRange(field, range, step !== undefined);
    const by = step === undefined ? 1 : Number(step);
    if (from === undefined || to === undefined || from > to || by < 1) return undefined;
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

function parseRange(field: Field, text: string, stepped: boolean): readonly (number | undefined)[] {
  const ends = text.split('-');
  if (ends.length > 2 || (ends.length === 1 && stepped)) return [];
  const [from, to] = ends.map((end, i) => parseValue(field, end, i === 1));
  return ends.length === 1 ? [from, from] : [from, to];
}

function parseValue({ from, to, names }: Field, text: string, last: boolean): number | undefined {
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  // A week may end with Sunday.
  if (named >= 0) return last && named === 0 && from === 0 ? to : named + from;
  return /^\d{1,2}$/.test(text) && Number(text) >= from && Number(text) <= to ? Number(text) : undefined;
}

const [SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS] = [1000, 60_000, 3_600_000, 86_400_000];
/** 29 February may be eight years away; with a weekday both fields together are an `or`. */
const DAYS_AHEAD = 9 * 366;

/** In order, after `afterMs`; ends where nothing is due for nine years. */
export function* dueAfter(cron: Cron, zone: string, afterMs: number): Generator<DueInstant> {
  let lastMs = afterMs;
  // Where a whole day was skipped, what was due on it is due on the next.
  const today = Math.floor((afterMs + offsetAt(zone, afterMs)) / DAY_MS) * DAY_MS - DAY_MS;
  for (let [dayMs, quiet] = [today, 0]; quiet < DAYS_AHEAD; dayMs += DAY_MS, quiet++) {
    if (!isDueOn(cron, new Date(dayMs))) continue;
    for (const due of dueOn(cron, dayOfZone(zone, dayMs), dayMs, lastMs)) {
      if (due.atMs <= lastMs) continue;
      lastMs = due.atMs;
      quiet = 0;
      yield due;
    }
  }
}

function isDueOn({ days, months, weekdays, eitherDay }: Cron, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1)) return false;
  const [fitsDay, fitsWeekday] = [days.has(day.getUTCDate()), weekdays.has(day.getUTCDay())];
  return eitherDay ? fitsDay || fitsWeekday : fitsDay && fitsWeekday;
}

/** What is due on one day, in order; of the hours before `lastMs` perhaps nothing. */
function dueOn(cron: Cron, day: DayOfZone, dayMs: number, lastMs: number): Iterable<DueInstant> {
  if (day.changeAtMs === Infinity) return plainDay(cron, dayMs, day.offsetAfterMs, lastMs);
  const everyHour = cron.hours.length === 24;
  const found = new Map<number, DueInstant>();
  for (const { atMs: localMs } of plainDay(cron, dayMs, 0, -Infinity)) {
    const instants = toInstants(day, localMs);
    const [first] = instants;
    if (first === undefined) {
      if (!everyHour && !found.has(day.changeAtMs)) found.set(day.changeAtMs, { atMs: day.changeAtMs, change: 'moved' });
    } else if (everyHour) for (const atMs of instants) found.set(atMs, { atMs });
    else found.set(first, { atMs: first, ...(instants.length > 1 ? { change: 'first of two' } : {}) });
  }
  return [...found.values()].sort((a, b) => a.atMs - b.atMs);
}

function* plainDay({ seconds, minutes, hours }: Cron, dayMs: number, offsetMs: number, lastMs: number): Generator<DueInstant> {
  for (const hour of hours) {
    const hourMs = dayMs - offsetMs + hour * HOUR_MS;
    if (hourMs + HOUR_MS <= lastMs) continue;
    for (const minute of minutes) {
      const minuteMs = hourMs + minute * MINUTE_MS;
      if (minuteMs + MINUTE_MS <= lastMs) continue;
      for (const second of seconds) yield { atMs: minuteMs + second * SECOND_MS };
    }
  }
}
