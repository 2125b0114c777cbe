import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from '@jest/globals';

import { parseVerifierKey } from '../../kernel/signed-note.js';
import { type ChainReport, verifyChain } from '../../pipeline/audit/audit.js';
import { deleteLog } from './delete-log.js';
import { eraseOne } from './erase-entry.js';
import { FileAuditSink } from './file-audit-sink.js';
import { openLogFiles } from './log-reader.js';

let home: string;
let sink: FileAuditSink;
const clock = { now: () => Date.parse('2026-11-21T08:00:00.000Z') };
const order = { runId: 'd1', actor: 'p-0000000000000000', reason: 'its time is over', retentionDays: 365 };

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'bauta-test-'));
  sink = new FileAuditSink({ home, period: 'year' });
  for (const year of [2019, 2020, 2026])
    await sink.append({
      ...{ runId: `r${year}`, stage: 'mask', type: 'key.recorded', at: `${year}-03-01T08:00:00.000Z` },
      data: { version: year === 2026 ? 2 : 1, check: `check of ${year === 2026 ? 2 : 1}` },
    });
});
afterEach(() => rmSync(home, { recursive: true }));

const note = (log: string): string => readFileSync(join(home, 'log', log, 'checkpoint'), 'utf8');
function look(...known: string[]): Promise<ChainReport> {
  const verifier = parseVerifierKey(readFileSync(join(home, 'log.pub'), 'utf8'))!;
  return verifyChain(openLogFiles(join(home, 'log')), { verifier, known: known.map((one) => ({ name: 'known', note: one })) });
}
const remove = (log: string, more: object = {}) => deleteLog({ home, sink, clock }, { ...order, log, ...more });

it('deletes the oldest log, says so in the open one, and the chain is whole for whoever knew the deleted one', async () => {
  const known = note('2019');
  const deleted = await remove('2019');
  expect(readdirSync(join(home, 'log')).sort()).toEqual(['2020', '2026']);
  const report = await look(known);
  expect(report.findings).toEqual([]);
  expect(report.deleted).toMatchObject([
    { origin: deleted?.origin, size: 3, log: '2026', entry: deleted?.entry.index, at: '2026-11-21T08:00:00.000Z', done: true },
  ]);
  const [intent] = await sink.read(['log.deleted.intended']);
  expect(intent?.data).toMatchObject({
    retentionDays: 365,
    closedAt: '2020-03-01T08:00:00.000Z',
    reason: { committed: expect.anything() },
  });
});

it('finds a log missing that no entry tells of, and one that was deleted as another than it had ended', async () => {
  renameSync(join(home, 'log', '2019'), join(home, 'elsewhere'));
  expect((await look()).findings).toMatchObject([{ code: 'LOG_MISSING' }]);
  renameSync(join(home, 'elsewhere'), join(home, 'log', '2019'));
  const known = note('2020');
  await remove('2019');
  rmSync(join(home, 'log', '2020'), { recursive: true });
  expect((await look()).findings).toMatchObject([{ code: 'LOG_MISSING' }]);
  expect((await look(known)).findings.map(({ code }) => code)).toEqual(['LOG_MISSING', 'LOG_ROLLED_BACK']);
});

it('keeps of a deleted log what a later run goes by, and tells of every deletion though its entry is deleted, too', async () => {
  const known = [note('2019'), note('2020')];
  await remove('2019');
  expect((await sink.read(['log.carried', 'key.recorded'])).map(({ data }) => data['version'])).toEqual([1, 2]);
  await remove('2020', { retentionDays: 0 });
  expect((await sink.read(['key.recorded'])).map(({ data }) => data['version'])).toEqual([2, 1]);
  const next = new FileAuditSink({ home, period: 'year' });
  await next.append({ runId: 'r', stage: 'mask', type: 'run.started', at: '2029-01-01T00:00:00.000Z', data: {} });
  const later = { home, sink: next, clock: { now: () => Date.parse('2035-01-01T00:00:00.000Z') } };
  await deleteLog(later, { ...order, log: '2026' });
  const report = await look(...known);
  expect([report.findings, report.deleted.map(({ log, done }) => [log, done])]).toEqual([
    [],
    [
      ['2035', true],
      ['2035', true],
      ['2035', true],
    ],
  ]);
  expect((await next.read(['key.recorded'])).map(({ data }) => data['version'])).toEqual([2, 1]);
});

it('refuses the open log, one that is not the oldest, one whose time is not over, and one that is not there', async () => {
  const before = note('2026');
  await expect(remove('2026')).rejects.toMatchObject({ code: 'LOG_OPEN' });
  await expect(remove('2020')).rejects.toMatchObject({ code: 'LOG_NOT_OLDEST' });
  await expect(remove('2019', { retentionDays: 365 * 7 })).rejects.toMatchObject({
    code: 'LOG_RETAINED',
    where: { expected: '2027-02-28T08:00:00.000Z' },
  });
  await expect(remove('2018')).rejects.toMatchObject({ code: 'LOG_UNKNOWN' });
  expect(note('2026')).toBe(before);
});

it('does nothing the second time', async () => {
  await remove('2019');
  const before = note('2026');
  expect(await remove('2019')).toBeUndefined();
  expect(note('2026')).toBe(before);
});

it('erases a person by id or by name and a text by its commitment, with an entry, and the log stays whole', async () => {
  const id = await sink.identify('ada lovelace');
  const text = await sink.keep('ada lovelace asked for it');
  await sink.append({
    runId: 'r',
    stage: 'gate',
    type: 'asked',
    at: '2026-05-01T00:00:00.000Z',
    data: { actor: id, reason: { committed: text } },
  });
  const erase = (what: string) => eraseOne({ home, sink, clock }, { ...order, what });
  expect((await erase('ada lovelace')).of).toBe(id);
  expect((await erase(text)).entry).toBeDefined();
  expect([existsSync(join(home, 'erasable', 'people', id)), existsSync(join(home, 'erasable', 'texts', text.slice(7)))]).toEqual([
    false,
    false,
  ]);
  expect((await look()).findings).toEqual([]);
  expect(await erase(id)).toEqual({ of: id });
  await expect(erase('ada lovelace')).rejects.toMatchObject({ code: 'ERASABLE_UNKNOWN' });
  // The name stands in no entry.
  expect(JSON.stringify(await sink.read([]))).not.toContain('ada lovelace');
});
