// Reading a topic from positions that the caller keeps: no group, no offsets at the broker. A fetch is sent when the caller asks for more and never before,
// so that a slow caller holds at most one fetch of each leader in memory, and the broker waits.
import { toError, type Where } from '../../kernel/errors.js';
import { type Cluster, type FetchedMessage, toBatch } from './client.js';
import { isPassing, toBrokerError } from './failure.js';

export interface InRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** The last of a name, where somebody wrote several. */
  readonly headers: ReadonlyMap<string, Buffer>;
}

/** Partition to offset. */
export type Positions = ReadonlyMap<number, bigint>;

export interface ReaderOptions {
  readonly topic: string;
  /** Default: all. */
  readonly partitions?: readonly number[];
  /** Where each begins; a partition that is not named begins at the beginning. `end`: what comes from now on. Default `beginning`. */
  readonly from?: 'beginning' | 'end' | Positions;
  /** Records of transactions that are open or aborted too. Default: committed ones only. */
  readonly readUncommitted?: boolean;
  /** Of one fetch from one leader. Default 4 MB. */
  readonly maxBytes?: number;
  /** How long the broker may wait for a first record. Default 500 ms. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/** What a leader answered. Nothing is taken note of until the caller has it: what is fetched and never handed over is fetched again. */
interface Page {
  readonly leader: string;
  readonly records: readonly InRecord[];
  readonly next: Positions;
  readonly ends: Positions;
  readonly error?: unknown;
}

const nothing: Page = { leader: '', records: [], next: new Map(), ends: new Map() };
const beginning = '-2';
const end = '-1';
export const defaultWaitMs = 500;
const pauseMs = 100;

export class TopicReader {
  readonly #cluster: Cluster;
  readonly #options: ReaderOptions;
  readonly #where: Where;
  readonly #patienceMs: number;
  readonly #positions = new Map<number, bigint>();
  readonly #ends = new Map<number, bigint>();
  /** One fetch at a time for each leader. */
  readonly #pending = new Map<string, Promise<Page>>();
  #closed = false;
  #failingSinceMs: number | undefined;

  constructor(cluster: Cluster, options: ReaderOptions, where: Where, patienceMs: number) {
    this.#cluster = cluster;
    this.#options = options;
    this.#where = { ...where, object: options.topic };
    this.#patienceMs = patienceMs;
  }

  /** Throws BROKER_*, TOPIC_MISSING. */
  async open(): Promise<this> {
    const { topic, partitions, from = 'beginning' } = this.#options;
    try {
      await this.#find(topic);
    } catch (error) {
      await this.close();
      throw error;
    }
    const there = this.#cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
    const wanted = partitions ?? there;
    if (there.length === 0 || wanted.some((one) => !there.includes(one))) {
      await this.close();
      throw toError('TOPIC_MISSING', this.#where);
    }
    const given = typeof from === 'string' ? new Map<number, bigint>() : from;
    const rest = wanted.filter((one) => !given.has(one));
    const found = rest.length === 0 ? new Map<number, bigint>() : await this.#askOffsets(rest, from === 'end' ? end : beginning);
    for (const one of wanted) this.#positions.set(one, given.get(one) ?? found.get(one) ?? 0n);
    return this;
  }

  /** As patiently as reading, but for a topic that is not there: whoever was asked may go away, while others know it. */
  async #find(topic: string): Promise<void> {
    for (const until = performance.now() + this.#patienceMs; ; await new Promise((resolve) => setTimeout(resolve, pauseMs)))
      try {
        if (!this.#cluster.isConnected()) await this.#cluster.connect();
        return await this.#cluster.addTargetTopic(topic);
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        const known = toBrokerError(error, this.#where);
        if (known.code === 'TOPIC_MISSING' || !isPassing(error) || this.#closed || performance.now() > until) throw known;
      }
  }

  /** Where reading goes on: behind what `read` has returned, markers of transactions included. */
  get positions(): Positions {
    return new Map(this.#positions);
  }

  /** Where the topic ended when it was last fetched: the distance to `positions` is the lag. */
  get ends(): Positions {
    return new Map(this.#ends);
  }

  /** Where the topic ends now; with committed reading, where the oldest open transaction begins. Throws BROKER_*, TOPIC_MISSING. */
  askEnds(): Promise<Positions> {
    return this.#askOffsets([...this.#positions.keys()], end);
  }

  /**
   * What one leader has, in order in each partition; nothing after `waitMs` without. Partitions of `except`, never all, are not asked for; what was
   * asked for before may still come. Throws TOPIC_RECORDS_GONE where a position is no longer there.
   */
  async read(except: ReadonlySet<number> = new Set()): Promise<readonly InRecord[]> {
    for (;;) {
      this.#options.signal?.throwIfAborted();
      if (this.#closed) return [];
      const page = await this.#next(except).catch((error: unknown): Page => ({ ...nothing, error }));
      this.#pending.delete(page.leader);
      if ('error' in page) {
        await this.#recover(page.error);
        continue;
      }
      this.#failingSinceMs = undefined;
      for (const [partition, position] of page.next) this.#positions.set(partition, position);
      for (const [partition, end] of page.ends) this.#ends.set(partition, end);
      return page.records;
    }
  }

  /** All that is there and all that comes, until the signal or `close`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<InRecord> {
    while (!this.#closed && !this.#options.signal?.aborted) yield* await this.read();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#cluster.disconnect().catch(() => undefined);
    await Promise.allSettled(this.#pending.values());
  }

  async #next(except: ReadonlySet<number>): Promise<Page> {
    const leaders = this.#cluster.findLeaderForPartitions(this.#options.topic, [...this.#positions.keys()]);
    for (const [leader, all] of Object.entries(leaders)) {
      const partitions = all.filter((one) => !except.has(one));
      if (this.#pending.has(leader) || partitions.length === 0) continue;
      // An error is of one leader: what the others answer is handed over all the same.
      this.#pending.set(
        leader,
        this.#askLeader(leader, partitions).catch((error: unknown) => ({ ...nothing, leader, error })),
      );
    }
    if (this.#pending.size === 0) throw toError('TOPIC_MISSING', this.#where);
    return Promise.race(this.#pending.values());
  }

  async #askLeader(nodeId: string, partitions: readonly number[]): Promise<Page> {
    const { topic, readUncommitted = false, maxBytes = 4 << 20, waitMs = defaultWaitMs } = this.#options;
    const from = new Map(partitions.map((partition) => [partition, this.#positions.get(partition) ?? 0n]));
    const node = await this.#cluster.findBroker({ nodeId });
    const wanted = partitions.map((partition) => ({ partition, fetchOffset: String(from.get(partition)), maxBytes }));
    const request = { isolationLevel: readUncommitted ? 0 : 1, maxWaitTime: waitMs, minBytes: 1, maxBytes };
    const { responses } = await node.fetch({ ...request, topics: [{ topic, partitions: wanted }] });
    const records: InRecord[] = [];
    const [next, ends] = [new Map<number, bigint>(), new Map<number, bigint>()];
    for (const data of responses.flatMap((one) => one.partitions)) {
      const { partition, highWatermark } = data;
      const batch = toBatch(topic, String(from.get(partition)), data);
      ends.set(partition, BigInt(highWatermark));
      for (const message of batch.messages) records.push(toRecord(partition, message));
      if (!batch.isEmptyIncludingFiltered()) next.set(partition, BigInt(batch.lastOffset()) + 1n);
    }
    return { leader: nodeId, records, next, ends };
  }

  /** A broker that went away or gave up a partition: the same again, until patience ends. */
  async #recover(error: unknown): Promise<void> {
    if (this.#closed || this.#options.signal?.aborted) return;
    const now = performance.now();
    this.#failingSinceMs ??= now;
    if (!isPassing(error) || now - this.#failingSinceMs > this.#patienceMs) {
      // Who asks again all the same is as patient again.
      this.#failingSinceMs = undefined;
      throw toBrokerError(error, this.#where);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (this.#closed) return;
    await this.#reconnect();
    // It was closed meanwhile, and may have been connected again after that.
    if (this.#closed) await this.#cluster.disconnect().catch(() => undefined);
  }

  async #reconnect(): Promise<void> {
    try {
      if (!this.#cluster.isConnected()) await this.#cluster.connect();
      await this.#cluster.refreshMetadata();
    } catch (error) {
      // The next fetch fails as well, and comes here again with the time that is left.
      if (!isPassing(error)) throw toBrokerError(error, this.#where);
    }
  }

  /** As patiently as reading. */
  async #askOffsets(partitions: readonly number[], timestamp: string): Promise<Map<number, bigint>> {
    for (;;) {
      try {
        const found = await this.#listOffsets(partitions, timestamp);
        this.#failingSinceMs = undefined;
        return found;
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        if (this.#closed) throw toBrokerError(error, this.#where);
        await this.#recover(error);
      }
    }
  }

  async #listOffsets(partitions: readonly number[], timestamp: string): Promise<Map<number, bigint>> {
    const { topic, readUncommitted = false } = this.#options;
    const found = new Map<number, bigint>();
    for (const [nodeId, mine] of Object.entries(this.#cluster.findLeaderForPartitions(topic, partitions))) {
      const node = await this.#cluster.findBroker({ nodeId });
      const topics = [{ topic, partitions: mine.map((partition) => ({ partition, timestamp })) }];
      const { responses } = await node.listOffsets({ replicaId: -1, isolationLevel: readUncommitted ? 0 : 1, topics });
      for (const { partition, offset } of responses.flatMap((one) => one.partitions)) found.set(partition, BigInt(offset));
    }
    return found;
  }
}

function toRecord(partition: number, { offset, timestamp, key, value, headers = {} }: FetchedMessage): InRecord {
  const named = new Map<string, Buffer>();
  for (const [name, found] of Object.entries(headers)) {
    const last = Array.isArray(found) ? (found as readonly Buffer[]).at(-1) : found;
    if (Buffer.isBuffer(last)) named.set(name, last);
  }
  return { partition, offset: BigInt(offset), timestampMs: Number(timestamp), key, value, headers: named };
}
