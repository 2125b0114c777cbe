// Cron over the changes of the clocks, as a table; and for any expression against clocks that are looked at second by second.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { dueAfter, parseCron } from './cron.js';
import { isTimeZone, toLocalTimestamp } from './zone.js';

function due(text: string, zone: string, from: string, to: string): string[] {
  const { cron } = parseCron(text);
  if (!cron) throw new Error(`${text} is no cron expression`);
  const found: string[] = [];
  for (const { atMs, change } of dueAfter(cron, zone, Date.parse(from) - 1)) {
    if (atMs >= Date.parse(to)) break;
    found.push(`${toLocalTimestamp(zone, atMs)}${change ? ` ${change}` : ''}`);
  }
  return found;
}

const berlin = 'Europe/Berlin';
const newYork = 'America/New_York';

describe('when clocks are set forward and back', () => {
  // Berlin: 2026-03-29 02:00 → 03:00, 2026-10-25 03:00 → 02:00. New York: 2026-03-08 02:00 → 03:00, 2026-11-01 02:00 → 01:00.
  it.each([
    ['a time that is skipped is due when the clock goes on', '30 2 * * *', berlin, '2026-03-29', ['2026-03-29T03:00:00+02:00 moved']],
    ['so is one in New York', '30 2 * * *', newYork, '2026-03-08', ['2026-03-08T03:00:00-04:00 moved']],
    ['several skipped times are one', '0,15,30 2 * * *', berlin, '2026-03-29', ['2026-03-29T03:00:00+02:00 moved']],
    ['and one with the time that follows', '0 2,3 * * *', berlin, '2026-03-29', ['2026-03-29T03:00:00+02:00']],
    ['the first second after the gap is itself', '0 3 * * *', newYork, '2026-03-08', ['2026-03-08T03:00:00-04:00']],
    ['the last second before the gap is itself', '59 59 1 * * *', berlin, '2026-03-29', ['2026-03-29T01:59:59+01:00']],
    ['a time that exists twice is due the first time', '30 2 * * *', berlin, '2026-10-25', ['2026-10-25T02:30:00+02:00 first of two']],
    ['also in New York', '30 1 * * *', newYork, '2026-11-01', ['2026-11-01T01:30:00-04:00 first of two']],
    ['the hour after is itself', '0 3 * * *', berlin, '2026-10-25', ['2026-10-25T03:00:00+01:00']],
    ['the hour after is itself in New York', '0 2 * * *', newYork, '2026-11-01', ['2026-11-01T02:00:00-05:00']],
    [
      'every second hour loses none and doubles none',
      '0 */2 * * *',
      berlin,
      '2026-10-25',
      [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22].map((hour) =>
        hour === 2
          ? '2026-10-25T02:00:00+02:00 first of two'
          : `2026-10-25T${String(hour).padStart(2, '0')}:00:00${hour < 2 ? '+02:00' : '+01:00'}`,
      ),
    ],
    ['@daily is due once', '@daily', berlin, '2026-10-25', ['2026-10-25T00:00:00+02:00']],
    ['@weekly is due once', '@weekly', newYork, '2026-03-08', ['2026-03-08T00:00:00-05:00']],
    ['@monthly is due once', '@monthly', newYork, '2026-11-01', ['2026-11-01T00:00:00-04:00']],
  ])('%s: %s in %s on %s', (_, text, zone, day, expected) => {
    expect(due(text, zone, `${day}T00:00:00${zone === berlin ? (day > '2026-04' ? '+02:00' : '+01:00') : day > '2026-10' ? '-04:00' : '-05:00'}`, `${day}T22:30:00Z`)).toEqual(expected); // prettier-ignore
  });

  it.each([
    ['@hourly', berlin, '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 23],
    ['@hourly', berlin, '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 25],
    ['*/5 * * * *', newYork, '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z', 23 * 12],
    ['*/5 * * * *', newYork, '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z', 25 * 12],
    ['0 30 0-23 * * *', newYork, '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z', 25],
  ])('a rhythm goes on through the change: %s in %s', (text, zone, from, to, count) => {
    const found = due(text, zone, from, to);
    expect([found.length, new Set(found).size]).toEqual([count, count]);
  });

  it('knows half hours, clocks that change at midnight and a day that never was', () => {
    // Lord Howe: 30 minutes; Havana: 00:00 → 01:00; Apia had no 30 December 2011.
    expect(due('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T13:00:00Z', '2026-10-04T13:00:00Z')).toEqual([
      '2026-10-04T02:30:00+11:00 moved',
    ]);
    expect(due('0 0 * * *', 'America/Havana', '2026-03-07T12:00:00Z', '2026-03-08T12:00:00Z')).toEqual(['2026-03-08T01:00:00-04:00 moved']);
    expect(due('0 10 * * *', 'Pacific/Apia', '2011-12-29T11:00:00Z', '2011-12-31T12:00:00Z')).toEqual([
      '2011-12-29T10:00:00-10:00',
      '2011-12-31T00:00:00+14:00 moved',
      '2011-12-31T10:00:00+14:00',
    ]);
  });
});

describe('what an expression says', () => {
  const days = (text: string): string[] => due(text, 'UTC', '2026-06-01T00:00:00Z', '2026-07-01T00:00:00Z').map((at) => at.slice(8, 10));

  it.each([
    ['0 0 13 * FRI', ['05', '12', '13', '19', '26'], 'with both days restricted one of them is enough'],
    ['0 0 */10 * MON', ['01'], 'a day that begins with a star does not restrict: both have to fit'],
    ['0 0 * 6 SAT-SUN', ['06', '07', '13', '14', '20', '21', '27', '28'], 'a week may end with Sunday'],
    ['0 0 1-10/3 6,7 *', ['01', '04', '07', '10'], 'steps within a range'],
    ['0 0 * * 7', ['07', '14', '21', '28'], 'seven is Sunday'],
  ])('%s is due on %j', (text, expected) => expect(days(text)).toEqual(expected));

  it('waits for 29 February, eight years if need be', () => {
    const { cron } = parseCron('0 0 29 FEB *');
    const [first] = cron ? dueAfter(cron, 'UTC', Date.parse('2096-03-01T00:00:00Z')) : [];
    expect(new Date(first?.atMs ?? 0).toISOString()).toBe('2104-02-29T00:00:00.000Z');
  });

  it.each([
    ...['', '* * * *', '* * * * * * *', '@yearly', '@reboot', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 13 *'],
    ...['* * * * 8', '5/2 * * * *', '*/0 * * * *', '5-1 * * * *', 'a * * * *', '1,,2 * * * *', '1-2-3 * * * *', '* * L * *', '? * * * *'],
    ...['0 0 30 2 *', '0 0 31 4,6,9,11 *', '-1 * * * *', '1.5 * * * *', '* * * * MONDAY', `${'1,'.repeat(9)} * * * *`],
  ])('%j is refused, with what was expected', (text) => {
    const { cron, expected } = parseCron(text);
    expect([cron, typeof expected]).toEqual([undefined, 'string']);
  });

  it('takes the zones of the world and nothing else', () => {
    for (const zone of [berlin, newYork, 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])
      expect([zone, isTimeZone(zone)]).toEqual([zone, true]);
    for (const zone of ['', 'Mars/Olympus', '+02:00', 'Europe/Berlin ', '../etc/localtime', 'europe/berlin/x/y'])
      expect([zone, isTimeZone(zone)]).toEqual([zone, false]);
  });
});

it('is due in any zone when a clock on the wall says so, each time once', () => {
  const step = fc.constantFrom('*', '*/7', '0', '30', '5,35', '10-20/5');
  const hour = fc.constantFrom('*', '*/3', '0', '1', '2', '3', '1-3', '23', '0,2');
  const day = fc.constantFrom('* * *', '* * SUN', '25,29,1,8 * *', '28 3,10 MON');
  const around = fc.constantFrom(
    ...[['Europe/Berlin', '2026-03-29'], ['Europe/Berlin', '2026-10-25'], ['America/New_York', '2026-03-08']],
    ...[['America/New_York', '2026-11-01'], ['Australia/Lord_Howe', '2026-04-05'], ['America/Havana', '2026-11-01'], ['Asia/Kolkata', '2026-05-05']],
  ); // prettier-ignore
  fc.assert(
    fc.property(step, hour, day, around, (minute, hours, rest, [zone = '', date = '']) => {
      const text = `${minute} ${hours} ${rest}`;
      const from = Date.parse(`${date}T00:00:00Z`) - 30 * 3_600_000;
      const found = due(text, zone, new Date(from).toISOString(), new Date(from + 3 * 86_400_000).toISOString());
      const clock = readClock(text, zone, from, from + 3 * 86_400_000);
      const plain = found.filter((at) => !at.endsWith('moved'));
      // A time that moved onto one that is due anyway is that one.
      expect(plain).toEqual(hours === '*' ? clock.every : clock.once.map((at) => plain.find((other) => other.startsWith(at)) ?? at));
      if (hours === '*') expect(plain).toEqual(found);
    }),
    { numRuns: 150 },
  );
});

/** Another way to the same: every minute is asked what the clock shows, and the field texts are expanded by hand. */
function readClock(text: string, zone: string, from: number, to: number): { every: string[]; once: string[] } {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = text.split(' ');
  const fits = (field: string, value: number, names: readonly string[] = []): boolean =>
    field.split(',').some((part) => {
      const [range = '', step = '1'] = part.split('/');
      const [low = '', high = low] = range.split('-');
      const at = (end: string): number => (names.includes(end) ? names.indexOf(end) : Number(end));
      return range === '*' ? value % Number(step) === 0 : value >= at(low) && value <= at(high) && (value - at(low)) % Number(step) === 0;
    });
  const every: string[] = [];
  const once = new Map<string, string>();
  for (let at = from; at < to; at += 60_000) {
    const shown = toLocalTimestamp(zone, at);
    const local = new Date(`${shown.slice(0, 19)}Z`);
    const fitsDay = day === '*' || fits(day, local.getUTCDate());
    const fitsWeekday = weekday === '*' || fits(weekday, local.getUTCDay(), ['SUN', 'MON']);
    const either = day !== '*' && weekday !== '*' ? fitsDay || fitsWeekday : fitsDay && fitsWeekday;
    const fitsMonth = month === '*' || fits(month, local.getUTCMonth() + 1);
    if (!either || !fitsMonth || !fits(minute, local.getUTCMinutes()) || !fits(hour, local.getUTCHours())) continue;
    every.push(shown);
    if (!once.has(shown.slice(0, 16))) once.set(shown.slice(0, 16), shown);
  }
  return { every, once: [...once.values()] };
}
