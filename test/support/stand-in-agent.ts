// An agent that keeps what it loads in memory: it takes commands and records as a real one does, checks them by the same wire formats, and answers. For
// tests of the service's side, which then can look at every line that arrived.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { findStreamKey } from '../../src/control/stream-key.js';
import type { Json } from '../../src/kernel/canonical-json.js';
import { systemClock } from '../../src/kernel/clock.js';
import { toPublicBytes, toPublicKey } from '../../src/kernel/ed25519.js';
import { newIdentity, toRecipient, unsealBytes } from '../../src/systems/archive/archive.js';
import { openFileKeys } from '../../src/systems/files/files.js';
import { type Broker, type TopicPlace, openBroker, resolveBroker, toControlTopic, toReceiptsTopic } from '../../src/systems/kafka/kafka.js';
import { ControlTopic, toReadMessage } from '../../src/systems/kafka/stream/control-topic.js';
import { type BeginBody, parseBegin, parseComplete } from '../../src/systems/kafka/wire/body.js';
import { type ControlMessage, MessageReader, type ReceiptType, readControl, writeReceipt } from '../../src/systems/kafka/wire/message.js';
import { openBulkRecord } from '../../src/systems/kafka/wire/record.js';
import { RecordTree } from '../../src/systems/kafka/wire/record-tree.js';

export interface Arrived {
  /** `schema.table` with its lines, in the order of streams. */
  readonly tables: ReadonlyMap<string, Buffer>;
  readonly begin: BeginBody;
  readonly root: string;
}

export interface StandInOptions {
  readonly url: string;
  readonly place: TopicPlace;
  /** Of the service, for its stream key. */
  readonly home: string;
  readonly id?: string;
  /** Answers with `failed` instead of this. */
  readonly fails?: ReceiptType;
  /** Says nothing at all. */
  readonly silent?: boolean;
}

export class StandInAgent {
  readonly heard: ControlMessage[] = [];
  readonly arrived = new Map<string, Arrived>();
  readonly #stop = new AbortController();
  readonly #keys = generateKeyPairSync('ed25519');
  readonly #id: string;
  #identity = '';
  #broker!: Broker;
  #publicKey!: Buffer;
  #running: Promise<void> = Promise.resolve();
  #sequence = 0;
  #since = 0;
  failure: unknown;

  private constructor(private readonly options: StandInOptions) {
    this.#id = options.id ?? 'agent1';
  }

  static async start(options: StandInOptions): Promise<StandInAgent> {
    const agent = new StandInAgent(options);
    await agent.#begin();
    return agent;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#broker.close();
    await this.#running;
  }

  async #begin(): Promise<void> {
    const { url, place, home } = this.options;
    this.#broker = await openBroker(await resolveBroker('env:BROKER_URL', url, () => Promise.resolve(undefined)));
    const keys = openFileKeys(`${home}/keys`)({ purpose: 'transport', workspace: 'default', environment: place.environment });
    const key = await findStreamKey(keys);
    this.#publicKey = toPublicBytes(key);
    this.#identity = await newIdentity();
    const control = new ControlTopic({ broker: this.#broker, place, key, clock: systemClock });
    await control.take();
    const body = { publicKey: toPublicBytes(this.#keys.publicKey).toString('hex'), recipient: await toRecipient(this.#identity) };
    this.#since = (await control.tell({ type: 'enrolled', runId: this.#id, lastsMs: 86_400_000, body })).sequence;
    await control.close();
    this.#running = this.#listen().catch((error: unknown) => {
      if (this.#stop.signal.aborted) return;
      this.failure = error;
      process.stderr.write(`the agent of the test failed: ${String(error)}\n`);
    });
  }

  async #listen(): Promise<void> {
    const { place } = this.options;
    const reader = await this.#broker.reader({ topic: toControlTopic(place), signal: this.#stop.signal, waitMs: 100 });
    const messages = new MessageReader('control', toPublicKey(this.#publicKey));
    let highest = 0;
    for await (const record of reader) {
      const read = readControl(messages, toReadMessage(record), { ...place, highest, nowMs: Date.now() });
      if (!read || 'problem' in read) continue;
      highest = read.message.sequence;
      // What was told before it was enrolled was told to others.
      if (highest < this.#since) continue;
      this.heard.push(read.message);
      await this.#obey(read.message);
    }
  }

  async #obey(message: ControlMessage): Promise<void> {
    const { type, runId, body } = message;
    if (this.options.silent) return;
    if (type === 'begin') await this.#answer('loading', message, { rows: 0 });
    if (type === 'complete') {
      const begun = this.heard.find((one) => one.type === 'begin' && one.runId === runId);
      const [begin, complete] = [begun && parseBegin(begun.body), parseComplete(body)];
      if (!begin || !complete) throw new Error('a message is not of its form');
      const arrived = await this.#load(runId, begin, complete.records);
      if (arrived.root !== complete.root) throw new Error('the root differs');
      this.arrived.set(runId, arrived);
      await this.#answer('verified', message, {});
    }
    if (type === 'publish') await this.#answer('published', message, {});
    if (type === 'withdraw') await this.#answer('withdrawn', message, {});
    if (type === 'expire') await this.#answer('expired', message, {});
    if (type === 'rollback') await this.#answer('rolled-back', message, {});
  }

  async #load(runId: string, begin: BeginBody, expected: number): Promise<Arrived> {
    const { environment } = this.options.place;
    const secret = begin.sealed && (await unsealBytes(Buffer.from(begin.sealed.for[this.#id]!, 'base64'), this.#identity));
    const findKey = secret && ((id: string) => (id === begin.sealed?.keyId ? { id, secret } : undefined));
    const reader = await this.#broker.reader({ topic: begin.topic, waitMs: 100 });
    const tree = new RecordTree(begin.plan.tables.length);
    const lines = new Map<string, Buffer[]>();
    for (let count = 0; count < expected;) {
      for (const { headers, value } of await reader.read()) {
        const publicKey = toPublicKey(this.#publicKey);
        const opened = await openBulkRecord(Object.fromEntries(headers), value, { environment, runId, publicKey, findKey });
        if (!tree.add(opened.head, opened.leaf)) continue;
        count += 1;
        const at = `${opened.head.table} ${String(opened.head.range).padStart(6, '0')}`;
        lines.set(at, [...(lines.get(at) ?? []), opened.lines]);
      }
    }
    await reader.close();
    const tables = begin.plan.tables.map(({ schema, name }, at) => {
      const streams = [...lines].filter(([key]) => key.startsWith(`${at} `)).sort(([a], [b]) => (a < b ? -1 : 1));
      return [`${schema}.${name}`, Buffer.concat(streams.flatMap(([, parts]) => parts))] as const;
    });
    return { tables: new Map(tables), begin, root: tree.root().toString('hex') };
  }

  async #answer(type: ReceiptType, { runId, sequence }: ControlMessage, body: Readonly<Record<string, Json>>): Promise<void> {
    const { place, fails } = this.options;
    const failed = fails === type;
    const message = {
      ...{ v: 1 as const, type: failed ? ('failed' as const) : type, environment: place.environment, workspace: place.workspace, runId },
      ...{
        agentId: this.#id,
        answers: sequence,
        sequence: (this.#sequence = Math.max(this.#sequence + 1, Date.now())),
        at: new Date().toISOString(),
      },
      body: failed ? { findings: [{ code: 'VERIFY_ROWS_DIFFER', where: {} }] } : body,
    };
    const producer = await this.#broker.producer();
    await producer.send({ topic: toReceiptsTopic(place), records: writeReceipt(message, this.#keys.privateKey) });
    await producer.close();
  }
}

/** Resolves when it heard of that. */
export async function heardOf(agent: StandInAgent, type: string, withinMs = 20_000): Promise<ControlMessage> {
  for (const until = performance.now() + withinMs; performance.now() < until; await sleep(50)) {
    const found = agent.heard.find((one) => one.type === type);
    if (found) return found;
  }
  throw new Error(`never heard of ${type}`);
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
