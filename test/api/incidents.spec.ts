// What is odd in the log is told once, and what is done about an incident is done to its end: on real databases, with real clones, versions and workers.
import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import pg from 'pg';

import { AnomalyClock } from '../../src/control/anomalies/anomalies.js';
import { CloneClock } from '../../src/control/environments/environments.js';
import type { ErrandWorker } from '../../src/control/errands/errands.js';
import { IncidentClock } from '../../src/control/incidents/incidents.js';
import { type RunWorker, requestRun } from '../../src/control/runs/runs.js';
import { systemClock } from '../../src/kernel/clock.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { begin, end, endAll } from '../support/processes.js';
import { type Answer, type Ask, type ServiceWorld, startErrandWorker, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, bauta, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const failures: unknown[] = [];
const failed = (error: unknown): void => void failures.push(error);
const clock = systemClock;
const day = 86_400_000;
const today = Math.floor(Date.now() / day) * day;
const hook = 'kept-from-alarms-1';
const tokens: Record<string, string> = {};
let tiny: TinyWorld;
let world: ServiceWorld;
let home: string;
let connections: Record<string, string>;
let runs: RunWorker;
let errands: ErrandWorker | undefined;
let clones: CloneClock;
const clocks: AnomalyClock[] = [];
const incidents: IncidentClock[] = [];

beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server, clock, { 'env:BAUTA_CONN_HOOK_LEAK': hook });
  home = mkdtempSync(join(tmpdir(), 'bauta-incidents-'));
  connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') };
  await world.startSequencer();
  const people = { ada: ['policy-admin'], vic: ['viewer'], dev: ['viewer@dev'], ann: ['approver'], olga: ['operator', 'approver'] };
  for (const [name, roles] of Object.entries(people)) tokens[name] = await world.person(name, roles);
  runs = await startRunWorker(world, home, connections);
  mkdirSync(join(home, 'kept'));
  errands = await startErrandWorker(world, home, connections, { BAUTA_DAILY_REPORTS: join(home, 'kept') });
  clones = new CloneClock({ metadata: world.metadata, clock, failed });
  for (let i = 0; i < 2; i += 1)
    incidents.push(new IncidentClock({ metadata: world.metadata, clock, approvalHours: 24, failed, lookMs: 0 }));
}, 60_000);
afterAll(async () => {
  await endAll();
  for (const one of [...clocks, ...incidents, clones, ...(errands ? [errands] : []), runs]) await one.stop();
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

const get = (path: string, who = 'vic'): Promise<Answer> => world.ask('GET', path, { token: tokens[who]! });
const items = ({ body }: Answer): Record<string, unknown>[] => body['items'] as Record<string, unknown>[];
const apply = (text: string): Promise<Answer> =>
  world.ask('POST', '/v1/apply', { token: tokens['ada']!, text, headers: { 'content-type': 'application/yaml' } });
const audit = (type: string, atMs: number, data: Record<string, string | boolean>, actor?: string): Promise<void> =>
  world.metadata.within(world.workspaces.home, (transaction) =>
    transaction.audit({ type, at: new Date(atMs).toISOString(), data, ...(actor === undefined ? {} : { actor }) }),
  );
async function until(done: () => Promise<boolean>, patienceMs = 30_000): Promise<void> {
  for (const startedAt = performance.now(); !(await done()); await new Promise((resolve) => setTimeout(resolve, 50)))
    if (performance.now() - startedAt > patienceMs) throw new Error('it did not come to that');
}
const sequenced = (): Promise<void> => until(async () => (await world.sql('SELECT FROM bauta.outbox')).length === 0);

it('reads each entry of the log once, over three replicas, and tells of what is odd once', async () => {
  const person = '6f1d1c1e-0000-4000-8000-000000000001';
  const reverse = (atMs: number): Promise<void> =>
    audit('tokens.exchanged', atMs, { action: 'detokenise', environment: 'dev', domain: 'mail' }, person);
  for (let before = 10; before >= 1; before -= 1) for (let i = 0; i < 2; i += 1) await reverse(today - before * day + i);
  for (let i = 0; i < 9; i += 1) await reverse(today + i);
  await sequenced();
  clocks.push(
    ...Array.from({ length: 3 }, () => new AnomalyClock({ metadata: world.metadata, clock: systemClock, failed, lookMs: 0, atOnce: 7 })),
  );
  for (let i = 0; i < 3; i += 1) await Promise.all(clocks.map((clock) => clock.look()));
  const counted = await world.sql(`SELECT sum(amount)::integer AS amount FROM bauta.anomaly_count WHERE rule = 'detokenisations'`);
  expect([counted, failures]).toEqual([[{ amount: 29 }], []]);
  const found = items(await get('/v1/anomalies?rule=detokenisations'));
  const window = new Date(today).toISOString();
  expect(found).toMatchObject([{ subject: `person ${person} domain mail`, environment: 'dev', pipeline: null, window, expected: 5 }]);
  expect(items(await get('/v1/anomalies'))).toHaveLength(1);
  // Whoever may look at one environment sees what is about it, and nothing of others.
  expect(items(await get('/v1/anomalies', 'dev'))).toHaveLength(1);
  expect((await get('/v1/anomalies?rule=gossip')).status).toBe(400);
  const told = await world.told('anomaly.found');
  expect(told.map(({ data }) => [data['rule'], data['anomaly']])).toEqual([['detokenisations', found[0]!['id']]]);
  const [notice, ...more] = await world.sql('SELECT event FROM bauta.notice');
  expect(more).toEqual([]);
  expect(JSON.stringify(notice)).not.toContain(person);
  // Its own entry is one more of the log, and nothing to tell of.
  await sequenced();
  for (const clock of clocks) await clock.look();
  expect(await world.told('anomaly.found')).toHaveLength(1);
});

it('tells of a schedule that was due and of which nothing is in the log', async () => {
  await world.sql(
    `INSERT INTO bauta.schedule (workspace_id, name, version, pipeline, overlap, decided_to, next_due_at)
       VALUES ('${world.workspaces.home}', 'nightly', 1, 'shop', false, now(), now() - interval '20 minutes'),
         ('${world.workspaces.home}', 'later', 1, 'shop', false, now(), now() - interval '10 minutes')`,
  );
  for (const clock of clocks) await clock.look();
  expect(items(await get('/v1/anomalies?rule=silence'))).toMatchObject([{ subject: 'schedule nightly', pipeline: 'shop', amount: 0 }]);
  await world.sql(`DELETE FROM bauta.schedule`);
});

it('takes a second person to watch less strictly, and says which rules have been switched off', async () => {
  const off = await apply('kind: Watch\nname: silence\noff: { reason: nothing is ever due at nights here }\n');
  expect([off.status, (off.body['lowers'] as object[])[0]]).toMatchObject([202, { what: 'watch-lowered', after: 'watched: no' }]);
  expect((await apply('kind: Watch\nname: denials\natLeast: 5\n')).status).toBe(200);
  expect((await apply('kind: Watch\nname: denials\natLeast: 50\n')).status).toBe(202);
  expect((await apply('kind: Watch\nname: denials\nsigmas: 2\n')).status).toBe(422);
  expect((await apply('kind: Watch\nname: gossip\n')).status).toBe(422);
  expect((await apply(hours('Europe/Bielefeld'))).status).toBe(422);
  expect((await apply(hours('Europe/Berlin'))).status).toBe(202);
  expect(items(await get('/v1/watches')).map(({ name }) => name)).toEqual(['denials']);
});

const hours = (zone: string): string =>
  `kind: Watch\nname: outside-hours\nhours: { timeZone: ${zone}, days: [monday], from: '08:00', until: '17:00' }\n`;

it('is listed by the command line, as a table and in its published form', async () => {
  const words = ['anomalies', 'list', '--server', world.url, '--token', 'env:TOKEN'];
  const said = await bauta(words, { env: { TOKEN: tokens['vic']! } });
  expect([said.exitCode, said.stdout.split('\n').length]).toEqual([0, 4]);
  expect(said.stdout).toContain('detokenisations');
  const json = await bauta([...words, '--json'], { env: { TOKEN: tokens['vic']! } });
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', 'output-anomalies.json'), 'utf8')) as object;
  const validate = new Ajv2020({ strict: false }).compile(schema);
  expect([validate(JSON.parse(json.stdout)), validate.errors]).toEqual([true, null]);
});

/** Standard Webhooks. */
function signed(id: string, secret = hook): Ask {
  const [text, timestamp] = ['{}', String(Math.floor(clock.now() / 1000))];
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${text}`).digest('base64');
  return { text, headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` } };
}
const post = (path: string, json: object, who: string): Promise<Answer> => world.ask('POST', path, { token: tokens[who]!, json });
interface Step {
  readonly step: string;
  readonly state: string;
  readonly error: string | null;
}
const stepsOf = async (id: string): Promise<Record<string, string>> => {
  const steps = (await get(`/v1/incidents/${id}`)).body['steps'] as Step[];
  return Object.fromEntries(steps.map(({ step, state, error }) => [step, error === null ? state : `${state} ${error}`]));
};
/** As the clocks of two replicas would, until it has ended. */
const carryOut = (id: string, done?: (steps: Record<string, string>) => boolean): Promise<void> =>
  until(async () => {
    await Promise.all(incidents.map((one) => one.look()));
    await clones.look();
    if (done) return done(await stepsOf(id));
    return (await get(`/v1/incidents/${id}`)).body['state'] !== 'under-way';
  }, 60_000);
const publish = async (): Promise<string> => {
  const { status, body } = await post('/v1/runs', { pipeline: 'tiny' }, 'olga');
  expect([status, body]).toMatchObject([201, {}]);
  const id = String(body['id']);
  await until(async () => !['queued', 'planning', 'extracting', 'building', 'verifying', 'publishing'].includes(String((await get(`/v1/runs/${id}`)).body['state'])), 60_000); // prettier-ignore
  expect((await get(`/v1/runs/${id}`)).body['state']).toBe('published');
  return id;
};
const all = {
  ...{ freeze: 'done', 'flip-gates': 'done', 'revoke-credentials': 'done', 'stop-agents': 'skipped', quarantine: 'done' },
  ...{ 'collect-evidence': 'done', 'breach-worksheet': 'done', 'open-approval': 'done', notify: 'done' },
};
it('publishes a copy that people read and clone', async () => {
  const documents = [pipelineText.replace('class: dev', 'class: dev\n  clones: { max: 2, hours: 4 }').replace('import: [classification.yaml]\n', ''), classificationText]; // prettier-ignore
  const trigger =
    'kind: Trigger\nname: leak\npipeline: tiny\nplaybook: pii-leak\non: { webhook: { form: hmac, secret: env:BAUTA_CONN_HOOK_LEAK } }\n';
  const { status, body } = await apply([...documents, trigger].join('---\n').replaceAll(/env:(SOURCE|TARGET)_URL/g, 'env:BAUTA_CONN_$1'));
  expect([status, body['findings']]).toEqual([200, undefined]);
  await publish();
  await tiny.server.sql('postgres', `CREATE ROLE qa LOGIN PASSWORD 'kept-from-logs-3'; GRANT CONNECT ON DATABASE copy TO qa`);
  const made = await post('/v1/environments/dev/clones', { for: 'pr-7' }, 'olga');
  expect(made.status).toBe(202);
  await until(async () => items(await get('/v1/environments/dev/clones'))[0]?.['state'] === 'ready');
});

let alarmed = '';

it('opens one incident for an alert that comes again and again, and none for one that somebody forged', async () => {
  const { body } = await get('/v1/triggers/leak/state');
  const address = String(body['address']);
  const forged = await world.ask('POST', address, signed('a1', 'not-the-secret-of-it'));
  expect([forged.status, forged.body['code']]).toEqual([401, 'ALERT_REFUSED']);
  expect((await world.told('webhook.refused')).map(({ data }) => [data['trigger'], data['reason']])).toEqual([['leak', 'forged']]);
  expect(items(await get('/v1/incidents'))).toEqual([]);
  const answers: Answer[] = [];
  for (const id of ['a1', 'a1', 'a2']) answers.push(await world.ask('POST', address, signed(id)));
  expect(answers.map(({ status, body: { incident, run } }) => [status, incident === answers[0]!.body['incident'], run])).toEqual([
    ...[
      [202, true, null],
      [202, true, null],
      [202, true, null],
    ],
  ]);
  alarmed = String(answers[0]!.body['incident']);
  expect((await world.told('incident.opened')).map(({ data }) => [data['rule'], data['environment'], data['dataset']])).toEqual([
    ['alert leak', 'dev', 'tiny'],
  ]);
  expect(items(await get('/v1/incidents?open=true'))).toMatchObject([{ id: alarmed, frozen: true, state: 'under-way', openedBy: null }]);
});

it('shuts everybody out of the copy, and nothing new is made of it', async () => {
  const reader = new pg.Client(tiny.server.url('copy').replace(/\/\/postgres:[^@]*@/, '//qa:kept-from-logs-3@'));
  const lost = new Promise((resolve) => reader.on('error', resolve));
  await reader.connect();
  const clone = String((await post('/v1/environments/dev/clones', { for: 'pr-8' }, 'olga')).body['code']);
  expect([clone, (await post('/v1/runs', { pipeline: 'tiny' }, 'olga')).body['code']]).toEqual(['INCIDENT_FROZEN', 'INCIDENT_FROZEN']);
  // What a schedule asks for is denied when it is to begin.
  const due = await world.metadata.within(world.workspaces.home, (transaction) =>
    requestRun(transaction, { pipeline: 'tiny', requestedBy: null, nowMs: Date.now() }),
  );
  await until(async () => ['denied', 'cancelled'].includes(String((await get(`/v1/runs/${String(due)}`)).body['state'])));
  await carryOut(alarmed);
  expect(await stepsOf(alarmed)).toEqual(all);
  await lost;
  await expect(new pg.Client(tiny.server.url('copy').replace(/\/\/postgres:[^@]*@/, '//qa:kept-from-logs-3@')).connect()).rejects.toThrow(/permission denied/); // prettier-ignore
  expect(items(await get('/v1/datasets/current'))).toMatchObject([{ quarantined: true, revokedAt: expect.any(String) }]);
  const left = await tiny.server.sql('postgres', `SELECT datname FROM pg_database WHERE datname LIKE '%clone%' OR datname LIKE '%pr-7%'`);
  expect([left, items(await get('/v1/environments/dev/clones')).map(({ state }) => state)]).toEqual([[], ['dropped']]);
  const told = (await world.told('incident.step')).map(({ data }) => `${String(data['step'])} ${String(data['outcome'])}`);
  expect(told.sort()).toEqual(Object.entries(all).map(([step, state]) => `${step} ${state}`).sort()); // prettier-ignore
});

it('hands out the evidence as it was collected, which nobody can write again, with its digest in the log', async () => {
  const { body } = await get(`/v1/incidents/${alarmed}`);
  const files = body['files'] as { name: string; digest: string; size: number }[];
  expect(files.map(({ name }) => name)).toEqual(['breach-worksheet.html', 'evidence.zip']);
  const folder = mkdtempSync(join(home, 'evidence-'));
  const words = ['--server', world.url, '--token', 'env:TOKEN'];
  const said = await bauta(['incidents', 'file', alarmed, '--name', 'evidence.zip', '--out', join(folder, 'evidence.zip'), ...words], {
    env: { TOKEN: tokens['olga']! },
  });
  expect([said.stderr, said.exitCode]).toEqual(['', 0]);
  const bytes = readFileSync(join(folder, 'evidence.zip'));
  expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(files[1]!.digest);
  const page = await fetch(`${world.url}/v1/incidents/${alarmed}/files/breach-worksheet.html`, {
    headers: { authorization: `Bearer ${tokens['olga']!}` },
  });
  expect(await page.text()).toMatch(/<h1[^>]*>[^<]*breach/i);
  const [step] = (await world.told('incident.step')).filter(({ data }) => data['step'] === 'collect-evidence');
  expect(step?.data['detail']).toMatchObject({ file: 'evidence.zip', digest: files[1]!.digest });
  // And where daily reports are kept, under its digest.
  const { stored } = step?.data['detail'] as { stored: string };
  expect([stored.split('/').slice(0, 3), readFileSync(join(home, 'kept', stored, 'evidence.zip')).equals(bytes)]).toEqual([['default', 'incidents', alarmed], true]); // prettier-ignore
  // Checked as any package is: with the log's own key, and with nothing of the service.
  const key = String((await world.sql('SELECT verifier FROM bauta.audit_key'))[0]?.['verifier']);
  writeFileSync(join(folder, 'log.pub'), `${key}\n`);
  const checked = await bauta(['report', 'verify', join(folder, 'evidence.zip'), '--key', join(folder, 'log.pub')]);
  expect([checked.exitCode, checked.stderr]).toEqual([0, '']);
  expect((await get(`/v1/incidents/${alarmed}/files/evidence.zip`, 'vic')).status).toBe(403);
  expect((await get(`/v1/incidents/${alarmed}/files/other.zip`, 'olga')).status).toBe(404);
});

it('is closed by one person and lifted by another, and then the copy is made anew', async () => {
  const close = (who: string): Promise<Answer> =>
    post(`/v1/incidents/${alarmed}/close`, { outcome: 'resolved', reason: 'the rule for notes is mended' }, who);
  expect((await close('ann')).status).toBe(403);
  const closed = await close('olga');
  expect([closed.status, closed.body]).toMatchObject([200, { state: 'closed', frozen: true, closeReason: 'the rule for notes is mended' }]);
  expect((await close('olga')).body['code']).toBe('INCIDENT_CLOSED');
  expect((await post('/v1/runs', { pipeline: 'tiny' }, 'olga')).body['code']).toBe('INCIDENT_FROZEN');
  const waiting = items(await get('/v1/approvals?state=waiting', 'ann')).filter(({ kind }) => kind === 'incident');
  expect(waiting.map(({ subject }) => (subject as { incident: string }).incident)).toEqual(waiting.map(() => alarmed));
  // Also who may approve does not agree with himself.
  expect((await post(`/v1/approvals/${String(waiting[0]!['id'])}/approve`, {}, 'olga')).body['code']).toBe('APPROVAL_OF_OWN');
  expect((await post(`/v1/approvals/${String(waiting[0]!['id'])}/approve`, {}, 'ann')).status).toBe(200);
  expect((await get(`/v1/incidents/${alarmed}`)).body).toMatchObject({ state: 'closed', frozen: false });
  const [lifted] = await world.told('incident.lifted');
  expect(lifted?.data['closedBy']).not.toBe(lifted?.data['approvedBy']);
  expect(await publish()).toMatch(/^[0-9a-z]{16}$/);
});

it('goes on with every other step when one fails, says so, and tries it again when it is told to', async () => {
  await errands?.stop();
  errands = await startErrandWorker(world, home, { BAUTA_CONN_SOURCE: connections['BAUTA_CONN_SOURCE']! });
  const words = ['--server', world.url, '--token', 'env:TOKEN', '--json'];
  const opened = await bauta(['incidents', 'open', 'tiny', '--reason', 'seen in a ticket', ...words], { env: { TOKEN: tokens['olga']! } });
  expect([opened.exitCode, opened.stderr]).toEqual([0, '']);
  const { incident } = JSON.parse(opened.stdout) as { incident: { id: string } };
  await carryOut(incident.id);
  const { quarantine, ...others } = await stepsOf(incident.id);
  expect(quarantine).toMatch(/^failed [A-Z_]+$/);
  expect(others).toMatchObject({ freeze: 'done', 'flip-gates': 'done', 'collect-evidence': 'done', notify: 'done' });
  expect((await world.sql(`SELECT event FROM bauta.notice WHERE event ->> 'type' = 'incident.step-failed'`)).map(({ event }) => (event as { data: object }).data)).toMatchObject([{ step: 'quarantine' }]); // prettier-ignore
  const shown = await bauta(['incidents', 'show', incident.id, ...words.slice(0, 4)], { env: { TOKEN: tokens['vic']! } });
  expect([shown.exitCode, shown.stdout.includes('failed')]).toEqual([1, true]);
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(packageFile('docs', 'schema', 'output-incidents.json'), 'utf8')) as object); // prettier-ignore
  expect([validate(JSON.parse(opened.stdout)), validate.errors]).toEqual([true, null]);
  await errands.stop();
  errands = undefined;
  expect((await post(`/v1/incidents/${incident.id}/retry`, {}, 'olga')).status).toBe(202);
  await goesOnAfterAKill(incident.id);
  expect((await post(`/v1/incidents/${incident.id}/retry`, {}, 'olga')).body['code']).toBe('INCIDENT_NOTHING_FAILED');
}, 180_000);

/** kill -9 of the worker that has the step; the next one goes on. */
async function goesOnAfterAKill(id: string): Promise<void> {
  const environment = {
    ...{
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      BAUTA_HOME: home,
      BAUTA_METADATA: 'env:METADATA_URL',
      METADATA_URL: world.urls.service,
    },
    ...{ ...connections, BAUTA_THREADS: '0', BAUTA_LOG_LEVEL: 'fatal' },
  };
  const first = await begin('worker', environment);
  const started = async (): Promise<boolean> => (await world.sql(`SELECT FROM bauta.errand WHERE kind = 'quarantine' AND started_at IS NOT NULL AND ended_at IS NULL`)).length > 0; // prettier-ignore
  await Promise.all(incidents.map((one) => one.look()));
  await until(started);
  await end(first.child, 'SIGKILL');
  expect([await started(), (await stepsOf(id))['quarantine']?.split(' ')[0]]).toEqual([true, 'asked']);
  // Half a minute without a word of it.
  await world.sql(`UPDATE bauta.errand SET heard_at = heard_at - interval '1 minute' WHERE kind = 'quarantine' AND ended_at IS NULL`);
  await begin('worker', environment);
  await carryOut(id);
  expect((await stepsOf(id))['quarantine']).toBe('done');
  expect(items(await get('/v1/datasets/current'))).toMatchObject([{ quarantined: true }]);
  await endAll();
}

it('opens an incident by what was found odd, where the watch names a playbook', async () => {
  expect((await apply('kind: Playbook\nname: look\nsteps: [notify]\n')).status).toBe(200);
  expect((await apply('kind: Watch\nname: residual\nplaybook: look\n')).status).toBe(200);
  expect((await apply('kind: Watch\nname: denials\nplaybook: look\n')).status).toBe(422);
  expect((await apply('kind: Watch\nname: residual\nplaybook: nothing-of-that-name\n')).status).toBe(422);
  const [run] = await world.sql(`SELECT id FROM bauta.run WHERE pipeline = 'tiny' ORDER BY id DESC LIMIT 1`);
  await audit('run.withheld', Date.now(), { run: String(run?.['id']) });
  await sequenced();
  for (const clock of clocks) await clock.look();
  const [found] = items(await get('/v1/incidents?open=true')).filter(({ rule }) => rule === 'residual');
  expect(found).toMatchObject({ rule: 'residual', pipeline: 'tiny', environment: 'dev', playbook: 'look', frozen: false });
  await carryOut(String(found!['id']));
  expect(await stepsOf(String(found!['id']))).toEqual({ notify: 'done' });
  // Taking a step out of what comes with the release takes a second person.
  expect((await apply('kind: Playbook\nname: pii-leak\nsteps: [freeze, notify]\n')).status).toBe(202);
  expect(failures).toEqual([]);
});
