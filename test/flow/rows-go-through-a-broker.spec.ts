// A run whose rows are for others: what they read is what direct delivery brings, a version appears whole or not at all wherever its run is killed, and it
// ends as the log says.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { type Broker, type InRecord, openBroker, resolveBroker } from '../../src/systems/kafka/kafka.js';
import { connect } from '../../src/systems/postgres/connection.js';
import { type TestKafka, findKafka, shareKafka } from '../support/kafka.js';
import { type SmallShop, startSmallShop } from '../support/small-shop.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
const own = 'rowsflow.local.dev.';
const target = (rows: string, more = ''): string =>
  `target: { connection: env:BROKER_URL, environment: dev, class: dev, region: eu-central-1, allows: [pii, pci, secret, quasi]${more}, kafka: { prefix: rowsflow, database: shop_rows, encoding: rows, partitions: 2, rows: { ${rows} } } }`;
const customers = `${own}rows.shop.customer`;

let kafka: TestKafka;
let shop: SmallShop;
let broker: Broker;
let direct: string;

beforeAll(async () => {
  if (jars === undefined) return;
  [kafka, shop] = await Promise.all([shareKafka(jars), startSmallShop()]);
  chmodSync(shop.folder, 0o755);
  direct = readFileSync(shop.pipeline, 'utf8');
  shop.environment['BROKER_URL'] = kafka.url;
  broker = await openBroker(await resolveBroker('env:BROKER_URL', kafka.url, () => Promise.resolve(undefined)));
  use('format: json');
}, 120_000);
afterAll(async () => {
  await broker?.close();
  await shop?.stop();
}, 60_000);

const use = (rows: string, more?: string): void => writeFileSync(shop.pipeline, direct.replace(/^target: .*$/m, target(rows, more)));

async function readAll(topic: string, readUncommitted = false): Promise<InRecord[]> {
  const reader = await broker.reader({ topic, readUncommitted, waitMs: 100 });
  const found: InRecord[] = [];
  try {
    const ends = await reader.askEnds();
    while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end)) found.push(...(await reader.read()));
  } finally {
    await reader.close();
  }
  return found;
}
const runsOf = (records: readonly InRecord[]): string[] =>
  [...new Set(records.map(({ value }) => /"run":"([^"]+)"/.exec(String(value))?.[1] ?? 'none'))].sort();

interface Listed {
  readonly version: number;
  readonly state: string;
  readonly runId: string;
}
async function datasets(): Promise<readonly Listed[]> {
  const { code, stdout, stderr } = await shop.bauta(['datasets', '-f', shop.pipeline, '--json']);
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { datasets: Listed[] }).datasets;
}
const run = async (): Promise<string> => {
  const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline]);
  if (code !== 0) throw new Error(stderr);
  return stderr;
};

onKafka(
  'is read as a whole, by nobody before it is proved, and anybody can tell by the control topic that nothing is missing',
  async () => {
    const blocked = await shop.block('border:publish');
    expect((await readAll(customers, true)).length).toBe(4000);
    expect(await readAll(customers)).toEqual([]);
    blocked.child.kill('SIGUSR2');
    const { stdout, stderr } = await blocked.ended;
    expect([stdout, stderr]).toEqual([expect.stringContaining('published'), '']);
    const rows = await readAll(customers);
    expect(rows).toHaveLength(4000);
    const control = await readAll(`${own}control`);
    const told = control.map(({ key, value }) => [String(key), JSON.parse(String(value)) as { type: string; body: Complete }] as const);
    expect(told.map(([, { type }]) => type)).toEqual(['begin', 'complete', 'publish']);
    const { body } = told[1]![1];
    for (const { topic, partitions } of body.topics) {
      const records = await readAll(topic);
      expect(partitions.map(({ records: count }) => count).reduce((a, b) => a + b, 0)).toBe(records.length);
      for (const { partition, sha256 } of partitions) expect(toDigest(records.filter((one) => one.partition === partition))).toBe(sha256);
    }
    expect(body.tables.find(({ table }) => table === 'shop.customer')?.rows).toBe(4000);
    const check = [packageFile('examples', 'rows', 'check.mjs'), kafka.url.replace('kafka://', ''), own.slice(0, -1)];
    expect(execFileSync(process.execPath, check, { encoding: 'utf8' })).toMatch(/version 1, run \S+: 3 topics, 20003 records: whole\n$/);
  },
  120_000,
);

interface Complete {
  readonly tables: readonly { readonly table: string; readonly rows: number }[];
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly records: number; readonly sha256: string }[];
  }[];
}

/** As docs/rows.md says it. */
function toDigest(records: readonly InRecord[]): string {
  const hash = createHash('sha256');
  for (const { key, value } of records) {
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32BE(key?.length ?? 0xffff_ffff, 0);
    lengths.writeUInt32BE(value?.length ?? 0xffff_ffff, 4);
    hash.update(lengths);
    if (key) hash.update(key);
    if (value) hash.update(value);
  }
  return hash.digest('hex');
}

onKafka(
  'holds, row by row, what direct delivery brings',
  async () => {
    const rows = (await readAll(customers)).map(({ value }) => (JSON.parse(String(value)) as { after: Record<string, unknown> }).after);
    writeFileSync(shop.pipeline, direct);
    await run();
    const client = await connect({ name: 'the target', url: shop.target.url('shop_dev') });
    const { rows: there } = await client.query<{ row: Record<string, unknown> }>(
      `SELECT json_build_object('id', id, 'email', email, 'first_name', first_name, 'last_name', last_name, 'born', born, 'phone', phone, 'profile', profile::text,
        'nicknames', nicknames, 'country', country, 'referred_by', referred_by) AS row FROM shop.customer`,
    );
    await client.end();
    const sorted = (list: readonly unknown[]): string[] => list.map((one) => JSON.stringify(one)).sort();
    expect(sorted(rows)).toEqual(sorted(there.map(({ row }) => row)));
    use('format: json');
  },
  120_000,
);

onKafka(
  'appears whole or not at all wherever its run is killed, and the next start deletes what was left',
  async () => {
    const before = (await datasets()).find(({ state }) => state === 'current')!;
    for (const place of ['step:data.load', 'step:publish.commit']) {
      const blocked = await shop.block(place);
      blocked.child.kill('SIGKILL');
      await blocked.ended;
      expect([place, runsOf(await readAll(customers))]).toEqual([place, [before.runId]]);
      expect([place, (await datasets()).find(({ state }) => state === 'current')?.runId]).toEqual([place, before.runId]);
    }
    // A start that is stopped before it writes: what the killed ones left is gone, also for who reads what is not committed.
    const stopped = await shop.abortAt('topic.create');
    expect(stopped.stdout).toContain('cancelled');
    expect(runsOf(await readAll(customers, true))).toEqual([before.runId]);
    expect(await readAll(customers)).toHaveLength(4000);
    const last = await shop.block('step:publish.wait');
    last.child.kill('SIGKILL');
    await last.ended;
    const list = await datasets();
    expect(list.filter(({ state }) => state === 'current')).toHaveLength(1);
    expect(list.find(({ state }) => state === 'current')!.version).toBe(before.version + 1);
    const said = await run();
    expect(said).toContain('published');
    const [now, ...others] = await datasets();
    expect([now?.state, others]).toEqual(['current', []]);
    expect(runsOf(await readAll(customers, true))).toEqual([now!.runId]);
    const { stdout } = await shop.bauta(['audit', 'verify', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [] });
    expect(readdirSync(shop.environment['TMPDIR']!)).toEqual([]);
  },
  240_000,
);
