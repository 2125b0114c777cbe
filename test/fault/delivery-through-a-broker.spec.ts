// What breaks while a dataset goes through a broker: each time there is one version more beside the agent, or none; no row is there twice and none is missing,
// the log is whole, and the next start takes away what was left. The long form of the kills is test/soak/forty-kills.ts; fault/killed-agent kills agents,
// fault/broker-goes-away the broker; flow/rows-go-through-a-broker takes runs of rows out of their place.
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { killStreams } from '../soak/kill-streams.js';
import { findKafka } from '../support/kafka.js';
import { type Started, pause, waitFor } from '../support/small-shop.js';
import { type AgentProcess, StreamWorld } from '../support/stream-world.js';
import { mountTinyDisk } from '../support/tiny-disk.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
const disk = jars === undefined ? undefined : mountTinyDisk('what a full disk does to a delivery through a broker', 150_000);
const onDisk = disk === undefined ? it.skip : it;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
let world: StreamWorld;
let agent: AgentProcess;
let expected: string;

beforeAll(async () => {
  if (jars === undefined) return;
  world = await StreamWorld.start(jars);
  expected = await world.digestOfDirect();
  agent = await world.agent();
}, 120_000);
afterAll(async () => {
  await world?.stop();
  disk?.unmount();
}, 60_000);

/** Goes on with a run that stands at a place; resolves with how it ended. */
async function goOn(blocked: Started): Promise<string> {
  blocked.child.kill('SIGUSR2');
  const { stdout, stderr } = await blocked.ended;
  return `${stdout.trim().split('\n').at(-1) ?? ''}${stderr}`.trim();
}

/** This version and no other one is current, whole; and nothing is there that belongs to none. */
async function expectVersion(version: number): Promise<void> {
  const standing = await world.standing();
  expect(standing).toMatchObject({ current: version, digest: expected, left: [], temporary: [], audit: 0 });
  expect(standing.versions.filter(({ state }) => state === 'current').map((one) => one.version)).toEqual([version]);
  expect(standing.versions.filter(({ state }) => state === 'staging')).toEqual([]);
  expect(standing.bulkTopics).toBe(standing.versions.length);
}

/** Nothing was published: what stood there stands there. */
async function expectUntouched(version: number): Promise<void> {
  const { current, digest, audit } = await world.standing();
  expect({ current, digest, audit }).toEqual({ current: version, digest: expected, audit: 0 });
}

/** The version that stands there; one is published where there was none. */
async function askCurrent(): Promise<number> {
  const { current } = await world.standing();
  return current ?? (await world.publish(), askCurrent());
}

onKafka(
  `a service and an agent that are killed anywhere leave one version or none, and the next run publishes (seed ${seed})`,
  async () => {
    const { broken, kills } = await killStreams({ service: 2, agent: 1, broker: 0 }, seed, world);
    expect({ seed, broken, kills: kills.length }).toEqual({ seed, broken: [], kills: 3 });
  },
  240_000,
);

onDisk(
  'a disk of the agent that is full ends the run, which names it; with room again the next run publishes',
  async () => {
    const { target } = world.shop;
    const before = await askCurrent();
    const tablespace = join(disk!.folder, 'tablespace');
    mkdirSync(tablespace);
    chownSync(tablespace, statSync(target.dataFolder).uid, -1);
    await target.sql('postgres', `CREATE TABLESPACE tiny LOCATION '${tablespace}'`);
    await target.sql('postgres', 'ALTER DATABASE template0 SET TABLESPACE tiny');
    const blocked = await world.shop.block('step:data.load');
    const staging = `SELECT FROM pg_database WHERE datname ~ '^shop_dev' AND shobj_description(oid, 'pg_database')::json ->> 'state' = 'staging'`;
    await waitFor(async () => (await target.sql('postgres', staging)).length === 1);
    disk!.fill();
    expect(await goOn(blocked)).toBe('failed STREAM_AGENTS_FAILED');
    expect(agent.said()).toContain('SERVER_DISK_FULL');
    await expectVersion(before);
    disk!.free();
    await world.publish();
    await expectVersion(before + 1);
    await target.sql('postgres', 'ALTER DATABASE template0 SET TABLESPACE pg_default');
  },
  120_000,
);

onDisk(
  'a disk without room for proving ends the run, which names it, and nothing is left there; with room again the next run publishes',
  async () => {
    const before = await askCurrent();
    const temporary = join(disk!.folder, 'temporary');
    mkdirSync(temporary);
    chmodSync(temporary, 0o755);
    const blocked = await world.shop.block('step:data.load', { TMPDIR: temporary });
    disk!.fill();
    expect(await goOn(blocked)).toBe('failed SERVER_DISK_FULL');
    // Its server is gone with all it had.
    expect(readdirSync(temporary)).toEqual([]);
    disk!.free();
    disk!.fill();
    const full = await world.run({ TMPDIR: temporary }).ended;
    expect(full).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`EMBEDDED_POSTGRES_DISK_FULL: there is no room in ${temporary}`),
    });
    expect(readdirSync(temporary)).toEqual([]);
    await expectUntouched(before);
    disk!.free();
    await world.publish({ TMPDIR: temporary });
    await expectVersion(before + 1);
  },
  120_000,
);

onKafka(
  'an agent that is cut off for good is waited for as long as it says, and takes back what it has when it returns; the next run publishes',
  async () => {
    const before = await askCurrent();
    world.use(', waitMinutes: 1');
    const blocked = await world.shop.block('step:data.load', { HURRY: '10' });
    world.networks.agent.cut();
    expect(await goOn(blocked)).toBe('failed STREAM_AGENTS_LATE');
    await expectUntouched(before);
    world.networks.agent.mend();
    await waitFor(async () => (await world.standing()).left.length === 0);
    await expectVersion(before);
    await world.publish();
    await expectVersion(before + 1);
  },
  120_000,
);

onKafka(
  'a token that nobody renews ends the run, which says so; the next one publishes',
  async () => {
    const before = await askCurrent();
    const token = join(world.shop.folder, 'token');
    const renew = (): void => writeFileSync(token, world.kafka.token('service', 12), { mode: 0o600 });
    const { caFile, ports } = world.kafka;
    const login = `kafkas://localhost:${ports.sasl}?mechanism=oauthbearer&token=file:${token}&ca=file:${caFile}`;
    renew();
    const renewing = setInterval(renew, 1000);
    const blocked = await world.shop.block('step:data.load', { BROKER_URL: login }).finally(() => clearInterval(renewing));
    await pause(12_500);
    expect(await goOn(blocked)).toBe('failed BROKER_AUTH');
    await expectUntouched(before);
    await world.publish();
    await expectVersion(before + 1);
  },
  120_000,
);
