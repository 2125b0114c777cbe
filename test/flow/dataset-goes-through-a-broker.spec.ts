// A run whose target is a broker: what arrives on the other side is what direct delivery would have brought, and nothing arrives that was not proved.
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { openBroker, resolveBroker, type BrokerAdmin, type Broker } from '../../src/systems/kafka/kafka.js';
import { connect } from '../../src/systems/postgres/connection.js';
import { copyOutChunks } from '../../src/systems/postgres/copy-out.js';
import { ControlTopic } from '../../src/systems/kafka/stream/control-topic.js';
import { openFileKeys } from '../../src/systems/files/files.js';
import { findStreamKey } from '../../src/control/stream-key.js';
import { systemClock } from '../../src/kernel/clock.js';
import { type TestKafka, findKafka, shareKafka } from '../support/kafka.js';
import { type SmallShop, startSmallShop } from '../support/small-shop.js';
import { StandInAgent, heardOf, sha256 } from '../support/stand-in-agent.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
const place = { prefix: 'flow', workspace: 'local', environment: 'dev' };
const target = (more = ''): string =>
  `target: { connection: env:BROKER_URL, environment: dev, class: dev, region: eu-central-1, allows: [pii, pci, secret, quasi], kafka: { prefix: flow, database: shop_dev${more} } }`;

let kafka: TestKafka;
let shop: SmallShop;
let broker: Broker;
let admin: BrokerAdmin;
let direct: string;

beforeAll(async () => {
  if (jars === undefined) return;
  [kafka, shop] = await Promise.all([shareKafka(jars), startSmallShop()]);
  // A server of the run's own is started as another user where this is root.
  chmodSync(shop.folder, 0o755);
  direct = readFileSync(shop.pipeline, 'utf8');
  shop.environment['BROKER_URL'] = kafka.url;
  broker = await openBroker(await resolveBroker('env:BROKER_URL', kafka.url, () => Promise.resolve(undefined)));
  admin = await broker.admin();
  use();
}, 120_000);
afterAll(async () => {
  await broker?.close();
  await shop?.stop();
}, 60_000);

async function copyOut(statement: string): Promise<string> {
  const client = await connect({ name: 'the target', url: shop.target.url('shop_dev') });
  const parts: Buffer[] = [];
  for await (const chunk of copyOutChunks(client, statement)) parts.push(Buffer.from(chunk));
  await client.end();
  return Buffer.concat(parts).toString('utf8');
}

const use = (more?: string): void => writeFileSync(shop.pipeline, direct.replace(/^target: .*$/m, target(more)));
const start = (more: Partial<Parameters<typeof StandInAgent.start>[0]> = {}): Promise<StandInAgent> =>
  StandInAgent.start({ url: kafka.url, place, home: shop.home, ...more });

onKafka(
  'says at plan time that nobody is there to load it',
  async () => {
    const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline]);
    expect([code, stderr]).toEqual([3, expect.stringContaining('STREAM_AGENTS_MISSING')]);
    expect(await admin.list('flow.local.dev.bulk')).toEqual([]);
  },
  60_000,
);

onKafka(
  'brings every line as direct delivery brings it',
  async () => {
    const agent = await start();
    const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline]);
    if (code !== 0) throw new Error(stderr);
    expect(agent.failure).toBeUndefined();
    expect(stderr).toMatch(/agents {3}agent1 verified\nagents {3}agent1 published\n/);
    const [arrived] = [...agent.arrived.values()];
    // The log says where it went, and by which digest anybody knows it again.
    const sent = shop.events().find(({ type }) => type === 'dataset.sent');
    expect(sent?.data).toMatchObject({ version: 1, topic: arrived!.begin.topic, agents: 1, manifest: expect.stringMatching(/^sha256:/) });
    writeFileSync(shop.pipeline, direct);
    expect((await shop.bauta(['run', '-f', shop.pipeline])).code).toBe(0);
    for (const [name, lines] of arrived!.tables) {
      const [schema, table] = name.split('.');
      const sorted = (text: string): string => text.split('\n').sort().join('\n');
      const copied = await copyOut(`COPY (SELECT * FROM ONLY ${schema}."${table}") TO STDOUT`);
      expect([name, sha256(Buffer.from(sorted(lines.toString('utf8'))))]).toEqual([name, sha256(Buffer.from(sorted(copied)))]);
    }
    use();
    await agent.stop();
  },
  120_000,
);

onKafka(
  'leaves no record behind when it is killed at any border, and the next run publishes the only version',
  async () => {
    const agent = await start({ id: 'agent2' });
    for (const place of ['step:begin.tell', 'step:data.load', 'step:publish.tell']) {
      const blocked = await shop.block(place);
      blocked.child.kill('SIGKILL');
      await blocked.ended;
    }
    expect((await admin.list('flow.local.dev.bulk')).length).toBeGreaterThan(1);
    const published = agent.heard.filter(({ type }) => type === 'publish').length;
    const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline]);
    if (code !== 0) throw new Error(stderr);
    expect(agent.heard.filter(({ type }) => type === 'publish').length).toBe(published + 1);
    // Of the versions that are there, and of no run that was killed.
    const { stdout } = await shop.bauta(['datasets', '-f', shop.pipeline, '--json']);
    const { datasets } = JSON.parse(stdout) as { datasets: readonly { state: string }[] };
    expect((await admin.list('flow.local.dev.bulk')).length).toBe(datasets.length);
    expect(datasets.filter(({ state }) => state === 'current')).toHaveLength(1);
    expect(readdirSync(shop.environment['TMPDIR']!)).toEqual([]);
    await agent.stop();
  },
  180_000,
);

onKafka(
  'withdraws a version that an agent cannot take, and deletes its records',
  async () => {
    use(', agents: 1, waitMinutes: 1');
    await revoke('agent1', 'agent2');
    const agent = await start({ id: 'agent3', fails: 'verified' });
    const before = await admin.list('flow.local.dev.bulk');
    const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('STREAM_AGENTS_FAILED')]);
    expect(await admin.list('flow.local.dev.bulk')).toEqual(before);
    expect((await heardOf(agent, 'withdraw')).runId).toBe((await heardOf(agent, 'begin')).runId);
    expect(agent.heard.some(({ type }) => type === 'publish')).toBe(false);
    await agent.stop();
  },
  90_000,
);

onKafka(
  'shows the broker no value of a row: not in keys, headers, values, or names of topics',
  async () => {
    const topics = await admin.list('flow.local.dev');
    const seen: Buffer[] = [Buffer.from(topics.join('\n'))];
    for (const topic of topics) {
      const reader = await broker.reader({ topic, readUncommitted: true, waitMs: 100 });
      const ends = await reader.askEnds();
      while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end))
        for (const { key, value, headers } of await reader.read())
          for (const part of [key, value, ...headers.values(), ...headers.keys()]) seen.push(Buffer.from(part ?? ''), ...inflated(part));
      await reader.close();
    }
    const all = Buffer.concat(seen);
    expect(all.length).toBeGreaterThan(100_000);
    // As it was, and as it is masked: the broker's operator reads neither.
    for (const canary of ['person17@company-17', 'please ring twice', 'example.com', "O'Neil"])
      expect([canary, all.includes(canary)]).toEqual([canary, false]);
  },
  60_000,
);

function inflated(part: Buffer | string | null): readonly Buffer[] {
  try {
    return Buffer.isBuffer(part) ? [gunzipSync(part)] : [];
  } catch {
    return [];
  }
}

async function revoke(...agents: readonly string[]): Promise<void> {
  const keys = openFileKeys(`${shop.home}/keys`)({ purpose: 'transport', workspace: 'default', environment: 'dev' });
  const control = new ControlTopic({ broker, place, key: await findStreamKey(keys), clock: systemClock });
  await control.take();
  const body = { publicKey: '', recipient: '' };
  for (const runId of agents) await control.tell({ type: 'revoked', runId, lastsMs: 60_000, body });
  await control.close();
}
