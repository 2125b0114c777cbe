// The Target port where a broker is the border: records out, read back and proved here, and agents on the other side that load and publish. What
// versions there are is what agents were told, as the control topic has it. The door of this folder.
import type { KeyObject } from 'node:crypto';

import type { Clock } from '../../../kernel/clock.js';
import { type Finding, toError } from '../../../kernel/errors.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { MarkerSeen } from '../../../pipeline/marker.js';
import { toPeakBytes } from '../../../pipeline/peak-bytes.js';
import type { Plan } from '../../../pipeline/plan.js';
import type {
  DatasetVersion, DropKept, DropSeen, DropStep, Permit, Range, StagingRun, Target, TargetFacts,
} from '../../../pipeline/ports.js'; // prettier-ignore
import type { Broker } from '../broker.js';
import type { ControlMessage } from '../wire/message.js';
import type { TopicPlace } from '../wire/topic-names.js';
import { ControlTopic } from './control-topic.js';
import type { Encoding } from './encoding.js';
import type { Say } from './outlet.js';
import { findRefusals } from './refusals.js';
import { Receipts } from './receipts.js';
import { type StreamStep, StreamStaging, toSay } from './staging.js';
import { type ToldVersion, toAgents, toVersions } from './versions.js';

/** What a pipeline's document says of the stream; all of it has a default. */
export interface StreamSettings {
  readonly partitions: number;
  /** Absent: the broker's own. */
  readonly replication?: number | undefined;
  /** How long agents are waited for, each time. */
  readonly waitMs: number;
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
  /** A Postgres of the run's own, on which is proved what stands at the broker; started by the first use, and the same from then on. */
  readonly proving: () => Promise<Target>;
  readonly encoding: Encoding;
  /** Agents that were revoked, by the service's own register. */
  readonly revoked: () => Promise<ReadonlySet<string>>;
  readonly clock: Clock;
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
    const { database, address } = this.#options;
    const facts: TargetFacts = {
      systemIdentifier: await this.#server(),
      databaseOid: null,
      database,
      address,
      serverVersion: catalogue.server.version,
      peakBytes: toPeakBytes(plan, catalogue),
    };
    const { encoding } = this.#options;
    const agents = toAgents(await this.#toControl().read(), await this.#options.revoked());
    const findings = [...findRefusals(plan, encoding.name === 'rows'), ...(await encoding.inspect(plan, catalogue, agents))];
    return { facts, findings };
  }

  /** Runs that were begun and not ended are withdrawn: whoever was at them is kept out from then on. So are topics of nobody. */
  async sweep(goesOn: ReadonlySet<string> = new Set()): Promise<readonly string[]> {
    const { encoding } = this.#options;
    return this.#withControl(async (control) => {
      // Whoever writes rows is kept out by who asks: nobody goes on with a transaction of somebody else.
      if (encoding.name === 'rows') await this.#take(control);
      const messages = await control.read();
      const versions = toVersions(messages);
      const dead = versions.filter(({ state, runId }) => state === 'staging' && (encoding.name === 'rows' || !goesOn.has(runId)));
      if (dead.length > 0) await this.#take(control);
      for (const version of dead) await encoding.withdraw(version, this.#toEnd(control, 'withdraw', version, 'RUN_DEAD'));
      const kept = versions.filter((one) => !dead.includes(one));
      return [...dead.map(({ runId }) => runId), ...(await encoding.tidy(messages, kept))];
    });
  }

  /** Starts what is proved on. What goes wrong there is heard at `begin`. */
  warmUp(): void {
    this.#options.proving().catch(() => undefined);
  }

  async begin(plan: Plan, catalogue: Catalogue, run: StagingRun & { readonly nonce: Uint8Array }): Promise<StreamStaging> {
    const { broker, place, encoding, settings, onStep = () => undefined } = this.#options;
    const control = this.#toControl();
    const closers: (() => Promise<void>)[] = [() => control.close()];
    const close = async (): Promise<void> => {
      for (const end of await Promise.allSettled(closers.splice(0).map((closer) => closer())))
        if (end.status === 'rejected') throw end.reason;
    };
    // It starts while the control topic is read.
    const started = this.#options.proving();
    started.catch(() => undefined);
    try {
      await this.#take(control);
      const messages = await control.read();
      await this.#withdrawOwn(control, messages, run.id);
      const agents = toAgents(messages, await this.#options.revoked());
      const version = Math.max(run.retired ?? 0, ...toVersions(messages).map((one) => one.version)) + 1;
      const receipts = new Receipts({ place, runId: run.id, agents, after: control.highest });
      closers.unshift(() => receipts.close());
      await receipts.listen(broker);
      const target = await started;
      await target.sweep();
      const proving = await target.begin(plan, catalogue, run);
      closers.unshift(() => proving.drop());
      const of = { runId: run.id, nonce: run.nonce, plan, catalogue, streams: toStreams(plan, run.ranges), version, agents };
      const { outlet, toBegin } = encoding.open(of);
      const lastsMs = this.#lastsMs;
      const retake = async (): Promise<void> => {
        await control.close();
        await this.#take(control);
      };
      const parts = { plan, runId: run.id, version, proving, outlet, control, receipts, lastsMs, retake, onStep, close };
      const staging = new StreamStaging({ ...parts, agents: encoding.agents, waitMs: settings.waitMs });
      this.#open.add(staging);
      try {
        await onStep('topic.create');
        await outlet.begin();
        await onStep('begin.tell');
        await control.tell({ type: 'begin', runId: run.id, version, lastsMs, body: await toBegin() });
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
    return [...(await this.#versions())].reverse().map(({ topics: _, rows: __, marker: ___, ...version }) => version);
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
    return known ? this.#options.encoding.toSteps(known) : [];
  }

  /** Records first, so that no agent loads them again; then agents are told, and have to say that it is gone. */
  async drop(runId: string, steps: readonly DropStep[]): Promise<readonly DropKept[]> {
    const { broker, place, encoding, settings } = this.#options;
    return this.#withControl(async (control) => {
      await this.#take(control);
      const messages = await control.read();
      const versions = toVersions(messages);
      const version = versions.find((one) => one.runId === runId);
      const now = await this.dropSteps(version ?? ({ runId } as DatasetVersion));
      if (version && JSON.stringify(now) !== JSON.stringify(steps))
        throw toError('TARGET_CHANGED', { stage: 'deliver', name: version.target });
      const kept = await encoding.drop(runId, steps, versions);
      const agents = toAgents(messages, await this.#options.revoked());
      const receipts = new Receipts({ place, runId, agents, after: control.highest });
      try {
        await receipts.listen(broker);
        // Told before, and perhaps not heard: it is told again.
        const known = version && { version: version.version };
        await control.tell({ type: 'expire', runId, ...known, lastsMs: this.#lastsMs, body: { reason: 'EXPIRED' } });
        await receipts.wait(['expired', 'withdrawn'], agents.size, settings.waitMs).catch(() => undefined);
        const silent = receipts.agents.filter(({ state }) => state !== 'expired' && state !== 'withdrawn');
        const name = steps.find(({ kind }) => kind === 'database')?.name ?? runId;
        return [
          ...kept,
          ...silent.map(({ agentId }) => ({ kind: 'database' as const, name, why: `agent ${agentId} has not said that it is gone` })),
        ];
      } finally {
        await receipts.close();
      }
    });
  }

  async seeDropped(steps: readonly DropStep[]): Promise<DropSeen> {
    const versions = new Set((await this.#versions()).map(({ target, version }) => `${target} version ${version}`));
    const things = await this.#options.encoding.see(steps.filter(({ kind }) => kind === 'topic'));
    const databases = steps.filter(({ kind }) => kind !== 'topic');
    return {
      address: this.#options.address,
      things: [...databases.map(({ kind, name }) => ({ kind, name, there: versions.has(name), sessions: 0 })), ...things],
      // Replicas of the topics are the broker's own, and go with them.
      replicas: { connected: 0, slots: 0, replayed: null },
      archiveMode: 'unknown',
    };
  }

  async rollback(permit?: Permit): Promise<DatasetVersion> {
    const { broker, place, encoding, settings } = this.#options;
    return this.#withControl(async (control) => {
      await this.#take(control);
      const messages = await control.read();
      const versions = toVersions(messages);
      const current = versions.find(({ state }) => state === 'current');
      const previous = versions.filter(({ state, rolledBack }) => state === 'previous' && !rolledBack).at(-1);
      if (!current || !previous) throw toError('ROLLBACK_NOTHING', { stage: 'deliver', name: this.#options.database });
      if (!encoding.canReturnTo(previous)) throw toError('STREAM_CANNOT', { stage: 'deliver', name: 'rollback' });
      await permit?.(previous);
      const agents = toAgents(messages, await this.#options.revoked());
      const receipts = new Receipts({ place, runId: current.runId, agents, after: control.highest });
      try {
        await receipts.listen(broker);
        await control.tell({
          type: 'rollback',
          runId: current.runId,
          version: previous.version,
          lastsMs: this.#lastsMs,
          body: { reason: 'ROLLBACK' },
        });
        await receipts.wait(['rolled-back'], encoding.agents, settings.waitMs);
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
    await this.#options.encoding.withdraw(before, this.#toEnd(control, 'withdraw', before, 'RUN_DEAD'));
  }

  /** From here on nobody else tells, or writes what would have to be told. */
  async #take(control: ControlTopic): Promise<void> {
    await control.take();
    await this.#options.encoding.fence();
  }

  #toEnd(control: ControlTopic, type: 'withdraw' | 'expire', { runId, version }: ToldVersion, reason: string): Say {
    return toSay(control, { type, runId, version, lastsMs: this.#lastsMs, body: { reason } });
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
}

/** A table that is not cut comes in one; where nobody said how it is cut, agents hear of it at the end. */
function toStreams({ tables }: Plan, ranges: readonly Range[] | undefined): readonly number[] {
  return tables.map((_, at) => (ranges ? ranges.filter(({ table }) => table === at).length : 0));
}
