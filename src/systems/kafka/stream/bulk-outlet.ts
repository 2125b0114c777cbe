// The bulk encoding: batches of COPY text for agents, on a topic of their own for each dataset version. No transaction is needed: agents load while it
// grows, and publish on command only.
import { type KeyObject, createPublicKey } from 'node:crypto';

import type { Json } from '../../../kernel/canonical-json.js';
import { toError } from '../../../kernel/errors.js';
import type { Masked } from '../../../pipeline/batch.js';
import type { Broker } from '../broker.js';
import type { Producer } from '../producer.js';
import type { InRecord, TopicReader } from '../reader.js';
import {
  type BulkRecord,
  type DatasetKey,
  type Opened,
  mostRecordBytes,
  openBulkRecord,
  recordBytes,
  toBulkRecord,
} from '../wire/record.js';
import { RecordTree } from '../wire/record-tree.js';
import { PieceMemory, cutLines } from './lines.js';
import type { Outlet, OutletRun, ReadBack, Say, Written } from './outlet.js';

/** Records that one stream compresses at once, and sends together. */
const width = 4;
/** Of one fetch: what is read back is held until it is proved. */
const fetchBytes = 2 << 20;

export interface BulkOutletOptions {
  readonly broker: Broker;
  readonly topic: string;
  readonly environment: string;
  readonly privateKey: KeyObject;
  /** With which values are encrypted; absent: the broker's operator could read them. */
  readonly key?: DatasetKey | undefined;
  readonly partitions: number;
  readonly replication?: number | undefined;
  readonly retentionMs: number;
  /** Before compression. */
  readonly recordBytes?: number | undefined;
}

export class BulkOutlet implements Outlet {
  readonly #run: OutletRun;
  readonly #options: BulkOutletOptions;
  readonly #memory: PieceMemory;
  readonly #sent: RecordTree;
  readonly #back: RecordTree;
  #producer: Producer | undefined;
  #reader: TopicReader | undefined;
  #wireBytes = 0;
  #records = 0;

  constructor(run: OutletRun, options: BulkOutletOptions) {
    this.#run = run;
    this.#options = options;
    this.#memory = new PieceMemory(options.recordBytes ?? recordBytes);
    this.#sent = new RecordTree(run.plan.tables.length);
    this.#back = new RecordTree(run.plan.tables.length);
  }

  async begin(): Promise<void> {
    const { broker, topic, partitions, replication, retentionMs } = this.#options;
    const admin = await broker.admin();
    try {
      const settings = { 'max.message.bytes': String(mostRecordBytes + (1 << 20)) };
      const made = await admin.create({ topic, partitions, retentionMs, settings, ...(replication !== undefined && { replication }) });
      // Its name is this attempt's alone: who made it before us made it for us.
      if (made.length === 0) throw toError('STREAM_RECORD_FORGED', { stage: 'deliver', run: this.#run.runId });
    } finally {
      await admin.close();
    }
    this.#producer = await broker.producer();
  }

  async write(table: number, stream: number, batches: AsyncIterable<Masked>): Promise<Written> {
    const { runId, plan } = this.#run;
    const { environment, privateKey, key } = this.#options;
    const { schema, name } = plan.tables[table]!;
    const sum = { rows: 0, bytes: 0, records: 0, wireBytes: 0 };
    let sending: Promise<void> = Promise.resolve();
    let packing: Promise<BulkRecord>[] = [];
    const flush = async (): Promise<void> => {
      const records = await Promise.all(packing);
      packing = [];
      await sending;
      sending = this.#send(table, stream, records, sum);
      // Heard of at the next flush.
      sending.catch(() => undefined);
    };
    const pieces = cutLines(toBytes(batches), this.#options.recordBytes ?? recordBytes, this.#memory, { schema, table: name });
    for await (const { lines, rows, last } of pieces) {
      const head = { run: runId, table, range: stream, sequence: sum.records, last, rows };
      const packed = toBulkRecord(head, lines, { environment, privateKey, key });
      // What became of it is heard of at the flush.
      const giveBack = (): void => this.#memory.give(lines);
      packed.then(giveBack, giveBack);
      packing.push(packed);
      sum.records += 1;
      sum.rows += rows;
      sum.bytes += lines.length;
      if (packing.length === width) await flush();
    }
    await flush();
    await sending;
    return sum;
  }

  async #send(table: number, stream: number, records: readonly BulkRecord[], sum: { wireBytes: number }): Promise<void> {
    if (!this.#producer) throw toError('STAGING_CLOSED');
    if (records.length === 0) return;
    // One stream goes to one partition, which keeps its order.
    const partition = (table * 31 + stream) % this.#options.partitions;
    const out = records.map(({ value, headers }) => ({ key: null, value, headers, partition }));
    await this.#producer.send({ topic: this.#options.topic, records: out });
    for (const { head, leaf, value } of records) {
      this.#sent.add(head, leaf);
      sum.wireBytes += value.length;
      this.#wireBytes += value.length;
      this.#records += 1;
    }
  }

  async *readBack(): AsyncGenerator<ReadBack, void, undefined> {
    const { broker, topic } = this.#options;
    this.#reader ??= await broker.reader({ topic, maxBytes: fetchBytes, waitMs: 100 });
    for (;;) {
      const records = await this.#reader.read();
      if (records.length === 0 && !this.#producer) return;
      const opening = records.map((record) => this.#open(record));
      for (const one of opening) one.catch(() => undefined);
      for (const one of opening) {
        const { head, leaf, lines } = await one;
        if (!this.#back.add(head, leaf)) continue;
        yield { table: head.table, stream: head.range, last: head.last, rows: head.rows, lines };
      }
    }
  }

  #open({ headers, value }: InRecord): Promise<Opened> {
    const { environment, privateKey, key } = this.#options;
    const publicKey = createPublicKey(privateKey);
    const findKey = key && ((id: string) => (id === key.id ? key : undefined));
    return openBulkRecord(Object.fromEntries(headers), value, { environment, runId: this.#run.runId, publicKey, findKey });
  }

  /** Records and their bytes, as they went out. */
  get sent(): NonNullable<Outlet['sent']> {
    return { topic: this.#options.topic, records: this.#records, wireBytes: this.#wireBytes };
  }

  /** Throws STREAM_RECORD_MISSING, STREAM_RECORD_FORGED where what came back is not what was sent. */
  manifest(): Readonly<Record<string, Json>> {
    const root = this.#back.root();
    if (!root.equals(this.#sent.root())) throw toError('STREAM_RECORD_FORGED', { stage: 'deliver', run: this.#run.runId });
    const tables = this.#back.tables();
    return {
      tables: tables.map(({ ranges, rows, bytes }) => ({ ranges, rows, bytes })),
      records: tables.reduce((sum, { records }) => sum + records, 0),
      root: root.toString('hex'),
    };
  }

  /** Nobody but agents may read the topic, and they publish when they are told. */
  async commit(say: Say): Promise<void> {
    await say.tell();
    await this.close();
  }

  /** The topic is this attempt's alone, whoever has the environment by now. */
  async abort(say: Say): Promise<void> {
    try {
      await say.tell();
    } finally {
      await this.close();
      const admin = await this.#options.broker.admin();
      try {
        await removeTopic(admin, this.#options.topic);
      } finally {
        await admin.close();
      }
    }
  }

  async close(): Promise<void> {
    const [producer, reader] = [this.#producer, this.#reader];
    this.#producer = undefined;
    await Promise.all([producer?.close(), reader?.close()]);
  }
}

/** First the records, which then nobody gets even while the broker still has the topic's name; then the topic. */
export async function removeTopic(admin: Awaited<ReturnType<Broker['admin']>>, topic: string): Promise<boolean> {
  if (!(await admin.list(topic)).includes(topic)) return false;
  await admin.deleteRecords(topic);
  return (await admin.delete(topic)).length > 0;
}

async function* toBytes(batches: AsyncIterable<Masked>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { bytes } of batches) yield bytes;
}
