// Three processes of the service on one metadata database: one is killed, the database goes and comes back, and each decision is there once; what is
// answered without the database was decided before.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { newSecret, toSecretDigest } from '../../src/control/http/http.js';
import { type ServiceProcess, begin, end, endAll } from '../support/processes.js';
import { type Answer, type ServiceWorld, ask, startServiceWorld } from '../support/service.js';

const serverKey = randomBytes(32);
const commit = 'a'.repeat(40);
const tokens: Record<string, string> = {};
let world: ServiceWorld;
let folder = '';
let replicas: ServiceProcess[] = [];
let again: ChildProcess | undefined;

const urlOf = ({ words }: ServiceProcess): string => /http:\/\/[\w.:]+/.exec(words)?.[0] ?? '';
const post = (n: number, path: string, json: object, who = 'rita'): Promise<Answer> =>
  ask(urlOf(replicas[n]!), 'POST', path, { token: tokens[who]!, json });
const decide = (n: number, service: string): Promise<Answer> =>
  post(n, '/v1/gates/production/decisions', { environment: 'prod', service, commit });

beforeAll(async () => {
  world = await startServiceWorld();
  folder = mkdtempSync(join(tmpdir(), 'bauta-gate-replicas-'));
  for (const [name, role] of Object.entries({ pat: 'policy-admin', rita: 'requester', ann: 'approver', abe: 'approver' })) {
    await world.person(name, [role]);
    const secret = world.secret(newSecret('token'));
    await world.metadata.within(world.workspaces.home, async ({ people }) =>
      people.insertToken((await people.find(name))!.id, 'test', toSecretDigest(secret, serverKey), new Date(Date.now() + 3_600_000)),
    );
    tokens[name] = secret;
  }
  const environment = {
    ...{
      PATH: process.env['PATH'] ?? '',
      BAUTA_METADATA: 'env:METADATA',
      METADATA: world.urls.service,
      BAUTA_RUNS: '0',
      BAUTA_HTTP_PORT: '0',
    },
    ...{ BAUTA_METADATA_SEQUENCER: 'env:SEQUENCER', SEQUENCER: world.urls.sequencer, BAUTA_RATE_ADDRESS: '0', BAUTA_RATE_TOKEN: '0' },
    ...{ BAUTA_LOG_KEY: 'env:LOG_KEY', LOG_KEY: randomBytes(32).toString('base64') },
    ...{ BAUTA_SERVER_KEY: 'env:SERVER_KEY', SERVER_KEY: serverKey.toString('base64') },
  };
  replicas = await Promise.all([0, 1, 2].map((n) => begin('main', { ...environment, BAUTA_HOME: join(folder, `api-${n}`) })));
  const gate = `kind: Gate\nname: production\nenvironments: [prod]\nservices: ['*']\nthreshold: 85
dataset: { required: false, reason: tests have data of their own }
evidence:\n  - { name: tests, type: junit, subject: commit, maxAge: 7d }\nparameters: { logLagSeconds: 600 }\n`;
  const { body } = await ask(urlOf(replicas[0]!), 'POST', '/v1/apply', {
    ...{ token: tokens['pat']!, text: gate, headers: { 'content-type': 'application/yaml' } },
  });
  expect((await post(1, `/v1/approvals/${(body['approval'] as { id: string }).id}/approve`, {}, 'ann')).status).toBe(200);
  expect((await report('<testsuite><testcase name="one"/></testsuite>')).status).toBe(201);
  // The log has to have a signature before anything is let through.
  for (let n = 0; (await decide(0, 'first')).body['allow'] !== true; n++) {
    expect(n).toBeLessThan(100);
    await sleep(100);
  }
}, 60_000);
afterAll(async () => {
  await endAll();
  await world.stop();
  again?.kill('SIGINT');
  rmSync(folder, { recursive: true, force: true });
});

const report = (text: string): Promise<Answer> =>
  ask(urlOf(replicas[0]!), 'POST', `/v1/evidence?format=junit&commit=${commit}&repository=1`, {
    ...{ token: tokens['rita']!, text, headers: { 'content-type': 'application/xml' } },
  });

/** As somebody restarts it: in an orderly way, on the same port. */
async function stopDatabase(): Promise<() => Promise<void>> {
  const { dataFolder, logFile } = world.server;
  const [line = ''] = readFileSync(join(dataFolder, 'postmaster.opts'), 'utf8').split('\n');
  const [binary = '', ...words] = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  const pid = Number(readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const { uid, gid } = statSync(dataFolder);
  process.kill(pid, 'SIGINT');
  for (let alive = true; alive; await sleep(20)) alive = readable(join(dataFolder, 'postmaster.pid'));
  return async () => {
    again = spawn(binary, words, { ...(process.getuid?.() === 0 ? { uid, gid } : {}), stdio: 'ignore', cwd: '/' });
    for (let n = 0; n < 200; n++, await sleep(50)) if (await world.server.sql('postgres', 'SELECT 1').then(() => true, () => false)) return; // prettier-ignore
    throw new Error(readFileSync(logFile, 'utf8').slice(-2000));
  };
}
function readable(path: string): boolean {
  try {
    return readFileSync(path).length > 0;
  } catch {
    return false;
  }
}

it('each decision is recorded once, and there is no yes without a record, while a replica is killed and the database is restarted', async () => {
  const remembered = await decide(0, 'remembered');
  expect(remembered.body['allow']).toBe(true);
  const yes: string[] = [];
  let going = true;
  const fire = [0, 1, 2].map(async (n) => {
    for (let i = 0; going; i++) {
      const answer = await decide(n, `service-${n}-${i}`).catch(() => undefined);
      if (answer?.status === 200 && answer.body['allow'] === true) yes.push(String(answer.body['decisionId']));
      else await sleep(50);
    }
  });
  for (let n = 0; yes.length < 6 && n < 600; n++) await sleep(20);
  await end(replicas[2]!.child, 'SIGKILL');
  await sleep(300);
  const before = yes.length;
  const start = await stopDatabase();
  // The process that gave the answer gives it again; nobody else does, and nothing else is answered.
  const kept = await decide(0, 'remembered');
  expect([kept.status, kept.body]).toEqual([200, { ...remembered.body, kept: true }]);
  for (const [n, service] of [
    [1, 'remembered'],
    [0, 'unheard'],
  ] as const)
    expect([service, (await decide(n, service)).status]).toEqual([service, 503]);
  const stranger = { token: tokens['ann']!, json: { environment: 'prod', service: 'remembered', commit } };
  expect((await ask(urlOf(replicas[0]!), 'POST', '/v1/gates/production/decisions', stranger)).status).toBe(503);
  await start();
  for (let n = 0; (await decide(0, 'after')).status !== 200; n++) {
    expect(n).toBeLessThan(100);
    await sleep(100);
  }
  await sleep(500);
  going = false;
  await Promise.all(fire);
  expect(before).toBeGreaterThan(5);
  expect(yes.length).toBeGreaterThan(before);
  const rows = await world.sql("SELECT id, answer ->> 'allow' AS allow FROM bauta.decision");
  const told = (await world.told('deployment.decided')).map(({ data }) => String(data['decision']));
  expect(new Set(yes).size).toBe(yes.length);
  const ids = rows.map(({ id }) => String(id));
  expect(yes.filter((id) => !ids.includes(id))).toEqual([]);
  expect([...told].sort()).toEqual([...ids].sort());
}, 60_000);

it('a break-glass that is used at two replicas at once is used once', async () => {
  const scope = { gate: 'production', environment: 'prod', service: 'web', commit };
  const asked = await post(0, '/v1/breakglasses', { ...scope, reason: 'outage' });
  expect((await post(1, `/v1/approvals/${(asked.body['approval'] as { id: string }).id}/approve`, {}, 'ann')).status).toBe(200);
  const list = await ask(urlOf(replicas[0]!), 'GET', '/v1/approvals?state=waiting', { token: tokens['abe']! });
  expect((await post(0, `/v1/approvals/${(list.body['items'] as { id: string }[])[0]!.id}/approve`, {}, 'abe')).status).toBe(200);
  const [glass] = (await ask(urlOf(replicas[1]!), 'GET', '/v1/breakglasses', { token: tokens['ann']! })).body['items'] as { id: string }[];
  const { body } = await ask(urlOf(replicas[1]!), 'GET', `/v1/breakglasses/${glass!.id}/note`, { token: tokens['rita']! });
  const uses = await Promise.all(
    [0, 1, 0, 1].map((n) => post(n, '/v1/breakglasses/uses', { ...scope, note: String(body['note']), use: crypto.randomUUID() })),
  );
  expect(uses.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
  expect((await world.told('breakglass.used')).length).toBe(1);
});

it('what is flipped is flipped once, though a replica is killed in the middle of it, and is not answered from memory', async () => {
  expect((await decide(0, 'remembered')).body['allow']).toBe(true);
  const [{ n: deployed } = { n: 0 }] = await world.sql('SELECT count(*)::int AS n FROM bauta.deployment');
  expect((await report('<testsuite><testcase name="one"><failure/></testcase></testsuite>')).status).toBe(201);
  for (let n = 0; Number((await world.sql('SELECT count(*)::int AS n FROM bauta.flip'))[0]?.['n']) === 0; n++) {
    expect(n).toBeLessThan(300);
    await sleep(20);
  }
  await end(replicas[1]!.child, 'SIGKILL');
  for (let n = 0; (await world.sql('SELECT FROM bauta.recheck')).length > 0; n++) {
    expect(n).toBeLessThan(300);
    await sleep(100);
  }
  const told = (await world.told('deployment.flipped')).map(({ data }) => String(data['decision']));
  expect([told.length, new Set(told).size]).toEqual([deployed, deployed]);
  const [{ n: notices } = { n: 0 }] = await world.sql(`SELECT count(*)::int AS n FROM bauta.flip`);
  expect(notices).toBe(deployed);
  // The look after the flips.
  await sleep(2500);
  const start = await stopDatabase();
  expect((await decide(0, 'remembered')).status).toBe(503);
  await start();
}, 60_000);
