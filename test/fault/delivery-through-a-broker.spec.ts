// What breaks while a dataset goes through a broker: each time there is one version more beside the agent, or none; no row is there twice and none is missing,
// the log is whole, and the next start takes away what was left. The long form of the kills is test/soak/forty-kills.ts; fault/killed-agent kills agents,
// fault/broker-goes-away the broker.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { killStreams } from '../soak/kill-streams.js';
import { findKafka } from '../support/kafka.js';
import { StreamWorld } from '../support/stream-world.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
let world: StreamWorld;

beforeAll(async () => {
  if (jars !== undefined) world = await StreamWorld.start(jars);
}, 120_000);
afterAll(() => world?.stop(), 60_000);

onKafka(
  `a service and an agent that are killed anywhere leave one version or none, and the next run publishes (seed ${seed})`,
  async () => {
    const { broken, kills } = await killStreams({ service: 2, agent: 1, broker: 0 }, seed, world);
    expect({ seed, broken, kills: kills.length }).toEqual({ seed, broken: [], kills: 3 });
  },
  240_000,
);
