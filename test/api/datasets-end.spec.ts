// A version ends: a worker drops what has expired when the clock says so, somebody withdraws another, and both are attested. Real runs and targets.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { DatasetClock } from '../../src/control/datasets/datasets.js';
import type { ErrandWorker } from '../../src/control/errands/errands.js';
import type { RunWorker } from '../../src/control/runs/runs.js';
import { systemClock } from '../../src/kernel/clock.js';
import { connect } from '../../src/systems/postgres/postgres.js';
import { type Answer, type ServiceWorld, composerAt, startErrandWorker, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const dayMs = 86_400_000;
const failures: unknown[] = [];
/** Of the runs: what they make now is so old. */
const made = { agoMs: 31 * dayMs };
let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let errands: ErrandWorker;
let replicas: readonly DatasetClock[] = [];
let tomorrow: readonly DatasetClock[] = [];
const later = { ms: Date.now() + 25 * 3_600_000 };
let home = '';
let [bob, olga, vic] = ['', '', ''];
beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  home = mkdtempSync(join(tmpdir(), 'bauta-end-'));
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') };
  worker = await startRunWorker(world, home, connections, {}, composerAt({ now: () => Date.now() - made.agoMs }));
  errands = await startErrandWorker(world, home, connections);
  bob = await world.person('bob', ['policy-admin', 'requester']);
  olga = await world.person('olga', ['operator']);
  vic = await world.person('vic', ['viewer']);
  const settings = parseSettings({});
  const failed = (error: unknown): void => void failures.push(error);
  replicas = Array.from({ length: 3 }, () => new DatasetClock({ metadata: world.metadata, settings, clock: systemClock, failed }));
  tomorrow = Array.from(
    { length: 2 },
    () => new DatasetClock({ metadata: world.metadata, settings, clock: { now: () => later.ms }, failed }),
  );
  await Promise.all([...replicas, ...tomorrow].map((one) => one.stop()));
  const declared = 'declared: { backups: { days: 7, reason: nightly dumps } }\n  keepVersions: 3\n  onDrift: quarantine';
  await apply(pipelineText.replace('class: dev', `class: dev\n  ${declared}`), classificationText);
}, 60_000);
afterAll(async () => {
  await errands.stop();
  await worker.stop();
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
  expect(failures).toEqual([]);
});

async function apply(...documents: string[]): Promise<void> {
  const text = documents.join('---\n').replaceAll(/env:(SOURCE|TARGET)_URL/g, 'env:BAUTA_CONN_$1');
  const { status, body } = await world.ask('POST', '/v1/apply', { token: bob, text, headers: { 'content-type': 'application/yaml' } });
  expect([status, body['findings']]).toEqual([200, undefined]);
}

async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (const startedAt = performance.now(); performance.now() - startedAt < 30_000;) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it does not come');
}

async function run(): Promise<string> {
  const { body } = await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline: 'tiny' } });
  const id = String(body['id']);
  const state = await until(async () => {
    const { body: found } = await world.ask('GET', `/v1/runs/${id}`, { token: bob });
    return found['endedAt'] === null ? undefined : found['state'];
  });
  expect(state).toBe('published');
  return id;
}

const attested = (id: string, token = vic): Promise<Answer> => world.ask('GET', `/v1/datasets/${id}/attestation`, { token });
const databases = async (): Promise<unknown[]> =>
  (await tiny.server.sql('postgres', `SELECT datname FROM pg_database WHERE datname ~ '^copy' ORDER BY 1`)).map((row) => row['datname']);
const noJobs = (task = 'expiry'): Promise<true> =>
  until(async () => {
    const jobs = await world.sql(
      `SELECT FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id WHERE t.identifier = '${task}'`,
    );
    return jobs.length === 0 ? true : undefined;
  });

it('what has expired is dropped by a worker, once, however many replicas look; and what cannot be dropped is told and tried again', async () => {
  const [first, second] = [await run(), await run()];
  made.agoMs = 0;
  expect((await attested(second)).status).toBe(404);
  // A superuser's session, which is not the target role's to end.
  const inTheWay = await connect({ name: 'root', url: tiny.server.url('copy') });
  await Promise.all(replicas.map((one) => one.look()));
  await noJobs();
  expect(await databases()).toEqual(['copy']);
  expect((await attested(first)).body).toMatchObject({
    ...{ run: first, version: 1, target: 'copy' },
    attestation: {
      dropped: [{ kind: 'database', seen: 'gone' }],
      beyond: { backups: { says: 'declared', days: 7, reason: 'nightly dumps' }, topics: { says: 'unknown' } },
    },
  });
  expect(await world.told('dataset.not-dropped')).toMatchObject([{ data: { run: second, code: 'EXPIRY_IN_USE' } }]);
  expect((await attested(second)).status).toBe(404);
  await inTheWay.end();
  await world.sql(`UPDATE bauta.dataset_version SET drop_asked_at = drop_asked_at - interval '11 minutes'`);
  await Promise.all(replicas.map((one) => one.look()));
  await noJobs();
  expect(await databases()).toEqual([]);
  expect((await attested(second)).status).toBe(200);
  expect(await world.told('dataset.ended')).toMatchObject([{ data: { run: first } }, { data: { run: second } }]);
  const { body } = await world.ask('GET', '/v1/datasets/current', { token: vic });
  expect(body['items']).toEqual([]);
  // The text of a person stands in the log by its commitment only.
  expect(JSON.stringify(await world.told('dataset.dropped.done'))).not.toContain('nightly dumps');
}, 90_000);

it('a row that somebody loads is found by a worker, told without a value, and the version is shut until another takes its place', async () => {
  const third = await run();
  const look = async (): Promise<void> => {
    await Promise.all(tomorrow.map((one) => one.look()));
    await noJobs('data');
  };
  await look();
  const [current] = (await world.ask('GET', '/v1/datasets/current', { token: vic })).body['items'] as Record<string, unknown>[];
  expect(current).toMatchObject({ run: third, rowsDrifted: [], quarantined: false, rowsError: null, rowsLookedAt: expect.any(String) });
  // An environment that only a pipeline names, with who may read it and what it was made with.
  const inventory = async (): Promise<unknown> => (await world.ask('GET', '/v1/environments', { token: vic })).body['items'];
  expect(await inventory()).toMatchObject([
    {
      ...{ name: 'dev', document: null, clones: { count: 0, until: null } },
      datasets: [
        {
          ...{ run: third, state: 'current', expired: false, ageSeconds: expect.any(Number), heldUntil: null, revokedAt: null },
          documents: expect.arrayContaining([
            { kind: 'Pipeline', name: 'tiny', version: 1, digest: expect.stringMatching(/^sha256:/) },
            { kind: 'Classification', name: 'tiny', version: 1, digest: expect.stringMatching(/^sha256:/) },
          ]),
          policy: { revision: expect.stringMatching(/./), digest: expect.stringMatching(/^sha256:/) },
          readers: { at: expect.any(String), roles: expect.arrayContaining([{ role: 'copy_rw', sessions: 0 }]) },
        },
      ],
    },
  ]);
  await tiny.server.sql('copy', `UPDATE app.person SET email = 'ada@acme-industries.com' WHERE id = (SELECT min(id) FROM app.person)`);
  await tiny.server.sql('postgres', `CREATE ROLE app LOGIN PASSWORD 'x' IN ROLE copy_rw`);
  const url = new URL(tiny.server.url('copy'));
  [url.username, url.password] = ['app', 'x'];
  const app = await connect({ name: 'app', url: url.toString() });
  later.ms += 25 * 3_600_000;
  await look();
  const [shut] = (await world.ask('GET', '/v1/datasets/current', { token: vic })).body['items'] as Record<string, unknown>[];
  expect(shut).toMatchObject({
    ...{ run: third, quarantined: true },
    rowsDrifted: ['app.person: content differs; outside the reserved space: 1 × email in email'],
  });
  expect(await inventory()).toMatchObject([{ name: 'dev', datasets: [{ quarantined: true, rowsDrifted: [expect.any(String)] }] }]);
  await expect(app.query('SELECT 1')).rejects.toBeDefined();
  await expect(connect({ name: 'app', url: url.toString() })).rejects.toMatchObject({ code: 'PRIVILEGE_MISSING' });
  expect((await world.told('dataset.drifted', 'dataset.quarantined.done')).map(({ type }) => type)).toEqual([
    'dataset.drifted',
    'dataset.quarantined.done',
  ]);
  expect(JSON.stringify(await world.told())).not.toContain('acme-industries');
  // A new run opens the place again, to what it made.
  const fourth = await run();
  await (await connect({ name: 'app', url: url.toString() })).end();
  expect((await world.ask('GET', '/v1/datasets/current', { token: vic })).body['items']).toMatchObject([
    { run: fourth, quarantined: false },
  ]);
  await tiny.server.sql('postgres', 'DROP ROLE app');
}, 90_000);

it('an operator withdraws a version before its time, with a reason, and whoever has no such right is refused', async () => {
  const third = await run();
  const order = { pipeline: 'tiny', withdraw: { version: 5, reason: 'a column was kept by mistake' } };
  expect((await world.ask('POST', '/v1/expiries', { token: bob, json: order })).status).toBe(403);
  const { status, body } = await world.ask('POST', '/v1/expiries', { token: olga, json: order });
  expect(status).toBe(202);
  const ended = await until(async () => {
    const { body: found } = await world.ask('GET', `/v1/expiries/${String(body['id'])}`, { token: vic });
    return found['endedAt'] === null ? undefined : found;
  });
  expect(ended).toMatchObject({ error: null, result: { versions: [{ version: 5, run: third, why: 'withdrawn' }], findings: [] } });
  expect((await attested(third)).body).toMatchObject({ attestation: { why: 'withdrawn', reason: 'a column was kept by mistake' } });
  expect((await world.told('expiry.requested', 'expiry.done')).map(({ type }) => type)).toEqual(['expiry.requested', 'expiry.done']);
  expect(await databases()).not.toContain('copy');
}, 60_000);
