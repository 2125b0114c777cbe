// Rows on a real Kafka: nothing is readable before it is proved, a run that ends badly leaves nothing, and those for whom they are (Kafka Connect's own
// converter, fastavro, kcat) read what the documentation says.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import type { Masked } from '../../src/pipeline/batch.js';
import type { Catalogue, Table } from '../../src/pipeline/catalogue.js';
import type { Plan } from '../../src/pipeline/plan.js';
import { type Broker, type InRecord, openBroker, resolveBroker } from '../../src/systems/kafka/kafka.js';
import type { Say } from '../../src/systems/kafka/stream/outlet.js';
import type { Positions } from '../../src/systems/kafka/reader.js';
import { RowsOutlet, type RowsOutletOptions, openRowsProducer } from '../../src/systems/kafka/stream/rows-outlet.js';
import { deleteOfRun, deleteReturned, endRows, hasRowsOf } from '../../src/systems/kafka/stream/rows-topics.js';
import { type RowFormat, SchemaRegistry, usualChoices } from '../../src/systems/kafka/wire/rows/rows.js';
import { toRowsTopic } from '../../src/systems/kafka/wire/topic-names.js';
import { type EveryType, makeEveryType } from '../support/every-type.js';
import { findKafka, shareKafka, type TestKafka } from '../support/kafka.js';
import { type TestServer, startTestServer } from '../support/server.js';

const jars = findKafka();
const python = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bauta-ci', 'bin', 'python');
const canary = 'zibeline';
/** Nobody is told anything here. */
const say: Say = { tell: () => Promise.resolve(), sign: () => ({ topic: 'bauta.local.nobody', records: [{ key: 'k', value: 'v' }] }) };

/** The program is there; missing it is an error where BAUTA_WORLD=required, and said loudly elsewhere. */
function has(what: string, works: () => void): boolean {
  try {
    works();
    return true;
  } catch {
    if (process.env['BAUTA_WORLD'] === 'required') throw new Error(`${what} is missing`);
    process.stderr.write(`SKIPPED: ${what} is missing\n`);
    return false;
  }
}
const kcat = has('kcat', () => execFileSync('kcat', ['-V'], { stdio: 'ignore' }));
const javac = has('a Java compiler', () => execFileSync('javac', ['-version'], { stdio: 'ignore' }));
const fastavro = has('fastavro', () =>
  execFileSync(existsSync(python) ? python : 'python3', ['-c', 'import fastavro'], { stdio: 'ignore' }),
);

(jars ? describe : describe.skip)('rows at a broker', () => {
  let server: TestServer;
  let world: EveryType;
  let kafka: TestKafka;
  let broker: Broker;
  let runs = 0;
  /** What the stand-in registry was sent, by subject. */
  const registered = new Map<string, { readonly id: number; readonly schema: string; readonly body: unknown }>();

  beforeAll(async () => {
    [server, kafka] = await Promise.all([startTestServer(), shareKafka(jars as string)]);
    world = await makeEveryType(server, 30, 7);
    await server.sql(
      'every',
      `CREATE TABLE app.person (id bigint PRIMARY KEY, name text, born date NOT NULL, seen timestamptz, balance numeric(12,2), tags text[], doc jsonb, ok boolean);
       INSERT INTO app.person SELECT i, CASE WHEN i % 7 > 0 THEN '${canary} ' || i END, date '1970-01-01' + i, timestamptz '2024-01-01 00:00:00.000001Z' + i * interval '1 s',
         i * 1.25, ARRAY['a', NULL, 'b c'], jsonb_build_object('n', i), i % 2 = 0 FROM generate_series(1, 2000) i; ANALYZE;`,
    );
    broker = await openBroker(await resolveBroker('env:BROKER', kafka.url, () => Promise.resolve(undefined)), { patienceMs: 10_000 });
    await (await broker.admin()).create({ topic: 'bauta.local.nobody', partitions: 1 });
  }, 120_000);
  afterAll(async () => {
    await broker?.close();
    await world?.close();
    await server?.stop();
  });

  const registry = new SchemaRegistry({
    url: 'https://registry.test/api',
    authorization: 'Basic c2VydmljZTpwYXNz',
    send: ({ method, url, headers, body }) => {
      const [, subject = ''] = /^https:\/\/registry\.test\/api\/subjects\/([^/]+)\/versions$/.exec(url) ?? [];
      expect({ method, type: headers['Content-Type'], login: headers['Authorization'] }).toEqual({ method: 'POST', type: 'application/vnd.schemaregistry.v1+json', login: 'Basic c2VydmljZTpwYXNz' }); // prettier-ignore
      const sent = JSON.parse(body) as { schema: string };
      const id = registered.get(decodeURIComponent(subject))?.id ?? 1000 + registered.size;
      registered.set(decodeURIComponent(subject), { id, schema: sent.schema, body: sent });
      return Promise.resolve({ status: 200, body: Buffer.from(JSON.stringify({ id })) });
    },
  });

  interface Made {
    readonly outlet: RowsOutlet;
    readonly runId: string;
    readonly topicOf: (table: string) => string;
    /** Writes the tables, each in two streams, and gives what is read back: `table stream` → lines. */
    readonly write: () => Promise<ReadonlyMap<string, string>>;
  }

  async function make(
    environment: string,
    format: RowFormat,
    names: readonly string[],
    more: Partial<RowsOutletOptions> = {},
  ): Promise<Made> {
    const runId = `run-${++runs}`;
    const tables = await world.tables();
    const found = names.map((name) => tables.find((one) => one.name === name) as Table);
    const plans = found.map((table) => ({ ...table, loadInto: { schema: table.schema, name: table.name } }));
    const plan = { tables: plans, source: { database: 'every' } } as unknown as Plan;
    const place = { workspace: 'local', environment };
    const outlet = new RowsOutlet(
      { runId, plan, streams: names.map(() => 2) },
      {
        ...{ broker, place, catalogue: { tables } as unknown as Catalogue, format, choices: usualChoices, registry, version: '1.0.0' },
        ...{ atMs: 1_760_000_000_000, nowMs: 1_760_000_001_000, partitions: 3, retentionMs: 86_400_000, readers: [], ...more },
      },
    );
    const write = async (): Promise<ReadonlyMap<string, string>> => {
      await outlet.begin();
      const back = new Map<string, string>();
      const reading = (async () => {
        let left = 2 * names.length;
        for await (const { table, stream, last, lines } of outlet.readBack()) {
          const name = `${names[table]} ${stream}`;
          back.set(name, (back.get(name) ?? '') + Buffer.from(lines).toString('utf8'));
          if (last && --left === 0) return;
        }
      })();
      const writing = names.map(async (name, table) => {
        const lines = await world.lines(name);
        const cut = lines.indexOf(10, lines.length / 2) + 1;
        await Promise.all(
          [lines.subarray(0, cut), lines.subarray(cut)].map((part, stream) => outlet.write(table, stream, toBatches(table, stream, part))),
        );
      });
      await Promise.all([reading, ...writing]);
      return back;
    };
    return { outlet, runId, write, topicOf: (name) => toRowsTopic(place, 'app', name) };
  }

  async function* toBatches(table: number, range: number, lines: Uint8Array): AsyncGenerator<Masked> {
    await Promise.resolve();
    const cut = lines.lastIndexOf(10, lines.length / 3) + 1;
    for (const [sequence, bytes] of [lines.subarray(0, cut), lines.subarray(cut)].entries())
      if (bytes.length > 0) yield { table, range, sequence, bytes, rows: 0 } as unknown as Masked;
  }

  /** What a topic has for a reader when nothing of it is open: who commits is answered before each partition knows. */
  async function readAll(topic: string, readUncommitted = false, as: Broker = broker): Promise<InRecord[]> {
    const reader = await broker.reader({ topic, waitMs: 100 });
    for (let open = true; open;) {
      const [committed, ends] = [await reader.askEnds(), (await broker.ends([topic])).get(topic)];
      open = !readUncommitted && [...(ends ?? [])].some(([partition, end]) => committed.get(partition) !== end);
    }
    await reader.close();
    return readNow(topic, readUncommitted, as);
  }
  /** What it has now. */
  async function readNow(topic: string, readUncommitted = false, as: Broker = broker): Promise<InRecord[]> {
    const reader = await as.reader({ topic, readUncommitted, waitMs: 100 });
    const found: InRecord[] = [];
    try {
      const ends = await reader.askEnds();
      while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end)) found.push(...(await reader.read()));
    } finally {
      await reader.close();
    }
    return found;
  }
  const sorted = (text: string): string[] => text.split('\n').sort();
  const runsOf = (records: readonly InRecord[]): string[] =>
    [...new Set(records.map(({ value }) => /"run":"([^"]+)"/.exec(String(value))?.[1] ?? 'none'))].sort();

  it('are read by nobody who reads committed records before they are published, and then as a whole; what was read back is what was written', async () => {
    const one = await make('whole', 'json', ['person', 'keyless', 'every_type']);
    const back = await one.write();
    for (const name of ['person', 'keyless', 'every_type']) {
      const all = `${back.get(`${name} 0`)}${back.get(`${name} 1`)}`;
      expect(sorted(all)).toEqual(sorted((await world.lines(name)).toString('utf8')));
      expect(await readNow(one.topicOf(name))).toEqual([]);
    }
    expect(one.outlet.manifest()).toMatchObject({
      encoding: 'rows',
      format: 'json',
      tables: [{ table: 'app.person', rows: 2000 }, { rows: 2 }, {}],
    });
    await one.outlet.commit(say);
    const records = await readAll(one.topicOf('person'));
    expect(records).toHaveLength(2000);
    expect(new Set(records.map(({ partition }) => partition)).size).toBe(3);
    // A key is the primary key and nothing else; nothing of a row stands in a header or in the topic's name.
    expect(records.map(({ key }) => JSON.parse(String(key)) as { id: number }).map(({ id }) => id).sort((a, b) => a - b)).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1)); // prettier-ignore
    for (const { key, headers } of records) {
      expect(String(key)).not.toContain(canary);
      expect(headers.size).toBe(0);
    }
    expect((await readAll(one.topicOf('keyless'))).map(({ key }) => key)).toEqual([null, null]);
  }, 60_000);

  it('of a run that ends badly are gone for every reader, and the version before stays readable; the next one takes its place', async () => {
    const first = await make('again', 'json', ['person']);
    await first.write();
    await first.outlet.commit(say);
    const before = (await readAll(first.topicOf('person'))).map(({ value }) => String(value)).sort();
    const bad = await make('again', 'json', ['person']);
    await bad.write();
    expect(runsOf(await readAll(bad.topicOf('person'), true))).toEqual([first.runId, bad.runId]);
    await bad.outlet.abort(say);
    await bad.outlet.abort(say);
    expect(runsOf(await readAll(bad.topicOf('person'), true))).toEqual([first.runId]);
    expect((await readAll(bad.topicOf('person'))).map(({ value }) => String(value)).sort()).toEqual(before);
    const next = await make('again', 'json', ['person']);
    await next.write();
    await next.outlet.commit(say);
    expect(runsOf(await readAll(next.topicOf('person')))).toEqual([first.runId, next.runId]);
    // The version in front ends by itself, and the one behind it stays.
    expect(await hasRowsOf(broker, next.topicOf('person'), first.runId)).toBe(true);
    await deleteOfRun(broker, next.topicOf('person'), first.runId, [next.runId]);
    expect(await hasRowsOf(broker, next.topicOf('person'), first.runId)).toBe(false);
    expect(runsOf(await readAll(next.topicOf('person'), true))).toEqual([next.runId]);
    expect(await readAll(next.topicOf('person'))).toHaveLength(2000);
    // The end of a version: a record without a value for each key, and no row.
    const producer = await openRowsProducer(broker, { workspace: 'local', environment: 'again' });
    expect(await endRows(broker, producer, next.topicOf('person'))).toBe(2000);
    expect(await endRows(broker, producer, next.topicOf('person'))).toBe(0);
    await producer.close();
    const left = await readAll(next.topicOf('person'));
    expect(left.map(({ value }) => value)).toEqual(left.map(() => null));
    expect(left).toHaveLength(2000);
  }, 60_000);

  it('that came back with a broker that died are gone with the next version that ends, and with the next start', async () => {
    const made: Made[] = [];
    const starts: Positions[] = [];
    for (let n = 0; n < 3; n++) {
      const one = await make('back', 'json', ['person']);
      const topic = one.topicOf('person');
      starts.push((await broker.ends([topic]).catch(() => new Map<string, Positions>())).get(topic) ?? new Map<number, bigint>());
      await one.write();
      await one.outlet.commit(say);
      made.push(one);
    }
    // As it is when the first two were deleted and the broker has forgotten it.
    const [first, second, third] = made as [Made, Made, Made];
    const topic = third.topicOf('person');
    expect(await hasRowsOf(broker, topic, second.runId)).toBe(true);
    await deleteOfRun(broker, topic, second.runId, [third.runId]);
    for (const { runId } of [first, second]) expect(await hasRowsOf(broker, topic, runId)).toBe(false);
    const fourth = await make('back', 'json', ['person']);
    starts.push((await broker.ends([topic])).get(topic)!);
    await fourth.write();
    await fourth.outlet.commit(say);
    const kept = new Map([[topic, [fourth.runId]]]);
    expect(await deleteReturned(broker, new Map([[topic, starts[2]!]]), kept)).toEqual([]);
    expect(await deleteReturned(broker, new Map([[topic, starts[3]!]]), kept)).toEqual([topic]);
    expect(runsOf(await readAll(topic, true))).toEqual([fourth.runId]);
    expect(await readAll(topic)).toHaveLength(2000);
  }, 60_000);

  it('of a service that died are ended by the next one, which keeps the other out', async () => {
    const dead = await make('fenced', 'json', ['person']);
    await dead.write();
    const next = await make('fenced', 'json', ['person']);
    await next.write();
    await expect(dead.outlet.commit(say)).rejects.toMatchObject({ class: expect.any(String) });
    await next.outlet.commit(say);
    expect(runsOf(await readAll(next.topicOf('person')))).toEqual([next.runId]);
    // Nor does it take anything of the other away when it cleans up after itself.
    await expect(dead.outlet.abort(say)).rejects.toMatchObject({ class: expect.any(String) });
    expect(await readAll(next.topicOf('person'))).toHaveLength(2000);
  }, 60_000);

  it('are not proved where somebody else wrote among them', async () => {
    const one = await make('forged', 'json', ['person']);
    await one.outlet.begin();
    const stranger = await broker.producer();
    await stranger.send({ topic: one.topicOf('person'), records: [{ key: '{"id":1}', value: '{}', partition: 0 }] });
    await one.outlet.write(0, 0, toBatches(0, 0, await world.lines('person')));
    const reading = (async () => {
      for await (const { last } of one.outlet.readBack()) if (last) return;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'STREAM_RECORD_FORGED' });
    await one.outlet.abort(say);
    await stranger.close();
  }, 60_000);

  it('that are too many for a transaction stand in topics of their version, which readers get at publication', async () => {
    const admin = await broker.admin();
    const reader = await openBroker(await resolveBroker('env:READER', kafka.login('reader'), (ref) => import('node:fs').then(({ readFileSync }) => readFileSync(ref.replace(/^file:/, ''), 'utf8')))); // prettier-ignore
    try {
      const more = { alone: 'v1', readers: [kafka.principal('reader')] };
      const one = await make('large', 'json', ['person', 'keyless'], more);
      await one.write();
      const topics = await admin.list('bauta.local.large.versions.');
      expect(topics).toHaveLength(2);
      await expect(readAll(topics[1] as string, true, reader)).rejects.toMatchObject({
        code: expect.stringMatching(/BROKER_DENIED|TOPIC_MISSING/),
      });
      await one.outlet.commit(say);
      expect(await readAll(topics[1] as string, false, reader)).toHaveLength(2000);
      const bad = await make('large', 'json', ['person'], { ...more, alone: 'v2' });
      await bad.write();
      await bad.outlet.abort(say);
      expect(await admin.list('bauta.local.large.versions.')).toEqual(topics);
    } finally {
      await reader.close();
      await admin.close();
    }
  }, 60_000);

  (javac ? it : it.skip)(
    'are typed and valued by Kafka Connect as the server has them, for every type',
    async () => {
      const one = await make('connect', 'connect-json', ['every_type']);
      await one.write();
      await one.outlet.commit(say);
      const records = await readAll(one.topicOf('every_type'));
      const input = records.map(({ key, value }) => `${key?.toString('base64') ?? '-'} ${value?.toString('base64')}\n`).join('');
      const words = ['-cp', `${jars}/*`, packageFile('test', 'support', 'kafka', 'ReadRows.java')];
      const said = execFileSync('java', words, { input, encoding: 'utf8', maxBuffer: 1 << 28 })
        .trimEnd()
        .split('\n\n');
      expect(said).toHaveLength(records.length);
      const fieldsOf = (text: string, part: string): Map<string, string> =>
      new Map(text.split('\n').map((line) => line.split('\t')).filter(([kind]) => kind === part).map(([, name = '', type, schema, value]) => [name, `${type} ${schema} ${value}`])); // prettier-ignore
      const rows = new Map(
        said.map((text) => [fieldsOf(text, 'K').get('n')?.split(' ').at(-1), { key: fieldsOf(text, 'K'), row: fieldsOf(text, 'V') }]),
      );
      const micros = (column: string): string =>
        `CASE WHEN ${column} = 'infinity' THEN '9223372036854775807' WHEN ${column} = '-infinity' THEN '-9223372036854775808' ELSE ((extract(epoch FROM ${column}) * 1000000)::numeric(30,0))::text END`;
      const expected = await server.sql(
        'every',
        `SELECT n::text, i2::text, i4::text, i8::text, object::text, yes::text, free::text, id::text, mood::text, range::text, "always"::text,
        ${micros('at')} AS at, ${micros('instant')} AS instant, (extract(epoch FROM clock) * 1000000)::bigint::text AS clock, encode(blob, 'hex') AS blob,
        CASE WHEN day = 'infinity' THEN '2147483647' WHEN day = '-infinity' THEN '-2147483648' ELSE (day - date '1970-01-01')::text END AS day, numbers::text
        FROM app.every_type`,
      );
      expect(expected).toHaveLength(records.length);
      const types: Readonly<Record<string, string>> = {
        ...{
          n: 'INT32 null',
          i2: 'INT16 null',
          i4: 'INT32 null',
          i8: 'INT64 null',
          object: 'INT64 null',
          yes: 'BOOLEAN null',
          free: 'STRING null',
        },
        ...{ id: 'STRING io.debezium.data.Uuid', mood: 'STRING io.debezium.data.Enum', range: 'STRING null', always: 'INT32 null' },
        ...{
          at: 'INT64 io.debezium.time.MicroTimestamp',
          instant: 'INT64 io.debezium.time.MicroTimestamp',
          clock: 'INT64 io.debezium.time.MicroTime',
        },
        ...{ blob: 'BYTES null', day: 'INT32 io.debezium.time.Date' },
      };
      for (const { numbers, ...row } of expected) {
        const { key, row: seen } = rows.get(row['n'] as string) ?? { key: new Map(), row: new Map() };
        expect([...key.keys()]).toEqual(['k', 'n']);
        for (const [name, value] of Object.entries(row)) expect([name, seen.get(name)]).toEqual([name, `${types[name]} ${String(value)}`]);
        const list = numbers === null ? 'null' : (numbers as string).replace('{', '[').replace('}', ']').replaceAll('NULL', 'null');
        expect(seen.get('numbers')).toBe(`ARRAY null ${list}`);
      }
    },
    90_000,
  );

  (fastavro ? it : it.skip)(
    'are read in Avro by fastavro with the schemas that the registry was given',
    async () => {
      const one = await make('avro', 'avro', ['person', 'keyless'], { choices: { ...usualChoices, numeric: 'decimal' } });
      await one.write();
      await one.outlet.commit(say);
      const topic = one.topicOf('person');
      expect([...registered.keys()].sort()).toEqual([`${one.topicOf('keyless')}-value`, `${topic}-key`, `${topic}-value`]);
      for (const { body } of registered.values()) expect(Object.keys(body as object).sort()).toEqual(['schema', 'schemaType']);
      const { id, schema } = registered.get(`${topic}-value`) as { id: number; schema: string };
      expect(schema).not.toContain(canary);
      const records = await readAll(topic);
      const input = `${schema}\n${records.map(({ value }) => `${value?.toString('base64')}\n`).join('')}`;
      const words = [packageFile('test', 'support', 'kafka', 'read_rows.py')];
      const said = execFileSync(existsSync(python) ? python : 'python3', words, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
      const read = said.trimEnd().split('\n').map((line) => JSON.parse(line) as { id: number; run: string; row: Record<string, unknown> }); // prettier-ignore
      expect(read).toHaveLength(2000);
      expect(read.every((one) => one.id === id)).toBe(true);
      expect(read.find(({ row }) => row['id'] === 3)).toEqual({
      id,
      run: one.runId,
      row: { id: 3, name: `${canary} 3`, born: '1970-01-04', seen: '2024-01-01 00:00:03.000001+00:00', balance: '3.75', tags: ['a', null, 'b c'], doc: '{"n": 3}', ok: false },
    }); // prettier-ignore
      const keySchema = JSON.parse(registered.get(`${topic}-key`)?.schema ?? '') as unknown;
      expect(keySchema).toEqual({
        type: 'record',
        name: 'Key',
        namespace: topic.replaceAll('-', '_'),
        fields: [{ name: 'id', type: 'long' }],
      });
    },
    60_000,
  );

  (kcat ? it : it.skip)(
    'are read by kcat as the documentation says',
    async () => {
      const one = await make('kcat', 'json', ['person']);
      await one.write();
      await one.outlet.commit(say);
      const words = ['-b', kafka.url.replace('kafka://', ''), '-C', '-t', one.topicOf('person'), '-o', 'beginning', '-e', '-q', '-X', 'isolation.level=read_committed', '-J']; // prettier-ignore
      const said = execFileSync('kcat', words, { encoding: 'utf8', maxBuffer: 1 << 28 })
        .trimEnd()
        .split('\n');
      expect(said).toHaveLength(2000);
      const first = said.map((line) => JSON.parse(line) as { key: string; payload: string }).find(({ key }) => key === '{"id":2}');
      expect(JSON.parse(first?.payload ?? '')).toEqual({
      before: null,
      after: { id: 2, name: `${canary} 2`, born: 2, seen: 1_704_067_202_000_001, balance: '2.50', tags: ['a', null, 'b c'], doc: '{"n": 2}', ok: true },
      source: { version: '1.0.0', connector: 'bauta', name: 'bauta.local.kcat', ts_ms: 1_760_000_000_000, snapshot: 'true', db: 'every', schema: 'app', table: 'person', run: one.runId },
      op: 'r',
      ts_ms: 1_760_000_001_000,
    }); // prettier-ignore
    },
    60_000,
  );
});
