// Service, broker and agent together: the database beside the test environment is, byte for byte, the one that direct delivery makes.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type EnrolledAgent, enrolAgent } from '../support/enrolled-agent.js';
import { type TestKafka, findKafka, shareKafka } from '../support/kafka.js';
import { findWhatDiffers } from '../support/same-copy.js';
import { type SmallShop, startSmallShop } from '../support/small-shop.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
const place = { prefix: 'whole', workspace: 'local', environment: 'dev' };
const target =
  'target: { connection: env:BROKER_URL, environment: dev, class: dev, region: eu-central-1, allows: [pii, pci, secret, quasi], kafka: { prefix: whole, database: shop_dev } }';

let kafka: TestKafka;
let shop: SmallShop;
let agent: EnrolledAgent;

beforeAll(async () => {
  if (jars === undefined) return;
  [kafka, shop] = await Promise.all([shareKafka(jars), startSmallShop()]);
  chmodSync(shop.folder, 0o755);
  shop.environment['BROKER_URL'] = kafka.url;
  const { home, folder } = shop;
  agent = await enrolAgent({ broker: kafka.url, place, home, target: shop.environment['TARGET_URL'] ?? '', folder });
}, 180_000);
afterAll(async () => {
  await agent?.stop();
  await shop?.stop();
}, 60_000);

onKafka(
  'publishes the same rows, keys, indexes and sequences',
  async () => {
    const direct = readFileSync(shop.pipeline, 'utf8');
    const elsewhere = { TARGET_URL: shop.environment['TARGET_URL']!.replace('/shop_dev', '/shop_direct') };
    const one = await shop.bauta(['run', '-f', shop.pipeline], elsewhere);
    if (one.code !== 0) throw new Error(one.stderr);
    writeFileSync(shop.pipeline, direct.replace(/^target: .*$/m, target));
    const other = await shop.bauta(['run', '-f', shop.pipeline]);
    if (other.code !== 0) throw new Error(`${other.stderr}\n${agent.said.join('\n')}`);
    expect(await findWhatDiffers(shop.target, 'shop_direct', 'shop_dev')).toEqual([]);
  },
  120_000,
);

onKafka(
  'rolls back where the agent is',
  async () => {
    const run = await shop.bauta(['run', '-f', shop.pipeline]);
    if (run.code !== 0) throw new Error(`${run.stderr}\n${agent.said.join('\n')}`);
    const back = await shop.bauta(['rollback', '-f', shop.pipeline]);
    expect([back.code, back.stdout, back.stderr]).toEqual([0, expect.stringContaining('version 1 again'), '']);
    const [row] = await shop.target.sql('shop_dev', 'SELECT version FROM bauta.dataset');
    expect(row).toEqual({ version: 1 });
  },
  120_000,
);

onKafka(
  'drops, where the agent is, what keepVersions leaves over',
  async () => {
    const versions = async (): Promise<unknown> =>
      (await shop.target.sql('postgres', `SELECT datname FROM pg_database WHERE datname ~ '^shop_dev' ORDER BY 1`)).length;
    // Version 1 is current again and 2 is what was left.
    expect(await versions()).toBe(2);
    const run = await shop.bauta(['run', '-f', shop.pipeline, '--json']);
    if (run.code !== 0) throw new Error(`${run.stderr}\n${agent.said.join('\n')}`);
    expect(await versions()).toBe(2);
    const [row] = await shop.target.sql('shop_dev', 'SELECT version FROM bauta.dataset');
    expect([row, (JSON.parse(run.stdout) as { findings: unknown[] }).findings.filter((one) => /PRUNED/.test(JSON.stringify(one)))]).toEqual(
      [{ version: 3 }, []],
    );
  },
  120_000,
);
