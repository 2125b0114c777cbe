// What is odd in the log is told once, and what is done about an incident is done to its end: on real databases, with real clones, versions and workers.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';

import { AnomalyClock } from '../../src/control/anomalies/anomalies.js';
import { systemClock } from '../../src/kernel/clock.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';
import { type TinyWorld, bauta, startTinyWorld } from '../support/tiny-source.js';

const failures: unknown[] = [];
const failed = (error: unknown): void => void failures.push(error);
const day = 86_400_000;
const today = Math.floor(Date.now() / day) * day;
const tokens: Record<string, string> = {};
let tiny: TinyWorld;
let world: ServiceWorld;
const clocks: AnomalyClock[] = [];

beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  await world.startSequencer();
  for (const [name, roles] of Object.entries({ ada: ['policy-admin'], vic: ['viewer'], dev: ['viewer@dev'], ann: ['approver'] }))
    tokens[name] = await world.person(name, roles);
}, 60_000);
afterAll(async () => {
  for (const clock of clocks) await clock.stop();
  await world.stop();
  await tiny.stop();
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
