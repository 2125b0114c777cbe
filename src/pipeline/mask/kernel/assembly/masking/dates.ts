// hot path: days of birth: another day of the same five years. Proleptic Gregorian calendar, day 0 is 1970-01-01, as civil-date.ts, the slow twin, has it.
import { isNull, put, putDigit, putNull, toIndex } from './draw';
import { ensure } from './room';

/** 2 digits, or a number above 99. */
// @ts-ignore: decorator
@inline
function two(at: usize): u32 {
  const tens: u32 = <u32>load<u8>(at) - 48;
  const ones: u32 = <u32>load<u8>(at, 1) - 48;
  return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

// @ts-ignore: decorator
@inline
function toDays(year: u32): i32 {
  // From 0000-01-01, a leap year, to the first day of a year from 1 on.
  const y = year - 1;
  return <i32>(366 + y * 365 + y / 4 - y / 100 + y / 400);
}

// @ts-ignore: decorator
@inline
function isLeap(year: u32): bool {
  return (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
}

function toMonthLength(year: u32, month: u32): u32 {
  if (month == 2) return isLeap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Writes the day that is so many days after the first of `year`. */
function writeDay(at: usize, year: u32, ofCohort: i32): void {
  for (;;) {
    const length = isLeap(year) ? 366 : 365;
    if (ofCohort < length) break;
    ofCohort -= length;
    year++;
  }
  // Hinnant's civil_from_days, by years that begin in March: of January and February the days follow those of the other months.
  const march = isLeap(year) ? 60 : 59;
  const shifted = <u32>(ofCohort >= march ? ofCohort - march : ofCohort + 306);
  const number = (5 * shifted + 2) / 153;
  const month = number < 10 ? number + 3 : number - 9;
  const day = shifted - (153 * number + 2) / 5 + 1;
  putDigit(at, year / 1000);
  putDigit(at + 1, (year / 100) % 10);
  putDigit(at + 2, (year / 10) % 10);
  putDigit(at + 3, year % 10);
  store<u8>(at + 4, 45);
  putDigit(at + 5, month / 10);
  putDigit(at + 6, month % 10);
  store<u8>(at + 7, 45);
  putDigit(at + 8, day / 10);
  putDigit(at + 9, day % 10);
}

/** For values `YYYY-MM-DD`. Returns where the last one ends, or −1 − row for the first that is not of this form or no day of the calendar. */
export function writeBirthDays(
  rowStarts: usize, rowEnds: usize, rows: i32, draws: usize, starts: usize, ends: usize, out: usize,
): i32 {
  ensure(out + <usize>rows * 10 + 64);
  for (let row = 0; row < rows; row++, draws += 16) {
    const value = <usize>row << 2;
    if (isNull(rowEnds, value)) {
      putNull(starts, ends, value, out);
      continue;
    }
    const from = <usize>load<u32>(rowStarts + value);
    if (load<u32>(rowEnds + value) - <u32>from != 10 || load<u8>(from, 4) != 45 || load<u8>(from, 7) != 45) return -1 - row;
    const century = two(from);
    const ofCentury = two(from + 2);
    const month = two(from + 5);
    const day = two(from + 8);
    if (century > 99 || ofCentury > 99 || month - 1 > 11 || day == 0) return -1 - row;
    const year = century * 100 + ofCentury;
    const first = year - (year % 5);
    // Of the first years some days are before Christ.
    if (first == 0 || day > toMonthLength(year, month)) return -1 - row;
    const days = toDays(first + 5) - toDays(first);
    writeDay(out, first, toIndex(draws, 0, <u32>days));
    put(starts, ends, value, out, out + 10);
    out += 10;
  }
  return <i32>out;
}
