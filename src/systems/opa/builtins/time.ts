// time.*: now is the time that stands in the decision's record.
import { Num, toDecimal, type Value } from '../value.js';
import type { Family } from './builtin.js';
import { parseDuration } from './duration.js';
import { type Fields, formatTime, layouts, type Moment, parseTime, toFields, weekdays } from './go-time.js';
import { integerOf, isArray, textOf, toInteger, unfit } from './operand.js';
import { nameAt, offsetAt } from './zone.js';

const max = 2n ** 63n;
const toNs = (ns: bigint): Num => (ns >= max || ns < -max ? unfit() : new Num(ns));

interface Time {
  readonly moment: Moment;
  readonly zoneName: string;
  readonly layout: string;
}

function toMoment(ns: bigint, zone: string): Moment {
  const ms = Number(ns / 1_000_000n);
  return { ns, offsetSeconds: offsetAt(zone, ms), zone: nameAt(zone, ms) };
}

/** Nanoseconds, or `[nanoseconds, zone, layout]`. */
function timeOf(value: Value | undefined): Time {
  const [number, zone = '', layout = ''] = isArray(value) ? value : [value];
  const literal = number instanceof Num ? number.literal : unfit();
  // OPA reads a number with a point as a double and takes it where it is whole.
  const ns = toInteger(literal) ?? unfit();
  if (ns >= max || ns < -max || toDecimal(literal).exponent < 0) return unfit();
  const zoneName = textOf(zone);
  return { moment: toMoment(ns, zoneName), zoneName, layout: textOf(layout) };
}

/** The instant at which a clock of the zone shows these fields, months and days beyond their ends counted on. */
function toInstant(fields: Fields, zone: string): bigint {
  const date = new Date(0);
  date.setUTCFullYear(fields.year, fields.month - 1, fields.day);
  date.setUTCHours(fields.hour, fields.minute, fields.second, 0);
  const local = date.getTime();
  if (Number.isNaN(local)) return unfit();
  const first = offsetAt(zone, local);
  const offset = first === 0 ? 0 : offsetAt(zone, local - first * 1000);
  return BigInt(local - offset * 1000) * 1_000_000n + BigInt(fields.fractionNs);
}

function addDate([time, years, months, days]: readonly Value[]): Num {
  const { moment, zoneName } = timeOf(time);
  const fields = toFields(moment);
  const moved = {
    ...fields,
    year: fields.year + integerOf(years),
    month: fields.month + integerOf(months),
    day: fields.day + integerOf(days),
  };
  return toNs(toInstant(moved, zoneName));
}

/** Years, months, days, hours, minutes and seconds between two times, at the first one's place. */
function diff([first, second]: readonly Value[]): Num[] {
  const a = timeOf(first);
  const b = toMoment(timeOf(second).moment.ns, a.zoneName);
  const [from, to] = a.moment.ns > b.ns ? [toFields(b), toFields(a.moment)] : [toFields(a.moment), toFields(b)];
  const parts = [
    to.year - from.year,
    to.month - from.month,
    to.day - from.day,
    to.hour - from.hour,
    to.minute - from.minute,
    to.second - from.second,
  ];
  const daysOfMonth = new Date(Date.UTC(from.year, from.month, 0)).getUTCDate();
  for (const [at, size] of [
    [5, 60],
    [4, 60],
    [3, 24],
    [2, daysOfMonth],
    [1, 12],
  ] as const) {
    const part = parts[at] ?? 0;
    if (part >= 0) continue;
    parts[at] = part + size;
    parts[at - 1] = (parts[at - 1] ?? 0) - 1;
  }
  return parts.map((part) => new Num(part));
}

const fieldsOf = (value: Value | undefined): Fields => toFields(timeOf(value).moment);
const layoutOf = (name: string): string => layouts[name] ?? name;

export const timeBuiltins: Family = {
  'time.now_ns': (_, { nowNs }) => new Num(nowNs),
  'time.parse_ns': ([layout, text]) => toNs(parseTime(layoutOf(textOf(layout)), textOf(text))),
  'time.parse_rfc3339_ns': ([text]) => toNs(parseTime(layoutOf('RFC3339'), textOf(text))),
  'time.parse_duration_ns': ([text]) => new Num(parseDuration(textOf(text))),
  'time.format': ([time]) => {
    const { moment, layout } = timeOf(time);
    return formatTime(moment, layoutOf(layout === '' ? 'RFC3339Nano' : layout));
  },
  'time.date': ([time]) => {
    const { year, month, day } = fieldsOf(time);
    return [year, month, day].map((part) => new Num(part));
  },
  'time.clock': ([time]) => {
    const { hour, minute, second } = fieldsOf(time);
    return [hour, minute, second].map((part) => new Num(part));
  },
  'time.weekday': ([time]) => weekdays[fieldsOf(time).weekday],
  'time.add_date': addDate,
  'time.diff': diff,
};
