// The rows encoding: one record per row, for consumers that are not ours. A dataset that fits is one transaction over a topic per table: whoever reads
// committed records sees the whole of it or nothing. One that does not goes to topics of its own, which nobody may read before it is published.
import type { Json } from '../../../kernel/canonical-json.js';
import { toError } from '../../../kernel/errors.js';
import type { Masked } from '../../../pipeline/batch.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { TablePlan } from '../../../pipeline/plan.js';
import type { Broker } from '../broker.js';
import type { OutRecord, Producer, Transaction } from '../producer.js';
import type { InRecord, Positions, TopicReader } from '../reader.js';
import type { BrokerAdmin } from '../topics.js';
import { mostRecordBytes } from '../wire/record.js';
import { type RowChoices, type RowCodec, type RowFormat, RowReader, RowWriter, ByteWriter, type SchemaRegistry, toRowCodec, toRowTable } from '../wire/rows/rows.js'; // prettier-ignore
import { type TopicPlace, toControlTopic, toEnvironmentPrefix, toRowsTopic, toVersionTopic } from '../wire/topic-names.js';
import type { Outlet, OutletRun, ReadBack, Say, Written } from './outlet.js';
import { encodeBatch, toChunks } from './rows-chunks.js';
import { findRoot, toColumnsOf } from './rows-root.js';
import { RowsLedger, toFrames, toStretchDigest } from './rows-ledger.js';
import { cutRows, grantReaders, removeVersionTopic } from './rows-topics.js';

const fetchBytes = 2 << 20;
const pauseMs = 20;

export interface RowsOutletOptions {
  readonly broker: Broker;
  readonly place: TopicPlace;
  readonly catalogue: Catalogue;
  readonly format: RowFormat;
  readonly choices: RowChoices;
  /** For Avro. */
  readonly registry?: SchemaRegistry | undefined;
  /** Of Bauta. */
  readonly version: string;
  /** When the rows were so, and now. */
  readonly atMs: number;
  readonly nowMs: number;
  /** Of topics that are made; one that is there stays as it is. */
  readonly partitions: number;
  readonly replication?: number | undefined;
  readonly retentionMs: number;
  /** Too large for one transaction: in topics that bear this name, which nobody else's attempt has. */
  readonly alone?: string | undefined;
  /** Of the environment's transactional id, whoever had it before being kept out already. In no transaction. Absent: the outlet makes its own. */
  readonly producer?: Producer | undefined;
  /** From the first record to publication; the broker's `transaction.max.timeout.ms` is the most. Default 15 minutes. */
  readonly transactionMs?: number | undefined;
  /** Who may read once it is published, as `User:name`. */
  readonly readers: readonly string[];
  /** Told before the commit. */
  readonly onCommit?: (() => void | Promise<void>) | undefined;
}

/** One topic: a table, or the partitions of one. */
interface RowsTopic {
  readonly topic: string;
  readonly ledger: RowsLedger;
  partitions: number;
  reader?: TopicReader;
}

/** One table of the plan. */
interface RowsTable {
  readonly at: RowsTopic;
  readonly codec: RowCodec;
  readonly plan: TablePlan;
}

interface Stream {
  readonly table: number;
  readonly stream: number;
  ended: boolean;
  told: boolean;
  sent: number;
  back: number;
}

export class RowsOutlet implements Outlet {
  readonly #run: OutletRun;
  readonly #options: RowsOutletOptions;
  readonly #topics = new Map<string, RowsTopic>();
  readonly #tables: RowsTable[] = [];
  readonly #streams = new Map<string, Stream>();
  #before: ReadonlyMap<string, Positions> = new Map();
  #producer: Producer | undefined;
  #transaction: Transaction | undefined;
  #state: 'new' | 'open' | 'committed' | 'aborted' = 'new';
  #closed = false;
  #records = 0;
  #wireBytes = 0;

  constructor(run: OutletRun, options: RowsOutletOptions) {
    this.#run = run;
    this.#options = options;
  }

  get #alone(): boolean {
    return this.#options.alone !== undefined;
  }

  /** Where each topic stood before this run wrote. After `begin`. */
  get before(): ReadonlyMap<string, Positions> {
    return this.#before;
  }

  async begin(): Promise<void> {
    const { broker, place, transactionMs, producer, readers } = this.#options;
    await this.#open();
    const topics = [...this.#topics.keys()];
    const admin = await broker.admin();
    try {
      // Where everybody may read everything, nothing can be kept from readers until it is proved, and nobody given a right.
      if (this.#alone || readers.length > 0) await admin.grants({ topic: topics[0] ?? '' });
      const made = await this.#make(admin, topics);
      this.#state = 'open';
      this.#producer = this.#alone ? await broker.producer() : (producer ?? (await openRowsProducer(broker, place, transactionMs)));
      if (!this.#alone) this.#transaction = await this.#producer.begin();
      const ends = await broker.ends(topics.filter((topic) => !made.includes(topic)));
      const nowhere = new Map(Array.from({ length: this.#options.partitions }, (_, partition) => [partition, 0n]));
      this.#before = new Map(topics.map((topic) => [topic, ends.get(topic) ?? nowhere]));
    } finally {
      await admin.close();
    }
  }

  /** Resolves with those that were not there. */
  async #make(admin: BrokerAdmin, topics: readonly string[]): Promise<readonly string[]> {
    const { partitions, replication, retentionMs } = this.#options;
    const settings = { 'max.message.bytes': String(2 * mostRecordBytes), 'cleanup.policy': 'delete' };
    const more = { partitions, retentionMs, settings, ...(replication !== undefined && { replication }) };
    const made = await admin.create(...topics.map((topic) => ({ topic, ...more })));
    if (this.#alone && made.length < topics.length) throw toError('STREAM_RECORD_FORGED', { stage: 'deliver', run: this.#run.runId });
    const there = topics.filter((topic) => !made.includes(topic));
    for (const { topic, partitions: count } of await admin.describe(there)) (this.#topics.get(topic) as RowsTopic).partitions = count;
    for (const topic of there) await admin.keepFor(topic, retentionMs);
    return made;
  }

  async #open(): Promise<void> {
    const { place, catalogue, format, choices, registry, version, atMs, nowMs, partitions, alone } = this.#options;
    const { runId, plan } = this.#run;
    const origin = {
      version,
      name: toEnvironmentPrefix(place).slice(0, -1),
      database: plan.source.database,
      runId,
      atMs,
      writtenAtMs: nowMs,
    };
    for (const table of plan.tables) {
      const into = findRoot(catalogue, table.loadInto);
      const topic = alone === undefined ? toRowsTopic(place, into.schema, into.name) : toVersionTopic(place, alone, into.schema, into.name);
      const at = this.#topics.get(topic) ?? { topic, ledger: new RowsLedger({ run: runId, object: topic }), partitions };
      this.#topics.set(topic, at);
      const codec = await toRowCodec(format, toRowTable(toColumnsOf(into, table), into, choices), { origin, topic, registry });
      this.#tables.push({ at, codec, plan: table });
    }
  }

  async write(table: number, stream: number, batches: AsyncIterable<Masked>): Promise<Written> {
    const { at, codec, plan } = this.#tables[table] as RowsTable;
    const sum = { rows: 0, bytes: 0, records: 0, wireBytes: 0 };
    const mine: Stream = { table, stream, ended: false, told: false, sent: 0, back: 0 };
    this.#streams.set(`${table} ${stream}`, mine);
    const writer = new RowWriter(codec);
    for await (const { bytes, range, sequence } of batches) {
      const records = encodeBatch(writer, bytes, range, sequence);
      sum.rows += records.rows;
      sum.records += records.rows;
      sum.bytes += bytes.length;
      for (const chunk of toChunks(records, plan, at.partitions)) {
        const size = await this.#send(mine, chunk);
        sum.wireBytes += size;
      }
    }
    mine.ended = true;
    return sum;
  }

  /** By partition. Resolves with the bytes of keys and values. */
  async #send(mine: Stream, chunk: ReadonlyMap<number, readonly OutRecord[]>): Promise<number> {
    const { at } = this.#tables[mine.table] as RowsTable;
    const out = this.#transaction ?? this.#producer;
    if (!out || this.#closed) throw toError('STAGING_CLOSED');
    const records = [...chunk.values()].flat();
    mine.sent += records.length;
    await at.ledger.sending(
      out.send({ topic: at.topic, records }).then((written) => {
        for (const { partition, offset } of written) {
          const stretch = chunk.get(partition) ?? [];
          at.ledger.place(partition, offset, {
            table: mine.table,
            stream: mine.stream,
            rows: stretch.length,
            digest: toStretchDigest(toFrames(stretch)),
          });
        }
      }),
    );
    const size = records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
    this.#records += records.length;
    this.#wireBytes += size;
    return size;
  }

  async *readBack(): AsyncGenerator<ReadBack, void, undefined> {
    while (!this.#closed) {
      let some = false;
      for (const at of this.#topics.values()) {
        if (!this.#isActive(at)) continue;
        some = true;
        for (const { stretch, records } of await at.ledger.match(await this.#read(at))) {
          const { table, stream, rows } = stretch;
          const lines = this.#decode(table, records);
          (this.#streams.get(`${table} ${stream}`) as Stream).back += rows;
          yield { table, stream, last: false, rows, lines };
        }
      }
      for (const one of this.#streams.values()) {
        if (one.told || !one.ended || one.back < one.sent) continue;
        one.told = true;
        yield { table: one.table, stream: one.stream, last: true, rows: 0, lines: new Uint8Array(0) };
      }
      if (!some) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  #isActive(at: RowsTopic): boolean {
    return [...this.#streams.values()].some((one) => this.#tables[one.table]?.at === at && one.back < one.sent);
  }

  async #read(at: RowsTopic): Promise<readonly InRecord[]> {
    const from = this.#before.get(at.topic) ?? new Map<number, bigint>();
    const options = { topic: at.topic, from, readUncommitted: true, maxBytes: fetchBytes, waitMs: 50 };
    at.reader ??= await this.#options.broker.reader(options);
    return at.reader.read();
  }

  #decode(table: number, records: readonly InRecord[]): Uint8Array {
    const { codec } = this.#tables[table] as RowsTable;
    const reader = new RowReader(codec);
    const lines = new ByteWriter();
    records.forEach(({ key, value }, n) => reader.read(key, value, n + 1, lines));
    return lines.take();
  }

  /** Throws STREAM_RECORD_MISSING where something did not come back. */
  manifest(): Readonly<Record<string, Json>> {
    const short = [...this.#streams.values()].find(({ ended, sent, back }) => !ended || back < sent);
    if (short) throw toError('STREAM_RECORD_MISSING', { stage: 'deliver', run: this.#run.runId, range: short.stream + 1 });
    const tables = this.#tables.map(({ at, plan }, table) => ({
      table: `${plan.schema}.${plan.name}`,
      topic: at.topic,
      streams: this.#run.streams[table] ?? 0,
      rows: [...this.#streams.values()].filter((one) => one.table === table).reduce((sum, { back }) => sum + back, 0),
    }));
    const topics = [...this.#topics.values()].map(({ topic, ledger }) => ({ topic, partitions: ledger.told().map((one) => ({ ...one })) }));
    return { encoding: 'rows', format: this.#options.format, run: this.#run.runId, tables, topics };
  }

  /** Records, and bytes of their keys and values. */
  get sent(): NonNullable<Outlet['sent']> {
    const { place, alone } = this.#options;
    const kind = alone === undefined ? 'rows.' : 'versions.';
    return { topic: `${toEnvironmentPrefix(place)}${kind}`, records: this.#records, wireBytes: this.#wireBytes };
  }

  /** What is told is in the transaction: rows and version are there together, or neither is. Without one: first readers, then it is told. */
  async commit(say: Say): Promise<void> {
    const { broker, place, readers, onCommit } = this.#options;
    if (readers.length > 0) await grantReaders(broker, readers, [...this.#topics.keys(), toControlTopic(place)]);
    await this.#transaction?.send(say.sign());
    await onCommit?.();
    await (this.#transaction ? this.#transaction.commit() : say.tell());
    this.#state = 'committed';
    await this.close();
  }

  async abort(say: Say): Promise<void> {
    if (this.#state === 'committed' || this.#state === 'aborted') return this.close();
    const { broker } = this.#options;
    this.#closed = true;
    // What is still under way would be written behind the end of its transaction.
    for (const { ledger } of this.#topics.values()) await ledger.settled();
    try {
      const written = this.#written();
      if (this.#alone) for (const topic of this.#topics.keys()) await removeVersionTopic(broker, topic);
      if (this.#transaction?.isOpen) await this.#transaction.abort();
      if (this.#alone || written.size === 0 || !this.#producer) await say.tell();
      else await cutRows(broker, this.#producer, written, say);
      this.#state = 'aborted';
    } finally {
      await this.close();
    }
  }

  /** Topics that records of ours may stand in. */
  #written(): ReadonlyMap<string, Positions> {
    const touched = new Set([...this.#streams.values()].filter(({ sent }) => sent > 0).map(({ table }) => this.#tables[table]?.at.topic));
    return new Map([...this.#before].filter(([topic]) => touched.has(topic)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const readers = [...this.#topics.values()].map(({ reader }) => reader);
    const producer = this.#producer;
    this.#producer = undefined;
    this.#transaction = undefined;
    await Promise.all([producer?.close(), ...readers.map((reader) => reader?.close())]);
  }
}

/** As which transactions of rows are known: another service of the environment that begins one ends ours. */
export const toRowsId = (place: TopicPlace): string => `${toEnvironmentPrefix(place)}rows`;

/** Keeps out who had it before, and ends what he had begun. */
export async function openRowsProducer(broker: Broker, place: TopicPlace, transactionTimeoutMs = 900_000): Promise<Producer> {
  const producer = await broker.producer({ transactionalId: toRowsId(place), transactionTimeoutMs });
  await (await producer.begin()).abort();
  return producer;
}
