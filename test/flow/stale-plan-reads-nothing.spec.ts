import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import pg from 'pg';

import type { Plan } from '../../src/pipeline/plan.js';
import type { Snapshot } from '../../src/pipeline/ports.js';
import type { PostgresSource } from '../../src/systems/postgres/source/source.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { toHidden, toSmallPlan } from '../support/small-catalogue.js';
import { countSessions, everything, openTestSource, readText, waitUntil } from '../support/source.js';

let server: TestServer;
let source: PostgresSource;
let plan: Plan;

const swap = `ALTER TABLE customer RENAME email TO x; ALTER TABLE customer RENAME nickname TO email; ALTER TABLE customer RENAME x TO nickname;`;
const becomeView = `ALTER TABLE customer RENAME TO customer_old; CREATE VIEW customer AS SELECT id, nickname AS email, email AS nickname FROM customer_old;`;

beforeAll(async () => {
  server = await startTestServer();
  await server.create('template_shop');
  await server.sql(
    'template_shop',
    `CREATE TABLE customer (id int PRIMARY KEY, email text, nickname text);
     INSERT INTO customer SELECT i, 'e' || i, 'n' || i FROM generate_series(1, 30000) i;
     CREATE TABLE other (id int)`,
  );
}, 60_000);
afterAll(() => server.stop());

beforeEach(async () => {
  await server.create('shop', 'template_shop');
  source = openTestSource(server.url('shop'), {
    settings: { rangeBytes: 256 * 1024, blockedMs: 700, watchEveryMs: 50, lockTimeoutMs: 2_000 },
  });
  plan = toSmallPlan((await source.describe(everything)).catalogue);
});
afterEach(async () => {
  await source.close();
  expect(await countSessions(server, 'shop')).toBe(0);
  await server.sql('postgres', 'DROP DATABASE shop WITH (FORCE)');
});

/** A statement of somebody else's, with what the server answered. */
async function alter(text: string, settings = ''): Promise<string> {
  const client = new pg.Client({ connectionString: server.url('shop') });
  await client.connect();
  try {
    await client.query(`${settings}; BEGIN; ${text} COMMIT`);
    return 'done';
  } catch (cause) {
    return cause instanceof pg.DatabaseError ? (cause.code ?? '') : 'lost';
  } finally {
    await client.end();
  }
}

async function reads(): Promise<number> {
  const [row] = await server.sql(
    'shop',
    `SELECT (coalesce(seq_tup_read, 0))::int AS n FROM pg_stat_user_tables WHERE relname IN ('customer', 'customer_old')`,
  );
  return Number(row?.['n']);
}

it.each([
  ['two column names are swapped', swap, { table: 'customer', column: 'email' }],
  ['a table is replaced by a view', becomeView, { table: 'customer' }],
  ['a table is dropped', 'DROP TABLE other;', { table: 'other' }],
  ['a table is made anew under its name', 'DROP TABLE other; CREATE TABLE other (id int);', { table: 'other' }],
  ['a type is changed', 'ALTER TABLE other ALTER id TYPE bigint;', { table: 'other', column: 'id' }],
  ['a column is added', 'ALTER TABLE customer ADD phone text;', {}],
  ['a table is added', 'CREATE TABLE third (id int);', {}],
])('is PLAN_STALE before a row is read when %s between plan and run', async (_, text, where) => {
  const before = await reads();
  expect(await alter(text)).toBe('done');
  const error: unknown = await source.open(plan, everything).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'PLAN_STALE', where });
  expect(await reads()).toBe(before);
});

it('is PLAN_STALE, not a missing privilege, when the view that took the place belongs to somebody else', async () => {
  await server.sql('shop', `CREATE ROLE reader LOGIN PASSWORD 'reader'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader`);
  try {
    const url = new URL(server.url('shop'));
    url.username = url.password = 'reader';
    const reader = openTestSource(String(url));
    expect(await alter(becomeView)).toBe('done');
    await expect(reader.open(plan, everything)).rejects.toMatchObject({ code: 'PLAN_STALE', where: { table: 'customer' } });
  } finally {
    await server.sql('shop', 'DROP OWNED BY reader; DROP ROLE reader');
  }
});

it('is PLAN_STALE when the plan was made on another database', async () => {
  await server.create('twin', 'template_shop');
  const twin = openTestSource(server.url('twin'));
  await expect(twin.open(plan, everything)).rejects.toMatchObject({ code: 'PLAN_STALE' });
  await server.sql('postgres', 'DROP DATABASE twin');
});

it('sees a change that was waited for: the lock comes first, then the look', async () => {
  const client = new pg.Client({ connectionString: server.url('shop') });
  await client.connect();
  await client.query(`BEGIN; ${swap}`);
  const opening = source.open(plan, everything);
  opening.catch(() => undefined);
  await waitUntil(async () => (await server.sql('shop', 'SELECT 1 FROM pg_locks WHERE NOT granted')).length > 0);
  await client.query('COMMIT');
  await client.end();
  await expect(opening).rejects.toMatchObject({ code: 'PLAN_STALE', where: { table: 'customer', column: 'email' } });
});

it('goes no further than the lock timeout when somebody else holds the table', async () => {
  const client = new pg.Client({ connectionString: server.url('shop') });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE');
  await expect(source.open(plan, everything)).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
  await client.end();
});

it('waits for no lock any longer when it is closed', async () => {
  const client = new pg.Client({ connectionString: server.url('shop') });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE');
  const opening = source.open(plan, everything);
  opening.catch(() => undefined);
  await waitUntil(async () => (await server.sql('shop', 'SELECT 1 FROM pg_locks WHERE NOT granted')).length > 0);
  const before = Date.now();
  await source.close();
  expect(await countSessions(server, 'shop')).toBe(0);
  expect(Date.now() - before).toBeLessThan(1000);
  await expect(opening).rejects.toMatchObject({ class: 'UnavailableError' });
  await client.end();
});

async function readFirstRange(snapshot: Snapshot): Promise<string> {
  const [first] = snapshot.ranges();
  if (!first) throw new Error('no range');
  expect(snapshot.ranges().length).toBeGreaterThan(3);
  return readText(snapshot.read(first));
}

it.each([
  ['swaps two column names', swap],
  ['puts a view in the place of a table', becomeView],
])('makes whoever %s between two ranges wait, and lets go of the source when the wait is too long', async (_, text) => {
  const snapshot = await source.open(plan, everything);
  await readFirstRange(snapshot);
  const altered = alter(text);
  await expect(snapshot.exceeded).rejects.toMatchObject({
    code: 'SOURCE_BUDGET_EXCEEDED',
    where: { name: 'blockedMs', expected: '700 ms' },
  });
  expect(await altered).toBe('done');
  const [, second] = snapshot.ranges();
  await expect(readText(snapshot.read(second ?? { table: 0, range: 1 }))).rejects.toMatchObject({ code: 'SOURCE_BUDGET_EXCEEDED' });
  expect(snapshot.usage().longestBlockedMs).toBeGreaterThan(700);
  await waitUntil(async () => (await countSessions(server, 'shop')) === 0, 1000);
});

it.each([
  ['swap two column names', swap],
  ['put a view in the place of a table', becomeView],
])('goes on, under the right names, when somebody wants to %s between two ranges and gives up', async (_, text) => {
  const snapshot = await source.open(plan, everything);
  let all = await readFirstRange(snapshot);
  const altered = alter(text, `SET lock_timeout = '300ms'`);
  for (const range of snapshot.ranges().slice(1))
    all += plan.tables[range.table]?.name === 'customer' ? await readText(snapshot.read(range)) : '';
  expect(await altered).toBe('55P03');
  const lines = all.trimEnd().split('\n');
  expect(lines.length).toBe(30_000);
  expect(lines.every((line) => /^(\d+)\te\1\tn\1$/.test(line))).toBe(true);
  expect(snapshot.usage().longestBlockedMs).toBeLessThanOrEqual(700);
});

it('locks the tables that a join reads, too', async () => {
  await server.sql('shop', 'ALTER TABLE other ADD FOREIGN KEY (id) REFERENCES customer; CREATE TABLE apart (id int)');
  const scope = { include: ['public.other'], exclude: [] };
  const { catalogue } = await source.describe(scope);
  const via = [{ columns: ['id'], references: { schema: 'public', name: 'customer', columns: ['id'] } }];
  await source.open(
    toSmallPlan(catalogue, () => ({ hidden: [toHidden('subject', 'id', via)] })),
    scope,
  );
  expect(await alter(swap, `SET lock_timeout = '200ms'`)).toBe('55P03');
});
