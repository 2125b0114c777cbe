// kill -9 of the agent wherever it is: the next one goes on where it stood. One version is published, no row is there twice, and none is missing.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { AgentWorld, until } from '../support/agent-world.js';
import { findKafka, shareKafka } from '../support/kafka.js';

const jars = findKafka();
const itHere = jars === undefined ? it.skip : it;
const kills = Number(process.env['KILLS'] ?? 5);
const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);
let world: AgentWorld;
let child: ChildProcess | undefined;
/** What every agent said, one after the other. */
const told: string[] = [];

beforeAll(async () => {
  if (jars !== undefined) world = await AgentWorld.start(await shareKafka(jars), 'killed', 20_000);
}, 120_000);
afterAll(async () => {
  child?.kill('SIGKILL');
  await world?.stop();
});

/** Park and Miller's: the same points for the same seed. */
function* chances(from: number): Generator<number, never, undefined> {
  for (let state = (from % 2_147_483_646) + 1; ;) yield (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function start(tokenFile: string): { readonly said: () => string; readonly kill: () => Promise<void> } {
  const words = [packageFile('dist', 'src', 'cli.js'), 'agent', '--home', join(world.home, 'killed'), '--token-file', tokenFile];
  const started = spawn(process.execPath, words, {
    env: { PATH: process.env['PATH'], ...world.toEnvironment('killed_dev') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child = started;
  let said = '';
  started.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
    told.push(chunk.toString('utf8'));
  });
  const ended = new Promise<void>((resolve) => started.once('exit', () => resolve()));
  const kill = async (): Promise<void> => {
    started.kill('SIGKILL');
    await ended;
  };
  return { said: () => said, kill };
}

itHere(
  `an agent that is killed ${kills} times at random publishes one version, whole (seed ${seed})`,
  async () => {
    const tokenFile = world.invite();
    let agent = start(tokenFile);
    await until(() => agent.said().includes('is at work'), agent.said);
    const chance = chances(seed);
    const shipment = await world.prepare('killed_dev', 1, { sealed: true, recordBytes: 4000 });
    const { runId, begin, records, complete, marker } = shipment;
    await world.createTopic(shipment);
    await world.tell('begin', runId, begin, 1);
    const step = Math.ceil(records.length / (kills + 1));
    for (let from = 0, killed = 0; from < records.length; from += step) {
      await world.write(shipment, records.slice(from, from + step));
      if (killed++ >= kills - 1) continue;
      await new Promise((resolve) => setTimeout(resolve, chance.next().value * 1500));
      await agent.kill();
      agent = start(tokenFile);
    }
    await world.tell('complete', runId, complete, 1);
    await world.tell('publish', runId, { version: 1, marker, expiresAt: marker.expiresAt }, 1);
    await until(
      () => agent.said().includes('is loaded'),
      () => told.join(''),
    );
    await new Promise((resolve) => setTimeout(resolve, chance.next().value * 1500));
    await agent.kill();
    agent = start(tokenFile);
    await world.heard('published', runId, undefined, 80_000);
    const digest = `SELECT count(*)::int AS rows, md5(string_agg(t::text, '|' ORDER BY id)) AS sum FROM public."order" t`;
    expect(await world.server.sql('killed_dev', digest)).toEqual(await world.server.sql('source_killed', digest));
    const databases = await world.server.sql('postgres', `SELECT datname FROM pg_database WHERE datname LIKE 'killed_dev%'`);
    expect(databases).toEqual([{ datname: 'killed_dev' }]);
    await agent.kill();
  },
  150_000,
);

itHere(
  'an agent that comes late, and finds partitions each in the middle of another range, needs no more sessions than a live one',
  async () => {
    const enrolled = await world.enrolled('late', 'late_dev');
    await enrolled.stop();
    const shipment = await world.prepare('late_dev', 1, { recordBytes: 4000 });
    const { runId, records, complete, marker } = shipment;
    // One stream: range by range.
    const begin = { ...shipment.begin, streams: 1 };
    const inTurn = [...records].sort(
      (a, b) => a.head.table - b.head.table || a.head.range - b.head.range || a.head.sequence - b.head.sequence,
    );
    const of = (range: number): typeof inTurn => inTurn.filter(({ head }) => head.table === orders && head.range === range);
    const orders = begin.plan.tables.findIndex(({ name }) => name === 'order');
    const [first, second] = [of(0), of(1)];
    // More than may wait for a range's session.
    expect(second.length).toBeGreaterThan(20);
    await world.createTopic(shipment);
    await world.write(shipment, [...first.slice(0, 2), ...second]);
    await world.tell('begin', runId, begin, 1);
    const late = world.startAgent('late', 'late_dev');
    await world.heard('loading', runId);
    await world.write(shipment, [...first.slice(2), ...inTurn.filter((record) => !first.includes(record) && !second.includes(record))]);
    await world.tell('complete', runId, complete, 1);
    await world.tell('publish', runId, { version: 1, marker, expiresAt: marker.expiresAt }, 1);
    await world.heard('published', runId);
    await late.stop();
  },
  90_000,
);
