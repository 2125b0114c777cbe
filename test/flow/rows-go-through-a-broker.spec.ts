// A run whose rows are for others: what they read is what direct delivery brings, a version appears whole or not at all wherever its run is killed, and it
// ends as the log says.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { type Broker, type InRecord, openBroker, resolveBroker } from '../../src/systems/kafka/kafka.js';
import { type TestKafka, findKafka, shareKafka } from '../support/kafka.js';
import { startRegistry } from '../support/registry.js';
import { type SmallShop, startSmallShop } from '../support/small-shop.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
const own = 'rowsflow.local.dev.';
const target = (rows: string, more = ''): string =>
  `target: { connection: env:BROKER_URL, environment: dev, class: dev, region: eu-central-1, allows: [pii, pci, secret, quasi]${more}, kafka: { prefix: rowsflow, database: shop_rows, encoding: rows, partitions: 2, rows: { ${rows} } } }`;
const customers = `${own}rows.shop.customer`;
const ours = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bauta-ci', 'bin', 'python');
const python = existsSync(ours) ? ours : 'python3';

/** The foreign consumer is there; missing it is an error where BAUTA_WORLD=required, and said loudly elsewhere. */
const librdkafka = ((): boolean => {
  if (spawnSync(python, ['-c', 'import confluent_kafka, fastavro']).status === 0) return true;
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error('confluent-kafka or fastavro is missing');
  process.stderr.write('SKIPPED: confluent-kafka or fastavro is missing\n');
  return false;
})();

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
  300_000,
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
  'appears whole or not at all wherever its run is killed, and the next start deletes what was left',
  async () => {
    const before = (await datasets()).find(({ state }) => state === 'current')!;
    for (const place of ['step:data.load', 'step:publish.commit']) {
      const blocked = await shop.block(place);
      blocked.child.kill('SIGKILL');
      await blocked.ended;
      expect([place, runsOf(await readAll(customers))]).toEqual([place, [before.runId]]);
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

/** Names, keys, headers and values of everything that is there, whether it was committed or not. */
async function everything(): Promise<Buffer> {
  const admin = await broker.admin();
  const topics = await admin.list('rowsflow.').finally(() => admin.close());
  const seen: Buffer[] = [Buffer.from(topics.join('\n'))];
  for (const topic of topics)
    for (const { key, value, headers } of await readAll(topic, true))
      for (const part of [key, value, ...headers.keys(), ...headers.values()]) if (part) seen.push(Buffer.from(part));
  return Buffer.concat(seen);
}

const canaries = ['person17@company-17', 'please ring twice', "O'Neil", '+49 30 10', 'second17@'];

onKafka(
  'leaves nothing of a version that is withheld, and no original in any topic',
  async () => {
    const [before] = await datasets();
    const text = readFileSync(shop.pipeline, 'utf8');
    const check = 'checks: [{ name: many, kind: rowCount, table: shop.customer, min: 99999 }]';
    writeFileSync(shop.pipeline, text.replace(/^retentionDays: 30$/m, `retentionDays: 30\n${check}`));
    const blocked = await shop.block('border:verify');
    const during = await everything();
    blocked.child.kill('SIGUSR2');
    expect((await blocked.ended).stdout).toContain('withheld');
    expect(runsOf(await readAll(customers, true))).toEqual([before!.runId]);
    expect(await readAll(customers)).toHaveLength(4000);
    const after = await everything();
    expect(during.length).toBeGreaterThan(1_000_000);
    for (const canary of canaries) expect([canary, [during, after].some((all) => all.includes(canary))]).toEqual([canary, false]);
    use('format: json');
  },
  300_000,
);

interface Expired {
  readonly versions: readonly {
    readonly attestation: {
      readonly dropped: readonly { name: string; seen: string }[];
      readonly kept: readonly { name: string; why: string }[];
    };
  }[];
}
async function withdraw(version: number): Promise<Expired['versions'][number]['attestation']> {
  const words = ['expire', '-f', shop.pipeline, '--withdraw', String(version), '--reason', 'nobody needs it any more', '--json'];
  const { code, stdout, stderr } = await shop.bauta(words);
  if (code !== 0) throw new Error(stdout + stderr);
  return (JSON.parse(stdout) as Expired).versions[0]!.attestation;
}

onKafka(
  'ends with an attestation: no row is left, and each key without its value tells sinks to delete theirs',
  async () => {
    const [{ version, runId }] = (await datasets()) as [Listed];
    const { dropped, kept } = await withdraw(version);
    expect(dropped).toHaveLength(3);
    expect(dropped).toContainEqual(expect.objectContaining({ name: `${customers} of run ${runId}`, seen: 'gone' }));
    expect(kept).toContainEqual({ kind: 'topic', name: `${customers}, keys`, why: expect.stringMatching(/^4000 keys/) });
    const left = await readAll(customers, true);
    expect([left.length, left.filter(({ value }) => value !== null)]).toEqual([4000, []]);
    expect(await datasets()).toEqual([]);
  },
  60_000,
);

onKafka(
  'is in topics of its own where it is too large: nobody reads them before it is published, a foreign reader as itself afterwards, and nobody once it has ended',
  async () => {
    const registry = await startRegistry();
    shop.environment['REGISTRY_LOGIN'] = 'bauta:a secret';
    const more = `registry: { url: "${registry.url}", login: env:REGISTRY_LOGIN }, readers: ['${kafka.principal('reader')}'], transactionMegabytes: 0`;
    use(`format: avro, ${more}`);
    const versions = `${own}versions.`;
    const reader = await openBroker(await resolveBroker('env:READER', kafka.login('reader'), (ref) => Promise.resolve(readFileSync(ref.slice(5), 'utf8')))); // prettier-ignore
    const topics = async (): Promise<readonly string[]> => {
      const admin = await broker.admin();
      return admin.list(versions).finally(() => admin.close());
    };
    try {
      use(`format: json, transactionMegabytes: 0`);
      expect((await shop.bauta(['plan', '-f', shop.pipeline])).stdout).toContain('ROWS_READERS_MISSING');
      use(`format: avro, ${more}`);
      const killed = await shop.block('step:publish.tell');
      const [first = ''] = await topics();
      await expect(reader.reader({ topic: first })).rejects.toMatchObject({ code: expect.stringMatching(/BROKER_DENIED|TOPIC_MISSING/) });
      killed.child.kill('SIGKILL');
      await killed.ended;
      await run();
      expect(registry.logins).toEqual(new Set([`Basic ${Buffer.from('bauta:a secret').toString('base64')}`]));
      for (const canary of canaries) expect([canary, registry.schemas.join().includes(canary)]).toEqual([canary, false]);
      const now = await topics();
      expect([now.length, now.includes(first)]).toEqual([3, false]);
      const topic = now.find((one) => one.endsWith('.customer'))!;
      const found = await reader.reader({ topic, waitMs: 100 });
      expect((await found.askEnds()).size).toBe(2);
      await found.close();
      if (librdkafka) {
        // A group is the operator's to give.
        kafka.java('org.apache.kafka.tools.AclCommand', '--bootstrap-server', kafka.url.replace('kafka://', ''), '--add', '--allow-principal', kafka.principal('reader'), '--operation', 'Read', '--group', 'rows'); // prettier-ignore
        expectForeign(consume(topic, registry.schemas));
      }
      const [{ version }] = (await datasets()) as [Listed];
      const { dropped, kept } = await withdraw(version);
      expect([dropped.map(({ seen }) => seen), kept, await topics()]).toEqual([['gone', 'gone', 'gone'], [], []]);
    } finally {
      await reader.close();
      await registry.close();
    }
  },
  300_000,
);

interface Consumed {
  readonly key: { readonly id: number };
  readonly value: { readonly op: string; readonly source: { readonly run: string }; readonly after: Readonly<Record<string, unknown>> };
}

/** By librdkafka, as the reader that the document names. */
function consume(topic: string, schemas: readonly string[]): readonly Consumed[] {
  const conf = {
    'bootstrap.servers': `localhost:${kafka.ports.sasl}`,
    ...{ 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'SCRAM-SHA-512', 'ssl.ca.location': kafka.caFile },
    ...{ 'sasl.username': 'reader', 'sasl.password': kafka.passwords.reader },
  };
  const byId = Object.fromEntries(schemas.map((text, at) => [at + 1, (JSON.parse(text) as { schema: string }).schema]));
  const words = [packageFile('test', 'support', 'kafka', 'consume_rows.py')];
  const input = `${JSON.stringify({ conf, topic, schemas: byId })}\n`;
  const said = execFileSync(python, words, { input, encoding: 'utf8', maxBuffer: 1 << 28, timeout: 60_000 });
  return said.trimEnd().split('\n').map((line) => JSON.parse(line) as Consumed); // prettier-ignore
}

function expectForeign(records: readonly Consumed[]): void {
  expect(records).toHaveLength(4000);
  expect(new Set(records.map(({ key }) => key.id)).size).toBe(4000);
  for (const { key, value } of records) {
    expect([value.op, value.after['id']]).toEqual(['r', key.id]);
    expect(Object.keys(value.after)).toContain('nicknames');
  }
}

onKafka(
  'is published by the last of several runs that are under way at once: the others say that their place was taken, and leave nothing',
  async () => {
    use('format: json');
    // What versions before left is said to be gone, key by key.
    const rowsOf = async (...words: [true?]): ReturnType<typeof readAll> =>
      (await readAll(customers, ...words)).filter(({ value }) => value !== null);
    const wholly = await shop.block('step:publish.commit');
    const hardly = await shop.block('step:data.load');
    const endOf = async ({ child, ended }: typeof wholly): Promise<readonly (string | null)[]> => {
      child.kill('SIGUSR2');
      const { stdout, stderr } = await ended;
      return [stdout.split('\n')[1] ?? null, stderr];
    };
    expect(await endOf(wholly)).toEqual(['failed STREAM_TAKEN_OVER', '']);
    expect(await rowsOf()).toEqual([]);
    expect(await run()).toContain('published');
    const listed = await datasets();
    expect(await endOf(hardly)).toEqual(['failed STREAM_TAKEN_OVER', '']);
    expect([listed.map(({ state }) => state), await datasets()]).toEqual([['current'], listed]);
    expect([await rowsOf(true), await rowsOf()].map((rows) => [rows.length, runsOf(rows)])).toEqual([
      [4000, [listed[0]!.runId]],
      [4000, [listed[0]!.runId]],
    ]);
    expect((await shop.bauta(['audit', 'verify'])).code).toBe(0);
    expect(readdirSync(shop.environment['TMPDIR']!)).toEqual([]);
  },
  300_000,
);
