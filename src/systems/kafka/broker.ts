// A broker, opened: whoever gets one knows that it was reached with a certificate that is trusted, and that it took the login.
import kafkajs, { type Kafka } from 'kafkajs';

import type { Where } from '../../kernel/errors.js';
import type { BrokerTarget } from './address.js';
import { type ClientOptions, createClient, createCluster, defaults, toRetry } from './client.js';
import { toBrokerError } from './failure.js';
import { probe } from './probe.js';
import { Producer } from './producer.js';
import { defaultWaitMs, type Positions, type ReaderOptions, TopicReader } from './reader.js';
import { BrokerAdmin } from './topics.js';

export interface BrokerOptions extends ClientOptions {
  readonly stage?: string;
}

export interface ProducerOptions {
  /** Transactions under a name that outlives the process: a second producer of that name fences the first. */
  readonly transactionalId?: string;
  /** How long a transaction may stand open before the broker aborts it; the broker has a limit of its own (15 minutes unless it was set). */
  readonly transactionTimeoutMs?: number;
}

export class Broker {
  readonly #target: BrokerTarget;
  readonly #options: BrokerOptions;
  readonly #client: Kafka;
  readonly #open = new Set<{ close(): Promise<void> }>();

  constructor(target: BrokerTarget, options: BrokerOptions) {
    this.#target = target;
    this.#options = options;
    this.#client = createClient(target, options);
  }

  get #where(): Where {
    const { stage } = this.#options;
    return { connection: this.#target.name, ...(stage === undefined ? {} : { stage }) };
  }

  get #patienceMs(): number {
    return { ...defaults, ...this.#options }.patienceMs;
  }

  /** The reference that it came by, for messages. */
  get name(): string {
    return this.#target.name;
  }

  /** Throws BROKER_*. */
  async admin(): Promise<BrokerAdmin> {
    const client = this.#client.admin();
    await this.#connect(client);
    return this.#keep(new BrokerAdmin(client, this.#where, this.#patienceMs));
  }

  /** Always idempotent: what is sent again because no answer came stands there once. Throws BROKER_*. */
  async producer({ transactionalId, transactionTimeoutMs }: ProducerOptions = {}): Promise<Producer> {
    const client = this.#client.producer({
      ...{ idempotent: true, allowAutoTopicCreation: false, createPartitioner: kafkajs.Partitioners.DefaultPartitioner },
      ...(transactionalId !== undefined && { transactionalId, maxInFlightRequests: 1 }),
      ...(transactionTimeoutMs !== undefined && { transactionTimeout: transactionTimeoutMs }),
    });
    await this.#connect(client);
    return this.#keep(new Producer(client, { where: this.#where, patienceMs: this.#patienceMs }));
  }

  /** Throws BROKER_*, TOPIC_MISSING. */
  async reader(options: ReaderOptions): Promise<TopicReader> {
    const cluster = createCluster(this.#target, this.#options, options.readUncommitted ?? false, options.waitMs ?? defaultWaitMs);
    return this.#keep(await new TopicReader(cluster, options, this.#where, this.#patienceMs).open());
  }

  /** Where each partition of these topics ends now, for who reads what is not committed too. Throws BROKER_*, TOPIC_MISSING. */
  async ends(topics: readonly string[]): Promise<ReadonlyMap<string, Positions>> {
    const found = new Map<string, Positions>();
    for (const topic of topics) {
      const reader = await this.reader({ topic, from: new Map(), readUncommitted: true, waitMs: 0 });
      found.set(topic, await reader.askEnds().finally(() => reader.close()));
    }
    return found;
  }

  /** Everything that it gave. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((one) => one.close()));
    this.#open.clear();
  }

  #keep<T extends { close(): Promise<void> }>(one: T): T {
    this.#open.add(one);
    return one;
  }

  async #connect(client: { connect(): Promise<void>; disconnect(): Promise<void> }): Promise<void> {
    try {
      await client.connect();
    } catch (error) {
      await client.disconnect().catch(() => undefined);
      throw toBrokerError(error, this.#where);
    }
  }
}

/** Throws BROKER_UNREACHABLE, BROKER_TIMEOUT, BROKER_CERTIFICATE_REFUSED, BROKER_TLS_MISSING, BROKER_AUTH. MUST be closed. */
export async function openBroker(target: BrokerTarget, options: BrokerOptions = {}): Promise<Broker> {
  const { connectTimeoutMs, patienceMs } = { ...defaults, ...options };
  await probe(target, connectTimeoutMs);
  const broker = new Broker(target, options);
  // A login is refused or taken at the first connection; nothing else is asked for, since an agent may ask for little.
  const quick = createClient(target, { ...options, patienceMs: Math.min(patienceMs, 5000) }).admin({ retry: toRetry(2000) });
  try {
    await quick.connect();
    return broker;
  } catch (error) {
    throw toBrokerError(error, { connection: target.name });
  } finally {
    await quick.disconnect().catch(() => undefined);
  }
}
