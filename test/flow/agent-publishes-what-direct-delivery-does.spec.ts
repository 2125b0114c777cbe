// Service, broker and agent together: the database beside the test environment is, byte for byte, the one that direct delivery makes.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { startAgent } from '../../src/agent/agent.js';
import { findStreamKey } from '../../src/control/stream-key.js';
import { systemClock } from '../../src/kernel/clock.js';
import { toPublicBytes } from '../../src/kernel/ed25519.js';
import { openFileKeys } from '../../src/systems/files/files.js';
import { type Broker, createToken, openBroker, readEnrolment, resolveBroker, toReceiptsTopic } from '../../src/systems/kafka/kafka.js';
import { ControlTopic, toReadMessage } from '../../src/systems/kafka/stream/control-topic.js';
import { connect } from '../../src/systems/postgres/connection.js';
import { copyOutChunks } from '../../src/systems/postgres/copy-out.js';
import { type TestKafka, findKafka, shareKafka } from '../support/kafka.js';
import { type SmallShop, startSmallShop } from '../support/small-shop.js';
import { sha256 } from '../support/stand-in-agent.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
const place = { prefix: 'whole', workspace: 'local', environment: 'dev' };
const target =
  'target: { connection: env:BROKER_URL, environment: dev, class: dev, region: eu-central-1, allows: [pii, pci, secret, quasi], kafka: { prefix: whole, database: shop_dev } }';

let kafka: TestKafka;
let shop: SmallShop;
let broker: Broker;
const stopping = new AbortController();
const said: string[] = [];
let working: Promise<unknown> = Promise.resolve();

beforeAll(async () => {
  if (jars === undefined) return;
  [kafka, shop] = await Promise.all([shareKafka(jars), startSmallShop()]);
  chmodSync(shop.folder, 0o755);
  shop.environment['BROKER_URL'] = kafka.url;
  broker = await openBroker(await resolveBroker('env:BROKER_URL', kafka.url, () => Promise.resolve(undefined)));
  await enrol();
}, 180_000);
afterAll(async () => {
  stopping.abort();
  await working.catch(() => undefined);
  await broker?.close();
  await shop?.stop();
}, 60_000);

/** As `bauta agents invite` and the service do. */
async function enrol(): Promise<void> {
  const keys = openFileKeys(join(shop.home, 'keys'))({ purpose: 'transport', workspace: 'default', environment: 'dev' });
  const key = await findStreamKey(keys);
  const control = new ControlTopic({ broker, place, key, clock: systemClock });
  await control.take();
  const expiresAt = new Date(Date.now() + 600_000).toISOString();
  const { token, invite } = createToken({ ...place, serviceKey: toPublicBytes(key).toString('hex'), expiresAt });
  const tokenFile = join(shop.folder, 'token');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const environment = {
    BROKER: kafka.url,
    TARGET: shop.environment['TARGET_URL'],
    BAUTA_AGENT_BROKER: 'env:BROKER',
    BAUTA_AGENT_TARGET: 'env:TARGET',
  };
  const home = join(shop.folder, 'agent');
  working = startAgent({ environment, home, tokenFile, signal: stopping.signal, say: (line) => said.push(line) });
  working.catch((error: unknown) => said.push(String(error)));
  const reader = await broker.reader({ topic: toReceiptsTopic(place), waitMs: 100 });
  for (let asked = false; !asked;) {
    for (const record of await reader.read()) {
      const read = readEnrolment(toReadMessage(record), { ...place, nowMs: Date.now(), invites: [invite] });
      if (!read || 'problem' in read) continue;
      const { agentId: runId, publicKey, recipient } = read.request;
      await control.tell({ type: 'enrolled', runId, lastsMs: 86_400_000, body: { publicKey, recipient } });
      asked = true;
    }
  }
  await reader.close();
  await control.close();
  for (let waited = 0; waited < 20_000 && !said.some((line) => line.includes('is at work')); waited += 50) await sleep(50);
}

async function digests(database: string): Promise<Readonly<Record<string, string>>> {
  const client = await connect({ name: 'the target', url: shop.target.url(database) });
  const found: Record<string, string> = {};
  for (const table of ['country', 'customer', 'order_2024', 'order_rest', 'recent']) {
    const parts: Buffer[] = [];
    for await (const chunk of copyOutChunks(client, `COPY (SELECT * FROM shop.${table} ORDER BY 1, 2) TO STDOUT`))
      parts.push(Buffer.from(chunk));
    found[table] = sha256(Buffer.concat(parts));
  }
  const { rows } = await client.query<{ all: string }>(
    `SELECT md5(string_agg(a, E'\\n' ORDER BY a)) AS all FROM (
       SELECT pg_get_constraintdef(oid) AS a FROM pg_constraint WHERE connamespace = 'shop'::regnamespace
       UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'shop'
       UNION ALL SELECT attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'shop'::regnamespace
       UNION ALL SELECT sequencename || ' ' || coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = 'shop') x`,
  );
  await client.end();
  return { ...found, schema: rows[0]!.all };
}

onKafka(
  'publishes the same rows, keys, indexes and sequences',
  async () => {
    const direct = readFileSync(shop.pipeline, 'utf8');
    const elsewhere = { TARGET_URL: shop.environment['TARGET_URL']!.replace('/shop_dev', '/shop_direct') };
    const one = await shop.bauta(['run', '-f', shop.pipeline], elsewhere);
    if (one.code !== 0) throw new Error(one.stderr);
    writeFileSync(shop.pipeline, direct.replace(/^target: .*$/m, target));
    const other = await shop.bauta(['run', '-f', shop.pipeline]);
    if (other.code !== 0) throw new Error(`${other.stderr}\n${said.join('\n')}`);
    expect(await digests('shop_dev')).toEqual(await digests('shop_direct'));
  },
  120_000,
);

onKafka(
  'rolls back where the agent is',
  async () => {
    const run = await shop.bauta(['run', '-f', shop.pipeline]);
    if (run.code !== 0) throw new Error(`${run.stderr}\n${said.join('\n')}`);
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
    if (run.code !== 0) throw new Error(`${run.stderr}\n${said.join('\n')}`);
    expect(await versions()).toBe(2);
    const [row] = await shop.target.sql('shop_dev', 'SELECT version FROM bauta.dataset');
    expect([row, (JSON.parse(run.stdout) as { findings: unknown[] }).findings.filter((one) => /PRUNED/.test(JSON.stringify(one)))]).toEqual(
      [{ version: 3 }, []],
    );
  },
  120_000,
);
