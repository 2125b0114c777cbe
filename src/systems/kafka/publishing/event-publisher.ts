// Writes events to their topics, which it makes where they are missing. What it was given is on the broker when it resolves; when it rejects, a first
// part of it may be, so that whoever sends it again sends it all. The connection is made when something is to be sent, and anew after any failure.
import { hash } from 'node:crypto';

import type { BrokerTarget } from '../address.js';
import { type Broker, openBroker } from '../broker.js';
import type { Producer } from '../producer.js';
import type { EventRecord } from './cloud-event.js';

export type EventTopic = 'audit' | 'audit.checkpoints' | 'usage' | 'lineage';

export interface EventTopics {
  readonly prefix: string;
  readonly partitions: number;
  /** Default: the broker's. */
  readonly replication?: number;
  readonly retentionMs: number;
}

/** Of one request, below what brokers take by default. */
const AT_ONCE_BYTES = 400_000;
/** A table of 1600 columns is one event. */
const LARGEST_BYTES = 8_388_608;
/** Longer is for who sends it again to wait. */
const PATIENCE_MS = 5000;

interface Open {
  readonly broker: Broker;
  readonly producer: Producer;
  /** Topic → partitions. */
  readonly topics: ReadonlyMap<string, number>;
}

export class EventPublisher {
  private opening: Promise<Open> | undefined;

  /** `target` is asked at each connection: a password may have been changed meanwhile. */
  constructor(
    private readonly target: () => Promise<BrokerTarget>,
    private readonly wanted: EventTopics,
  ) {}

  /** In the order given. Throws BROKER_*, TOPIC_*. */
  async send(topic: EventTopic, records: readonly EventRecord[]): Promise<void> {
    if (records.length === 0) return;
    try {
      const { producer, topics } = await (this.opening ??= this.open());
      const name = this.toName(topic);
      const partitions = topics.get(name) ?? 1;
      for (const batch of inBatches(records))
        await producer.send({
          topic: name,
          records: batch.map((record) => ({ ...record, partition: toPartition(record.order, partitions) })),
        });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const { opening } = this;
    this.opening = undefined;
    await opening?.then(
      ({ broker }) => broker.close(),
      () => undefined,
    );
  }

  private async open(): Promise<Open> {
    const broker = await openBroker(await this.target(), { stage: 'audit', clientId: 'bauta-events', patienceMs: PATIENCE_MS });
    try {
      const topics = await this.prepareTopics(broker);
      return { broker, topics, producer: await broker.producer() };
    } catch (error) {
      await broker.close();
      throw error;
    }
  }

  /** What is there stays as it is, and may be all that one may see: to make topics is a right that need not be given. */
  private async prepareTopics(broker: Broker): Promise<ReadonlyMap<string, number>> {
    const { partitions, replication, retentionMs } = this.wanted;
    const all = { partitions, ...(replication === undefined ? {} : { replication }) };
    const wanted = [
      { ...all, topic: this.toName('audit'), retentionMs },
      { ...all, topic: this.toName('audit.checkpoints'), compacted: true },
      { ...all, topic: this.toName('usage'), retentionMs },
      { ...all, topic: this.toName('lineage'), retentionMs, settings: { 'max.message.bytes': String(LARGEST_BYTES) } },
    ];
    const names = wanted.map(({ topic }) => topic);
    const admin = await broker.admin();
    const there = new Set((await admin.describe(names)).map(({ topic }) => topic));
    const missing = wanted.filter(({ topic }) => !there.has(topic));
    if (missing.length > 0) await admin.create(...missing);
    const found = await admin.describe(names);
    await admin.close();
    return new Map(found.map((state) => [state.topic, state.partitions]));
  }

  private toName(topic: EventTopic): string {
    return `${this.wanted.prefix}.${topic}`;
  }
}

/** The same for everybody who publishes. */
function toPartition(order: string, partitions: number): number {
  return hash('sha256', order, 'buffer').readUInt32BE(0) % partitions;
}

function* inBatches(records: readonly EventRecord[]): Generator<readonly EventRecord[]> {
  let batch: EventRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = record.value.length + record.key.length + 600;
    if (batch.length > 0 && bytes + size > AT_ONCE_BYTES) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(record);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
