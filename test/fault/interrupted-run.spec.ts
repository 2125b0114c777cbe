import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import type { RunSummary } from '../../src/pipeline/report/report.js';
import { faultsOf } from '../support/log.js';
import { type Ended, type SmallShop, type Started, nothing, onlyPublished, startSmallShop, waitFor } from '../support/small-shop.js';
import type { TestServer } from '../support/server.js';

let shop: SmallShop;
beforeAll(async () => (shop = await startSmallShop()), 60_000);
afterAll(() => shop.stop());
// What a test that failed leaves is not the next one's.
afterEach(async () => {
  if (JSON.stringify(await shop.traces()) !== JSON.stringify(nothing)) await shop.bauta(['doctor', '-f', shop.pipeline, '--fix']);
});

/** So slow that whatever a test does comes while rows move. */
const slowly = { BAUTA_SOURCE_ROWS_PER_SECOND: '1500' };

async function startToMove(words: readonly string[] = [], environment: Readonly<Record<string, string>> = {}): Promise<Started> {
  const started = shop.start(['run', '-f', shop.pipeline, '--json', ...words], { ...slowly, ...environment });
  await waitFor(async () => {
    const moving = await shop.target.sql(
      'postgres',
      `SELECT 1 FROM pg_stat_progress_copy WHERE command = 'COPY FROM' AND tuples_processed > 0`,
    );
    return moving.length > 0;
  }).catch((error: unknown) => {
    throw new Error(`no row moves: ${started.said().stderr}`, { cause: error });
  });
  return started;
}

const endSessions = (server: TestServer, condition: string): Promise<unknown> =>
  server.sql('postgres', `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bauta' AND ${condition}`);

function expectFailure(ended: Ended, code: string, state: RunSummary['state'] = 'failed', exitCode = 1): void {
  expect(ended).toMatchObject({ code: exitCode, stderr: expect.stringContaining(`error: ${code}:`) });
  expect(JSON.parse(ended.stdout)).toMatchObject({ state, dataset: null });
}

async function expectNothingLeft(): Promise<void> {
  // Backends that were told to end need a moment.
  await waitFor(async () => (await shop.traces()).sessions === 0);
  expect(await shop.traces()).toEqual(nothing);
  expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
}

/** How long an administrator's session waits for a table that the run reads, in milliseconds. */
async function waitForLock(): Promise<number> {
  const waiting = new pg.Client({ connectionString: shop.source.url('production') });
  await waiting.connect();
  await waiting.query('BEGIN');
  const from = performance.now();
  await waiting.query('LOCK TABLE shop.customer IN ACCESS EXCLUSIVE MODE');
  const waitedMs = performance.now() - from;
  await waiting.end();
  return waitedMs;
}

describe('a connection that is cut half-way ends the run with CONNECTION_LOST, and nothing is left:', () => {
  it.each([
    ['the sessions that extract', `query ~ '^COPY'`],
    ['the session that holds locks and snapshot', `state = 'idle in transaction' AND query !~ '^COPY'`],
    ['all sessions', 'true'],
  ])('%s at the source', async (_, condition) => {
    const { ended } = await startToMove();
    await endSessions(shop.source, condition);
    expectFailure(await ended, 'CONNECTION_LOST');
    await expectNothingLeft();
  });

  it('the sessions that load at the target', async () => {
    const { ended } = await startToMove();
    await endSessions(shop.target, `query ~ '^COPY'`);
    expectFailure(await ended, 'CONNECTION_LOST');
    await expectNothingLeft();
  });

  it('all sessions at the target, the one that holds the lock too', async () => {
    const { ended } = await startToMove();
    await endSessions(shop.target, 'true');
    expectFailure(await ended, 'CONNECTION_LOST');
    await expectNothingLeft();
  });
});

/** The server ends all sessions and recovers when a backend of its own dies. */
async function crash(server: TestServer, condition: string): Promise<void> {
  const [session] = await server.sql(
    'postgres',
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'bauta' AND ${condition} LIMIT 1`,
  );
  process.kill(Number(session?.['pid']), 'SIGKILL');
}

/** It has ended every session that was there, and takes new ones. */
const waitUntilBack = (server: TestServer): Promise<unknown> =>
  waitFor(() =>
    server.sql('postgres', `SELECT 1 FROM pg_stat_activity WHERE application_name = 'bauta'`).then(
      (sessions) => sessions.length === 0,
      () => false,
    ),
  );

it.each([
  ['source', (): TestServer => shop.source],
  ['target', (): TestServer => shop.target],
])('a %s that crashes and restarts while rows are loaded ends the run; the next start leaves nothing behind', async (_, server) => {
  const { ended } = await startToMove();
  await crash(server(), `query ~ '^COPY'`);
  const { code, stderr } = await ended;
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/error: CONNECTION_(LOST|UNREACHABLE):/) });
  await waitUntilBack(server());
  expect(await shop.published()).toBeUndefined();
  expect((await shop.bauta(['doctor', '-f', shop.pipeline, '--fix'])).code).toBe(0);
  await expectNothingLeft();
});

it.each(['border:publish', 'step:database.switch'])(
  'a target that restarts at %s keeps what it has, and nothing is half-published',
  async (place) => {
    const { child, ended } = await shop.block(place);
    await crash(shop.target, 'true');
    await waitUntilBack(shop.target);
    child.kill('SIGUSR2');
    expect(await ended).toMatchObject({ stdout: expect.stringMatching(/^failed (CONNECTION|TARGET_LOCK)_LOST$/m), code: 0 });
    expect(await shop.published()).toBeUndefined();
    expect((await shop.bauta(['doctor', '-f', shop.pipeline, '--fix'])).code).toBe(0);
    await expectNothingLeft();
  },
);

it('a session that waits for our lock longer than the budget gets it, and the run ends cleanly', async () => {
  const { ended } = await startToMove([], { BAUTA_SOURCE_BLOCKED_MS: '500' });
  expect(await waitForLock()).toBeLessThan(4000);
  expectFailure(await ended, 'SOURCE_BUDGET_EXCEEDED');
  await expectNothingLeft();
});

it.each(['SIGINT', 'SIGTERM'] as const)('%s in the middle of a table cancels the run within 5 s and leaves nothing', async (signal) => {
  const { child, ended } = await startToMove();
  const from = performance.now();
  child.kill(signal);
  const end = await ended;
  expect(performance.now() - from).toBeLessThan(5000);
  expectFailure(end, 'RUN_CANCELLED', 'cancelled');
  await expectNothingLeft();
});

describe('while indexes are built', () => {
  // At the source it is quick; at the target, which has the provisioning role, each row of the index takes its time.
  beforeAll(() =>
    shop.source.sql(
      'production',
      `CREATE FUNCTION shop.slow(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
         BEGIN IF pg_catalog.to_regrole('bauta_target') IS NOT NULL THEN PERFORM pg_catalog.pg_sleep(10); END IF; RETURN $1; END $$;
       CREATE INDEX slow ON shop.country (shop.slow(title))`,
    ),
  );
  afterAll(() => shop.source.sql('production', 'DROP INDEX shop.slow; DROP FUNCTION shop.slow'));

  async function startToBuild(environment: Readonly<Record<string, string>> = {}): Promise<Started> {
    const started = shop.start(['run', '-f', shop.pipeline, '--json'], environment);
    const building = `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query ~ '^CREATE INDEX slow'`;
    await waitFor(async () => (await shop.target.sql('postgres', building)).length > 0);
    return started;
  }

  it('SIGINT cancels the run within 5 s and leaves nothing', async () => {
    const { child, ended } = await startToBuild();
    const from = performance.now();
    child.kill('SIGINT');
    const end = await ended;
    expect(performance.now() - from).toBeLessThan(5000);
    expectFailure(end, 'RUN_CANCELLED', 'cancelled');
    await expectNothingLeft();
  });

  it('a session that waits for our lock still gets it', async () => {
    const { ended } = await startToBuild({ BAUTA_SOURCE_BLOCKED_MS: '500' });
    expect(await waitForLock()).toBeLessThan(4000);
    expectFailure(await ended, 'SOURCE_BUDGET_EXCEEDED');
    await expectNothingLeft();
  });
});

it('a run that is cancelled after the switch is published all the same', async () => {
  const { code, stdout } = await shop.abortAt('target.release');
  expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: 'published' });
  expect(await shop.traces()).toEqual(onlyPublished);
  expect(shop.events().at(-1)).toMatchObject({ type: 'run.ended', data: { state: 'published' } });
  await shop.target.sql('postgres', 'DROP DATABASE shop_dev');
});

it('a run whose --timeout passes exits with 4 and leaves nothing', async () => {
  const ended = await shop.bauta(['run', '-f', shop.pipeline, '--json', '--timeout', '2500ms'], slowly);
  expectFailure(ended, 'TIMEOUT_PASSED', 'cancelled', 4);
  await expectNothingLeft();
});
