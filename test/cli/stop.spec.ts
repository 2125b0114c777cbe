// Whoever stops a run gets a run that stopped: at once, cancelled, and with nothing left behind.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type TinyWorld, bauta, startTinyWorld } from '../support/tiny-source.js';

let world: TinyWorld;
let env: Record<string, string>;
beforeAll(async () => {
  world = await startTinyWorld();
  // Reading this table takes a minute: each row of it waits.
  const big = `CREATE TABLE app.slow (id int PRIMARY KEY, note text); INSERT INTO app.slow SELECT i, repeat('x', 200) FROM generate_series(1, 60000) i; ANALYZE`;
  env = { SOURCE_URL: await world.source('slow', big), TARGET_URL: world.target('copy'), BAUTA_SOURCE_ROWS_PER_SECOND: '1000' };
}, 60_000);
afterAll(() => world.stop());

const documents = (): string =>
  world.documents({
    'classification.yaml': `kind: Classification
name: tiny
tables:
  app.slow:
    columns: { id: pii.key, note: pii.free-text }
`,
    'pipeline.yaml': `kind: Pipeline
name: tiny
import: [classification.yaml]
include: [app.slow]
source: { connection: env:SOURCE_URL, region: eu-central-1 }
target: { connection: env:TARGET_URL, environment: dev, class: dev, region: eu-central-1, allows: [pii], sameServer: databases of one server }
classification: tiny
purpose: tests of the command line
owner: team-tiny
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 30
`,
  });

async function leftovers(): Promise<unknown[]> {
  const databases = await world.server.sql('postgres', `SELECT datname AS name FROM pg_database WHERE datname LIKE 'copy%'`);
  const roles = await world.server.sql('postgres', `SELECT rolname AS name FROM pg_roles WHERE rolname LIKE 'copy%'`);
  const sessions = await world.server.sql(
    'postgres',
    `SELECT application_name AS name FROM pg_stat_activity WHERE application_name = 'bauta'`,
  );
  return [...databases, ...roles, ...sessions].map(({ name }) => name);
}

it.each(['SIGINT', 'SIGTERM'] as const)('%s while rows move ends the run as cancelled, exit 1, and leaves nothing', async (signal) => {
  let askedAt = 0;
  const { exitCode, stdout, stderr } = await bauta(['run', '--json', '-f', documents()], {
    env,
    cwd: world.folder,
    onWords: (words, kill) => {
      if (!words.includes('gate')) return;
      setTimeout(() => {
        askedAt = performance.now();
        kill(signal);
      }, 1500);
    },
  });
  expect(performance.now() - askedAt).toBeLessThan(5000);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    state: 'cancelled',
    dataset: null,
    decision: { allow: true },
    error: { code: 'RUN_CANCELLED' },
    findings: [{ code: 'RUN_CANCELLED' }],
  });
  expect(stderr).toContain('error: RUN_CANCELLED');
  expect(await leftovers()).toEqual([]);
});

it('a time-out of the caller while rows move is exit 4, and leaves nothing', async () => {
  const { exitCode, stdout } = await bauta(['run', '--json', '-f', documents(), '--timeout', '3s'], { env, cwd: world.folder });
  expect([exitCode, JSON.parse(stdout)]).toEqual([4, expect.objectContaining({ state: 'cancelled', dataset: null })]);
  expect(await leftovers()).toEqual([]);
});

it('a second Ctrl-C ends the process at once, and the next doctor --fix finds what it left', async () => {
  const file = documents();
  let askedAt = 0;
  const { exitCode, signal } = await bauta(['run', '-f', file], {
    env,
    cwd: world.folder,
    onWords: (words, kill) => {
      if (!words.includes('gate')) return;
      setTimeout(() => {
        askedAt = performance.now();
        kill('SIGINT');
        setTimeout(() => kill('SIGINT'), 5);
      }, 1500);
    },
  });
  expect(performance.now() - askedAt).toBeLessThan(4000);
  expect([exitCode, signal]).toEqual([null, 'SIGINT']);
  // The server ends the sessions of a process that is gone when it next writes to them.
  for (let waited = 0; waited < 10_000 && (await leftovers()).length > 0; waited += 500) {
    await bauta(['doctor', '--fix', '-f', file], { env, cwd: world.folder });
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(await leftovers()).toEqual([]);
});
