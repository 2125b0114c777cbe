// hot path: the dates of COPY text under DateStyle ISO, as days and back. Proleptic Gregorian calendar; day 0 is 1970-01-01; year 0 is 1 BC,
// as PostgreSQL counts. No Date object, no string, no clock. The arithmetic is Howard Hinnant's days_from_civil and its inverse.

/** Not a date, or one so near the ends of PostgreSQL's timestamp (4713 BC, 294276 AD) that a shift could leave it. */
export const noDay = -0x80000000;
const firstYear = -4700;
const lastYear = 294200;
/** 0001-01-01; before it the text ends in BC. */
export const firstOfEra = -719162;

/** Twelve times 400 years: so many that every year and day that comes here is positive, and whole division is `/` and `| 0`. */
const eras = 12;
const daysOfEra = 146097;
const lengths = Uint8Array.of(0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);

export function toDay(year: number, month: number, day: number): number {
  const y = (month <= 2 ? year - 1 : year) + 400 * eras;
  const era = (y / 400) | 0;
  const ofEra = y - era * 400;
  const ofYear = ((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) | 0;
  return (era - eras) * daysOfEra + ofEra * 365 + (ofEra >> 2) - ((ofEra / 100) | 0) + ofYear + day - 1 - 719468;
}

/** The day as year · 512 + month · 32 + day; the year may be negative. */
export function toCivil(day: number): number {
  const z = day + 719468 + eras * daysOfEra;
  const era = (z / daysOfEra) | 0;
  const ofEra = z - era * daysOfEra;
  const yearOfEra = ((ofEra - ((ofEra / 1460) | 0) + ((ofEra / 36524) | 0) - ((ofEra / 146096) | 0)) / 365) | 0;
  const ofYear = ofEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const shifted = ((5 * ofYear + 2) / 153) | 0;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + (era - eras) * 400 + (month <= 2 ? 1 : 0);
  return year * 512 + month * 32 + (ofYear - (((153 * shifted + 2) / 5) | 0) + 1);
}

export function isInfinite(bytes: Uint8Array, start: number, end: number): boolean {
  const at = bytes[start] === 0x2d ? start + 1 : start;
  return end - at === 8 && bytes[at] === 0x69 && bytes[end - 1] === 0x79;
}

export function isBeforeChrist(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start > 3 && bytes[end - 1] === 0x43 && bytes[end - 2] === 0x42 && bytes[end - 3] === 0x20;
}

/** Where the date ends: at the first space, or at the end. */
export function toDateEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] === 0x20) return i;
  return end;
}

/** The day of `YYYY-MM-DD` (more digits of the year allowed), or noDay where that is no day of the calendar. */
export function parseDay(bytes: Uint8Array, start: number, end: number, beforeChrist: boolean): number {
  const dash = end - 6;
  if (dash < start + 4 || dash > start + 7 || bytes[dash] !== 0x2d || bytes[end - 3] !== 0x2d) return noDay;
  const year = parseDigits(bytes, start, dash);
  const month = parseDigits(bytes, dash + 1, dash + 3);
  const day = parseDigits(bytes, end - 2, end);
  if (year < 1 || month < 1 || month > 12 || day < 1) return noDay;
  const civilYear = beforeChrist ? 1 - year : year;
  if (civilYear < firstYear || civilYear > lastYear) return noDay;
  const leap = (civilYear & 3) === 0 && (civilYear % 100 !== 0 || civilYear % 400 === 0);
  if (day > (lengths[month] as number) + (month === 2 && leap ? 1 : 0)) return noDay;
  return toDay(civilYear, month, day);
}

/** Writes the date at `at`, without BC; returns where it ends. At most 12 bytes. */
export function writeDay(bytes: Uint8Array, at: number, day: number): number {
  const civil = toCivil(day);
  const year = civil >> 9;
  at = writeDigits(bytes, at, year > 0 ? year : 1 - year, year > 9999 ? (year > 99999 ? 6 : 5) : 4);
  bytes[at++] = 0x2d;
  at = writeDigits(bytes, at, (civil >> 5) & 15, 2);
  bytes[at++] = 0x2d;
  return writeDigits(bytes, at, civil & 31, 2);
}

/** Writes ` BC` if the day needs it; returns where it ends. */
export function writeEra(bytes: Uint8Array, at: number, day: number): number {
  if (day >= firstOfEra) return at;
  bytes[at++] = 0x20;
  bytes[at++] = 0x42;
  bytes[at++] = 0x43;
  return at;
}

function writeDigits(bytes: Uint8Array, at: number, value: number, count: number): number {
  for (let i = count - 1; i >= 0; i--) {
    bytes[at + i] = 0x30 + (value % 10);
    value = (value / 10) | 0;
  }
  return at + count;
}

/** −1 where a byte is no digit. */
function parseDigits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
