// Time zones by name, from the tables that Node carries.
import { attempt } from './operand.js';

const formats = new Map<string, readonly Intl.DateTimeFormat[]>();
const minute = 60;

function formatsOf(zone: string): readonly Intl.DateTimeFormat[] {
  let known = formats.get(zone);
  if (known === undefined) {
    // Names of zones are those of the places that use them: CET is one in en-GB and none in en-US.
    known = attempt(() =>
      ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'en-NZ'].map(
        (locale) =>
          new Intl.DateTimeFormat(locale, {
            ...{ timeZone: zone, hourCycle: 'h23', timeZoneName: 'short' },
            ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
          }),
      ),
    );
    formats.set(zone, known);
  }
  return known;
}

/** How far a zone is from UTC at an instant in milliseconds. */
export function offsetAt(zone: string, ms: number): number {
  if (zone === '' || zone === 'UTC' || zone === 'Local') return 0;
  const [format] = formatsOf(zone);
  const whole = Math.floor(ms / 1000) * 1000;
  const parts = new Map(format?.formatToParts(whole).map(({ type, value }) => [type, value]));
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const local = Date.UTC(number('year'), number('month') - 1, number('day'), number('hour'), number('minute'), number('second'));
  return Math.round((local - whole) / 1000);
}

/** An abbreviation where there is one, else the offset, as Go has it: CET, EST, +03. */
export function nameAt(zone: string, ms: number): string {
  if (zone === '' || zone === 'UTC') return 'UTC';
  if (zone === 'Local') return 'UTC';
  for (const format of formatsOf(zone)) {
    const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]{2,5}$/.test(name)) return name;
  }
  const offset = offsetAt(zone, ms);
  const size = Math.abs(offset) / minute;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return (offset < 0 ? '-' : '+') + two(size / 60) + (size % 60 === 0 ? '' : two(size % 60));
}
