import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type Replica, startReplica } from '../support/replica.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { toSmallPlan } from '../support/small-catalogue.js';
import { everything, openTestSource, readText, waitUntil } from '../support/source.js';
import { extractAll } from '../support/extract-all.js';

let server: TestServer;
let replica: Replica;

beforeAll(async () => {
  server = await startTestServer();
  await server.create('shop');
  await server.sql('shop', `CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 5000) i; CREATE UNLOGGED TABLE u (id int)`);
  replica = await startReplica(server);
}, 90_000);
afterAll(async () => {
  await replica?.stop();
  await server.stop();
});

const scope = { include: ['public.t'], exclude: [] };

it('reads a replica under one snapshot, and tells how far it is behind', async () => {
  const source = openTestSource(replica.url('shop'), { settings: { rangeBytes: 32 * 1024 } });
  try {
    const { catalogue } = await source.describe(scope);
    expect(catalogue.server.inRecovery).toBe(true);
    const snapshot = await source.open(toSmallPlan(catalogue), scope);
    expect(snapshot.ranges().length).toBeGreaterThan(3);
    await server.sql('shop', 'INSERT INTO t SELECT 1 FROM generate_series(1, 100)');
    const usage = await extractAll(snapshot, 2, async (_, batches) => void (await readText(batches)));
    expect(usage.rows).toBe(5000);
    expect(usage.replicationLagBytes).toEqual(expect.any(Number));
  } finally {
    await source.close();
  }
});

it('takes a plan that was made on the primary', async () => {
  const primary = openTestSource(server.url('shop'));
  const source = openTestSource(replica.url('shop'));
  try {
    const plan = toSmallPlan((await primary.describe(scope)).catalogue);
    const snapshot = await source.open(plan, scope);
    expect(snapshot.held.id).not.toBe('');
  } finally {
    await source.close();
    await primary.close();
  }
});

it('finds the table whose rows a replica does not have', async () => {
  const { findings } = await openTestSource(replica.url('shop')).describe(everything);
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'SOURCE_UNLOGGED_ON_REPLICA', where: expect.objectContaining({ table: 'u' }) }),
  );
});

it('lets a replica go when its replay waits for our locks', async () => {
  const source = openTestSource(replica.url('shop'), { settings: { blockedMs: 400, watchEveryMs: 50 } });
  try {
    const snapshot = await source.open(toSmallPlan((await source.describe(scope)).catalogue), scope);
    await server.sql('shop', 'ALTER TABLE t ADD more int');
    await expect(snapshot.exceeded).rejects.toMatchObject({ code: 'SOURCE_BUDGET_EXCEEDED', where: { name: 'blockedMs' } });
  } finally {
    await source.close();
  }
});

it('lets a source go when its replica falls too far behind', async () => {
  await waitUntil(async () => (await server.sql('shop', 'SELECT 1 FROM pg_stat_replication')).length > 0);
  const source = openTestSource(server.url('shop'), { settings: { replicationLagBytes: 200_000, watchEveryMs: 50 } });
  try {
    const snapshot = await source.open(toSmallPlan((await source.describe(scope)).catalogue), scope);
    await replica.sql('shop', 'SELECT pg_wal_replay_pause()');
    await server.sql('shop', 'CREATE TABLE lag AS SELECT i, md5(i::text) AS v FROM generate_series(1, 20000) i');
    await expect(snapshot.exceeded).rejects.toMatchObject({ code: 'SOURCE_BUDGET_EXCEEDED', where: { name: 'replicationLagBytes' } });
    expect(snapshot.usage().replicationLagBytes).toBeGreaterThan(200_000);
  } finally {
    await replica.sql('shop', 'SELECT pg_wal_replay_resume()');
    await source.close();
  }
});
