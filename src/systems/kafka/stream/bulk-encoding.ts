// Bulk: a topic for each version, which agents read, and databases beside them that they answer for.
import { type KeyObject, randomBytes } from 'node:crypto';

import type { Json } from '../../../kernel/canonical-json.js';
import { type Finding, toFinding } from '../../../kernel/errors.js';
import { toDeliveryCatalogue, toDeliveryPlan } from '../../../pipeline/delivery-plan.js';
import { type Plan, toPlanDigest } from '../../../pipeline/plan.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { DropKept, DropSeen, DropStep } from '../../../pipeline/ports.js';
import type { Broker } from '../broker.js';
import type { AgentBody } from '../wire/body.js';
import type { ControlMessage } from '../wire/message.js';
import type { DatasetKey } from '../wire/record.js';
import { type TopicPlace, toBulkTopic, toEnvironmentPrefix } from '../wire/topic-names.js';
import { BulkOutlet, removeTopic } from './bulk-outlet.js';
import type { Encoding, Opening } from './encoding.js';
import type { Say } from './outlet.js';
import type { StreamSettings } from './target.js';
import type { ToldVersion } from './versions.js';

const dayMs = 86_400_000;

export interface BulkEncodingOptions {
  readonly broker: Broker;
  readonly place: TopicPlace;
  /** What the dataset is called: the agents' database bears this name. */
  readonly database: string;
  /** Signs the records. */
  readonly key: KeyObject;
  readonly settings: StreamSettings;
  /** Agents that have to have published before the run has. */
  readonly agents: number;
  /** Values are encrypted, so that the broker's operator reads nothing. */
  readonly encrypt: boolean;
  /** As an age file for one recipient. */
  readonly seal: (plain: Uint8Array, recipient: string) => Promise<Uint8Array>;
  /** Ranges that are under way at once. */
  readonly streams: number;
}

export class BulkEncoding implements Encoding {
  readonly name = 'bulk';
  readonly #options: BulkEncodingOptions;

  constructor(options: BulkEncodingOptions) {
    this.#options = options;
  }

  get agents(): number {
    return this.#options.agents;
  }

  inspect(_plan: Plan, _catalogue: Catalogue, agents: ReadonlyMap<string, AgentBody>): Promise<readonly Finding[]> {
    const { place, agents: needed } = this.#options;
    const where = { stage: 'deliver', name: place.environment, amount: `${agents.size}`, expected: `${needed}` };
    return Promise.resolve(agents.size < needed ? [toFinding('STREAM_AGENTS_MISSING', where)] : []);
  }

  /** Nobody writes to the topic of somebody else's attempt. */
  fence(): Promise<void> {
    return Promise.resolve();
  }

  open({ runId, nonce, plan, catalogue, streams, version, agents }: Opening): ReturnType<Encoding['open']> {
    const { broker, place, database, key: privateKey, settings, encrypt } = this.#options;
    const key = encrypt ? { id: randomBytes(8).toString('hex'), secret: randomBytes(32) } : undefined;
    const topic = toBulkTopic(place, `${runId}-${Buffer.from(nonce).toString('hex').slice(0, 8)}`);
    const { partitions, replication } = settings;
    const retentionMs = plan.facts.retentionDays * dayMs;
    const options = { broker, topic, environment: place.environment, privateKey, key, partitions, replication, retentionMs };
    const delivery = toDeliveryPlan(plan);
    const body = {
      ...{ catalogue: toDeliveryCatalogue(catalogue, delivery), plan: delivery, planDigest: toPlanDigest(plan), target: database, version },
      ...{ nonce: Buffer.from(nonce).toString('hex'), ranges: streams, topic, partitions, streams: this.#options.streams },
    };
    const toBegin = async (): Promise<Json> => toJson({ ...body, ...(key && { sealed: await this.#seal(key, agents) }) });
    return { outlet: new BulkOutlet({ runId, plan, streams }, options), toBegin };
  }

  async #seal(key: DatasetKey, agents: ReadonlyMap<string, AgentBody>): Promise<Json> {
    const { seal } = this.#options;
    const sealed = await Promise.all(
      [...agents].map(async ([id, { recipient }]) => [id, Buffer.from(await seal(key.secret, recipient)).toString('base64')] as const),
    );
    return { keyId: key.id, for: Object.fromEntries(sealed) };
  }

  async withdraw({ topics }: ToldVersion, say: Say): Promise<void> {
    await this.#remove((topic) => topics.includes(topic));
    await say.tell();
  }

  tidy(_messages: readonly ControlMessage[], kept: readonly ToldVersion[]): Promise<readonly string[]> {
    const known = new Set(kept.flatMap(({ topics }) => topics));
    return this.#remove((topic) => !known.has(topic));
  }

  toSteps({ target, version, runId, topics }: ToldVersion): readonly DropStep[] {
    return [
      { kind: 'database', name: `${target} version ${version}`, statement: `expire ${runId}, told to the agents` },
      ...topics.map((name): DropStep => ({ kind: 'topic', name, statement: `DeleteRecords, DeleteTopics ${name}` })),
    ];
  }

  /** Records only: the database is for agents to drop, who are told. */
  async drop(_runId: string, steps: readonly DropStep[]): Promise<readonly DropKept[]> {
    await this.#remove((topic) => steps.some(({ kind, name }) => kind === 'topic' && name === topic));
    return [];
  }

  async see(steps: readonly DropStep[]): Promise<DropSeen['things']> {
    const topics = new Set(await this.#list());
    return steps.map(({ kind, name }) => ({ kind, name, there: topics.has(name), sessions: 0 }));
  }

  canReturnTo(): boolean {
    return true;
  }

  async #list(): Promise<readonly string[]> {
    const admin = await this.#options.broker.admin();
    try {
      return await admin.list(`${toEnvironmentPrefix(this.#options.place)}bulk.`);
    } finally {
      await admin.close();
    }
  }

  async #remove(isMeant: (topic: string) => boolean): Promise<readonly string[]> {
    const topics = (await this.#list()).filter(isMeant);
    if (topics.length === 0) return [];
    const admin = await this.#options.broker.admin();
    try {
      for (const topic of topics) await removeTopic(admin, topic);
      return topics;
    } finally {
      await admin.close();
    }
  }
}

const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
