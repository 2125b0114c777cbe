// Runs that are asked for by what happens elsewhere: a signed delivery, once; a new dataset of another pipeline, once. What is refused is in the log.
import { createHmac, randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Scheduler } from '../../src/control/schedules/schedules.js';
import { Metadata } from '../../src/systems/metadata/metadata.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';

const SECRET = 'kept-from-strangers';
const now = { ms: Date.parse('2026-10-01T12:00:00Z') };
const clock = { now: (): number => now.ms };
const failures: unknown[] = [];

let world: ServiceWorld;
let other: Metadata;
let [ada, otto, vic, eve] = ['', '', '', ''];
const secrets = { 'env:BAUTA_CONN_HOOK_A': SECRET, 'file:webhooks/b': `${SECRET}\n`, 'env:BAUTA_CONN_HOOK_SHORT': 'short' };
beforeAll(async () => {
  world = await startServiceWorld(undefined, clock, secrets);
  other = await Metadata.open(world.urls.service, 5);
  ada = await world.person('ada', ['policy-admin', 'viewer']);
  otto = await world.person('otto', ['operator']);
  vic = await world.person('vic', ['viewer']);
  eve = await world.person('eve', ['policy-admin', 'operator', 'viewer'], 'foreign');
  expect((await apply(['hooked', 'first', 'second', 'third'].map(pipeline).join('---\n'))).status).toBe(200);
});
afterAll(async () => {
  await other.close();
  await world.stop();
  expect(failures).toEqual([]);
});

const pipeline = (name: string): string => `kind: Pipeline
name: ${name}
source: env:BAUTA_CONN_SOURCE
target: { connection: env:BAUTA_CONN_TARGET, environment: dev, class: dev, allows: [pii] }
classification: ${name}
purpose: tests of the service
owner: team
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 30
---
kind: Classification
name: ${name}
tables:
  shop.customer: { person: true, columns: { id: pii.key } }
`;
const apply = (text: string, token = ada): Promise<Answer> =>
  world.ask('POST', '/v1/apply', { token, text, headers: { 'content-type': 'application/yaml' } });

/** Gives the address. */
async function trigger(name: string, webhook: string): Promise<string> {
  const { status, body } = await apply(`kind: Trigger\nname: ${name}\npipeline: hooked\non: { webhook: { ${webhook} } }\n`);
  expect([status, body['findings']]).toEqual([200, undefined]);
  return (await world.ask('GET', `/v1/triggers/${name}/state`, { token: vic })).body['address'] as string;
}

let seconds = 0;
const push = (ref = 'refs/heads/main', ageMs = 0): string =>
  JSON.stringify({ ref, after: String(seconds++), repository: { pushed_at: Math.floor((now.ms - ageMs) / 1000) } });
const gitHub = (address: string, body: string, more: Record<string, string> = {}): Promise<Answer> =>
  world.ask('POST', address, {
    text: body,
    headers: {
      'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
      'x-github-event': 'push',
      'x-github-delivery': randomUUID(),
      ...more,
    },
  });
const refused = async (name: string): Promise<unknown[]> =>
  (await world.sql(`SELECT event -> 'data' ->> 'reason' AS reason FROM bauta.outbox WHERE event ->> 'type' = 'webhook.refused' AND event -> 'data' ->> 'trigger' = '${name}' ORDER BY id`))
    .map((row) => row['reason']); // prettier-ignore
const runsOf = (name: string): Promise<Record<string, unknown>[]> =>
  world.sql(`SELECT id, pipeline, cause, requested_by FROM bauta.run WHERE cause ->> 'name' = '${name}' ORDER BY id`);

describe('a delivery of GitHub', () => {
  it('asks for one run, which says what asked for it', async () => {
    const address = await trigger('push', 'form: github, secret: env:BAUTA_CONN_HOOK_A, branches: [main]');
    expect(address).toMatch(/^\/v1\/webhooks\/[0-9a-f-]{36}$/);
    const { status, body } = await gitHub(address, push());
    const [run] = await runsOf('push');
    expect([status, body, run]).toEqual([
      202,
      { run: run?.['id'] },
      { id: run?.['id'], pipeline: 'hooked', cause: { kind: 'Trigger', name: 'push', version: 1 }, requested_by: null },
    ]);
    expect((await world.ask('GET', `/v1/runs/${String(run?.['id'])}`, { token: vic })).body).toMatchObject({ cause: { name: 'push' } });
  });

  it('asks for nothing by another event or branch', async () => {
    const address = await trigger('picky', 'form: github, secret: file:webhooks/b, branches: [main], events: [push, release]');
    expect((await gitHub(address, '{"zen":"x"}', { 'x-github-event': 'ping' })).body).toEqual({ run: null, ignored: 'event' });
    expect((await gitHub(address, push('refs/heads/feature'))).body).toEqual({ run: null, ignored: 'branch' });
    expect([await runsOf('picky'), await refused('picky')]).toEqual([[], []]);
  });

  it('is refused and audited when it is forged, replayed or old, whatever id it is given', async () => {
    const address = await trigger('guarded', 'form: github, secret: env:BAUTA_CONN_HOOK_A');
    const body = push();
    const codes: unknown[] = [];
    const send = async (answer: Promise<Answer>): Promise<void> => {
      const { status, body: told } = await answer;
      codes.push([status, told['code'] ?? 'accepted']);
    };
    await send(gitHub(address, body, { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }));
    await send(gitHub(address, body, { 'x-hub-signature-256': '' }));
    await send(world.ask('POST', address));
    await send(gitHub(address, body));
    await send(gitHub(address, body));
    await send(gitHub(address, push(undefined, 73 * 3_600_000)));
    // Nearly three days later the digest tells it, after that its age does.
    const asked = now.ms;
    now.ms = asked + 71.9 * 3_600_000;
    await gitHub(address, push());
    await send(gitHub(address, body));
    now.ms = asked + 80 * 3_600_000;
    await gitHub(address, push());
    await send(gitHub(address, body));
    expect(codes).toEqual([
      ...[[403, 'WEBHOOK_REFUSED'], [403, 'WEBHOOK_REFUSED'], [403, 'WEBHOOK_REFUSED'], [202, 'accepted']],
      ...[[403, 'WEBHOOK_REFUSED'], [403, 'WEBHOOK_REFUSED'], [403, 'WEBHOOK_REFUSED'], [403, 'WEBHOOK_REFUSED']],
    ]); // prettier-ignore
    expect(await refused('guarded')).toEqual(['forged', 'unsigned', 'unsigned', 'replayed', 'old', 'replayed', 'old']);
    expect(await runsOf('guarded')).toHaveLength(3);
  });

  it('asks for one run when the same comes ten times at once', async () => {
    const address = await trigger('crowd', 'form: github, secret: env:BAUTA_CONN_HOOK_A');
    const body = push();
    const answers = await Promise.all(Array.from({ length: 10 }, () => gitHub(address, body)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect([await runsOf('crowd'), await refused('crowd')]).toMatchObject([{ length: 1 }, { length: 9 }]);
  });

  it('is checked over the bytes as they came, in any encoding', async () => {
    const address = await trigger('bytes', 'form: github, secret: env:BAUTA_CONN_HOOK_A');
    const body = Buffer.from(`{"ref":"refs/heads/\u00fc","x":"\u00ff","repository":{"pushed_at":${Math.floor(now.ms / 1000)}}}`, 'latin1');
    const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
    const headers = { 'x-hub-signature-256': signature, 'x-github-event': 'push', 'content-type': 'application/octet-stream' };
    expect((await fetch(world.url + address, { method: 'POST', body, headers })).status).toBe(202);
  });
});

it('takes a delivery of GitLab by its token, and the same body once and never again', async () => {
  const address = await trigger('lab', 'form: gitlab, secret: env:BAUTA_CONN_HOOK_A');
  const send = (token: string, text: string): Promise<Answer> =>
    world.ask('POST', address, { text, headers: { 'x-gitlab-token': token, 'x-gitlab-event': 'Push Hook' } });
  expect((await send(SECRET, '{"ref":"refs/heads/main"}')).status).toBe(202);
  now.ms += 30 * 86_400_000;
  expect((await send(SECRET, '{"ref":"refs/heads/main"}')).status).toBe(403);
  expect((await send('guessed-by-somebody', '{"ref":"x"}')).status).toBe(403);
  expect(await refused('lab')).toEqual(['replayed', 'forged']);
});

it('takes a delivery with id and time signed, once and in time', async () => {
  const address = await trigger('signed', 'form: hmac, secret: env:BAUTA_CONN_HOOK_A');
  const send = (id: string, atMs: number): Promise<Answer> => {
    const timestamp = String(Math.floor(atMs / 1000));
    const signature = createHmac('sha256', SECRET).update(`${id}.${timestamp}.{}`).digest('base64');
    return world.ask('POST', address, { text: '{}', headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` } }); // prettier-ignore
  };
  expect((await send('one', now.ms)).status).toBe(202);
  expect((await send('one', now.ms + 1000)).status).toBe(403);
  expect((await send('two', now.ms - 301_000)).status).toBe(403);
  expect((await send('two', now.ms)).status).toBe(202);
  expect(await refused('signed')).toEqual(['replayed', 'old']);
});

it('tells a stranger nothing: no address, no workspace, no secret', async () => {
  const address = await trigger('hidden', 'form: github, secret: env:BAUTA_CONN_HOOK_A');
  for (const path of ['/v1/webhooks/00000000-0000-4000-8000-000000000000', '/v1/webhooks/hidden', '/v1/webhooks/%00'])
    expect([path, (await gitHub(path, push())).status]).toEqual([path, 404]);
  expect((await world.ask('GET', address)).status).toBe(401);
  expect((await world.ask('POST', `${address}/more`)).status).toBe(401);
  expect((await world.ask('GET', '/v1/triggers/hidden', { token: eve })).status).toBe(404);
  expect((await world.ask('GET', '/v1/triggers', { token: eve })).body).toEqual({ items: [], next: null });
  const kept = await world.sql(`SELECT string_agg(event::text, '') AS text FROM bauta.outbox`);
  expect(String(kept[0]?.['text'])).not.toContain(SECRET);
});

it('answers 503 when the secret is not there or can be guessed, also to who signs rightly', async () => {
  for (const reference of ['env:BAUTA_CONN_HOOK_NONE', 'env:BAUTA_CONN_HOOK_SHORT']) {
    const address = await trigger('secretless', `form: github, secret: '${reference}'`);
    const body = push();
    const signature = `sha256=${createHmac('sha256', reference.endsWith('SHORT') ? 'short' : '')
      .update(body)
      .digest('hex')}`;
    const { status, body: told } = await gitHub(address, body, { 'x-hub-signature-256': signature });
    expect([status, told['code']]).toEqual([503, 'WEBHOOK_SECRET_UNUSABLE']);
  }
  expect(await runsOf('secretless')).toEqual([]);
});

it('is paused and resumed without a new version', async () => {
  const address = await trigger('resting', 'form: github, secret: env:BAUTA_CONN_HOOK_A');
  expect((await world.ask('POST', '/v1/triggers/resting/pause', { token: vic })).status).toBe(403);
  expect((await world.ask('POST', '/v1/triggers/resting/pause', { token: otto })).body).toMatchObject({ paused: true, version: 1 });
  expect((await gitHub(address, push())).body).toEqual({ run: null, ignored: 'paused' });
  await world.ask('POST', '/v1/triggers/resting/resume', { token: otto });
  expect((await gitHub(address, push())).status).toBe(202);
});

describe('what cannot be is refused when it is applied', () => {
  it.each([
    ['a secret in the document', 'on: { webhook: { form: github, secret: kept-from-strangers } }', 'DOCUMENT_SECRET'],
    ['a connection as the secret', 'on: { webhook: { form: github, secret: env:BAUTA_CONN_SOURCE } }', 'DOCUMENT_VALUE_INVALID'],
    ['a file elsewhere', 'on: { webhook: { form: github, secret: file:../server.key } }', 'DOCUMENT_VALUE_INVALID'],
    ['an event without a time', 'on: { webhook: { form: github, secret: file:webhooks/b, events: [workflow_dispatch] } }', 'DOCUMENT_VALUE_INVALID'],
    ['both at once', 'on: { dataset: first, webhook: { form: github, secret: file:webhooks/b } }', 'DOCUMENT_VALUE_INVALID'],
    ['neither', 'on: {}', 'DOCUMENT_VALUE_INVALID'],
    ['a pipeline that is not there', 'on: { dataset: nowhere }', 'DOCUMENT_NOT_FOUND'],
  ])('%s', async (_, on, code) => {
    const { status, body } = await apply(`kind: Trigger\nname: bad\npipeline: hooked\n${on}\n`);
    expect([status, (body['findings'] as { code: string }[]).map((finding) => finding.code)]).toEqual([422, expect.arrayContaining([code])]);
  }); // prettier-ignore
});

describe('a new dataset of another pipeline', () => {
  const publish = (name: string): Promise<unknown> =>
    world.sql(`INSERT INTO bauta.run (id, workspace_id, pipeline, documents, state, ended_at)
      VALUES ('${randomUUID().replaceAll('-', '').slice(0, 16)}', '${world.workspaces.home}', '${name}', '[]', 'published', '${new Date(now.ms).toISOString()}')`);
  const tick = async (): Promise<void> => {
    const failed = (error: unknown): void => void failures.push(error);
    await Promise.all([world.metadata, other].map((metadata) => new Scheduler({ metadata, clock, failed }).tick()));
  };

  it('asks for one run each, from the moment on that somebody waits for it', async () => {
    await publish('first');
    now.ms += 1000;
    await apply('kind: Trigger\nname: after-first\npipeline: second\non: { dataset: first }\n');
    await tick();
    expect(await runsOf('after-first')).toEqual([]);
    now.ms += 1000;
    await publish('first');
    await publish('third');
    await tick();
    await tick();
    expect(await runsOf('after-first')).toMatchObject([{ pipeline: 'second', cause: { kind: 'Trigger', name: 'after-first' } }]);
    now.ms += 1000;
    await publish('first');
    await tick();
    expect(await runsOf('after-first')).toHaveLength(2);
    expect((await world.ask('GET', '/v1/triggers/after-first/state', { token: vic })).body).toMatchObject({ address: null });
  });

  it('is not answered when it was published during a pause', async () => {
    await world.ask('POST', '/v1/triggers/after-first/pause', { token: otto });
    await publish('first');
    await tick();
    now.ms += 1000;
    await world.ask('POST', '/v1/triggers/after-first/resume', { token: otto });
    await tick();
    expect(await runsOf('after-first')).toHaveLength(2);
  });

  it('never asks for itself, over however many pipelines', async () => {
    expect((await apply('kind: Trigger\nname: after-second\npipeline: third\non: { dataset: second }\n')).status).toBe(200);
    for (const text of ['name: loop\npipeline: first\non: { dataset: third }', 'name: self\npipeline: first\non: { dataset: first }']) {
      const { status, body } = await apply(`kind: Trigger\n${text}\n`);
      expect([status, body['code']]).toEqual([422, 'TRIGGER_CYCLE']);
    }
    expect((await world.ask('GET', '/v1/triggers/loop', { token: vic })).status).toBe(404);
  });
});
