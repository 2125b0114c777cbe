// Layouts of Go's time package: an instant by example, `Mon Jan 2 15:04:05 MST 2006`. Read and written here as OPA's time.* need it.
import { unfit } from './operand.js';

/** Wall clock at a place: the UTC instant, and how far the place is from UTC. */
export interface Moment {
  readonly ns: bigint;
  readonly offsetSeconds: number;
  readonly zone: string;
}

export const months = 'January February March April May June July August September October November December'.split(' ');
export const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

export const layouts: Readonly<Record<string, string>> = {
  ANSIC: 'Mon Jan _2 15:04:05 2006',
  UnixDate: 'Mon Jan _2 15:04:05 MST 2006',
  RubyDate: 'Mon Jan 02 15:04:05 -0700 2006',
  RFC822: '02 Jan 06 15:04 MST',
  RFC822Z: '02 Jan 06 15:04 -0700',
  RFC850: 'Monday, 02-Jan-06 15:04:05 MST',
  RFC1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  RFC1123Z: 'Mon, 02 Jan 2006 15:04:05 -0700',
  RFC3339: '2006-01-02T15:04:05Z07:00',
  RFC3339Nano: '2006-01-02T15:04:05.999999999Z07:00',
};

/** The longest first, as Go finds them; a fraction only where no digit follows it. */
const part =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|002|01|02|03|04|05|06|_2006|__2|_2|15|PM|pm|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5/g;

export interface Fields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  readonly yearDay: number;
  readonly fractionNs: number;
}

const second = 1_000_000_000n;
const floorDivide = (value: bigint, by: bigint): bigint => value / by - (value % by < 0n ? 1n : 0n);

export function toFields({ ns, offsetSeconds }: Moment): Fields {
  const seconds = floorDivide(ns, second);
  const date = new Date((Number(seconds) + offsetSeconds) * 1000);
  const year = date.getUTCFullYear();
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000) + 1,
    fractionNs: Number(ns - seconds * second),
  };
}

const two = (value: number): string => String(value).padStart(2, '0');

function printOffset(seconds: number, form: string): string {
  if (form.startsWith('Z') && seconds === 0) return 'Z';
  const size = Math.abs(seconds);
  const colon = form.includes(':') ? ':' : '';
  const pieces = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60].map(two);
  return (seconds < 0 ? '-' : '+') + pieces.slice(0, form.replace(/[^0-9]/g, '').length / 2).join(colon);
}

function printFraction(ns: number, form: string): string {
  const digits = String(ns)
    .padStart(9, '0')
    .padEnd(form.length - 1, '0')
    .slice(0, form.length - 1);
  if (form.includes('0')) return form.charAt(0) + digits;
  const bare = digits.replace(/0+$/, '');
  return bare === '' ? '' : form.charAt(0) + bare;
}

export function formatTime(moment: Moment, layout: string): string {
  const fields = toFields(moment);
  const { year, month, day, hour, minute } = fields;
  const twelve = hour % 12 === 0 ? 12 : hour % 12;
  const known: Readonly<Record<string, string>> = {
    ...{ '2006': String(year).padStart(4, '0'), _2006: `_${String(year).padStart(4, '0')}`, '06': two(year % 100) },
    ...{ January: months[month - 1] ?? '', Jan: (months[month - 1] ?? '').slice(0, 3), '01': two(month), '1': String(month) },
    ...{ Monday: weekdays[fields.weekday] ?? '', Mon: (weekdays[fields.weekday] ?? '').slice(0, 3) },
    ...{ '02': two(day), _2: String(day).padStart(2), '2': String(day) },
    ...{ '002': String(fields.yearDay).padStart(3, '0'), __2: String(fields.yearDay).padStart(3) },
    ...{ '15': two(hour), '03': two(twelve), '3': String(twelve), PM: hour < 12 ? 'AM' : 'PM', pm: hour < 12 ? 'am' : 'pm' },
    ...{ '04': two(minute), '4': String(minute), '05': two(fields.second), '5': String(fields.second), MST: moment.zone },
  };
  return layout.replace(part, (form) => {
    if (/^[.,]/.test(form)) return printFraction(fields.fractionNs, form);
    return known[form] ?? printOffset(moment.offsetSeconds, form);
  });
}

interface Parsed {
  year: number;
  month: number;
  day: number;
  yearDay: number;
  hour: number;
  minute: number;
  second: number;
  fractionNs: bigint;
  offsetSeconds: number;
  afternoon: boolean | undefined;
}

const numbers: Readonly<Record<string, readonly [keyof Parsed, RegExp]>> = {
  '2006': ['year', /^\d{4}/],
  _2006: ['year', /^_\d{4}/],
  '06': ['year', /^\d\d/],
  '01': ['month', /^\d\d/],
  '1': ['month', /^\d\d?/],
  '02': ['day', /^\d\d/],
  _2: ['day', /^ ?\d\d?/],
  '2': ['day', /^\d\d?/],
  '002': ['yearDay', /^\d{3}/],
  __2: ['yearDay', /^(?: {2}\d| \d\d|\d{3})/],
  '15': ['hour', /^\d\d?/],
  '03': ['hour', /^\d\d/],
  '3': ['hour', /^\d\d?/],
  '04': ['minute', /^\d\d/],
  '4': ['minute', /^\d\d?/],
  '05': ['second', /^\d\d/],
  '5': ['second', /^\d\d?/],
};

const offsets: Readonly<Record<string, RegExp>> = {
  '07': /^[+-]\d\d/,
  '0700': /^[+-]\d{4}/,
  '07:00': /^[+-]\d\d:\d\d/,
  '070000': /^[+-]\d{6}/,
  '07:00:00': /^[+-]\d\d:\d\d:\d\d/,
};

/** Nanoseconds since 1970. What a layout does not say is zero, and UTC. */
export function parseTime(layout: string, text: string): bigint {
  const parsed: Parsed = {
    ...{ year: 0, month: 1, day: 1, yearDay: 0, hour: 0, minute: 0, second: 0, fractionNs: 0n, offsetSeconds: 0 },
    afternoon: undefined,
  };
  let rest = text;
  let from = 0;
  for (const match of layout.matchAll(part)) {
    rest = skip(layout.slice(from, match.index), rest);
    from = match.index + match[0].length;
    rest = readPart(match[0], rest, parsed);
    // Go takes a fraction after the seconds whether the layout has one or not.
    if (/^0?5$/.test(match[0]) && !/^[.,][09]/.test(layout.slice(from))) rest = readFraction(rest, parsed, /^[.,]\d+/);
  }
  if (skip(layout.slice(from), rest) !== '') return unfit();
  return toNs(parsed);
}

function skip(literal: string, text: string): string {
  return text.startsWith(literal) ? text.slice(literal.length) : unfit();
}

function readPart(form: string, text: string, parsed: Parsed): string {
  if (/^[.,]/.test(form))
    return readFraction(text, parsed, form.includes('0') ? new RegExp(`^[.,]\\d{${form.length - 1}}`) : /^[.,]\d+/, form.includes('9'));
  if (/^[-Z]07/.test(form)) return readOffset(form, text, parsed);
  const known = numbers[form];
  if (known !== undefined) return readNumber(form, known, text, parsed);
  switch (form) {
    case 'January':
    case 'Jan':
      return readName(months, form === 'Jan', text, (at) => (parsed.month = at + 1));
    case 'Monday':
    case 'Mon':
      return readName(weekdays, form === 'Mon', text, () => undefined);
    case 'PM':
    case 'pm':
      if (!/^(?:AM|PM)/.test(form === 'pm' ? text.slice(0, 2).toUpperCase() : text)) return unfit();
      parsed.afternoon = text.slice(0, 1).toUpperCase() === 'P';
      return text.slice(2);
    default: {
      // An abbreviation says nothing about how far a place is from UTC, and Go takes it for UTC.
      const zone = /^(?:UTC|[A-Z]{3,5}|[+-]\d\d(?:\d\d)?)/.exec(text)?.[0] ?? unfit();
      return text.slice(zone.length);
    }
  }
}

function readNumber(form: string, [field, pattern]: readonly [keyof Parsed, RegExp], text: string, parsed: Parsed): string {
  const found = pattern.exec(text)?.[0] ?? unfit();
  const value = Number(found.replace(/[ _]/g, ''));
  (parsed as unknown as Record<string, number>)[field] = form === '06' ? value + (value >= 69 ? 1900 : 2000) : value;
  return text.slice(found.length);
}

function readName(names: readonly string[], short: boolean, text: string, found: (at: number) => unknown): string {
  const at = names.findIndex((name) => text.toLowerCase().startsWith((short ? name.slice(0, 3) : name).toLowerCase()));
  if (at < 0) return unfit();
  found(at);
  return text.slice(short ? 3 : (names[at] ?? '').length);
}

function readFraction(text: string, parsed: Parsed, pattern: RegExp, optional = true): string {
  const found = pattern.exec(text)?.[0];
  if (found === undefined) return optional ? text : unfit();
  if (found.length > 10) parsed.fractionNs = BigInt(found.slice(1, 10));
  else parsed.fractionNs = BigInt(found.slice(1).padEnd(9, '0'));
  return text.slice(found.length);
}

function readOffset(form: string, text: string, parsed: Parsed): string {
  if (form.startsWith('Z') && text.startsWith('Z')) return text.slice(1);
  const found = offsets[form.slice(1)]?.exec(text)?.[0] ?? unfit();
  const digits = found.slice(1).replaceAll(':', '').padEnd(6, '0');
  const [hours, minutes, seconds] = [Number(digits.slice(0, 2)), Number(digits.slice(2, 4)), Number(digits.slice(4))];
  if (hours > 24 || minutes > 60 || seconds > 60) return unfit();
  parsed.offsetSeconds = (found.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
  return text.slice(found.length);
}

function toNs(parsed: Parsed): bigint {
  const { year, month, minute, second: seconds } = parsed;
  let { hour, day } = parsed;
  if (parsed.afternoon === true && hour < 12) hour += 12;
  if (parsed.afternoon === false && hour === 12) hour = 0;
  if (parsed.yearDay > 0) day = parsed.yearDay;
  const date = new Date(0);
  date.setUTCFullYear(year, parsed.yearDay > 0 ? 0 : month - 1, day);
  const real =
    parsed.yearDay > 0 ? date.getUTCFullYear() === year : month >= 1 && month <= 12 && day >= 1 && date.getUTCMonth() === month - 1;
  if (!real || hour > 23 || minute > 59 || seconds > 59) return unfit();
  date.setUTCHours(hour, minute, seconds, 0);
  return BigInt(date.getTime()) * 1_000_000n - BigInt(parsed.offsetSeconds) * second + parsed.fractionNs;
}
