// What becomes of what is due: run or skipped, each once, whenever somebody looks and however late.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { dueTimes, nextDue } from '../../documents/documents.js';
import { CAUGHT_UP, ON_TIME_MS, decide } from './decide.js';

const hourly = { cron: '@hourly', timeZone: 'UTC' };
const at = (text: string): number => Date.parse(`2026-06-01T${text}Z`);
const iso = (dates: readonly Date[]): string[] => dates.map((date) => date.toISOString().slice(11, 16));

describe('ten hours in which nobody looked', () => {
  const [from, now] = [at('00:30:00'), at('10:30:00')];

  it('are ten runs with catch-up', () => {
    const { run, skipped, decidedTo } = decide(hourly, { catchUp: true, overlap: true }, from, now);
    expect([iso(run), skipped, iso([decidedTo])]).toEqual([
      ['01:00', '02:00', '03:00', '04:00', '05:00', '06:00', '07:00', '08:00', '09:00', '10:00'],
      undefined,
      ['10:00'],
    ]);
  });

  it('are ten runs one after the other where they must not overlap', () => {
    let decidedTo = from;
    const runs: string[] = [];
    for (let i = 0; i < 10; i++) {
      const decided = decide(hourly, { catchUp: true, overlap: false }, decidedTo, now);
      runs.push(...iso(decided.run));
      decidedTo = decided.decidedTo.getTime();
    }
    expect(runs).toHaveLength(10);
    expect(new Set(runs).size).toBe(10);
    expect(decide(hourly, { catchUp: true, overlap: false }, decidedTo, now).run).toEqual([]);
  });

  it('are no run without catch-up, and it is told which were skipped', () => {
    const { run, skipped, decidedTo } = decide(hourly, { catchUp: false, overlap: true }, from, now);
    expect([run, skipped?.count, iso([skipped?.from ?? new Date(0), skipped?.to ?? new Date(0), decidedTo])]).toEqual([
      [],
      10,
      ['01:00', '10:00', '10:00'],
    ]);
  });

  it('are one run without catch-up when the last of them is still on time', () => {
    const { run, skipped } = decide(hourly, { catchUp: false, overlap: true }, from, at('10:00:00') + ON_TIME_MS);
    expect([iso(run), skipped?.count]).toEqual([['10:00'], 9]);
  });
});

it('catches up no more than the latest hundred, and of the last week', () => {
  const minutes = { cron: '* * * * *', timeZone: 'UTC' };
  const day = decide(minutes, { catchUp: true, overlap: true }, at('00:00:00'), at('23:00:00'));
  expect([day.run.length, day.skipped?.count, iso(day.run.slice(0, 1))]).toEqual([CAUGHT_UP, 23 * 60 - CAUGHT_UP, ['21:21']]);
  const year = decide(hourly, { catchUp: true, overlap: true }, at('00:00:00') - 365 * 86_400_000, at('12:00:00'));
  expect([year.run.length, year.skipped?.from.toISOString()]).toEqual([CAUGHT_UP, '2025-06-01T01:00:00.000Z']);
});

it('is not due again when the clock is set back', () => {
  const way = { catchUp: true, overlap: true };
  const { decidedTo } = decide(hourly, way, at('00:30:00'), at('03:10:00'));
  const back = decide(hourly, way, decidedTo.getTime(), at('01:50:00'));
  expect([back.run, back.decidedTo]).toEqual([[], decidedTo]);
  expect(iso(decide(hourly, way, back.decidedTo.getTime(), at('04:00:00')).run)).toEqual(['04:00']);
});

it('begins on the first day as its zone has it', () => {
  const daily = { cron: '@daily', timeZone: 'America/New_York', startDate: '2026-07-01' };
  expect(nextDue(daily, at('00:00:00'))?.toISOString()).toBe('2026-07-01T04:00:00.000Z');
  expect(nextDue({ ...daily, startDate: '2026-05-01' }, at('12:00:00'))?.toISOString()).toBe('2026-06-02T04:00:00.000Z');
});

it('decides every instant exactly once, whenever somebody looks', () => {
  const cron = fc.constantFrom('*/10 * * * *', '@hourly', '30 2 * * *', '0 0,12 * * *', '15 */3 * * *');
  const looks = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(cron, fc.boolean(), fc.boolean(), looks, (text, catchUp, overlap, minutes) => {
      const rhythm = { cron: text, timeZone: 'Europe/Berlin' };
      const begun = Date.parse('2026-10-24T22:00:00Z');
      let [now, decidedTo, decided] = [begun, begun, 0];
      const runs: number[] = [];
      for (const pause of minutes) {
        now += pause * 60_000;
        const made = decide(rhythm, { catchUp, overlap }, decidedTo, now);
        expect(made.decidedTo.getTime()).toBeGreaterThanOrEqual(decidedTo);
        decidedTo = made.decidedTo.getTime();
        decided += made.run.length + (made.skipped?.count ?? 0);
        runs.push(...made.run.map((date) => date.getTime()));
        if (!catchUp) expect(made.run.every((date) => now - date.getTime() <= ON_TIME_MS)).toBe(true);
      }
      const due: number[] = [];
      for (const { atMs } of dueTimes(rhythm, begun)) {
        if (atMs > decidedTo) break;
        due.push(atMs);
      }
      expect([decided, new Set(runs).size]).toEqual([due.length, runs.length]);
      expect(runs.every((atMs) => due.includes(atMs))).toBe(true);
    }),
  );
});
