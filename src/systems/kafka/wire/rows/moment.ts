// hot path: dates and times of COPY text (DateStyle ISO, TimeZone UTC) as days, or as seconds and microseconds since 1970, and back. Proleptic
// Gregorian calendar; the arithmetic is Howard Hinnant's days_from_civil. No Date object: it knows neither microseconds nor 5874897 AD.
import type { ByteWriter } from './byte-writer.js';

const secondsOfDay = 86400;
const lengths = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** `infinite` is -1, 0 or 1; a moment is `seconds` (may be negative) and 0 to 999 999 `micros` after them. */
export class Moment {
  infinite = 0;
  days = 0;
  seconds = 0;
  micros = 0;

  /** Of `date`. False: no date. */
  readDate(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#readInfinite(bytes, start, end)) return true;
    const era = isBeforeChrist(bytes, start, end);
    return this.#readDay(bytes, start, era ? end - 3 : end, era);
  }

  /** Of `timestamp`, or with `zoned` of `timestamptz` in UTC. */
  readTimestamp(bytes: Uint8Array, start: number, end: number, zoned: boolean): boolean {
    if (this.#readInfinite(bytes, start, end)) return true;
    const era = isBeforeChrist(bytes, start, end);
    if (era) end -= 3;
    if (zoned) {
      if (bytes[end - 3] !== 0x2b || bytes[end - 2] !== 0x30 || bytes[end - 1] !== 0x30) return false;
      end -= 3;
    }
    let space = start;
    while (space < end && bytes[space] !== 0x20) space++;
    if (!this.#readDay(bytes, start, space, era) || !this.readTime(bytes, space + 1, end)) return false;
    this.seconds += this.days * secondsOfDay;
    return true;
  }

  /** Of `time`: 00:00:00 to 24:00:00. */
  readTime(bytes: Uint8Array, start: number, end: number): boolean {
    this.infinite = 0;
    if (end < start + 8 || bytes[start + 2] !== 0x3a || bytes[start + 5] !== 0x3a) return false;
    const hours = digits(bytes, start, start + 2);
    const minutes = digits(bytes, start + 3, start + 5);
    const seconds = digits(bytes, start + 6, start + 8);
    if (hours < 0 || minutes < 0 || seconds < 0 || hours > 24 || minutes > 59 || seconds > 59) return false;
    this.seconds = hours * 3600 + minutes * 60 + seconds;
    this.micros = 0;
    if (end === start + 8) return true;
    if (bytes[start + 8] !== 0x2e || end > start + 15 || end === start + 9) return false;
    const fraction = digits(bytes, start + 9, end);
    if (fraction < 0) return false;
    this.micros = fraction * 10 ** (start + 15 - end);
    return true;
  }

  writeDate(out: ByteWriter): void {
    if (this.infinite !== 0) return writeInfinity(out, this.infinite);
    writeDay(out, this.days);
    writeEra(out, this.days);
  }

  writeTimestamp(out: ByteWriter, zoned: boolean): void {
    if (this.infinite !== 0) return writeInfinity(out, this.infinite);
    const day = Math.floor(this.seconds / secondsOfDay);
    writeDay(out, day);
    out.byte(0x20);
    writeClock(out, this.seconds - day * secondsOfDay, this.micros);
    if (zoned) out.put(utc);
    writeEra(out, day);
  }

  writeTime(out: ByteWriter): void {
    writeClock(out, this.seconds, this.micros);
  }

  #readInfinite(bytes: Uint8Array, start: number, end: number): boolean {
    const at = bytes[start] === 0x2d ? start + 1 : start;
    this.infinite = end - at === 8 && bytes[at] === 0x69 && bytes[end - 1] === 0x79 ? (at === start ? 1 : -1) : 0;
    return this.infinite !== 0;
  }

  #readDay(bytes: Uint8Array, start: number, end: number, beforeChrist: boolean): boolean {
    const dash = end - 6;
    if (dash < start + 4 || dash > start + 7 || bytes[dash] !== 0x2d || bytes[end - 3] !== 0x2d) return false;
    const named = digits(bytes, start, dash);
    const month = digits(bytes, dash + 1, dash + 3);
    const day = digits(bytes, end - 2, end);
    if (named < 1 || month < 1 || month > 12 || day < 1) return false;
    const year = beforeChrist ? 1 - named : named;
    const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    if (day > (lengths[month] as number) + (month === 2 && leap ? 1 : 0)) return false;
    this.days = toDays(year, month, day);
    return true;
  }
}

const utc = Buffer.from('+00');
const christ = Buffer.from(' BC');
const infinity = Buffer.from('infinity');
/** 0001-01-01; before it the text ends in BC. */
const firstOfEra = -719162;

function toDays(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468;
}

function writeDay(out: ByteWriter, days: number): void {
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const ofEra = z - era * 146097;
  const yearOfEra = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36524) - Math.floor(ofEra / 146096)) / 365);
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * ofYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const named = year > 0 ? year : 1 - year;
  writeDigits(out, named, named > 9999 ? String(named).length : 4);
  out.byte(0x2d);
  writeDigits(out, month, 2);
  out.byte(0x2d);
  writeDigits(out, ofYear - Math.floor((153 * shifted + 2) / 5) + 1, 2);
}

function writeClock(out: ByteWriter, seconds: number, micros: number): void {
  writeDigits(out, Math.floor(seconds / 3600), 2);
  out.byte(0x3a);
  writeDigits(out, Math.floor(seconds / 60) % 60, 2);
  out.byte(0x3a);
  writeDigits(out, seconds % 60, 2);
  if (micros === 0) return;
  let count = 6;
  for (; micros % 10 === 0; count--) micros /= 10;
  out.byte(0x2e);
  writeDigits(out, micros, count);
}

function writeEra(out: ByteWriter, days: number): void {
  if (days < firstOfEra) out.put(christ);
}

function writeInfinity(out: ByteWriter, sign: number): void {
  if (sign < 0) out.byte(0x2d);
  out.put(infinity);
}

/** Decimal digits, with zeros before them up to `count`. */
export function writeDigits(out: ByteWriter, value: number, count: number): void {
  out.reserve(count);
  for (let i = out.length + count - 1; i >= out.length; i--) {
    out.bytes[i] = 0x30 + (value % 10);
    value = Math.floor(value / 10);
  }
  out.length += count;
}

function isBeforeChrist(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start > 3 && bytes[end - 1] === 0x43 && bytes[end - 2] === 0x42 && bytes[end - 3] === 0x20;
}

/** −1 where a byte is no digit. */
function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}
