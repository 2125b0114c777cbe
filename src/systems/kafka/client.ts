// kafkajs as we use it: silent, with our sockets, and with the part of it that fetches, which it does not export: its own consumer reads ahead as it
// likes, needs a group, and knows no position but the group's. Version 2.2.4 is pinned; the contract suite would tell a change.
import { createRequire } from 'node:module';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

import kafkajs, { type Kafka, type KafkaConfig, type RetryOptions } from 'kafkajs';

import { toError } from '../../kernel/errors.js';
import { type BrokerTarget, type Host, isLoopback, toHostPort } from './address.js';
import { isPassing } from './failure.js';
import { renewBeforeMs, toSasl } from './login.js';
import { type Produce, writeProduce } from './produce-request.js';

export interface ClientOptions {
  /** What the broker's log and quotas know us by. Default `bauta`. */
  readonly clientId?: string;
  /** Until a connection stands, TLS and login apart. Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** How long a broker may be away before an operation gives up. Default 30 s. */
  readonly patienceMs?: number;
}

/** One record as a fetch brings it. */
export interface FetchedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | string | undefined>>;
}

interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset?: string;
  readonly messages: readonly unknown[];
}

export interface Node {
  readonly fetch: (request: object) => Promise<{ readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[] }>;
  listOffsets(request: object): Promise<{
    readonly responses: readonly { readonly partitions: readonly { readonly partition: number; readonly offset: string }[] }[];
  }>;
}

/** kafkajs' own view of the brokers. */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[];
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
  findBroker(node: { readonly nodeId: string }): Promise<Node>;
  removeBroker(host: Partial<Host>): void;
  isConnected(): boolean;
}

/** What was fetched, without what was aborted and what only marks a transaction. */
export interface FetchedBatch {
  readonly messages: readonly FetchedMessage[];
  /** Of all that was fetched, control records included. */
  lastOffset(): string;
  isEmptyIncludingFiltered(): boolean;
}

const inside = createRequire(import.meta.url);
const ClusterClass = inside('kafkajs/src/cluster/index.js') as new (options: object) => Cluster;
const BatchClass = inside('kafkajs/src/consumer/batch.js') as new (topic: string, offset: string, data: FetchedPartition) => FetchedBatch;

interface Coordinator {
  connect(): Promise<void>;
  endTxn: (this: Coordinator, request: object) => Promise<unknown>;
}

/**
 * kafkajs asks once for the end of a transaction, and one that was not answered leaves its producer without any way on. The answer does not change however
 * often it is asked: a coordinator that was just started, or whose connection was cut, is asked again.
 */
function askUntilEnded({ prototype }: { readonly prototype: Coordinator }): void {
  const { endTxn } = prototype;
  prototype.endTxn = async function (request) {
    for (const until = performance.now() + defaults.patienceMs; ;) {
      try {
        return await endTxn.call(this, request);
      } catch (error) {
        if (!isPassing(error) || performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
        // Who cannot be reached yet is told by the next attempt; who is not let in any more is told now.
        await this.connect().catch((refused: unknown) => {
          if (!isPassing(refused)) throw refused;
        });
      }
    }
  };
}

interface Connection {
  isConnected(): boolean;
  connect: (this: Connection) => Promise<boolean>;
  bytesBuffered: number;
  bytesNeeded: number;
  chunks: Buffer[];
}

/**
 * kafkajs keeps what came of an answer when its connection ended in the middle of it, and takes the first bytes of the next connection for the rest: from then
 * on no answer is found in what comes, and every request runs into its time limit, however often it connects again.
 */
function beginAnswersAnew({ prototype }: { readonly prototype: Connection }): void {
  const { connect } = prototype;
  prototype.connect = function () {
    // What is needed first is the size of an answer.
    if (!this.isConnected()) Object.assign(this, { bytesBuffered: 0, bytesNeeded: 4, chunks: [] });
    return connect.call(this);
  };
}

interface ProduceRequest {
  readonly request: { readonly encode: () => Promise<object> };
}

interface ProduceVersions {
  protocol: (of: { readonly version: number }) => (produce: Produce) => ProduceRequest;
}

/** What is sent is written by us, in one piece; answers, versions and the rest of a request are kafkajs' own. Before version 3 records had another form. */
function writeInOnePiece(versions: ProduceVersions): void {
  const { protocol } = versions;
  versions.protocol = ({ version }) => {
    const make = protocol({ version });
    if (version < 3) return make;
    return (produce) => {
      const made = make(produce);
      const encode = (): Promise<object> => Promise.resolve(toEncoder(writeProduce(produce, Date.now())));
      return { ...made, request: { ...made.request, encode } };
    };
  };
}

/** What kafkajs' own encoder would be when it has written these bytes. */
const toEncoder = (bytes: Buffer): object => ({ buf: bytes, buffer: bytes, size: () => bytes.length });

interface Encoder {
  buf: Buffer;
  readonly offset: number;
  ensureAvailable: (this: Encoder, bytes: number) => void;
}

/** kafkajs fills memory with zeros before it writes over it, twice as much as it asked for. Only what was written is sent. */
function growToFit({ prototype }: { readonly prototype: Encoder }): void {
  prototype.ensureAvailable = function (bytes) {
    const needed = this.offset + bytes;
    if (!(needed > this.buf.length)) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.offset));
    this.buf.copy(larger, 0, 0, this.offset);
    this.buf = larger;
  };
}

/** For kafkajs, which puts records into partitions with a new list for each record: here each of them is put by itself, and then together once. */
export function toMessages<T>(messages: readonly T[]): T[] {
  const put = (one: (before: object, message: T) => Readonly<Record<string, readonly T[]>>): Readonly<Record<string, readonly T[]>> => {
    const all: Record<string, T[]> = {};
    for (const message of messages)
      for (const [partition, found] of Object.entries(one({}, message))) (all[partition] ??= []).push(...found);
    return all;
  };
  return Object.defineProperty([...messages], 'reduce', { value: put });
}

export const toBatch = (topic: string, offset: string, data: FetchedPartition): FetchedBatch => new BatchClass(topic, offset, data);

export const defaults = { clientId: 'bauta', connectTimeoutMs: 10_000, patienceMs: 30_000 };
askUntilEnded(inside('kafkajs/src/broker/index.js') as { readonly prototype: Coordinator });
beginAnswersAnew(inside('kafkajs/src/network/connection.js') as { readonly prototype: Connection });
writeInOnePiece(inside('kafkajs/src/protocol/requests/produce/index.js') as ProduceVersions);
growToFit(inside('kafkajs/src/protocol/encoder.js') as { readonly prototype: Encoder });

/**
 * Until a request is taken for lost. kafkajs can send one on a connection that has just ended, of which nobody tells it: only this does, and it has to be well
 * below anybody's patience.
 */
const answerMs = 10_000;

/** Waits of 10 ms and then longer, up to a second: a transaction's first wait is on every transaction's way (measured: 3,700 or 15,500 messages a second). */
export function toRetry(patienceMs: number): RetryOptions {
  let waits = 0;
  for (let [waitMs, sumMs] = [10, 0]; sumMs < patienceMs; waits++, waitMs = Math.min(waitMs * 1.2, 1000)) sumMs += waitMs;
  return { initialRetryTime: 10, factor: 0, multiplier: 1.2, maxRetryTime: 1000, retries: waits };
}

export function createClient(target: BrokerTarget, options: ClientOptions): Kafka {
  return new kafkajs.Kafka(toConfig(target, options));
}

/** `waitMs`: how long a broker may take over a fetch because there is nothing. */
export function createCluster(target: BrokerTarget, options: ClientOptions, readUncommitted: boolean, waitMs: number): Cluster {
  const requestTimeout = waitMs + answerMs;
  const config = toConfig(target, options);
  const logger = new kafkajs.Kafka(config).logger();
  // 5 minutes: a leader that moved is told by the broker's answer, not by age.
  const more = { logger, metadataMaxAge: 300_000, allowAutoTopicCreation: false, isolationLevel: readUncommitted ? 0 : 1, requestTimeout };
  return new ClusterClass({ ...config, ...more });
}

function toConfig(target: BrokerTarget, options: ClientOptions): KafkaConfig {
  const { clientId, connectTimeoutMs, patienceMs } = { ...defaults, ...options };
  return {
    ...{ clientId, brokers: target.hosts.map(toSeed), retry: toRetry(patienceMs) },
    ...{
      connectionTimeout: connectTimeoutMs,
      authenticationTimeout: connectTimeoutMs,
      requestTimeout: 30_000,
      enforceRequestTimeout: true,
    },
    // Whatever KAFKAJS_LOG_LEVEL says: its lines quote hosts and what brokers answered.
    ...{ logLevel: kafkajs.logLevel.NOTHING, logCreator: () => () => undefined },
    ...(target.tls && { ssl: toTls(target) }),
    ...(target.login && { sasl: toSasl(target.name, target.login), reauthenticationThreshold: renewBeforeMs }),
    socketFactory: ({ host, port, onConnect }) => openSocket(target, { host: fromSeed(host), port }, onConnect),
  };
}

/** kafkajs takes what stands before the first colon for the host: an address of IPv6 is given to it without colons, which no name has in brackets. */
const toSeed = (host: Host): string =>
  toHostPort({ ...host, host: host.host.includes(':') ? `[${host.host.replaceAll(':', '_')}]` : host.host });

const fromSeed = (host: string): string => (host.startsWith('[') ? host.slice(1, -1).replaceAll('_', ':') : host);

function toTls({ tls = {} }: BrokerTarget): ConnectionOptions {
  return { ...tls, minVersion: 'TLSv1.2', rejectUnauthorized: true };
}

/** A broker names the other brokers; those are spoken to as this one is, and in clear on this machine only. */
export function openSocket(target: BrokerTarget, { host, port }: Host, onConnect: () => void): Socket {
  if (!target.tls && !target.plaintextAllowed && !isLoopback(host)) throw toError('BROKER_PLAINTEXT_REFUSED', { connection: target.name });
  const socket = target.tls
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...toTls(target) }, onConnect)
    : connectPlain({ host, port }, onConnect);
  return socket.setKeepAlive(true, 60_000).setNoDelay(true);
}
