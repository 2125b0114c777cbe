// What the service has told the agents of an environment, and how it tells them more. The topic itself is the record: everything in it that the
// environment's key signed, in the order of its numbers. One writer at a time: who opens it for writing keeps every earlier one out.
import { type KeyObject, createPublicKey } from 'node:crypto';

import type { Json } from '../../../kernel/canonical-json.js';
import type { Clock } from '../../../kernel/clock.js';
import { toError } from '../../../kernel/errors.js';
import type { Broker } from '../broker.js';
import type { OutBatch, Producer } from '../producer.js';
import type { InRecord } from '../reader.js';
import { type ControlMessage, type ControlType, MessageReader, type ReadMessage, writeControl } from '../wire/message.js';
import { type TopicPlace, toControlTopic, toEnvironmentPrefix, toReceiptsTopic } from '../wire/topic-names.js';

const dayMs = 86_400_000;
/** Receipts are read at once; they stay for who looks into what went wrong. */
const receiptsRetentionMs = 30 * dayMs;

export interface Told {
  readonly type: ControlType;
  /** As `at`: `<runId>/begin`, `enrolled/<agentId>`. */
  readonly runId: string;
  readonly body: Json;
  readonly version?: number;
  /** From then on nobody acts on it. */
  readonly lastsMs: number;
}

export interface ControlTopicOptions {
  readonly broker: Broker;
  readonly place: TopicPlace;
  /** Of the environment's stream. */
  readonly key: KeyObject;
  readonly clock: Clock;
  readonly replication?: number | undefined;
}

export class ControlTopic {
  readonly #options: ControlTopicOptions;
  #producer: Producer | undefined;
  #highest = 0;

  constructor(options: ControlTopicOptions) {
    this.#options = options;
  }

  /** Both topics of the environment, as they have to be; what is there stays as it is. */
  async make(): Promise<void> {
    const { broker, place, replication } = this.#options;
    const admin = await broker.admin();
    const more = { partitions: 1, ...(replication !== undefined && { replication }) };
    try {
      await admin.create(
        { topic: toControlTopic(place), compacted: true, ...more },
        { topic: toReceiptsTopic(place), retentionMs: receiptsRetentionMs, ...more },
      );
    } finally {
      await admin.close();
    }
  }

  /** Whether anybody was ever told anything. */
  async isThere(): Promise<boolean> {
    const { broker, place } = this.#options;
    const admin = await broker.admin();
    try {
      return (await admin.list(toControlTopic(place))).includes(toControlTopic(place));
    } finally {
      await admin.close();
    }
  }

  /** Everything that the environment's key signed, by its numbers. What others wrote there is passed over: it can add nothing. */
  async read(): Promise<readonly ControlMessage[]> {
    const { broker, place, key } = this.#options;
    if (!(await this.isThere())) return [];
    const reader = await broker.reader({ topic: toControlTopic(place), waitMs: 100 });
    try {
      const ends = await reader.askEnds();
      const messages = new MessageReader('control', createPublicKey(key));
      const found: ControlMessage[] = [];
      while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end)) {
        for (const record of await reader.read()) {
          const message = toOwn(messages.read(toReadMessage(record)), place);
          if (message) found.push(message);
        }
      }
      found.sort((a, b) => a.sequence - b.sequence);
      this.#highest = Math.max(this.#highest, found.at(-1)?.sequence ?? 0);
      return found;
    } finally {
      await reader.close();
    }
  }

  /** From here on nobody else writes: who did is refused at his next word. */
  async take(): Promise<void> {
    if (this.#producer) return;
    await this.make();
    await this.read();
    this.#producer = await this.#options.broker.producer({ transactionalId: `${toEnvironmentPrefix(this.#options.place)}control` });
    await (await this.#producer.begin()).abort();
  }

  /** MUST be called after `take`, by one caller at a time. Throws STREAM_TAKEN_OVER where another run took it since. */
  async tell(told: Told): Promise<ControlMessage> {
    const { message, batch } = this.sign(told);
    await this.#send(batch.records);
    return message;
  }

  /** For who tells it in a transaction of his own, which has to keep others out as this one does. MUST be called after `take`. */
  sign(told: Told): { readonly message: ControlMessage; readonly batch: OutBatch } {
    const { place, key, clock } = this.#options;
    if (!this.#producer) throw toError('STAGING_CLOSED');
    // Numbers grow by the clock, so that they need be kept nowhere; where the clock was set back, by one.
    this.#highest = Math.max(this.#highest + 1, clock.now());
    const { type, runId, body, version, lastsMs } = told;
    const message: ControlMessage = {
      ...{ v: 1, type, environment: place.environment, workspace: place.workspace, runId, sequence: this.#highest, body },
      ...(version !== undefined && { version }),
      issuedAt: new Date(clock.now()).toISOString(),
      expiresAt: new Date(clock.now() + lastsMs).toISOString(),
    };
    return { message, batch: { topic: toControlTopic(place), records: writeControl(message, key) } };
  }

  /** The highest number that it knows of; whatever is told after this has a higher one. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether it stands there: for who told it and got no answer. */
  async wasTold(type: ControlType, runId: string): Promise<boolean> {
    return (await this.read()).some((message) => message.type === type && message.runId === runId);
  }

  /** Whether another run came after this one, or ended it: it has ended whatever this one had under way. */
  async isTakenOver(runId: string): Promise<boolean> {
    const messages = await this.read();
    const own = messages.findIndex((message) => message.type === 'begin' && message.runId === runId);
    return messages.slice(own + 1).some(({ type, runId: of }) => (type === 'begin' ? of !== runId : type === 'withdraw' && of === runId));
  }

  /** What a compacted topic keeps of these names for ever is let go. */
  async forget(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#send(keys.map((key) => ({ key, value: null, headers: {} })));
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close();
  }

  async #send(records: OutBatch['records']): Promise<void> {
    const producer = this.#producer;
    if (!producer) throw toError('STAGING_CLOSED');
    try {
      const transaction = await producer.begin();
      await transaction.send({ topic: toControlTopic(this.#options.place), records });
      await transaction.commit();
    } catch (error) {
      const { code } = error as { code?: string };
      throw code === 'BROKER_FENCED' ? toError('STREAM_TAKEN_OVER', { stage: 'deliver', name: this.#options.place.environment }) : error;
    }
  }
}

export function toReadMessage({ key, value, headers }: InRecord): ReadMessage {
  return { key, value, headers: Object.fromEntries(headers) };
}

/** Signed by our key, so that its form is ours; of a later release it may be another. */
function toOwn(read: ReturnType<MessageReader['read']>, place: TopicPlace): ControlMessage | undefined {
  if (!read || 'problem' in read) return undefined;
  const message = JSON.parse(read.message.text) as ControlMessage;
  const own = message.v === 1 && message.environment === place.environment && message.workspace === place.workspace;
  return own && read.message.name === `${message.runId}/${message.type}` && Number.isSafeInteger(message.sequence) ? message : undefined;
}
