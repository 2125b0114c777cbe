// Writing: idempotent, acknowledged by every replica in sync, in a transaction where one is begun. Values go as they are: what is large was compressed before.
import kafkajs, { type Producer as Client, type Transaction as ClientTransaction } from 'kafkajs';

import { toError, type Where } from '../../kernel/errors.js';
import { toBrokerError } from './failure.js';

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

async function send(sender: Sender, where: Where, batches: readonly OutBatch[]): Promise<Written> {
  const full = batches.filter(({ records }) => records.length > 0);
  if (full.length === 0) return [];
  try {
    const topicMessages = full.map(({ topic, records }) => ({
      topic,
      messages: records.map(({ key = null, value, headers, partition }) => ({
        ...{ key, value },
        ...(headers && { headers }),
        ...(partition !== undefined && { partition }),
      })),
    }));
    const written = await sender.sendBatch({ topicMessages, acks: -1, compression: kafkajs.CompressionTypes.None });
    return written.map(({ topicName, partition, baseOffset }) => ({ topic: topicName, partition, offset: BigInt(baseOffset ?? -1) }));
  } catch (error) {
    throw toBrokerError(error, full.length === 1 ? { ...where, object: full[0]?.topic } : where);
  }
}

export class Producer {
  readonly #client: Client;
  readonly #where: Where;
  #open: Transaction | undefined;

  constructor(client: Client, where: Where) {
    this.#client = client;
    this.#where = where;
  }

  /** Resolves when every replica in sync has them. Outside of a transaction. Throws BROKER_*, TOPIC_*. */
  send(...batches: readonly OutBatch[]): Promise<Written> {
    if (this.#open?.isOpen) throw toError('BROKER_TRANSACTION_OPEN', this.#where);
    return send(this.#client, this.#where, batches);
  }

  /** Ends what another producer of the same transactional id had begun, and keeps that one out from now on. One at a time. */
  async begin(): Promise<Transaction> {
    if (this.#open?.isOpen) throw toError('BROKER_TRANSACTION_OPEN', this.#where);
    try {
      this.#open = new Transaction(await this.#client.transaction(), this.#where);
      return this.#open;
    } catch (error) {
      throw toBrokerError(error, this.#where);
    }
  }

  /** What stands open is aborted. */
  async close(): Promise<void> {
    if (this.#open?.isOpen) await this.#open.abort().catch(() => undefined);
    await this.#client.disconnect().catch(() => undefined);
  }
}

/** Nobody reads of it with read_committed until it is committed. */
export class Transaction {
  readonly #client: ClientTransaction;
  readonly #where: Where;

  constructor(client: ClientTransaction, where: Where) {
    this.#client = client;
    this.#where = where;
  }

  get isOpen(): boolean {
    return this.#client.isActive();
  }

  send(...batches: readonly OutBatch[]): Promise<Written> {
    return send(this.#client, this.#where, batches);
  }

  async commit(): Promise<void> {
    await this.#client.commit().catch((error: unknown) => {
      throw toBrokerError(error, this.#where);
    });
  }

  async abort(): Promise<void> {
    await this.#client.abort().catch((error: unknown) => {
      throw toBrokerError(error, this.#where);
    });
  }
}
