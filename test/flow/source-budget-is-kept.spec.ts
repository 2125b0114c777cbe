import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import type { Snapshot } from '../../src/pipeline/ports.js';
import type { PostgresSource, SourceSettings } from '../../src/systems/postgres/source/source.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { toSmallPlan } from '../support/small-catalogue.js';
import { countSessions, everything, openTestSource, readText, waitUntil } from '../support/source.js';
import { extractAll } from '../support/extract-all.js';

let server: TestServer;
const open: PostgresSource[] = [];

beforeAll(async () => {
  server = await startTestServer();
  await server.create('shop');
  await server.sql('shop', `CREATE TABLE big AS SELECT i AS id, repeat(md5(i::text), 8) AS note FROM generate_series(1, 20000) i`);
}, 60_000);
afterAll(() => server.stop());
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()));
  expect(await countSessions(server, 'shop')).toBe(0);
});

async function openSnapshot(settings: Partial<SourceSettings>, url = server.url('shop')): Promise<Snapshot> {
  const source = openTestSource(url, { settings: { watchEveryMs: 50, ...settings } });
  open.push(source);
  return source.open(toSmallPlan((await source.describe(everything)).catalogue), everything);
}

it('lets the source go when the snapshot is too old, and every reader hears of it', async () => {
  const snapshot = await openSnapshot({ snapshotMaxAgeMs: 400, batchBytes: 4096 });
  const reading = extractAll(snapshot, 1, async (_, batches) => {
    for await (const batch of batches) {
      expect(batch.bytes.length).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  await expect(reading).rejects.toMatchObject({
    code: 'SOURCE_BUDGET_EXCEEDED',
    class: 'UnavailableError',
    where: { name: 'snapshotMaxAgeMs', expected: '400 ms', stage: 'extract' },
  });
  await waitUntil(async () => (await countSessions(server, 'shop')) === 0, 1000);
});

it('reads no faster than the rate that is set', async () => {
  const snapshot = await openSnapshot({ rowsPerSecond: 25_000, batchBytes: 65_536 });
  const before = Date.now();
  const { rows } = await extractAll(snapshot, 2, async (_, batches) => void (await readText(batches)));
  expect(rows).toBe(20_000);
  expect(Date.now() - before).toBeGreaterThanOrEqual(780);
});

it('closes at once while a reader waits for the rate', async () => {
  const snapshot = await openSnapshot({ rowsPerSecond: 1 });
  const reading = extractAll(snapshot, 1, async (_, batches) => void (await readText(batches)));
  reading.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = Date.now();
  await snapshot.close();
  await expect(reading).rejects.toMatchObject({ code: 'EXTRACT_CLOSED' });
  expect(Date.now() - before).toBeLessThan(1000);
});

it('ends a statement that takes longer than the statement timeout', async () => {
  const slow = { where: 'id = 1 AND (SELECT count(*) FROM pg_catalog.generate_series(1, 2000000000)) > 0' };
  const source = openTestSource(server.url('shop'), { settings: { statementTimeoutMs: 300 } });
  open.push(source);
  const plan = toSmallPlan((await source.describe(everything)).catalogue, () => ({ rows: slow }));
  const snapshot = await source.open(plan, everything);
  const reading = extractAll(snapshot, 1, async (_, batches) => void (await readText(batches)));
  await expect(reading).rejects.toMatchObject({ code: 'STATEMENT_TIMEOUT', where: { stage: 'extract', table: 'big' } });
});

it('counts only those who wait for us, and forgets nobody who did', async () => {
  const snapshot = await openSnapshot({ blockedMs: 5_000 });
  const waits = (text: string): Promise<unknown> => server.sql('shop', `SET lock_timeout = '400ms'; ${text}`).catch(() => undefined);
  const elsewhere = server.sql('shop', 'BEGIN; SELECT pg_advisory_xact_lock(7); SELECT pg_sleep(0.8); COMMIT');
  await waitUntil(async () => (await server.sql('shop', `SELECT 1 FROM pg_locks WHERE locktype = 'advisory'`)).length > 0);
  await waits('SELECT pg_advisory_xact_lock(7)');
  await elsewhere;
  expect(snapshot.usage().longestBlockedMs).toBe(0);
  await waits('LOCK TABLE big IN ACCESS EXCLUSIVE MODE');
  expect(snapshot.usage().longestBlockedMs).toBeGreaterThan(200);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(snapshot.usage().longestBlockedMs).toBeGreaterThan(200);
});

it('reports what the source had to bear', async () => {
  const snapshot = await openSnapshot({});
  const usage = await extractAll(snapshot, 1, async (_, batches) => void (await readText(batches)));
  expect(usage).toEqual({
    rows: 20_000,
    bytes: expect.any(Number),
    snapshotAgeMs: expect.any(Number),
    longestBlockedMs: 0,
    replicationLagBytes: null,
  });
  expect(usage.bytes).toBeGreaterThan(5_000_000);
});
