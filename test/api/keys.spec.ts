// The keys of a service: what the log tells of them is listed, a worker makes the next version, and two people end old ones; joining takes two as well.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { ErrandClock } from '../../src/control/errands/errands.js';
import { OutboxSink } from '../../src/control/runs/runs.js';
import { systemClock } from '../../src/kernel/clock.js';
import type { Event } from '../../src/pipeline/event.js';
import { type Answer, type ServiceWorld, startErrandWorker, startServiceWorld } from '../support/service.js';
import { bauta, classificationText, pipelineText } from '../support/tiny-source.js';

let world: ServiceWorld;
let home: string;
let errands: Awaited<ReturnType<typeof startErrandWorker>>;
const tokens: Record<string, string> = {};
const far = '2999-12-31';
const tiny = `${pipelineText
  .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
  .replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET')
  .replace('import: [classification.yaml]\n', '')}---\n${classificationText}`;
const place = (name: string, keys = ''): string =>
  `kind: Environment\nname: ${name}\nowner: team\npurpose: tests of keys\nconnection: env:BAUTA_CONN_TARGET\nclass: test\nallows: [pii]\n${keys}`;

beforeAll(async () => {
  world = await startServiceWorld();
  home = mkdtempSync(join(tmpdir(), 'bauta-service-keys-'));
  for (const [name, role] of Object.entries({ author: 'policy-admin', operator: 'operator', approver: 'approver', viewer: 'viewer@dev' }))
    tokens[name] = await world.person(`${name}-person`, [role]);
  tokens['elsewhere'] = await world.person('elsa', ['operator@prod']);
  expect((await apply(tiny)).status).toBe(200);
  await world.startSequencer();
  errands = await startErrandWorker(world, home, {}, {});
}, 60_000);
afterAll(async () => {
  await errands.stop();
  await world.stop();
  rmSync(home, { recursive: true, force: true });
});

const ask = (method: string, path: string, who: string, json?: object): Promise<Answer> =>
  world.ask(method, path, { token: tokens[who]!, ...(json === undefined ? {} : { json: json }) });
const apply = (text: string): Promise<Answer> =>
  world.ask('POST', '/v1/apply', { token: tokens['author']!, text, headers: { 'content-type': 'application/yaml' } });
const files = (): string[] => readdirSync(join(home, 'keys', 'masking', 'default', 'dev')).sort();

async function untilEnded(id: unknown): Promise<Record<string, unknown>> {
  for (;;) {
    const { body } = await ask('GET', `/v1/keys/changes/${String(id)}`, 'operator');
    if (body['endedAt'] !== null) return body;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
async function rotate(): Promise<Record<string, unknown>> {
  const asked = await ask('POST', '/v1/keys/rotate', 'operator', { environment: 'dev', reason: 'a test rotates' });
  expect([asked.status, asked.headers.get('location')]).toEqual([202, `/v1/keys/changes/${String(asked.body['id'])}`]);
  return untilEnded(asked.body['id']);
}

it('rotates the keys of an environment that documents speak of, by a worker, for who may do that there', async () => {
  expect((await rotate())['result']).toMatchObject({ rotated: { from: null, version: 1, workspace: 'default', environment: 'dev' } });
  expect((await rotate())['result']).toMatchObject({ rotated: { from: 1, version: 2 } });
  expect((await rotate())['result']).toMatchObject({ rotated: { from: 2, version: 3 } });
  expect(files()).toEqual(['v1.key', 'v2.key', 'v3.key']);
  expect((await ask('POST', '/v1/keys/rotate', 'operator', { environment: 'unheard-of' })).status).toBe(404);
  expect((await ask('POST', '/v1/keys/rotate', 'elsewhere', { environment: 'dev' })).status).toBe(403);
  expect(await world.told('key.rotated.intended', 'key.rotated.done', 'key.recorded')).toHaveLength(9);
}, 30_000);

it('lists what the log tells, to whoever may look at the environment, and on the command line', async () => {
  const { status, body } = await ask('GET', '/v1/keys', 'viewer');
  expect([status, body]).toMatchObject([
    200,
    {
      keys: [
        {
          purpose: 'masking',
          workspace: 'default',
          environment: 'dev',
          versions: [{ state: 'kept' }, { state: 'kept' }, { state: 'current' }],
        },
      ],
    },
  ]);
  expect((await ask('GET', '/v1/keys', 'elsewhere')).body).toEqual({ keys: [] });
  const listed = await bauta(['keys', 'list', '--server', world.url, '--token', 'env:T'], { env: { T: tokens['viewer']! } });
  expect([listed.exitCode, listed.stdout]).toEqual([0, expect.stringMatching(/masking\/default\/dev +3 +current +20\d\d-/)]);
  const metrics = await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${tokens['operator']!}` } });
  expect(await metrics.text()).toMatch(/^bauta_key_age_seconds\{purpose="masking",environment="dev"\} \d+(\.\d+)?$/m);
});

it('destroys a version when somebody else agrees, and says what it cannot reach', async () => {
  const asked = await ask('POST', '/v1/keys/destroy', 'operator', { environment: 'dev', upTo: 1, reason: 'the project has ended' });
  expect([asked.status, asked.body]).toMatchObject([202, { approval: { id: expect.any(String) } }]);
  const { id } = asked.body['approval'] as { id: string };
  expect(files()).toEqual(['v1.key', 'v2.key', 'v3.key']);
  expect((await ask('POST', `/v1/approvals/${id}/approve`, 'operator')).status).toBe(403);
  expect((await ask('POST', `/v1/approvals/${id}/approve`, 'approver')).body).toMatchObject({ state: 'used', kind: 'keys' });
  const [requested] = await world.told('key-destruction.requested');
  const ended = await untilEnded(requested?.data['key-destruction']);
  expect(ended).toMatchObject({ error: null, result: { destroyed: { upTo: 1, versions: [{ version: 1 }] } } });
  expect((ended['result'] as { destroyed: { cannotReach: { what: string }[] } }).destroyed.cannotReach.map(({ what }) => what)).toContain(
    'homes of other workers',
  );
  expect(files()).toEqual(['v1.destroyed', 'v2.key', 'v3.key']);
  expect((await ask('GET', '/v1/keys?environment=dev', 'viewer')).body).toMatchObject({
    keys: [{ versions: [{ state: 'destroyed', destroyedAt: expect.any(String) }, { state: 'kept' }, { state: 'current' }] }],
  });
}, 30_000);

it('destroys nothing that a document keeps, whether it did when it was asked for or does when it is agreed to', async () => {
  const waits = await ask('POST', '/v1/keys/destroy', 'operator', { environment: 'dev', upTo: 2, reason: 'the project has ended' });
  const keeping = tiny.replace('environment: dev\n', `environment: dev\n  keys: { previous: { version: 2, until: ${far} } }\n`);
  expect((await apply(keeping)).status).toBe(200);
  const needed = await ask('POST', '/v1/keys/destroy', 'operator', { environment: 'dev', upTo: 2, reason: 'the project has ended' });
  expect([needed.status, needed.body['code']]).toEqual([403, 'KEY_NEEDED']);
  const { id } = waits.body['approval'] as { id: string };
  const approved = await ask('POST', `/v1/approvals/${id}/approve`, 'approver');
  expect([approved.status, approved.body['code']]).toEqual([409, 'APPROVAL_VOID']);
  expect((await apply(tiny)).status).toBe(200);
  expect(files()).toEqual(['v1.destroyed', 'v2.key', 'v3.key']);
});

it('finishes a destruction whose worker was gone in the middle, and puts back a rotation that had made nothing, at the next start', async () => {
  await rotate();
  await errands.stop();
  const actor = { runId: 'x', stage: 'mask', at: new Date().toISOString() };
  const { id: rotating } = (await ask('POST', '/v1/keys/rotate', 'operator', { environment: 'dev', reason: 'a test rotates' })).body;
  const asked = await ask('POST', '/v1/keys/destroy', 'operator', { environment: 'dev', upTo: 2, reason: 'the project has ended' });
  await ask('POST', `/v1/approvals/${(asked.body['approval'] as { id: string }).id}/approve`, 'approver');
  const destroying = (await world.told('key-destruction.requested')).at(-1)?.data['key-destruction'];
  // Both began, told the log what they meant, and died.
  const hierarchy = { purpose: 'masking', workspace: 'default', environment: 'dev' };
  const sink = new OutboxSink(world.metadata, world.workspaces.home, world.metrics);
  await sink.append({
    ...actor,
    runId: String(rotating),
    type: 'key.rotated.intended',
    data: { ...hierarchy, from: 4, version: 5 },
  } as Event);
  await sink.append({ ...actor, runId: String(destroying), type: 'key.destroyed.intended', data: { ...hierarchy, upTo: 2 } } as Event);
  await world.sql(
    `UPDATE bauta.errand SET started_at = now() - interval '2 min', heard_at = now() - interval '2 min' WHERE ended_at IS NULL`,
  );
  errands = await startErrandWorker(world, home, {}, {});
  const clock = new ErrandClock({ metadata: world.metadata, clock: systemClock, failed: (error) => expect(error).toBeUndefined() });
  await clock.stop();
  expect(await untilEnded(rotating)).toMatchObject({ result: null, error: { code: 'ROTATION_UNDONE' } });
  expect(await untilEnded(destroying)).toMatchObject({ error: null, result: { destroyed: { upTo: 2 } } });
  expect(files()).toEqual(['v1.destroyed', 'v2.destroyed', 'v3.key', 'v4.key']);
  const ends = await world.told('key.rotated.undone', 'key.destroyed.completed', 'key-rotation.resumed', 'key-destruction.resumed');
  expect(ends.map(({ type }) => type).sort()).toEqual([
    ...['key-destruction.resumed', 'key-rotation.resumed', 'key.destroyed.completed', 'key.rotated.undone'],
  ]);
}, 30_000);

it('joins two environments only when a second person agrees, and never in a chain', async () => {
  expect((await apply(`${place('a')}---\n${place('b')}---\n${place('c')}`)).status).toBe(200);
  const join = (to: string): string => `keys: { join: { environment: ${to}, reason: both are tested as one system } }\n`;
  const joined = await apply(place('b', join('a')));
  expect([joined.status, joined.body]).toMatchObject([
    202,
    { lowers: [{ what: 'keys-joined', document: 'Environment b', before: null, after: 'a' }], blastRadius: { environments: ['a', 'b'] } },
  ]);
  const { id } = joined.body['approval'] as { id: string };
  // In the meantime another document would make a chain of it.
  const other = await apply(place('a', join('c')));
  expect((await ask('POST', `/v1/approvals/${(other.body['approval'] as { id: string }).id}/approve`, 'approver')).status).toBe(200);
  const late = await ask('POST', `/v1/approvals/${id}/approve`, 'approver');
  expect([late.status, late.body['code']]).toEqual([409, 'APPROVAL_VOID']);
  const chain = await apply(place('b', join('a')));
  expect([chain.status, JSON.stringify(chain.body)]).toEqual([422, expect.stringContaining('KEYS_JOIN_CHAIN')]);
  // What has no effect any more needs nobody.
  expect((await apply(place('a'))).status).toBe(200);
});
