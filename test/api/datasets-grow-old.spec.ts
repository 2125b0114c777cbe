// A published version grows old: it expires, and what it was made with changes. Real runs, a source that is altered, three replicas that look, and
// the e-mail that people get of it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { DatasetClock } from '../../src/control/datasets/datasets.js';
import { Notifier } from '../../src/control/notifications/notifications.js';
import { Grants } from '../../src/control/references.js';
import type { RunWorker } from '../../src/control/runs/runs.js';
import { HttpClient } from '../../src/systems/http/http.js';
import { type MailServer, startMailServer } from '../support/mail-server.js';
import { type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, canary, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const DAY_MS = 86_400_000;
const now = { ms: Date.now() };
const clock = { now: (): number => now.ms };
const failures: unknown[] = [];
const failed = (error: unknown): void => void failures.push(error);
let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let mail: MailServer;
let notifier: Notifier;
let replicas: readonly DatasetClock[] = [];
let home = '';
let [bob, viewer, stranger] = ['', '', ''];
const connections: Record<string, string> = {};
beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  mail = await startMailServer();
  home = mkdtempSync(join(tmpdir(), 'bauta-old-'));
  connections['BAUTA_CONN_SOURCE'] = await tiny.source('shop');
  connections['BAUTA_CONN_TARGET'] = tiny.target('copy');
  worker = await startRunWorker(world, home, connections);
  bob = await world.person('bob', ['policy-admin', 'requester']);
  viewer = await world.person('vic', ['viewer']);
  stranger = await world.person('eve', ['viewer'], 'foreign');
  const settings = parseSettings({ BAUTA_NOTIFY_MS: '60000', BAUTA_SMTP: 'env:RELAY', BAUTA_SMTP_FROM: 'bauta@example.com' });
  const environment = { RELAY: `smtp://127.0.0.1:${mail.port}` };
  notifier = new Notifier({ metadata: world.metadata, http: new HttpClient({ hosts: '' }), settings, environment, grants: Grants.usual, failed }); // prettier-ignore
  replicas = Array.from({ length: 3 }, () => new DatasetClock({ metadata: world.metadata, settings, clock, failed }));
  // They look when a test says so, and at no other time.
  await Promise.all([...replicas, notifier].map((one) => one.stop()));
  const channel =
    'events: [dataset-drifted, dataset-expiring, dataset-expired, run-recovered]\nvia: email\nemail: { to: [ops@example.com] }\n';
  await apply(pipelineText, classificationText, `kind: Channel\nname: ops\n${channel}`);
}, 60_000);
beforeEach(() => void mail.messages.splice(0));
afterAll(async () => {
  await worker.stop();
  await world.stop();
  await mail.stop();
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

/** Gives its id once it has ended. */
async function run(state: string, more: object = {}): Promise<string> {
  const { body } = await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline: 'tiny', ...more } });
  const id = String(body['id']);
  const ended = await until(async () => {
    const { body: found } = await world.ask('GET', `/v1/runs/${id}`, { token: bob });
    return found['endedAt'] === null ? undefined : found['state'];
  });
  expect(ended).toBe(state);
  return id;
}

const types = ['dataset.expiring', 'dataset.expired', 'dataset.drifted', 'dataset.recovered', 'dataset.look-failed'];
let heard = 0;
/** What was told since it was asked last. */
async function news(): Promise<{ type: string; data: Record<string, unknown> }[]> {
  const all = (await world.told(...types)).map(({ type, data }) => ({ type, data }));
  return all.slice(heard, (heard = all.length));
}

/** All replicas look at that time, at once. */
async function lookAt(ms: number): Promise<void> {
  now.ms = ms;
  await Promise.all(replicas.map((one) => one.look()));
}

/** An hour goes by, and a worker has looked at what is current; gives what was told of it. */
async function lookForDrift(): ReturnType<typeof news> {
  await lookAt(now.ms + 3_600_000);
  const jobs = `SELECT FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id WHERE t.identifier = 'drift'`;
  await until(async () => ((await world.sql(jobs)).length === 0 ? true : undefined));
  return news();
}

const timeOf = (text: string): string => /^Time: (.*)$/m.exec(text)?.[1] ?? '';

async function mails(): Promise<string[]> {
  await notifier.look();
  await notifier.look();
  // What is due at once is sent at once, in whichever order.
  return mail.messages.map(({ text }) => text).sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1));
}

async function metric(name: string, token = viewer): Promise<number> {
  const { body } = await world.ask('GET', '/metrics', { token });
  const line = String(body['text']).split('\n').find((one) => one.startsWith(`${name} `)) ?? ''; // prettier-ignore
  return Number(line.slice(name.length + 1).replace('+Inf', 'Infinity'));
}

/** As the API has what is published. */
async function listed(query = '', token = viewer): Promise<Record<string, unknown>[]> {
  const { status, body } = await world.ask('GET', `/v1/datasets/current${query}`, { token });
  expect(status).toBe(200);
  return body['items'] as Record<string, unknown>[];
}

let first = '';
it('knows until when a version may be used: what its marker says', async () => {
  expect([await metric('bauta_datasets'), await metric('bauta_dataset_expires_seconds')]).toEqual([0, Infinity]);
  first = await run('published');
  const [kept] = await world.sql('SELECT run_id, target, version, expires_at, replaced_at, drift FROM bauta.dataset_version');
  const [marker] = await tiny.server.sql('copy', 'SELECT expires_at FROM bauta.dataset');
  expect(kept).toEqual({ run_id: first, target: 'copy', version: 1, expires_at: marker?.['expires_at'], replaced_at: null, drift: null });
  expect(await metric('bauta_datasets')).toBe(1);
  expect(Math.round((await metric('bauta_dataset_expires_seconds')) / 86_400)).toBe(30);
  const view = {
    run: first,
    pipeline: 'tiny',
    environment: 'dev',
    target: 'copy',
    version: 1,
    expired: false,
    checks: { pass: 0, fail: 0, notRun: 0 },
    drifted: [],
    lookedAt: null,
  };
  const expiresAt = (marker?.['expires_at'] as Date).toISOString();
  const rows = { rowsDrifted: [], rowsLookedAt: null, rowsError: null, quarantined: false, heldUntil: null, revokedAt: null };
  expect(await listed()).toEqual([{ ...view, ...rows, expiresAt, publishedAt: expect.stringMatching(/Z$/), lookError: null }]);
  expect([await listed('?pipeline=tiny'), await listed('?pipeline=other'), await listed('', stranger)]).toMatchObject([[view], [], []]);
  const elsewhere = await world.person('tess', ['viewer@test']);
  expect([await listed('', elsewhere), await listed('', await world.person('dora', ['viewer@dev']))]).toMatchObject([[], [view]]);
  expect((await world.ask('GET', '/v1/datasets/current?pipeline=%00', { token: viewer })).status).toBe(400);
  expect([await metric('bauta_datasets', stranger), await metric('bauta_dataset_expires_seconds', stranger)]).toEqual([0, Infinity]);
}, 60_000);

it('is told three days before it expires and when it has, once each, however many replicas look', async () => {
  const [{ expires_at } = {}] = await world.sql('SELECT expires_at FROM bauta.dataset_version');
  const expires = (expires_at as Date).getTime();
  await lookAt(expires - 3 * DAY_MS - 1000);
  expect(await news()).toEqual([]);
  await lookAt(expires - 3 * DAY_MS);
  await lookAt(expires - DAY_MS);
  const view = { run: first, pipeline: 'tiny', environment: 'dev', target: 'copy', version: 1, expiresAt: new Date(expires).toISOString() };
  expect(await news()).toEqual([{ type: 'dataset.expiring', data: view }]);
  expect([await metric('bauta_datasets_expiring'), await metric('bauta_datasets_expired')]).toEqual([1, 0]);
  await lookAt(expires);
  await lookAt(expires + DAY_MS);
  expect(await news()).toEqual([{ type: 'dataset.expired', data: view }]);
  const sent = await mails();
  expect(sent.map((text) => /^Subject: (.*)$/m.exec(text)?.[1])).toEqual([
    expect.stringContaining('A dataset expires soon'),
    expect.stringContaining('A dataset has expired'),
  ]);
  for (const text of sent)
    expect([text.includes(first), text.includes(view.expiresAt), text.includes(canary)]).toEqual([true, true, false]);
  await world.sql(`UPDATE bauta.dataset_version SET expires_at = now() - interval '1 second'`);
  expect([await metric('bauta_datasets_expired'), await metric('bauta_dataset_expires_seconds')]).toEqual([1, expect.any(Number)]);
  expect(await metric('bauta_dataset_expires_seconds')).toBeLessThan(0);
  expect(await listed()).toMatchObject([{ run: first, expired: true }]);
});

it('is not told of any more once a newer version took its place, which is told as recovered', async () => {
  now.ms = Date.now();
  await world.sql('UPDATE bauta.dataset_version SET expired_told_at = NULL');
  const second = await run('published');
  await lookAt(now.ms + DAY_MS);
  expect(await news()).toEqual([]);
  const [sent = '', ...more] = await mails();
  expect([sent.includes('A pipeline is well again'), sent.includes(second), more]).toEqual([true, true, []]);
  expect(await world.sql('SELECT run_id, replaced_by FROM bauta.dataset_version ORDER BY run_id')).toEqual([
    { run_id: first, replaced_by: second },
    { run_id: second, replaced_by: null },
  ]);
  expect([await metric('bauta_datasets'), await metric('bauta_datasets_expired')]).toEqual([1, 0]);
}, 60_000);

it('meant for a day only, it is told when half of that is over and not at once', async () => {
  await world.sql(`UPDATE bauta.dataset_version SET expires_at = published_at + interval '1 day' WHERE replaced_at IS NULL`);
  const [{ published_at } = {}] = await world.sql('SELECT published_at FROM bauta.dataset_version WHERE replaced_at IS NULL');
  await lookAt((published_at as Date).getTime() + DAY_MS / 2 - 1000);
  expect(await news()).toEqual([]);
  await lookAt((published_at as Date).getTime() + DAY_MS / 2 + 1000);
  expect((await news()).map(({ type }) => type)).toEqual(['dataset.expiring']);
  await world.sql(
    `UPDATE bauta.dataset_version SET expires_at = now() + interval '30 days', expiring_told_at = NULL, looked_at = NULL WHERE replaced_at IS NULL`,
  );
});

it('is told as drifted when the source has another schema or a document is another one, once per change, and as recovered by a new run', async () => {
  now.ms = Date.now();
  await mails();
  mail.messages.splice(0);
  await tiny.server.sql('shop', `INSERT INTO app.product VALUES ('N1', 'of today', 1); ANALYZE`);
  expect(await lookForDrift()).toEqual([]);
  await tiny.server.sql('shop', 'ALTER TABLE app.product ADD COLUMN colour text');
  expect(await lookForDrift()).toMatchObject([
    { type: 'dataset.drifted', data: { target: 'copy', version: 2, changed: ['source schema'] } },
  ]);
  expect(await lookForDrift()).toEqual([]);
  await apply(pipelineText.replace('tests of the command line', 'tests of what grows old'), classificationText);
  expect(await lookForDrift()).toMatchObject([{ type: 'dataset.drifted', data: { changed: ['source schema', 'Pipeline tiny'] } }]);
  expect([await metric('bauta_datasets_drifted'), await metric('bauta_datasets_drifted', stranger)]).toEqual([1, 0]);
  expect(await listed()).toMatchObject([
    { version: 2, drifted: ['source schema', 'Pipeline tiny'], lookedAt: new Date(now.ms).toISOString() },
  ]);
  // Something is as it was again, and something is not: nothing new.
  await tiny.server.sql('shop', 'ALTER TABLE app.product DROP COLUMN colour');
  expect(await lookForDrift()).toEqual([]);
  await run('published');
  const sent = await mails();
  expect(sent.map((text) => /^Changed: (.*)$/m.exec(text)?.[1])).toEqual(['source schema', 'source schema, Pipeline tiny', undefined]);
  expect(sent[2]).toContain('A pipeline is well again');
  expect(sent.join()).not.toContain(canary);
  expect(await lookForDrift()).toEqual([]);
  expect(await metric('bauta_datasets_drifted')).toBe(0);
}, 90_000);

it('is told as recovered when everything is as it was again', async () => {
  await tiny.server.sql('shop', 'ALTER TABLE app.product ADD COLUMN colour text');
  expect((await lookForDrift()).map(({ type }) => type)).toEqual(['dataset.drifted']);
  await tiny.server.sql('shop', 'ALTER TABLE app.product DROP COLUMN colour');
  expect((await lookForDrift()).map(({ type }) => type)).toEqual(['dataset.recovered']);
  expect((await mails()).map((text) => text.includes('A pipeline is well again'))).toEqual([false, true]);
}, 60_000);

it('drifts with a release that brings another rulebook or policy, until a run finds that policy fine with it', async () => {
  await world.sql(`UPDATE bauta.dataset_version SET policy_digest = 'sha256:0', documents = jsonb_set(documents::jsonb, '{Rulebook default}', '"sha256:1"')
    WHERE replaced_at IS NULL`);
  expect(await lookForDrift()).toMatchObject([{ type: 'dataset.drifted', data: { changed: ['Rulebook default', 'policy'] } }]);
  const [{ documents } = {}] = await world.sql('SELECT documents FROM bauta.dataset_version WHERE replaced_at IS NOT NULL LIMIT 1');
  const before = JSON.stringify({ 'Rulebook default': (documents as Record<string, string>)['Rulebook default'] });
  await world.sql(`UPDATE bauta.dataset_version SET documents = documents::jsonb || '${before}' WHERE replaced_at IS NULL`);
  await tiny.server.sql('shop', 'VACUUM ANALYZE');
  await run('reused', { reuse: true });
  expect((await lookForDrift()).map(({ type }) => type)).toEqual(['dataset.recovered']);
}, 60_000);

it('that could not be looked at is known as that, told once in the log, and drifted it stays', async () => {
  await tiny.server.sql('shop', 'ALTER TABLE app.product ADD COLUMN colour text');
  expect((await lookForDrift()).map(({ type }) => type)).toEqual(['dataset.drifted']);
  const source = connections['BAUTA_CONN_SOURCE'] ?? '';
  delete connections['BAUTA_CONN_SOURCE'];
  expect(await lookForDrift()).toMatchObject([{ type: 'dataset.look-failed', data: { code: 'CONNECTION_REFERENCE_INVALID' } }]);
  expect(await lookForDrift()).toEqual([]);
  expect([await metric('bauta_datasets_unlooked'), await metric('bauta_datasets_drifted')]).toEqual([1, 1]);
  expect(await listed()).toMatchObject([{ drifted: ['source schema'], lookError: 'CONNECTION_REFERENCE_INVALID' }]);
  connections['BAUTA_CONN_SOURCE'] = source;
  expect(await lookForDrift()).toEqual([]);
  expect([await metric('bauta_datasets_unlooked'), await metric('bauta_datasets_drifted')]).toEqual([0, 1]);
}, 60_000);

it('is looked at by a worker that may touch what it holds, and by no other, which has no connection', async () => {
  await worker.stop();
  const other = await startRunWorker(world, home, {}, { BAUTA_POOL_TAGS: 'phi' });
  await tiny.server.sql('shop', 'ALTER TABLE app.product ADD COLUMN size text');
  await lookAt(now.ms + 3_600_000);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await other.stop();
  expect([await news(), await metric('bauta_datasets_unlooked')]).toEqual([[], 0]);
  worker = await startRunWorker(world, home, connections);
  expect(await until(async () => (await news())[0])).toMatchObject({ type: 'dataset.drifted', data: { changed: ['source schema'] } });
}, 60_000);
