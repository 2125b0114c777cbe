// However many rows there are, and whatever a list is filtered by, a page of it reads no more rows than it shows: counted by the database itself.
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { Metadata, type Transaction } from '../../src/systems/metadata/metadata.js';
import { toStates } from '../../src/control/schedules/schedule-view.js';
import { countRowsRead } from '../support/rows-read.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { prepareMetadata } from '../support/service.js';

const RUNS = 20_000;
const PAGE = 50;
let server: TestServer;
let metadata: Metadata;
let workspace: string;

beforeAll(async () => {
  server = await startTestServer();
  const urls = await prepareMetadata(server, 'metadata');
  await server.sql('metadata', world);
  workspace = String((await server.sql('metadata', `SELECT id FROM bauta.workspace WHERE name = 'default'`))[0]?.['id']);
  await server.sql('postgres', `ALTER DATABASE metadata SET log_statement = 'all'`);
  // One session: what it read is asked of it.
  metadata = await Metadata.open(urls.service, 1);
});
afterAll(async () => {
  await metadata.close();
  await server.stop();
});

/** Two workspaces with as many runs; all but ten have ended. */
const world = `
  INSERT INTO bauta.workspace (name) VALUES ('foreign');
  INSERT INTO bauta.person (workspace_id, name) SELECT id, 'ada' FROM bauta.workspace;
  INSERT INTO bauta.run (id, workspace_id, pipeline, documents, environment, state, created_at, ended_at)
    SELECT lpad(w.n || 'r' || i, 16, '0'), w.id, 'shop-' || i % 20, '[]', 'dev', CASE WHEN i > ${RUNS - 10} THEN 'queued' ELSE 'published' END,
      now() - interval '100 days' + i * interval '1 minute', CASE WHEN i > ${RUNS - 10} THEN NULL ELSE now() END
    FROM (SELECT id, row_number() OVER (ORDER BY name) AS n FROM bauta.workspace) w, generate_series(1, ${RUNS}) i;
  INSERT INTO bauta.approval (workspace_id, kind, state, digest, subject, requested_at, expires_at)
    SELECT w.id, 'run', 'used', 'sha256:0', '{}', now() - i * interval '1 minute', now() FROM bauta.workspace w, generate_series(1, ${RUNS}) i;
  INSERT INTO bauta.notification (workspace_id, notice_id, channel, event, subject, message, state, created_at)
    SELECT w.id, i, 'chat', 'failed', 's', '{}', 'sent', now() - i * interval '1 minute' FROM bauta.workspace w, generate_series(1, ${RUNS}) i;
  INSERT INTO bauta.idempotency (workspace_id, person_id, key, request_digest, status, body)
    SELECT p.workspace_id, p.id, 'k' || i, 'd', 200, '{}' FROM bauta.person p, generate_series(1, ${RUNS}) i;
  INSERT INTO bauta.schedule (workspace_id, name, version, pipeline, overlap, decided_to, last_run_id)
    SELECT r.workspace_id, r.id, 1, r.pipeline, false, now(), r.id FROM bauta.run r WHERE r.state = 'queued';
  INSERT INTO bauta.audit_checkpoint (workspace_id, log, size, root, note)
    SELECT w.id, log, i, 'r', concat_ws(E'\\n', 'bauta/' || log, i, encode(sha256('x'), 'base64'), '', '— bauta ' || replace(encode(repeat('x', 68)::bytea, 'base64'), E'\\n', ''), '')
    FROM bauta.workspace w, unnest('{2024,2025,2025-11}'::text[]) log, generate_series(1, 3000) i;
  ANALYZE;`;

const countRead = (table: string, work: () => Promise<unknown>): Promise<number> => countRowsRead({ server, metadata }, table, work);

it.each<[string, string, (transaction: Transaction) => Promise<readonly unknown[]>, number]>([
  ['the newest runs', 'run', ({ runs }) => runs.list(PAGE, {}), PAGE],
  ['a page of runs far back', 'run', ({ runs }) => runs.list(PAGE, {}, '000000000001r500'), PAGE],
  ['runs of a pipeline', 'run', ({ runs }) => runs.list(PAGE, { pipeline: 'shop-7' }), PAGE],
  ['runs of a pipeline in a state that is rare', 'run', ({ runs }) => runs.list(PAGE, { pipeline: 'shop-7', state: 'failed' }), 0],
  ['runs in a state that none has', 'run', ({ runs }) => runs.list(PAGE, { state: 'awaiting-approval' }), 0],
  ['runs in a state that few have', 'run', ({ runs }) => runs.list(PAGE, { state: 'queued' }), 10],
  ['runs of an environment that has none', 'run', ({ runs }) => runs.list(PAGE, { environments: ['prod'] }), 0],
  ['runs of an environment', 'run', ({ runs }) => runs.list(PAGE, { environments: ['dev'] }), PAGE],
  ['approvals that wait', 'approval', ({ approvals }) => approvals.list(PAGE, { kinds: ['run'], state: 'waiting' }), 0],
  ['approvals', 'approval', ({ approvals }) => approvals.list(PAGE, { kinds: ['run', 'documents'] }), PAGE],
  ['notifications that nobody took', 'notification', ({ notifications }) => notifications.list(PAGE, { state: 'dead' }), 0],
  ['the logs of a chain', 'audit_checkpoint', ({ log }) => log.logs(), 3],
])('%s: no more of table %s than the page', async (_, table, list, shown) => {
  let found: readonly unknown[] = [];
  const read = await countRead(table, async () => (found = await metadata.within(workspace, list)));
  expect(found).toHaveLength(shown);
  // The planner looks at the ends of an index now and then, and a page at the entry after it.
  expect(read).toBeLessThanOrEqual(PAGE + 20);
});

it('tells the logs of a chain in their order, each with its newest checkpoint', async () => {
  const logs = await metadata.within(workspace, ({ log }) => log.logs());
  expect(logs.map(({ name, checkpoint }) => [name, checkpoint.size])).toEqual([
    ['2024', 3000],
    ['2025', 3000],
    ['2025-11', 3000],
  ]);
});

it('counts what waits without reading what has ended', async () => {
  let queued = 0;
  const read = await countRead('run', async () => (queued = (await metadata.observe(workspace, 1000)).queued));
  expect(queued).toBe(10);
  // Those of both workspaces: which wait is an index of the whole installation.
  expect(read).toBeLessThanOrEqual(40);
});

it('counts runs by state without reading them, and right after many sessions changed them at once, and when one of them gave up', async () => {
  const states = ['planning', 'extracting', 'failed', 'published'];
  const change = async (session: number): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      const end = i % 7 === 3 ? 'ROLLBACK' : 'COMMIT';
      await server.sql(
        'metadata',
        `BEGIN; UPDATE bauta.run SET state = '${states[(session + i) % 4]}', moved_rows = ${i}
           WHERE workspace_id = '${workspace}' AND id LIKE '%r1${session}${i % 10}'; ${end}`,
      );
    }
  };
  await Promise.all([0, 1, 2, 3].map(change));
  let counted: readonly { readonly state: string; readonly count: number }[] = [];
  const read = await countRead('run', async () => (counted = await metadata.within(workspace, ({ runs }) => runs.count())));
  expect(read).toBe(0);
  const runs = await server.sql(
    'metadata',
    `SELECT state, count(*)::int AS count FROM bauta.run WHERE workspace_id = '${workspace}' GROUP BY state ORDER BY state`,
  );
  expect(counted).toEqual(runs);
  expect(counted.length).toBeGreaterThan(2);
  const [tally] = await server.sql('metadata', 'SELECT count(*)::int AS lines FROM bauta.run_tally');
  // Of 240 changes a few have folded it.
  expect(tally?.['lines']).toBeLessThan(400);
});

it('forgets old keys of requests without reading the younger ones', async () => {
  const [person] = await server.sql('metadata', `SELECT id FROM bauta.person WHERE workspace_id = '${workspace}'`);
  const take = ({ idempotency }: Transaction): Promise<unknown> => idempotency.take(String(person?.['id']), 'another', 'd');
  expect(await countRead('idempotency', () => metadata.within(workspace, take))).toBeLessThan(20);
});

it('asks as many statements for ten schedules as for one', async () => {
  const statements = (): number => (readFileSync(server.logFile, 'utf8').match(/LOG: {2}(execute|statement)/g) ?? []).length;
  const rows = await metadata.within(workspace, async ({ schedules, runs }) =>
    schedules.among((await runs.list(10, { state: 'queued' })).map(({ id }) => id)),
  );
  const askedFor = async (many: number): Promise<number> => {
    const before = statements();
    await metadata.within(workspace, async (transaction) => {
      const states = await toStates(transaction, rows.slice(0, many));
      expect(states.map(({ name, lastRun }) => [name, (lastRun as { id: string }).id])).toEqual(
        rows.slice(0, many).map(({ name }) => [name, name]),
      );
    });
    return statements() - before;
  };
  expect(rows).toHaveLength(10);
  expect(await askedFor(10)).toBe(await askedFor(1));
});
