// A run whose pipeline takes an approval rests until somebody else approved of exactly its plan; the approval and his right are looked at again when it is used.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { ApprovalExpiry } from '../../src/control/approvals/approvals.js';
import { consequences } from '../../src/control/consequences.js';
import type { RunWorker } from '../../src/control/runs/runs.js';
import { type Answer, type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, bauta, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let tiny: TinyWorld;
let world: ServiceWorld;
let home: string;
const tokens: Record<string, string> = {};
const connections: Record<string, string> = {};
const workers: RunWorker[] = [];
beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  home = mkdtempSync(join(tmpdir(), 'bauta-approvals-'));
  for (const [name, roles] of [
    ['pat', ['policy-admin', 'viewer']],
    ['rob', ['requester', 'viewer']],
    ['ann', ['approver', 'viewer']],
    ['ben', ['approver@dev']],
    ['sue', ['approver@staging', 'viewer@staging']],
  ] as const)
    tokens[name] = await world.person(name, roles);
  tokens['robot'] = await world.person('robot', ['approver'], 'home', 'rob');
  tokens['eve'] = await world.person('eve', ['approver', 'viewer'], 'foreign');
  connections['BAUTA_CONN_SOURCE'] = await tiny.source('shop');
  connections['BAUTA_CONN_TARGET'] = tiny.target('copy');
  const pipeline = pipelineText
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET')
    .concat('approval: required\n');
  const { status } = await world.ask('POST', '/v1/apply', {
    ...{ token: tokens['pat'] ?? '', text: `${pipeline}---\n${classificationText}`, headers: { 'content-type': 'application/yaml' } },
  });
  expect(status).toBe(200);
});
afterEach(stopWorkers);
afterAll(async () => {
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

async function stopWorkers(): Promise<void> {
  for (const worker of workers.splice(0)) await worker.stop();
}
const begin = async (): Promise<void> => void workers.push(await startRunWorker(world, home, connections));
const as = (name: string, method: string, path: string, json?: unknown): Promise<Answer> =>
  world.ask(method, path, { token: tokens[name] ?? '', ...(json === undefined ? {} : { json }) });

async function until(run: string, ...states: readonly string[]): Promise<Record<string, unknown>> {
  for (const startedAt = performance.now(); ;) {
    const { body } = await as('rob', 'GET', `/v1/runs/${run}`);
    if (states.includes(String(body['state']))) return body;
    if (performance.now() - startedAt > 30_000) throw new Error(`the run is ${String(body['state'])}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A run that rests, and the approval that it waits for. */
async function resting(): Promise<{ readonly run: string; readonly approval: string }> {
  const { body } = await as('rob', 'POST', '/v1/runs', { pipeline: 'tiny' });
  const run = String(body['id']);
  if (workers.length === 0) await begin();
  await until(run, 'awaiting-approval');
  return { run, approval: await waitingFor(run) };
}
async function waitingFor(run: string): Promise<string> {
  const { body } = await as('ann', 'GET', '/v1/approvals?state=waiting');
  const found = (body['items'] as { id: string; run: string }[]).filter((one) => one.run === run);
  expect(found).toHaveLength(1);
  return found[0]?.id ?? '';
}
const stateOf = async (approval: string): Promise<unknown> => (await as('ann', 'GET', `/v1/approvals/${approval}`)).body['state'];

it('rests through a restart of its worker, and is published when somebody else approved', async () => {
  const { run, approval } = await resting();
  const { body } = await as('ann', 'GET', `/v1/approvals/${approval}`);
  expect(body).toMatchObject({ kind: 'run', state: 'waiting', environments: ['dev'], requestedBy: 'rob', decidedBy: null });
  expect(body['subject']).toMatchObject({
    pipeline: 'tiny',
    tables: 3,
    kept: expect.arrayContaining([{ column: 'app.product.title', reason: 'the public catalogue' }]) as unknown,
  });
  await stopWorkers();
  await begin();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect((await as('rob', 'GET', `/v1/runs/${run}`)).body['state']).toBe('awaiting-approval');
  expect((await as('ann', 'POST', `/v1/approvals/${approval}/approve`)).status).toBe(200);
  await until(run, 'published');
  expect((await as('ann', 'GET', `/v1/approvals/${approval}`)).body).toMatchObject({ state: 'used', decidedBy: 'ann' });
  const again = await as('ben', 'POST', `/v1/approvals/${approval}/approve`);
  expect([again.status, again.body['code']]).toEqual([409, 'APPROVAL_NOT_OPEN']);
  const events = (await world.told()).filter(({ data }) => data['approval'] === approval);
  expect(events.map(({ type }) => type)).toEqual(['approval.wanted', 'approval.approved', 'approval.used']);
});

it('is approved neither by its requester nor by the author of its documents nor by their service accounts, and the log has it', async () => {
  const { run, approval } = await resting();
  const denials = async (): Promise<number> =>
    (await world.told('access.denied')).filter(({ data }) => data['code'] === 'APPROVAL_OF_OWN').length;
  const before = await denials();
  // The author has become an approver since, and nothing else.
  const set = (name: string, roles: readonly string[]): Promise<void> =>
    world.metadata.within(world.workspaces.home, async ({ people }) => people.setRoles((await people.find(name))?.id ?? '', roles, null));
  await set('pat', ['approver']);
  for (const name of ['robot', 'pat']) {
    const { status, body } = await as(name, 'POST', `/v1/approvals/${approval}/approve`);
    expect([name, status, body['code']]).toEqual([name, 403, 'APPROVAL_OF_OWN']);
  }
  expect((await denials()) - before).toBe(2);
  expect((await as('rob', 'POST', `/v1/approvals/${approval}/approve`)).body['code']).toBe('ACCESS_DENIED');
  // Another environment's approver and another workspace's do not see it.
  for (const name of ['sue', 'eve']) {
    for (const [method, rest] of [
      ['GET', ''],
      ['POST', '/approve'],
      ['POST', '/refuse'],
    ] as const)
      expect([name, (await as(name, method, `/v1/approvals/${approval}${rest}`)).status]).toEqual([name, 404]);
    expect((await as(name, 'GET', '/v1/approvals')).body['items']).toEqual([]);
  }
  await set('pat', ['policy-admin', 'viewer']);
  expect((await as('ben', 'POST', `/v1/approvals/${approval}/refuse`)).body['state']).toBe('refused');
  const { summary } = await until(run, 'denied');
  expect(summary).toMatchObject({ state: 'denied', error: { code: 'APPROVAL_REFUSED' } });
});

it('waits anew when the plan has changed since, when the approver has lost his right, and when nobody used it in time', async () => {
  const { run, approval } = await resting();
  await stopWorkers();
  expect((await as('ann', 'POST', `/v1/approvals/${approval}/approve`)).body['state']).toBe('approved');
  await tiny.server.sql('shop', 'ALTER TABLE app.product ALTER title DROP NOT NULL');
  await begin();
  await until(run, 'awaiting-approval');
  expect(await stateOf(approval)).toBe('void');

  const second = await waitingFor(run);
  await stopWorkers();
  expect((await as('ben', 'POST', `/v1/approvals/${second}/approve`)).body['state']).toBe('approved');
  await world.sql(`DELETE FROM bauta.role_grant WHERE person_id = (SELECT id FROM bauta.person WHERE name = 'ben')`);
  await begin();
  await until(run, 'awaiting-approval');
  expect(await stateOf(second)).toBe('void');

  const third = await waitingFor(run);
  await stopWorkers();
  await as('ann', 'POST', `/v1/approvals/${third}/approve`);
  await world.sql(`UPDATE bauta.approval SET expires_at = now() - interval '1 s' WHERE id = '${third}'`);
  await begin();
  await until(run, 'awaiting-approval');
  await as('ann', 'POST', `/v1/approvals/${await waitingFor(run)}/approve`);
  await until(run, 'published');
});

it('is denied when nobody approves in time, and the approval is void when the run is cancelled', async () => {
  const late = await resting();
  await world.sql(`UPDATE bauta.approval SET expires_at = now() - interval '1 s' WHERE id = '${late.approval}'`);
  const tooLate = await as('ann', 'POST', `/v1/approvals/${late.approval}/approve`);
  expect([tooLate.status, tooLate.body['code']]).toEqual([409, 'APPROVAL_EXPIRED']);
  const expiry = new ApprovalExpiry(world.metadata, consequences, () => undefined);
  await Promise.all([expiry.look(), expiry.look()]);
  await expiry.stop();
  expect([await stateOf(late.approval), (await until(late.run, 'denied'))['summary']]).toMatchObject([
    'expired',
    { error: { code: 'APPROVAL_EXPIRED' } },
  ]);

  const { run, approval } = await resting();
  expect((await as('rob', 'POST', `/v1/runs/${run}/cancel`)).body['state']).toBe('cancelled');
  expect(await stateOf(approval)).toBe('void');
  expect((await as('ann', 'POST', `/v1/approvals/${approval}/approve`)).status).toBe(409);
});

it('asks for a run of its own environment only', async () => {
  tokens['dora'] = await world.person('dora', ['requester@dev']);
  tokens['stan'] = await world.person('stan', ['requester@staging']);
  const refused = await as('stan', 'POST', '/v1/runs', { pipeline: 'tiny' });
  expect([refused.status, refused.body['code']]).toEqual([403, 'ACCESS_DENIED']);
  const { status, body } = await as('dora', 'POST', '/v1/runs', { pipeline: 'tiny' });
  expect([status, body['environment']]).toEqual([201, 'dev']);
  const path = `/v1/runs/${String(body['id'])}`;
  expect((await as('stan', 'GET', path)).status).toBe(404);
  expect((await as('stan', 'POST', `${path}/cancel`)).status).toBe(404);
  expect((await as('stan', 'GET', '/v1/runs')).body['items']).toEqual([]);
  expect((await as('dora', 'POST', `${path}/cancel`)).status).toBe(202);
});

it('does not run on the command line, where nobody can be asked', async () => {
  const path = tiny.documents({ 'pipeline.yaml': `${pipelineText}approval: required\n` });
  const env = { SOURCE_URL: connections['BAUTA_CONN_SOURCE'] ?? '', TARGET_URL: tiny.target('alone'), BAUTA_HOME: join(home, 'cli') };
  const { exitCode, stderr } = await bauta(['run', '-f', path], { env });
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('APPROVAL_MISSING')]);
});
