// Writing: idempotent, acknowledged by every replica in sync, in a transaction where one is begun. Values go as they are: what is large was compressed before.
import kafkajs, { type Producer as Client, type Transaction as ClientTransaction } from 'kafkajs';

import { toError, type Where } from '../../kernel/errors.js';
import { toMessages } from './client.js';
import { isUnready, toBrokerError } from './failure.js';

export interface OutRecord {
  readonly key?: Buffer | string | null;
  /** Null: in a compacted topic, the key goes. */
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, Buffer | string>>;
  /** Default: by the key's murmur2, as every client does. */
  readonly partition?: number;
}

/** Records of one topic. */
export interface OutBatch {
  readonly topic: string;
  readonly records: readonly OutRecord[];
}

/** The first record of each partition that was written, by topic. */
export type Written = readonly { readonly topic: string; readonly partition: number; readonly offset: bigint }[];

type Sender = Pick<Client, 'sendBatch'>;

interface Sending {
  readonly where: Where;
  /** How long a broker may be away. */
  readonly patienceMs: number;
}

/**
 * What goes to one partition goes one after the other, each until it was acknowledged or given up. kafkajs takes the sequence number of a request back when its
 * connection ends: whatever else goes to the partition before the request is repeated gets that number, and the broker, which may have written the first,
 * takes it for a repetition of that. One would be lost then, and the other written twice.
 */
class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  take<T>(batches: readonly OutBatch[], work: () => Promise<T>): Promise<T> {
    const mine = new Set(batches.flatMap(({ topic, records }) => records.map(({ partition }) => toPlace(topic, partition))));
    const before = [...this.#last].filter(([place]) => [...mine].some((one) => collide(one, place))).map(([, last]) => last);
    const done = Promise.all(before).then(work);
    const ended = done.catch(() => undefined);
    for (const place of mine) this.#last.set(place, ended);
    void ended.then(() => {
      for (const place of mine) if (this.#last.get(place) === ended) this.#last.delete(place);
    });
    return done;
  }

  /** Of all that was begun until now. */
  async ended(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}

/** Without a number: any partition of the topic. No name of a topic has a blank. */
const toPlace = (topic: string, partition: number | undefined): string => `${topic} ${partition ?? ''}`;
const collide = (one: string, other: string): boolean =>
  one === other || (one.endsWith(' ') && other.startsWith(one)) || (other.endsWith(' ') && one.startsWith(other));

const pauseMs = 100;

async function send(sender: Sender, { where, patienceMs }: Sending, batches: readonly OutBatch[]): Promise<Written> {
  const full = batches.filter(({ records }) => records.length > 0);
  if (full.length === 0) return [];
  const topicMessages = full.map(({ topic, records }) => ({
    topic,
    messages: toMessages(
      records.map(({ key = null, value, headers, partition }) => ({
        ...{ key, value },
        ...(headers && { headers }),
        ...(partition !== undefined && { partition }),
      })),
    ),
  }));
  for (const until = performance.now() + patienceMs; ;) {
    try {
      const written = await sender.sendBatch({ topicMessages, acks: -1, compression: kafkajs.CompressionTypes.None });
      return written.map(({ topicName, partition, baseOffset }) => ({ topic: topicName, partition, offset: BigInt(baseOffset ?? -1) }));
    } catch (error) {
      if (!isUnready(error) || performance.now() > until)
        throw toBrokerError(error, full.length === 1 ? { ...where, object: full[0]?.topic } : where);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

export class Producer {
  readonly #client: Client;
  readonly #of: Sending;
  readonly #turns = new Turns();
  #open: Transaction | undefined;

  constructor(client: Client, of: Sending) {
    this.#client = client;
    this.#of = of;
  }

  /** Resolves when every replica in sync has them. Outside of a transaction. Throws BROKER_*, TOPIC_*. */
  send(...batches: readonly OutBatch[]): Promise<Written> {
    if (this.#open?.isOpen) throw toError('BROKER_TRANSACTION_OPEN', this.#of.where);
    return this.#turns.take(batches, () => send(this.#client, this.#of, batches));
  }

  /** Ends what another producer of the same transactional id had begun, and keeps that one out from now on. One at a time. */
  async begin(): Promise<Transaction> {
    if (this.#open?.isOpen) throw toError('BROKER_TRANSACTION_OPEN', this.#of.where);
    try {
      this.#open = new Transaction(await this.#client.transaction(), this.#of, this.#turns);
      return this.#open;
    } catch (error) {
      throw toBrokerError(error, this.#of.where);
    }
  }

  /** What stands open is aborted. What is still under way is not waited for. */
  async close(): Promise<void> {
    if (this.#open?.isOpen) await this.#open.abort().catch(() => undefined);
    const disconnect = (): Promise<void> => this.#client.disconnect().catch(() => undefined);
    await disconnect();
    // kafkajs connects again for what it tries again, and that connection would hold the process for ever.
    void this.#turns.ended().then(disconnect);
  }
}

/** Nobody reads of it with read_committed until it is committed. */
export class Transaction {
  readonly #client: ClientTransaction;
  readonly #of: Sending;
  readonly #turns: Turns;

  constructor(client: ClientTransaction, of: Sending, turns: Turns) {
    this.#client = client;
    this.#of = of;
    this.#turns = turns;
  }

  get isOpen(): boolean {
    return this.#client.isActive();
  }

  send(...batches: readonly OutBatch[]): Promise<Written> {
    return this.#turns.take(batches, () => send(this.#client, this.#of, batches));
  }

  async commit(): Promise<void> {
    await this.#client.commit().catch((error: unknown) => {
      throw toBrokerError(error, this.#of.where);
    });
  }

  async abort(): Promise<void> {
    await this.#client.abort().catch((error: unknown) => {
      throw toBrokerError(error, this.#of.where);
    });
  }
}
