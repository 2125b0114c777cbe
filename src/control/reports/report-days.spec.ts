import { expect, it } from '@jest/globals';

import { type Known, SETTLE_MS, findReportDays } from './report-days.js';

const at = (text: string): number => Date.parse(text);
const began: Known = { last: null, beganMs: at('2026-01-01T00:00:00Z') };
const shown = (zone: string, known: Known, now: string): readonly string[] =>
  findReportDays(zone, known, at(now) + SETTLE_MS).map(
    ({ day, fromMs, toMs }) => `${day} ${new Date(fromMs).toISOString().slice(0, 16)} ${new Date(toMs).toISOString().slice(0, 16)}`,
  );

it('begins with the day before, and with none that was over before the log began', () => {
  expect(shown('UTC', began, '2026-11-22T00:00:00Z')).toEqual(['2026-11-21 2026-11-21T00:00 2026-11-22T00:00']);
  expect(shown('UTC', began, '2026-11-22T23:59:59Z')).toEqual(['2026-11-21 2026-11-21T00:00 2026-11-22T00:00']);
  expect(shown('UTC', { last: null, beganMs: at('2026-11-22T00:00:00Z') }, '2026-11-22T12:00:00Z')).toEqual([]);
});

it('waits a little after midnight for what was done before it', () => {
  const last = { day: '2026-11-20', toMs: at('2026-11-21T00:00:00Z') };
  const now = at('2026-11-22T00:00:00Z');
  expect(findReportDays('UTC', { ...began, last }, now + SETTLE_MS - 1)).toEqual([]);
  expect(findReportDays('UTC', { ...began, last }, now + SETTLE_MS)).toHaveLength(1);
});

it('makes up for every day of an outage, each once and none together', () => {
  const last = { day: '2026-10-23', toMs: at('2026-10-23T22:00:00Z') };
  expect(shown('Europe/Vienna', { ...began, last }, '2026-10-26T23:30:00Z')).toEqual([
    '2026-10-24 2026-10-23T22:00 2026-10-24T22:00',
    // 25 hours: clocks were set back.
    '2026-10-25 2026-10-24T22:00 2026-10-25T23:00',
    '2026-10-26 2026-10-25T23:00 2026-10-26T23:00',
  ]);
});

it('goes on where the last one ended when the zone is another: nothing falls between, and no day is told twice', () => {
  const last = { day: '2026-11-20', toMs: at('2026-11-20T23:00:00Z') };
  expect(shown('UTC', { ...began, last }, '2026-11-22T00:00:00Z')).toEqual(['2026-11-21 2026-11-20T23:00 2026-11-22T00:00']);
});
