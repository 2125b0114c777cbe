// The Target port where a broker is the border: records out, read back and proved here, and agents on the other side that load and publish. What
// versions there are is what agents were told, as the control topic has it. The door of this folder.
import { type KeyObject, randomBytes } from 'node:crypto';

import type { Json } from '../../../kernel/canonical-json.js';
import type { Clock } from '../../../kernel/clock.js';
import { type Finding, toError, toFinding } from '../../../kernel/errors.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import { toDeliveryCatalogue, toDeliveryPlan } from '../../../pipeline/delivery-plan.js';
import type { MarkerSeen } from '../../../pipeline/marker.js';
import { toPeakBytes } from '../../../pipeline/peak-bytes.js';
import { type Plan, toPlanDigest } from '../../../pipeline/plan.js';
import type {
  DatasetVersion, DropKept, DropSeen, DropStep, Permit, Range, StagingRun, Target, TargetFacts,
} from '../../../pipeline/ports.js'; // prettier-ignore
import type { Broker } from '../broker.js';
import type { AgentBody } from '../wire/body.js';
import type { ControlMessage } from '../wire/message.js';
import type { DatasetKey } from '../wire/record.js';
import { type TopicPlace, toBulkTopic, toEnvironmentPrefix } from '../wire/topic-names.js';
import { BulkOutlet, removeTopic } from './bulk-outlet.js';
import { ControlTopic } from './control-topic.js';
import type { Outlet, OutletRun } from './outlet.js';
import { findRefusals } from './refusals.js';
import { Receipts } from './receipts.js';
import { type StreamStep, StreamStaging } from './staging.js';
import { type ToldVersion, toAgents, toVersions } from './versions.js';

/** What a pipeline's document says of the stream; all of it has a default. */
export interface StreamSettings {
  readonly partitions: number;
  /** Absent: the broker's own. */
  readonly replication?: number | undefined;
  /** Agents that have to have published before the run has. */
  readonly agents: number;
  readonly waitMs: number;
  /** Values are encrypted, so that the broker's operator reads nothing. */
  readonly encrypt: boolean;
}

export interface StreamTargetOptions {
  readonly broker: Broker;
  /** HOST:PORT of the first broker, for the gate and for people. */
  readonly address: string;
  readonly place: TopicPlace;
  /** What the dataset is called: the agents' database bears this name. */
  readonly database: string;
  readonly key: KeyObject;
  readonly settings: StreamSettings;
  /** A Postgres of the run's own, on which is proved what stands at the broker; started by the first use. */
  readonly proving: () => Promise<Target>;
  /** As an age file for one recipient. */
  readonly seal: (plain: Uint8Array, recipient: string) => Promise<Uint8Array>;
  /** Agents that were revoked, by the service's own register. */
  readonly revoked: () => Promise<ReadonlySet<string>>;
  readonly clock: Clock;
  /** Ranges that are under way at once. */
  readonly streams: number;
  /** Another encoding than bulk. Agents then load nothing, so that `settings.agents` is 0; absent: bulk. */
  readonly toOutlet?: ((run: OutletRun, catalogue: Catalogue) => Outlet) | undefined;
  readonly onStep?: ((step: StreamStep) => void | Promise<void>) | undefined;
  /** Closes what the target was given, after it. */
  readonly onClose: () => Promise<void>;
}

const dayMs = 86_400_000;

export class StreamTarget implements Target {
  readonly #options: StreamTargetOptions;
  readonly #open = new Set<StreamStaging>();

  constructor(options: StreamTargetOptions) {
    this.#options = options;
  }

  async inspect(plan: Plan, catalogue: Catalogue): Promise<{ readonly facts: TargetFacts; readonly findings: readonly Finding[] }> {
    const { database, address, place } = this.#options;
    const facts: TargetFacts = {
      systemIdentifier: await this.#server(),
      databaseOid: null,
      database,
      address,
      serverVersion: catalogue.server.version,
      peakBytes: toPeakBytes(plan, catalogue),
    };
    const agents = toAgents(await this.#toControl().read(), await this.#options.revoked());
    const findings = [...findRefusals(plan, this.#options.toOutlet !== undefined)];
    const { agents: needed } = this.#options.settings;
    if (agents.size < needed) {
      const where = { stage: 'deliver', name: place.environment, amount: `${agents.size}`, expected: `${needed}` };
      findings.push(toFinding('STREAM_AGENTS_MISSING', where));
    }
    return { facts, findings };
  }

  /** Runs that were begun and not ended are withdrawn: whoever was at them is kept out from then on. So are topics of nobody. */
  async sweep(goesOn: ReadonlySet<string> = new Set()): Promise<readonly string[]> {
    return this.#withControl(async (control) => {
      const versions = toVersions(await control.read());
      const dead = versions.filter(({ state, runId }) => state === 'staging' && !goesOn.has(runId));
      const kept = new Set(versions.filter((one) => !dead.includes(one)).map(({ topic }) => topic));
      const left = await this.#removeTopics((topic) => !kept.has(topic));
      if (dead.length > 0) await control.take();
      for (const { runId, version } of dead)
        await control.tell({ type: 'withdraw', runId, version, lastsMs: this.#lastsMs, body: { reason: 'RUN_DEAD' } });
      return [...dead.map(({ runId }) => runId), ...left];
    });
  }

  async begin(plan: Plan, catalogue: Catalogue, run: StagingRun & { readonly nonce: Uint8Array }): Promise<StreamStaging> {
    const { broker, place, database, settings, onStep = () => undefined } = this.#options;
    const control = this.#toControl();
    const closers: (() => Promise<void>)[] = [() => control.close()];
    const close = async (): Promise<void> => {
      for (const closer of closers.splice(0)) await closer();
    };
    try {
      await control.take();
      const messages = await control.read();
      await this.#withdrawOwn(control, messages, run.id);
      const agents = toAgents(messages, await this.#options.revoked());
      const version = Math.max(run.retired ?? 0, ...toVersions(messages).map((one) => one.version)) + 1;
      const receipts = new Receipts({ place, runId: run.id, agents });
      closers.unshift(() => receipts.close());
      await receipts.listen(broker);
      const target = await this.#options.proving();
      await target.sweep();
      const proving = await target.begin(plan, catalogue, run);
      closers.unshift(() => proving.drop());
      const key = settings.encrypt ? { id: randomBytes(8).toString('hex'), secret: randomBytes(32) } : undefined;
      const streams = toStreams(plan, run.ranges);
      const topic = toBulkTopic(place, `${run.id}-${Buffer.from(run.nonce).toString('hex').slice(0, 8)}`);
      const of = { runId: run.id, plan, streams };
      const outlet = this.#options.toOutlet?.(of, catalogue) ?? new BulkOutlet(of, this.#toOutletOptions(plan, topic, key));
      const lastsMs = this.#lastsMs;
      const parts = { plan, runId: run.id, version, proving, outlet, control, receipts, lastsMs, onStep, close };
      const staging = new StreamStaging({ ...parts, agents: settings.agents, waitMs: settings.waitMs });
      this.#open.add(staging);
      try {
        await onStep('topic.create');
        await outlet.begin();
        await onStep('begin.tell');
        const delivery = toDeliveryPlan(plan);
        const body = {
          ...{
            catalogue: toDeliveryCatalogue(catalogue, delivery),
            plan: delivery,
            planDigest: toPlanDigest(plan),
            target: database,
            version,
          },
          ...{ nonce: Buffer.from(run.nonce).toString('hex'), ranges: streams, topic, partitions: settings.partitions },
          streams: this.#options.streams,
          ...(key && { sealed: await this.#seal(key, agents) }),
        };
        await control.tell({ type: 'begin', runId: run.id, version, lastsMs, body: toJson(body) });
        return staging;
      } catch (error) {
        await staging.drop().catch(() => undefined);
        throw error;
      }
    } catch (error) {
      await close().catch(() => undefined);
      throw error;
    }
  }

  async datasets(): Promise<readonly DatasetVersion[]> {
    return [...(await this.#versions())].reverse().map(({ topic: _, marker: __, ...version }) => version);
  }

  async place(): Promise<{ readonly server: string; readonly database: string }> {
    return { server: await this.#server(), database: this.#options.database };
  }

  /** Whoever began and did not end may still be at work, until a sweep keeps him out. */
  async findAlive(runIds: readonly string[]): Promise<ReadonlySet<string>> {
    const begun = new Set((await this.#versions()).filter(({ state }) => state === 'staging').map(({ runId }) => runId));
    return new Set(runIds.filter((id) => begun.has(id)));
  }

  /** What agents were told to write there. */
  async marker({ runId }: DatasetVersion): Promise<MarkerSeen> {
    const row = (await this.#versions()).find((one) => one.runId === runId)?.marker;
    return row ? { row } : { row: null, schema: 'absent' };
  }

  /** Nobody here can end sessions there. */
  quarantine(): Promise<void> {
    return Promise.reject(toError('STREAM_CANNOT', { stage: 'deliver', name: 'quarantine' }));
  }

  async dropSteps(version: DatasetVersion): Promise<readonly DropStep[]> {
    const known = (await this.#versions()).find(({ runId }) => runId === version.runId);
    if (!known) return [];
    return [
      { kind: 'database', name: `${known.target} version ${known.version}`, statement: `expire ${known.runId}, told to the agents` },
      { kind: 'topic', name: known.topic, statement: `DeleteRecords, DeleteTopics ${known.topic}` },
    ];
  }

  /** Records first, so that no agent loads them again; then agents are told, and have to say that it is gone. */
  async drop(runId: string, steps: readonly DropStep[]): Promise<readonly DropKept[]> {
    const { broker, place, settings } = this.#options;
    return this.#withControl(async (control) => {
      await control.take();
      const messages = await control.read();
      const version = toVersions(messages).find((one) => one.runId === runId);
      const now = await this.dropSteps(version ?? ({ runId } as DatasetVersion));
      if (version && JSON.stringify(now) !== JSON.stringify(steps))
        throw toError('TARGET_CHANGED', { stage: 'deliver', name: version.target });
      await this.#removeTopics((topic) => steps.some(({ kind, name }) => kind === 'topic' && name === topic));
      const agents = toAgents(messages, await this.#options.revoked());
      const receipts = new Receipts({ place, runId, agents });
      try {
        await receipts.listen(broker);
        // Told before, and perhaps not heard: it is told again.
        const known = version && { version: version.version };
        await control.tell({ type: 'expire', runId, ...known, lastsMs: this.#lastsMs, body: { reason: 'EXPIRED' } });
        await receipts.wait(['expired', 'withdrawn'], agents.size, settings.waitMs).catch(() => undefined);
        return receipts.agents
          .filter(({ state }) => state !== 'expired' && state !== 'withdrawn')
          .map(({ agentId }) => ({
            kind: 'database' as const,
            name: steps.find(({ kind }) => kind === 'database')?.name ?? runId,
            why: `agent ${agentId} has not said that it is gone`,
          }));
      } finally {
        await receipts.close();
      }
    });
  }

  async seeDropped(steps: readonly DropStep[]): Promise<DropSeen> {
    const versions = new Set((await this.#versions()).map(({ target, version }) => `${target} version ${version}`));
    const topics = new Set(await this.#listTopics());
    const isThere = ({ kind, name }: DropStep): boolean => (kind === 'topic' ? topics : versions).has(name);
    return {
      address: this.#options.address,
      things: steps.map((step) => ({ kind: step.kind, name: step.name, there: isThere(step), sessions: 0 })),
      // Replicas of the topics are the broker's own, and go with them.
      replicas: { connected: 0, slots: 0, replayed: null },
      archiveMode: 'unknown',
    };
  }

  async rollback(permit?: Permit): Promise<DatasetVersion> {
    const { broker, place, settings } = this.#options;
    return this.#withControl(async (control) => {
      await control.take();
      const messages = await control.read();
      const versions = toVersions(messages);
      const current = versions.find(({ state }) => state === 'current');
      const previous = versions.filter(({ state, rolledBack }) => state === 'previous' && !rolledBack).at(-1);
      if (!current || !previous) throw toError('ROLLBACK_NOTHING', { stage: 'deliver', name: this.#options.database });
      await permit?.(previous);
      const receipts = new Receipts({ place, runId: current.runId, agents: toAgents(messages, await this.#options.revoked()) });
      try {
        await receipts.listen(broker);
        await control.tell({
          type: 'rollback',
          runId: current.runId,
          version: previous.version,
          lastsMs: this.#lastsMs,
          body: { reason: 'ROLLBACK' },
        });
        await receipts.wait(['rolled-back'], settings.agents, settings.waitMs);
      } finally {
        await receipts.close();
      }
      return { ...previous, state: 'current' };
    });
  }

  /** Withdraws what was neither published nor dropped. */
  async close(): Promise<void> {
    try {
      for (const staging of this.#open) await staging.drop();
      this.#open.clear();
    } finally {
      await this.#options.onClose();
    }
  }

  /** An attempt of this run that died left nothing that could be gone on with. Throws TARGET_CHANGED where it has published after all. */
  async #withdrawOwn(control: ControlTopic, messages: readonly ControlMessage[], runId: string): Promise<void> {
    const before = toVersions(messages).find((one) => one.runId === runId);
    if (!before) return;
    if (before.state !== 'staging') throw toError('TARGET_CHANGED', { stage: 'deliver', name: before.target });
    await control.tell({ type: 'withdraw', runId, version: before.version, lastsMs: this.#lastsMs, body: { reason: 'RUN_DEAD' } });
    await this.#removeTopics((topic) => topic === before.topic);
  }

  get #lastsMs(): number {
    return Math.max(this.#options.settings.waitMs * 4, dayMs);
  }

  /** No two brokers have the same; it is not a database's. */
  async #server(): Promise<string> {
    const admin = await this.#options.broker.admin();
    try {
      return await admin.clusterId();
    } finally {
      await admin.close();
    }
  }

  #toControl(): ControlTopic {
    const { broker, place, key, clock, settings } = this.#options;
    return new ControlTopic({ broker, place, key, clock, replication: settings.replication });
  }

  async #withControl<T>(work: (control: ControlTopic) => Promise<T>): Promise<T> {
    const control = this.#toControl();
    try {
      return await work(control);
    } finally {
      await control.close();
    }
  }

  async #versions(): Promise<readonly ToldVersion[]> {
    return toVersions(await this.#toControl().read());
  }

  #toOutletOptions(plan: Plan, topic: string, key: DatasetKey | undefined): ConstructorParameters<typeof BulkOutlet>[1] {
    const { broker, place, settings, key: privateKey } = this.#options;
    const { partitions, replication } = settings;
    const retentionMs = plan.facts.retentionDays * dayMs;
    return { broker, topic, environment: place.environment, privateKey, key, partitions, replication, retentionMs };
  }

  async #seal(key: DatasetKey, agents: ReadonlyMap<string, AgentBody>): Promise<Json> {
    const { seal } = this.#options;
    const sealed = await Promise.all(
      [...agents].map(async ([id, { recipient }]) => [id, Buffer.from(await seal(key.secret, recipient)).toString('base64')] as const),
    );
    return { keyId: key.id, for: Object.fromEntries(sealed) };
  }

  async #listTopics(): Promise<readonly string[]> {
    const admin = await this.#options.broker.admin();
    try {
      return await admin.list(`${toEnvironmentPrefix(this.#options.place)}bulk.`);
    } finally {
      await admin.close();
    }
  }

  async #removeTopics(isMeant: (topic: string) => boolean): Promise<readonly string[]> {
    const topics = (await this.#listTopics()).filter(isMeant);
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

/** A table that is not cut comes in one; where nobody said how it is cut, agents hear of it at the end. */
function toStreams({ tables }: Plan, ranges: readonly Range[] | undefined): readonly number[] {
  return tables.map((_, at) => (ranges ? ranges.filter(({ table }) => table === at).length : 0));
}

const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
