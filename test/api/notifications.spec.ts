// From what happened to who is told of it: real servers with TLS on loopback, a metadata database, and processes that die in between.
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { RefusalTelling } from '../../src/control/refusal-telling.js';
import { Notifier } from '../../src/control/notifications/notifications.js';
import { Grants } from '../../src/control/references.js';
import { verifyDelivery } from '../../src/control/webhooks/verify-delivery.js';
import { toError } from '../../src/kernel/errors.js';
import { newRunId } from '../../src/kernel/ids.js';
import { HttpClient } from '../../src/systems/http/http.js';
import type { RunState } from '../../src/systems/metadata/metadata.js';
import { type Authority, createAuthority } from '../support/certificates.js';
import { type MailServer, startMailServer } from '../support/mail-server.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';

const key = 'a-key-of-32-bytes-that-nobody-has';
let world: ServiceWorld;
let authority: Authority;
let server: Server;
let mail: MailServer;
let notifier: Notifier;
let port = 0;
let [admin, operator, viewer, stranger] = ['', '', '', ''];
const heard: { path: string; headers: IncomingMessage['headers']; body: string }[] = [];
/** What a path answers from now on; 200 otherwise. */
const answers: Record<string, () => { status: number; headers?: Record<string, string>; body?: string }> = {};
const failures: unknown[] = [];

beforeAll(async () => {
  authority = createAuthority();
  const { key: tlsKey, cert } = authority.issue(['DNS:hooks.test', 'DNS:slack.com']);
  server = createServer({ key: tlsKey, cert }, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const path = request.url ?? '';
      heard.push({ path, headers: request.headers, body });
      const { status, headers = {}, body: text = 'ok' } = answers[path]?.() ?? { status: 200 };
      response.writeHead(status, headers).end(text);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ({ port } = server.address() as AddressInfo);
  mail = await startMailServer();
  const grants = Grants.parse(
    `workspaces: { default: { references: ['env:BAUTA_CONN_*'], secrets: [
      { reference: env:BAUTA_CONN_KEY, for: 'hooks.test:${port}' }, { reference: env:BAUTA_CONN_SLACK, for: 'slack.com:443' }] } }`,
    'grants.yaml',
  );
  world = await startServiceWorld(undefined, undefined, undefined, { grants });
  admin = await world.person('pat', ['policy-admin', 'viewer']);
  operator = await world.person('otto', ['operator']);
  viewer = await world.person('vic', ['viewer']);
  stranger = await world.person('eve', ['viewer', 'operator'], 'foreign');
  notifier = createNotifier(grants);
  const applied = await apply([...['shop', 'other'].map(pipeline), ...channels()].join('---\n'));
  expect([applied.status, applied.body['findings']]).toEqual([200, undefined]);
});
beforeEach(() => {
  heard.length = 0;
  for (const path of Object.keys(answers)) delete answers[path];
});
afterAll(async () => {
  await notifier.stop();
  await world.stop();
  await mail.stop();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  authority.remove();
  expect(failures).toEqual([]);
});

function createNotifier(grants: Grants): Notifier {
  return new Notifier({
    metadata: world.metadata,
    http: new HttpClient({
      hosts: `hooks.test:${port}=127.0.0.1 slack.com:${port}=127.0.0.1`,
      lookup: () => Promise.resolve(['127.0.0.1']),
      ca: authority.ca,
    }),
    settings: parseSettings({ BAUTA_NOTIFY_MS: '60000', BAUTA_SMTP: 'env:RELAY', BAUTA_SMTP_FROM: 'bauta@example.com' }),
    environment: {
      BAUTA_CONN_HOOK: `https://hooks.test:${port}/services/T0/B0/secret`,
      BAUTA_CONN_TEAMS: `https://hooks.test:${port}/workflows/secret`,
      BAUTA_CONN_AWAY: 'https://elsewhere.test/x',
      BAUTA_CONN_KEY: key,
      BAUTA_CONN_SLACK: 'xoxb-canary',
      RELAY: `smtp://127.0.0.1:${mail.port}`,
    },
    grants,
    slackPost: `https://slack.com:${port}/api/chat.postMessage`,
    firstWaitMs: 30,
    failed: (error) => void failures.push(error),
  });
}

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
const channel = (
  name: string,
  way: string,
  rest = 'pipelines: [shop]\n',
  events = 'run-failed, run-withheld, run-denied, run-recovered',
): string => `kind: Channel\nname: ${name}\nevents: [${events}]\n${rest}via: ${way}\n`;
const channels = (): string[] => [
  channel('hook', 'slackWebhook\nslackWebhook: { url: env:BAUTA_CONN_HOOK }'),
  channel('bot', 'slack\nslack: { channel: C0123, token: env:BAUTA_CONN_SLACK }'),
  channel('flow', 'teams\nteams: { url: env:BAUTA_CONN_TEAMS }'),
  channel('signed', `webhook\nwebhook: { url: 'https://hooks.test:${port}/signed', secret: env:BAUTA_CONN_KEY }`),
  channel('mail', 'email\nemail: { to: [ops@example.com] }'),
];
const apply = (text: string): Promise<Answer> =>
  world.ask('POST', '/v1/apply', { token: admin, text, headers: { 'content-type': 'application/yaml' } });

/** A run that ends so, by the one setter of its state. Gives its id. */
async function finish(name: string, to: RunState, code = 'CONNECTION_UNREACHABLE'): Promise<string> {
  const id = newRunId(Date.now());
  await world.metadata.within(world.workspaces.home, async ({ runs }) => {
    await runs.insert({ id, pipeline: name, environment: 'dev', documents: [], requestedBy: null, dueAt: null });
    await runs.transition(id, { to: 'planning' });
    if (to === 'withheld') for (const state of ['extracting', 'building', 'verifying'] as const) await runs.transition(id, { to: state });
    const told = to === 'failed' ? { error: { code, message: 'canary-message', where: { table: 'canary-table' } } } : {};
    await runs.transition(id, { to, summary: { state: to, ...told } });
  });
  return id;
}
const list = async (query = ''): Promise<Record<string, unknown>[]> =>
  (await world.ask('GET', `/v1/notifications?limit=100${query}`, { token: viewer })).body['items'] as Record<string, unknown>[];
const states = async (query = ''): Promise<string[]> =>
  (await list(query)).map((one) => `${String(one['channel'])} ${String(one['state'])}`).sort();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const lookTwice = async (): Promise<void> => {
  await notifier.look();
  await notifier.look();
};

it('tells every channel of a run that failed, each in its own way, and nothing of it but names and a code', async () => {
  answers['/api/chat.postMessage'] = () => ({ status: 200, body: '{"ok":true}' });
  const run = await finish('shop', 'failed');
  await finish('other', 'failed');
  await lookTwice();
  expect(await states()).toEqual(['bot sent', 'flow sent', 'hook sent', 'mail sent', 'signed sent']);
  expect(heard.map(({ path }) => path).sort()).toEqual(['/api/chat.postMessage', '/services/T0/B0/secret', '/signed', '/workflows/secret']);
  for (const { body } of heard)
    expect([body.includes(run), body.includes('CONNECTION_UNREACHABLE'), body.includes('canary')]).toEqual([true, true, false]);
  expect(heard.find(({ path }) => path.startsWith('/api'))?.headers.authorization).toBe('Bearer xoxb-canary');
  const signed = heard.find(({ path }) => path === '/signed');
  const delivery = { headers: signed?.headers ?? {}, body: Buffer.from(signed?.body ?? '') };
  // By the same code that takes such webhooks.
  expect(verifyDelivery('hmac', delivery as never, key as never, Date.now())).toMatchObject({ digest: expect.stringMatching(/^sha256:/) });
  expect(mail.messages).toHaveLength(1);
  const [sent] = await world.sql(`SELECT event FROM bauta.outbox WHERE event ->> 'type' = 'notification.sent' LIMIT 1`);
  expect(JSON.stringify(sent)).not.toContain('canary');
});

it('tells the same of the same pipeline once, and that it runs again, and then anew', async () => {
  const before = (await list()).length;
  await finish('shop', 'failed');
  await lookTwice();
  expect((await list()).slice(0, 5).map((one) => one['state'])).toEqual(Array.from({ length: 5 }, () => 'repeated'));
  await finish('shop', 'published');
  await lookTwice();
  await finish('shop', 'published');
  await finish('shop', 'withheld');
  await lookTwice();
  const later = (await list()).slice(0, -before).filter((one) => one['channel'] === 'hook');
  expect(later.map((one) => [one['event'], one['state']])).toEqual([
    ['run-withheld', 'sent'],
    ['run-recovered', 'sent'],
    ['run-failed', 'repeated'],
  ]);
});

it('waits as long as it is told to, tries what may pass again, and gives up what never will', async () => {
  await finish('shop', 'published');
  await lookTwice();
  heard.length = 0;
  let tries = 0;
  answers['/signed'] = () => ({ status: ++tries < 3 ? 503 : 204 });
  answers['/services/T0/B0/secret'] = () => ({ status: 429, headers: { 'Retry-After': '120' }, body: 'canary-answer' });
  answers['/workflows/secret'] = () => ({ status: 404, body: 'canary-answer' });
  answers['/api/chat.postMessage'] = () => ({ status: 200, body: '{"ok":false,"error":"channel_not_found"}' });
  mail.answers['RCPT'] = '550 no';
  await finish('shop', 'denied');
  for (let i = 0; i < 6; i++) {
    await notifier.look();
    await pause(60);
  }
  delete mail.answers['RCPT'];
  const last = (await list()).slice(0, 5);
  expect(last.map((one) => [one['channel'], one['state'], one['attempts'], one['error']]).sort()).toEqual([
    ['bot', 'dead', 1, 'NOTIFICATION_REFUSED'],
    ['flow', 'dead', 1, 'NOTIFICATION_REFUSED'],
    ['hook', 'waiting', 1, 'NOTIFICATION_UNDELIVERED'],
    ['mail', 'dead', 1, 'NOTIFICATION_REFUSED'],
    ['signed', 'sent', 3, null],
  ]);
  const waits = Date.parse(String(last.find((one) => one['channel'] === 'hook')?.['nextAt'])) - Date.now();
  expect(waits).toBeGreaterThan(100_000);
  // The same id each time, so that a receiver can tell.
  expect(new Set(heard.filter(({ path }) => path === '/signed').map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(JSON.stringify(await list())).not.toContain('canary');
});

it('lists what is dead, and an operator has it tried anew', async () => {
  const [dead] = await list('&state=dead&channel=flow');
  const path = `/v1/notifications/${String(dead?.['id'])}/retry`;
  expect((await world.ask('POST', path, { token: viewer })).status).toBe(403);
  expect((await world.ask('POST', path, { token: stranger })).status).toBe(404);
  expect((await world.ask('GET', '/v1/notifications', { token: stranger })).body['items']).toEqual([]);
  expect((await world.ask('POST', path, { token: operator })).body).toMatchObject({ state: 'waiting', attempts: 0, error: null });
  await notifier.look();
  expect(await list('&state=dead&channel=flow')).toEqual([]);
  expect((await world.ask('POST', path, { token: operator })).status).toBe(409);
});

it('gives up after eight tries', async () => {
  await apply(channel('signed', `webhook\nwebhook: { url: 'https://hooks.test:${port}/never', secret: env:BAUTA_CONN_KEY }`));
  answers['/never'] = () => ({ status: 500 });
  await finish('shop', 'failed');
  for (let i = 0; i < 8; i++) {
    await lookTwice();
    await world.sql(`UPDATE bauta.notification SET next_at = now() WHERE channel = 'signed' AND state = 'waiting'`);
  }
  expect((await list('&channel=signed'))[0]).toMatchObject({ state: 'dead', attempts: 8, error: 'NOTIFICATION_UNDELIVERED' });
  expect(heard.filter(({ path }) => path === '/never')).toHaveLength(8);
  const [told] = await world.sql(`SELECT event FROM bauta.outbox WHERE event ->> 'type' = 'notification.dead' ORDER BY id DESC LIMIT 1`);
  expect(told).toMatchObject({ event: { data: { channel: 'signed', attempts: 8 } } });
});

it('an address that nobody listed is dead at once, and a run waits for none of it', async () => {
  await apply(channel('away', 'slackWebhook\nslackWebhook: { url: env:BAUTA_CONN_AWAY }', '', 'run-failed'));
  const startedAt = performance.now();
  await finish('other', 'failed', 'NOT_A_CODE<script>');
  expect(performance.now() - startedAt).toBeLessThan(5000);
  await lookTwice();
  expect(await list('&channel=away')).toMatchObject([{ state: 'dead', attempts: 1, error: 'HTTP_HOST_NOT_ALLOWED' }]);
  expect(JSON.stringify((await list('&channel=away'))[0]?.['message'])).not.toContain('script');
});

it('tells of what is new behind more than a page of notices that nobody can be told of', async () => {
  const broken = JSON.stringify({ type: 'run.failed', at: '2026-11-22T00:00:00.000Z', data: null });
  await world.sql(
    `INSERT INTO bauta.notice (workspace_id, event) SELECT '${world.workspaces.home}', '${broken}'::json FROM generate_series(1, 130)`,
  );
  await finish('shop', 'published');
  const run = await finish('shop', 'failed');
  await notifier.look();
  expect((await list('&channel=flow')).map(({ message }) => (message as { run?: string }).run)).toContain(run);
  expect(failures.splice(0)).toHaveLength(130);
  await world.sql(`DELETE FROM bauta.notice WHERE json_typeof(event -> 'data') = 'null'`);
});

it('tells that a run is late, and of one whose remains could not be taken away', async () => {
  await apply(channel('late', 'email\nemail: { to: [ops@example.com] }', '', 'run-late, run-failed'));
  const id = newRunId(Date.now());
  await world.metadata.within(world.workspaces.home, async ({ runs }) => {
    await runs.insert({ id, pipeline: 'other', environment: 'dev', documents: [], requestedBy: null, dueAt: null });
    await runs.markLate(await runs.lock(id));
    for (const to of ['planning', 'extracting', 'compensation-failed'] as const) await runs.transition(id, { to });
  });
  await lookTwice();
  expect((await list('&channel=late')).map((one) => [one['event'], one['state'], (one['message'] as { run: string }).run])).toEqual([
    ['run-failed', 'sent', id],
    ['run-late', 'sent', id],
  ]);
});

it('is sent by one of several, and by another when the one that had it died', async () => {
  await finish('shop', 'published');
  await lookTwice();
  heard.length = 0;
  const others = [createNotifier(Grants.usual), createNotifier(Grants.usual)];
  await finish('shop', 'failed');
  await Promise.all([notifier, ...others].map((one) => one.look()));
  await Promise.all([notifier, ...others].map((one) => one.look()));
  await Promise.all(others.map((one) => one.stop()));
  expect(heard.filter(({ path }) => path === '/workflows/secret')).toHaveLength(1);
  // As a process leaves it that was killed between the claim and the answer: ours again when its time is over.
  await world.sql(`UPDATE bauta.notification SET state = 'waiting', next_at = now() + interval '1 hour', ended_at = NULL
    WHERE id = (SELECT id FROM bauta.notification WHERE channel = 'flow' ORDER BY created_at DESC LIMIT 1)`);
  await notifier.look();
  expect(heard.filter(({ path }) => path === '/workflows/secret')).toHaveLength(1);
  await world.sql(`UPDATE bauta.notification SET next_at = now() WHERE channel = 'flow' AND state = 'waiting'`);
  await notifier.look();
  expect(heard.filter(({ path }) => path === '/workflows/secret')).toHaveLength(2);
});

it.each([
  ['a key that was not granted for that host', `webhook\nwebhook: { url: 'https://evil.example/x', secret: env:BAUTA_CONN_KEY }`],
  ['two ways', `teams\nteams: { url: env:BAUTA_CONN_TEAMS }\nemail: { to: [ops@example.com] }`],
  ['an address without TLS', `webhook\nwebhook: { url: 'http://hooks.test/x', secret: env:BAUTA_CONN_KEY }`],
  ['a secret of the service', `teams\nteams: { url: env:BAUTA_SMTP }`],
  ['an address with a line break', `email\nemail: { to: ["ops@example.com\\r\\nBcc: x@evil.example"] }`],
])('a channel with %s is refused', async (_, way) => expect((await apply(channel('bad', way))).status).toBe(422));

it('tells of a policy bundle that was refused, once, whichever replica says it and however often, and counts it', async () => {
  const text = channel('rules', 'slackWebhook\nslackWebhook: { url: env:BAUTA_CONN_HOOK }', '', 'policy-refused');
  expect((await apply(text)).status).toBe(200);
  const counted: string[] = [];
  const metrics = { refused: (question: string, code: string): void => void counted.push(`${question} ${code}`) };
  const replica = (): RefusalTelling =>
    new RefusalTelling({ metadata: world.metadata, metrics, question: 'deploy', failed: (error) => void failures.push(error) });
  const inForce = { revision: 'r1', digest: 'sha256:01' };
  const policy = { bundle: inForce, decide: () => Promise.reject(new Error('not asked')), close: () => Promise.resolve() };
  const refuse = async (digest: string): Promise<void> => {
    for (const one of [replica(), replica()])
      await one.open((onRefused) => {
        onRefused({ error: toError('POLICY_BUNDLE_UNSIGNED'), digest, inForce });
        return Promise.resolve(policy);
      });
    for (let round = 0; (await world.sql('SELECT FROM bauta.notice')).length < 4 && round < 100; round++) await pause(10);
    await lookTwice();
  };
  await refuse('sha256:02');
  expect(counted).toEqual(['deploy POLICY_BUNDLE_UNSIGNED', 'deploy POLICY_BUNDLE_UNSIGNED']);
  const told = (): string[] => heard.map(({ body }) => body).filter((body) => body.includes('policy bundle'));
  expect(told()).toEqual([expect.stringMatching(/about deployments, sha256:02.*POLICY_BUNDLE_UNSIGNED/)]);
  await refuse('sha256:03');
  expect(told()).toHaveLength(2);
  const [entry] = await world.sql(`SELECT event FROM bauta.outbox WHERE event ->> 'type' = 'policy.bundle-refused' LIMIT 1`);
  expect(entry?.['event']).toMatchObject({ data: { question: 'deploy', code: 'POLICY_BUNDLE_UNSIGNED', inForce } });
  // One that cannot be opened at all is tried anew by every question, and told once.
  const closed = replica();
  for (let round = 0; round < 3; round++)
    await expect(closed.open(() => Promise.reject(toError('POLICY_BUNDLE_UNREACHABLE', { name: 'x' })))).rejects.toMatchObject({
      code: 'POLICY_BUNDLE_UNREACHABLE',
    });
  expect(counted.slice(4)).toEqual(['deploy POLICY_BUNDLE_UNREACHABLE']);
  for (let round = 0; (await world.sql('SELECT FROM bauta.notice')).length < 2 && round < 100; round++) await pause(10);
  await lookTwice();
});
