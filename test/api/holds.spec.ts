// What somebody says of a version at the service: a hold, which nothing drops it through and which only two people end early, and a revocation, after
// which nothing uses it. Real runs, targets and workers.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { parseSettings } from '../../src/config/settings.js';
import { DatasetClock } from '../../src/control/datasets/datasets.js';
import type { ErrandWorker } from '../../src/control/errands/errands.js';
import { OutboxSink, type RunWorker } from '../../src/control/runs/runs.js';
import { systemClock } from '../../src/kernel/clock.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type Answer, type ServiceWorld, composerAt, startErrandWorker, startRunWorker, startServiceWorld } from '../support/service.js';
import { type Said, type TinyWorld, bauta, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const failures: unknown[] = [];
/** Of the runs: what they make now is so old. */
const made = { agoMs: 31 * 86_400_000 };
const until = '2031-01-31T00:00:00.000Z';
let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let errands: ErrandWorker;
let dates: DatasetClock;
let home = '';
const tokens: Record<string, string> = {};
const runs: string[] = [];
beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  home = mkdtempSync(join(tmpdir(), 'bauta-holds-'));
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') };
  worker = await startRunWorker(world, home, connections, {}, composerAt({ now: () => Date.now() - made.agoMs }));
  errands = await startErrandWorker(world, home, connections);
  for (const [name, role] of Object.entries({ bob: 'policy-admin', rita: 'requester', olga: 'operator', ann: 'approver', vic: 'viewer' }))
    tokens[name] = await world.person(name, [role]);
  tokens['tess'] = await world.person('tess', ['operator@test', 'viewer']);
  const failed = (error: unknown): void => void failures.push(error);
  dates = new DatasetClock({ metadata: world.metadata, settings: parseSettings({}), clock: systemClock, failed });
  await dates.stop();
  const documents = [
    pipelineText.replace('class: dev', 'class: dev\n  keepVersions: 1\n  clones: { max: 2, hours: 4 }'),
    classificationText,
  ];
  const text = documents.join('---\n').replaceAll(/env:(SOURCE|TARGET)_URL/g, 'env:BAUTA_CONN_$1');
  const { status, body } = await world.ask('POST', '/v1/apply', {
    token: tokens['bob']!,
    text,
    headers: { 'content-type': 'application/yaml' },
  });
  expect([status, body['findings']]).toEqual([200, undefined]);
}, 60_000);
afterAll(async () => {
  await errands.stop();
  await worker.stop();
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
  expect(failures).toEqual([]);
});

async function eventually<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (const startedAt = performance.now(); performance.now() - startedAt < 30_000;) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it does not come');
}
const post = (path: string, who: string, json: object = {}): Promise<Answer> => world.ask('POST', path, { token: tokens[who]!, json });
const get = async (path: string, who = 'vic'): Promise<Record<string, unknown>> =>
  (await world.ask('GET', path, { token: tokens[who]! })).body;

async function run(): Promise<string> {
  const { body } = await post('/v1/runs', 'rita', { pipeline: 'tiny' });
  const id = String(body['id']);
  const state = await eventually(async () => {
    const found = await get(`/v1/runs/${id}`);
    return found['endedAt'] === null ? undefined : found['state'];
  });
  expect(state).toBe('published');
  runs.push(id);
  return id;
}
async function expire(): Promise<void> {
  await world.sql(`UPDATE bauta.dataset_version SET drop_asked_at = drop_asked_at - interval '11 minutes'`);
  await dates.look();
  await eventually(async () => {
    const jobs = await world.sql(
      `SELECT FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id WHERE t.identifier = 'expiry'`,
    );
    return jobs.length === 0 ? true : undefined;
  });
}
const versions = async (): Promise<unknown[]> =>
  ((await get('/v1/datasets?pipeline=tiny'))['items'] as { version: number; heldUntil?: string }[]).map(({ version, heldUntil }) => [
    ...[version, heldUntil ?? null],
  ]);
const remote = (...words: string[]): Promise<Said> =>
  bauta([...words, '--server', world.url, '--token', 'env:TOKEN'], { env: { TOKEN: tokens['olga']! } });

function fit(command: string, { stdout }: Said): Record<string, unknown> {
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', `output-${command}.json`), 'utf8')) as object;
  const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
  const said = JSON.parse(stdout) as Record<string, unknown>;
  expect([fits(said), fits.errors]).toEqual([true, null]);
  return said;
}

it('a version that is held is neither pruned nor dropped when it has expired, and every list shows it', async () => {
  const first = await run();
  const hold = (who: string, json: object): Promise<Answer> => post(`/v1/datasets/${first}/hold`, who, json);
  expect((await hold('rita', { reason: 'no right', until })).status).toBe(403);
  // An operator of another environment, who may look at this one.
  expect((await hold('tess', { reason: 'elsewhere', until })).status).toBe(403);
  expect((await hold('olga', { reason: 'too late', until: '2020-01-01T00:00:00Z' })).body['code']).toBe('HOLD_PAST');
  expect((await hold('olga', { until })).status).toBe(422);
  expect((await hold('olga', { reason: 'dispute 2026/17 of Quasimodo', until })).body).toMatchObject({ run: first, heldUntil: until });
  // To end it sooner takes somebody else, however it is asked for.
  expect((await hold('olga', { reason: 'sooner', until: '2030-01-01T00:00:00Z' })).body['code']).toBe('HOLD_SHORTER');
  await run();
  await run();
  expect(await versions()).toEqual([
    [3, null],
    [2, null],
    [1, until],
  ]);
  // One more: the second version is beyond what is kept, and its end is attested as that of an expiry.
  await run();
  made.agoMs = 0;
  expect(await versions()).toEqual([
    [4, null],
    [3, null],
    [1, until],
  ]);
  expect(await get(`/v1/datasets/${runs[1]}/attestation`)).toMatchObject({
    ...{ run: runs[1], version: 2, entry: runs[3] },
    attestation: { why: 'pruned', run: runs[1], dropped: [{ seen: 'gone' }, { seen: 'gone' }], beyond: { backups: { says: 'unknown' } } },
  });
  expect((await get(`/v1/runs/${runs[3]}`))['summary']).toMatchObject({ pruned: [{ version: 2 }] });
  expect((await get('/v1/environments'))['items']).toMatchObject([
    {
      name: 'dev',
      datasets: [
        { version: 4, state: 'current', heldUntil: null },
        { version: 1, state: 'previous', heldUntil: until },
      ],
    },
  ]);
  await expire();
  expect(await versions()).toEqual([[1, until]]);
  expect((await get(`/v1/datasets/${first}/attestation`))['code']).toBe('RESOURCE_UNKNOWN');
  expect(await world.told('hold.placed')).toMatchObject([
    {
      data: {
        ...{ run: first, target: 'copy', version: 1, environment: 'dev', until, server: expect.any(String), actor: expect.any(String) },
        reason: { committed: expect.stringMatching(/^sha256:/) },
      },
    },
  ]);
  expect(JSON.stringify(await world.told())).not.toContain('Quasimodo');
}, 120_000);

it('a drop that read the log before somebody held the version is stopped where it says what it means to do', async () => {
  const [row] = await world.sql(`SELECT server, target FROM bauta.dataset_version WHERE run_id = '${runs[0]}'`);
  const sink = new OutboxSink(world.metadata, world.workspaces.home, world.metrics);
  const event = { runId: '0000000000000009', stage: 'deliver', type: 'dataset.dropped.intended', at: new Date().toISOString() } as const;
  const data = { run: runs[0]!, server: String(row?.['server']), target: String(row?.['target']) };
  await expect(sink.append({ ...event, data })).rejects.toMatchObject({ code: 'DATASET_HELD' });
});

it('a hold ends early when a second person agrees, and then the version is dropped', async () => {
  const [first = ''] = runs;
  const lift = await remote('hold', '1', 'tiny', '--lift', '--reason', 'the dispute is settled', '--json');
  expect(lift.exitCode).toBe(2);
  const { approval, until: still } = fit('hold', lift) as { approval: { id: string }; until: string };
  expect(still).toBe(until);
  await expire();
  expect(await versions()).toEqual([[1, until]]);
  expect((await post(`/v1/approvals/${approval.id}/approve`, 'olga')).status).toBe(403);
  expect((await get(`/v1/approvals/${approval.id}`, 'ann'))['subject']).toMatchObject({
    run: first,
    until,
    reason: 'the dispute is settled',
  });
  expect((await post(`/v1/approvals/${approval.id}/approve`, 'ann')).body).toMatchObject({ kind: 'hold', state: 'used' });
  expect((await post(`/v1/datasets/${first}/hold/lift`, 'olga', { reason: 'again' })).body['code']).toBe('HOLD_UNKNOWN');
  await eventually(async () => ((await versions())[0] as unknown[])[1] === null || undefined);
  await expire();
  expect(await versions()).toEqual([]);
  expect((await get(`/v1/datasets/${first}/attestation`))['attestation']).toMatchObject({ version: 1 });
  expect((await post(`/v1/datasets/${first}/hold`, 'olga', { reason: 'too late', until })).status).toBe(404);
}, 60_000);

it('an approval of a lift is for the hold that was seen, and no other', async () => {
  const id = await run();
  const hold = (end: string): Promise<Answer> => post(`/v1/datasets/${id}/hold`, 'olga', { reason: 'a dispute', until: end });
  await hold(until);
  const { body } = await post(`/v1/datasets/${id}/hold/lift`, 'olga', { reason: 'settled' });
  await hold('2032-01-31T00:00:00Z');
  const { id: approval } = body['approval'] as { id: string };
  expect((await post(`/v1/approvals/${approval}/approve`, 'ann')).body['code']).toBe('APPROVAL_VOID');
  expect((await get('/v1/datasets/current'))['items']).toMatchObject([{ run: id, heldUntil: '2032-01-31T00:00:00.000Z', revokedAt: null }]);
}, 60_000);

it('nothing goes back to a version that was revoked, and nothing clones it', async () => {
  const old = runs.at(-1)!;
  const current = await run();
  const said = await remote('revoke', '5', 'tiny', '--reason', 'made with a wrong rulebook');
  expect([said.exitCode, said.stderr]).toEqual([0, '']);
  expect(said.stdout).toBe('revoked: copy, version 5: nothing goes back to it, clones it or takes it again\n');
  expect((await post(`/v1/datasets/${current}/revoke`, 'rita', { reason: 'no right' })).status).toBe(403);
  expect((await post(`/v1/datasets/${current}/revoke`, 'olga', { reason: 'this one too' })).body).toMatchObject({
    ...{ run: current, revokedAt: expect.any(String) },
  });
  expect((await world.told('dataset.revoked')).map(({ data }) => data['run'])).toEqual([old, current]);
  const back = await post('/v1/rollbacks', 'olga', { pipeline: 'tiny' });
  const refused = await eventually(async () => {
    const found = await get(`/v1/rollbacks/${String(back.body['id'])}`);
    return found['endedAt'] === null ? undefined : found['error'];
  });
  expect(refused).toMatchObject({ code: 'DATASET_REVOKED' });
  const clone = await post('/v1/environments/dev/clones', 'rita', { for: 'pr-1' });
  const error = await eventually(async () => (await get(`/v1/environments/dev/clones/${String(clone.body['id'])}`))['error'] ?? undefined);
  expect(error).toMatchObject({ code: 'DATASET_REVOKED' });
}, 60_000);
