// What breaks while a dataset goes through a broker: each time there is one version more beside the agent, or none; no row is there twice and none is missing,
// the log is whole, and the next start takes away what was left. The long form of the kills is test/soak/forty-kills.ts; fault/killed-agent kills agents,
// fault/broker-goes-away the broker; flow/rows-go-through-a-broker takes runs of rows out of their place.
import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { killStreams } from '../soak/kill-streams.js';
import { type User, findKafka } from '../support/kafka.js';
import { type Started, pause, untilThere, waitFor } from '../support/small-shop.js';
import { type AgentProcess, StreamWorld } from '../support/stream-world.js';
import { type TargetWorld, startTargetWorld } from '../support/target-world.js';
import { mountTinyDisk } from '../support/tiny-disk.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
const disk = jars === undefined ? undefined : mountTinyDisk('what a full disk does to a delivery through a broker', 150_000);
const onDisk = disk === undefined ? it.skip : it;
const brokerDisk = jars === undefined ? undefined : mountTinyDisk('what a full disk of the broker does to a delivery', 600_000);
const onBrokerDisk = brokerDisk === undefined ? it.skip : it;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
let world: StreamWorld;
let agent: AgentProcess;
let expected: string;
let other: TargetWorld | undefined;

beforeAll(async () => {
  if (jars === undefined) return;
  world = await StreamWorld.start(jars, brokerDisk && { 'log.dirs': join(brokerDisk.folder, 'data') });
  expected = await world.digestOfDirect();
  agent = await world.agent();
}, 120_000);
afterAll(async () => {
  await world?.stop();
  await other?.server.stop();
  disk?.unmount();
  brokerDisk?.unmount();
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

/** The version that stands there; one is published where there was none. */
async function askCurrent(): Promise<number> {
  return (await world.current()) ?? (await world.publish(), askCurrent());
}

onKafka(
  `a service and an agent that are killed anywhere leave one version or none, and the next run publishes (seed ${seed})`,
  async () => {
    const { broken, kills } = await killStreams({ service: 1, agent: 1, broker: 0 }, seed, world);
    expect({ seed, broken, kills: kills.length }).toEqual({ seed, broken: [], kills: 2 });
  },
  240_000,
);

/** One more, whatever `agents` the document asks for: a server of its own. Resolves with what stands there. MUST be removed. */
async function secondAgent(
  broker?: string,
): Promise<{ readonly agent: AgentProcess; readonly current: () => Promise<number | undefined>; readonly remove: () => Promise<void> }> {
  await other?.server.stop();
  const own = (other = await startTargetWorld());
  const there = `SELECT (shobj_description(oid, 'pg_database')::json ->> 'version')::int AS version FROM pg_database WHERE datname = 'shop_dev'`;
  const second = await world.agent({ target: own.url('shop_dev'), ...(broker !== undefined && { broker }) });
  return {
    agent: second,
    current: async () => (await own.server.sql('postgres', there))[0]?.['version'] as number | undefined,
    remove: async () => {
      await second.kill();
      expect((await world.revoke(toAgentId(second))).code).toBe(0);
      world.use();
    },
  };
}

const toAgentId = ({ said }: AgentProcess): string => /agent (\w+) /.exec(said())?.[1] ?? '';

onKafka(
  'a run asks for as many agents as it says: one that is late is told of and catches up, and where it is asked for nobody has what it has not',
  async () => {
    const before = await askCurrent();
    const { agent: late, current, remove } = await secondAgent();
    const lateId = toAgentId(late);
    late.signal('SIGSTOP');
    // One of two has to have published.
    const said = await world.publish();
    expect(said).toContain(`agents   ${lateId} is behind: silent\n`);
    await expectVersion(before + 1);
    expect(await current()).toBeUndefined();
    late.signal('SIGCONT');
    await waitFor(async () => (await current()) === before + 1);
    // Both of them have to: what one has published is taken back when the other one, which had verified it, does not.
    world.use(', agents: 2, waitMinutes: 1');
    const told = await world.shop.block('step:publish.tell+publish.wait', { HURRY: '30' });
    late.signal('SIGSTOP');
    told.child.kill('SIGUSR2');
    await untilThere(told, 'step:publish.wait');
    await waitFor(() => agent.said().includes(`version ${before + 2} is published`));
    expect(await goOn(told)).toBe('failed STREAM_AGENTS_LATE');
    await waitFor(async () => (await world.current()) === before + 1);
    late.signal('SIGCONT');
    // The next one is whole at both, whatever the late one still had to hear of.
    await world.publish();
    expect(await current()).toBe(before + 2);
    await expectVersion(before + 2);
    const left = `SELECT datname FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE '%"state":"staging"%'`;
    expect(await other!.server.sql('postgres', left)).toEqual([]);
    await remove();
  },
  300_000,
);

onKafka(
  'a run that another one took the place of publishes nothing, whether it was loading or about to publish',
  async () => {
    const proved = await world.shop.block('step:publish.tell');
    const loading = await world.shop.block('step:data.load', { BAUTA_BROKER_WAIT_MS: '3000' });
    expect(await goOn(proved)).toBe('failed STREAM_TAKEN_OVER');
    await world.publish();
    const { current } = await world.standing();
    expect(await goOn(loading)).toBe('failed STREAM_TAKEN_OVER');
    await expectVersion(current ?? 0);
  },
  300_000,
);

/** Of Kafka's protocol. */
const endTxn = 26;

onKafka(
  'a publication that got no answer is asked for until there is one: it is published once, and the run says so',
  async () => {
    const before = await askCurrent();
    world.use(', waitMinutes: 20');
    const { service } = world.networks;
    const blocked = await world.shop.block('step:publish.tell', { HURRY: '20', BAUTA_BROKER_WAIT_MS: '1000' });
    const cut = service.cutBeforeAnswer(endTxn);
    const ended = goOn(blocked);
    await cut;
    // Longer than anything waits but who has to know.
    await waitFor(() =>
      /version \d+ is published/.test(
        agent
          .said()
          .split(`version ${before + 1} is loaded`)
          .at(-1) ?? '',
      ),
    );
    await pause(3000);
    service.mend();
    expect(await ended).toBe('published');
    await expectVersion(before + 1);
  },
  300_000,
);

onKafka(
  'a publication that nobody answers for is in the log as what it came to once the next run has asked',
  async () => {
    const before = await askCurrent();
    world.use(', waitMinutes: 1');
    const { service } = world.networks;
    const blocked = await world.shop.block('step:publish.tell', { HURRY: '60', BAUTA_BROKER_WAIT_MS: '1000' });
    const cut = service.cutBeforeAnswer(endTxn);
    const ended = goOn(blocked);
    await cut;
    expect(await ended).toBe('failed STREAM_OUTCOME_UNKNOWN');
    service.mend();
    await waitFor(async () => (await world.current()) === before + 1);
    const runId = (await world.listed()).versions.find(({ version }) => version === before + 1)?.runId;
    const outcomes = (): string[] =>
      world.shop.events().flatMap((event) => (event.runId === runId && event.type.startsWith('dataset.published.') ? [event.type] : []));
    expect(outcomes()).toEqual(['dataset.published.intended']);
    world.use();
    await world.publish();
    expect(outcomes()).toEqual(['dataset.published.intended', 'dataset.published.completed']);
    await expectVersion(before + 2);
  },
  300_000,
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
    expect([await world.current(), await world.left()]).toEqual([before, []]);
    disk!.free();
    await world.publish();
    await expectVersion(before + 1);
    await target.sql('postgres', 'ALTER DATABASE template0 SET TABLESPACE pg_default');
  },
  300_000,
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
    expect(await world.current()).toBe(before);
    disk!.free();
    await world.publish({ TMPDIR: temporary });
    await expectVersion(before + 1);
  },
  300_000,
);

onKafka(
  'an agent that is cut off for good is waited for as long as it says, and takes back what it has when it returns; the next run publishes',
  async () => {
    const before = await askCurrent();
    world.use(', waitMinutes: 1');
    const blocked = await world.shop.block('step:data.load', { HURRY: '10' });
    world.networks.agent.cut();
    expect(await goOn(blocked)).toBe('failed STREAM_AGENTS_LATE');
    expect(await world.current()).toBe(before);
    world.networks.agent.mend();
    await waitFor(async () => (await world.left()).length === 0);
    await world.publish();
    await expectVersion(before + 1);
  },
  300_000,
);

/** With OAUTHBEARER, by a token that lasts for 8 s and is renewed until somebody stops that. */
function byShortToken(user: User): { readonly login: string; readonly renew: () => void; readonly stop: () => void } {
  const token = join(world.shop.folder, `${user}.token`);
  // In one step: whoever logs in meanwhile reads the one or the other.
  const write = (): void => {
    writeFileSync(`${token}.part`, world.kafka.token(user, 8), { mode: 0o600 });
    renameSync(`${token}.part`, token);
  };
  const { caFile, ports } = world.kafka;
  let renewing: NodeJS.Timeout | undefined;
  const renew = (): void => (write(), void (renewing = setInterval(write, 1000).unref()));
  renew();
  return {
    login: `kafkas://localhost:${ports.sasl}?mechanism=oauthbearer&token=file:${token}&ca=file:${caFile}`,
    renew,
    stop: () => clearInterval(renewing),
  };
}

onKafka(
  'an agent whose token nobody renews says so and publishes nothing, and neither does any other; with a new token it goes on by itself',
  async () => {
    const before = await askCurrent();
    const { login, renew, stop } = byShortToken('agent-1');
    const { agent: bearer, current, remove } = await secondAgent(login);
    stop();
    await waitFor(() => bearer.said().includes('BROKER_AUTH; it is tried again'), 60_000);
    // Both of them have to: the other one, which had verified it, has nothing of it either.
    world.use(', agents: 2, waitMinutes: 1');
    expect(await goOn(await world.shop.block('step:data.load', { HURRY: '10' }))).toBe('failed STREAM_AGENTS_LATE');
    await waitFor(async () => (await world.left()).length === 0);
    expect([await world.current(), await current()]).toEqual([before, undefined]);
    // It was told of the one that was taken back, and of the next one, while it was kept out.
    world.use(', agents: 2');
    const blocked = await world.shop.block('step:data.load');
    const ended = goOn(blocked);
    renew();
    expect(await ended).toBe('published');
    expect(await current()).toBe(await world.current());
    await expectVersion((await world.current()) ?? 0);
    stop();
    await remove();
  },
  300_000,
);

onKafka(
  'a token that nobody renews ends the run, which says so; the next one publishes',
  async () => {
    const before = await askCurrent();
    const { login, stop } = byShortToken('service');
    const blocked = await world.shop.block('step:data.load', { BROKER_URL: login }).finally(stop);
    await pause(8500);
    expect(await goOn(blocked)).toBe('failed BROKER_AUTH');
    expect(await world.current()).toBe(before);
    await world.publish();
    await expectVersion(before + 1);
  },
  300_000,
);

onBrokerDisk(
  'a disk of the broker that is full ends the run with a name for it; with room again the next run publishes',
  async () => {
    const before = await askCurrent();
    const blocked = await world.shop.block('step:data.load', { BAUTA_BROKER_WAIT_MS: '3000', HURRY: '10' });
    brokerDisk!.fill();
    // Kafka halts when its only log directory fails.
    expect(await goOn(blocked)).toMatch(/^failed BROKER_(UNREACHABLE|REFUSED)$/);
    expect(await world.current()).toBe(before);
    brokerDisk!.free();
    await world.kafka.restart();
    await world.publish();
    await expectVersion(before + 1);
  },
  300_000,
);
