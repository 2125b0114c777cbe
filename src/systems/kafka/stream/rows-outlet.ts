// The rows encoding: one record per row, for consumers that are not ours. A dataset that fits is one transaction over a topic per table: whoever reads
// committed records sees the whole of it or nothing. One that does not goes to topics of its own, which nobody may read before it is published.
import type { Json } from '../../../kernel/canonical-json.js';
import { BautaError, toError } from '../../../kernel/errors.js';
import type { Masked } from '../../../pipeline/batch.js';
import type { Catalogue, Table } from '../../../pipeline/catalogue.js';
import type { TablePlan } from '../../../pipeline/plan.js';
import type { Broker } from '../broker.js';
import type { OutRecord, Producer, Transaction } from '../producer.js';
import type { InRecord, Positions, TopicReader } from '../reader.js';
import { mostRecordBytes } from '../wire/record.js';
import { toPartition } from '../wire/rows/partition.js';
import {
  ByteWriter, type RowChoices, type RowCodec, type RowFormat, RowReader, type RowRecords, RowWriter, type SchemaRegistry, toRowCodec, toRowTable,
} from '../wire/rows/rows.js'; // prettier-ignore
import { type TopicPlace, toEnvironmentPrefix, toRowsTopic, toVersionTopic } from '../wire/topic-names.js';
import { removeTopic } from './bulk-outlet.js';
import type { Outlet, OutletRun, ReadBack, Written } from './outlet.js';
import { RowsLedger, toStretchDigest } from './rows-ledger.js';
import { cutAborted, readEnds } from './rows-topics.js';

/** Of one request; a record that is larger goes alone. */
const requestBytes = 768 * 1024;
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
  readonly partitions: number;
  readonly replication?: number | undefined;
  readonly retentionMs: number;
  /** What is estimated to be larger goes to topics of its version. Default 1 GiB. */
  readonly transactionBytes?: number;
  /** From the first record to publication; the broker's `transaction.max.timeout.ms` is the most. Default 15 minutes. */
  readonly transactionMs?: number;
  /** Who may read topics of a version once it is published, as `User:name`. */
  readonly readers: readonly string[];
}

/** One topic: a table, or the partitions of one. */
interface RowsTopic {
  readonly topic: string;
  readonly ledger: RowsLedger;
  reader?: TopicReader;
  records: number;
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
  readonly #alone: boolean;
  readonly #topics = new Map<string, RowsTopic>();
  readonly #tables: RowsTable[] = [];
  readonly #streams = new Map<string, Stream>();
  #before: ReadonlyMap<string, Positions> = new Map();
  #producer: Producer | undefined;
  #transaction: Transaction | undefined;
  #state: 'new' | 'open' | 'committed' | 'aborted' = 'new';
  #closed = false;

  constructor(run: OutletRun, options: RowsOutletOptions) {
    this.#run = run;
    this.#options = options;
    this.#alone = estimateBytes(run, options) > (options.transactionBytes ?? 1 << 30);
  }

  /** As which its transactions are known: another service of the environment that begins one ends ours. */
  get transactionalId(): string {
    return `${toEnvironmentPrefix(this.#options.place)}rows`;
  }

  async begin(): Promise<void> {
    const { broker, transactionMs = 900_000 } = this.#options;
    await this.#open();
    const admin = await broker.admin();
    try {
      // Where everybody may read everything, nothing can be kept from readers until it is proved.
      if (this.#alone) await admin.grants({ topic: [...this.#topics.keys()][0] ?? '' });
      const { partitions, replication, retentionMs } = this.#options;
      const settings = { 'max.message.bytes': String(2 * mostRecordBytes), 'cleanup.policy': 'delete' };
      const topics = [...this.#topics.keys()];
      const made = await admin.create(
        ...topics.map((topic) => ({ topic, partitions, retentionMs, settings, ...(replication !== undefined && { replication }) })),
      );
      if (this.#alone && made.length < topics.length) throw toError('STREAM_RECORD_FORGED', { stage: 'deliver', run: this.#run.runId });
      this.#state = 'open';
      this.#producer = await broker.producer(
        this.#alone ? {} : { transactionalId: this.transactionalId, transactionTimeoutMs: transactionMs },
      );
      if (!this.#alone) this.#transaction = await this.#producer.begin();
      this.#before = await readEnds(admin, topics);
    } finally {
      await admin.close();
    }
  }

  async #open(): Promise<void> {
    const { place, catalogue, format, choices, registry, version, atMs, nowMs } = this.#options;
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
      const into = table.loadInto;
      const topic = this.#alone ? toVersionTopic(place, runId, into.schema, into.name) : toRowsTopic(place, into.schema, into.name);
      const at = this.#topics.get(topic) ?? { topic, ledger: new RowsLedger({ run: runId, object: topic }), records: 0 };
      this.#topics.set(topic, at);
      const found = catalogue.tables.find(({ schema, name }) => schema === into.schema && name === into.name) as Table;
      const codec = await toRowCodec(format, toRowTable(table, found, choices), { origin, topic, registry });
      this.#tables.push({ at, codec, plan: table });
    }
  }

  async write(table: number, stream: number, batches: AsyncIterable<Masked>): Promise<Written> {
    const { codec, plan } = this.#tables[table] as RowsTable;
    const sum = { rows: 0, bytes: 0, records: 0, wireBytes: 0 };
    const mine: Stream = { table, stream, ended: false, told: false, sent: 0, back: 0 };
    this.#streams.set(`${table} ${stream}`, mine);
    const writer = new RowWriter(codec);
    for await (const { bytes, range, sequence } of batches) {
      const records = encode(writer, bytes, range, sequence);
      sum.rows += records.rows;
      sum.records += records.rows;
      sum.bytes += bytes.length;
      for (const chunk of toChunks(records, plan, this.#options.partitions)) {
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
    if (!out) throw toError('STAGING_CLOSED');
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
            digest: toStretchDigest(stretch),
          });
        }
      }),
    );
    at.records += records.length;
    return records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
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
    return { encoding: 'rows', format: this.#options.format, run: this.#run.runId, tables };
  }

  async commit(): Promise<void> {
    const { broker, readers } = this.#options;
    await this.#transaction?.commit();
    this.#state = 'committed';
    const admin = await broker.admin();
    try {
      if (this.#alone && readers.length > 0)
        await admin.grant(
          ...[...this.#topics.keys()].flatMap((topic) =>
            readers.map((principal) => ({ principal, operation: 'read' as const, on: { topic } })),
          ),
        );
      // The version before this one, and what was aborted since.
      if (!this.#alone) for (const [topic, before] of this.#before) await admin.deleteRecords(topic, before);
    } finally {
      await admin.close();
    }
    await this.close();
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return this.close();
    const { broker } = this.#options;
    if (this.#transaction?.isOpen) await this.#transaction.abort().catch(() => undefined);
    await this.close();
    if (this.#alone) {
      const admin = await broker.admin();
      try {
        for (const topic of this.#topics.keys()) await removeTopic(admin, topic);
      } finally {
        await admin.close();
      }
    } else await cutAborted(broker, this.transactionalId, this.#written());
    this.#state = 'aborted';
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

/** Sizes of the source, and what stands around each row; nothing of it has to be exact. */
function estimateBytes({ plan }: OutletRun, { catalogue, format }: RowsOutletOptions): number {
  return plan.tables.reduce((sum, { schema, name, columns }) => {
    const table = catalogue.tables.find((one) => one.schema === schema && one.name === name);
    const rows = table && table.estimatedRows >= 0 ? table.estimatedRows : (table?.bytes ?? 0) / 100;
    const around = format === 'connect-json' ? 1500 + 250 * columns.length : format === 'json' ? 250 + 16 * columns.length : 150;
    return sum + (table?.bytes ?? 0) + rows * around;
  }, 0);
}

function encode(writer: RowWriter, bytes: Uint8Array, range: number, sequence: number): RowRecords {
  try {
    return writer.write(bytes);
  } catch (error) {
    if (error instanceof BautaError) throw toError(error.code, { stage: 'deliver', ...error.where, range: range + 1, batch: sequence + 1 });
    throw error;
  }
}

/** Requests of at most `requestBytes`, by partition: by the key; without one in turns; all in one where the rows have to stay in order. */
function* toChunks(records: RowRecords, plan: TablePlan, partitions: number): Generator<ReadonlyMap<number, OutRecord[]>, void, undefined> {
  const { rows, bytes, ends, keyed } = records;
  let chunk = new Map<number, OutRecord[]>();
  let size = 0;
  let from = 0;
  for (let n = 0; n < rows; n++) {
    const [middle, end] = [ends[2 * n] as number, ends[2 * n + 1] as number];
    if (end - from > mostRecordBytes)
      throw toError('STREAM_LINE_TOO_LONG', { stage: 'deliver', schema: plan.schema, table: plan.name, amount: `${Math.ceil((end - from) / (1 << 20))} MB` }); // prettier-ignore
    if (size > 0 && size + end - from > requestBytes) {
      yield chunk;
      chunk = new Map();
      size = 0;
    }
    const partition = plan.inOrder ? 0 : keyed ? toPartition(bytes, from, middle, partitions) : n % partitions;
    const record = { key: keyed ? bytes.subarray(from, middle) : null, value: bytes.subarray(middle, end), partition };
    const there = chunk.get(partition);
    if (there) there.push(record);
    else chunk.set(partition, [record]);
    size += end - from;
    from = end;
  }
  if (size > 0) yield chunk;
}
