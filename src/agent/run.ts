// One run as the agent sees it: from `begin` to a published version, or to nothing. Whatever it is killed at, it is begun again from what stands in the
// target and goes on there.
import { createHmac } from 'node:crypto';

import type { BautaError } from '../kernel/errors.js';
import { type Finding, sortFindings, toError, toKnownError } from '../kernel/errors.js';
import type { AdoptedStaging, DatasetVersion, Receipt, Staging, StagingRun, Target } from '../pipeline/ports.js';
import { verifyRowsAlone } from '../pipeline/verify-alone.js';
import { unsealBytes } from '../systems/archive/archive.js';
import {
  type BeginBody,
  type CompleteBody,
  type DatasetKey,
  type DatasetLoading,
  type PublishBody,
  toRangesOf,
} from '../systems/kafka/kafka.js';
import { DatasetReader, asLogin, openTarget } from '../systems/postgres/postgres.js';
import type { AgentDoors } from './doors.js';
import { fill, toLanes } from './fill.js';
import { isMadeOutTo, requireManifest, requireMarker } from './held-against.js';
import { toFindingsJson } from './receipts.js';
import { Word } from './word.js';

export class AgentRun {
  /** What is still to come from the service. */
  readonly #complete = new Word<CompleteBody>();
  readonly #publish = new Word<PublishBody>();
  readonly #stop = new AbortController();

  constructor(
    private readonly doors: AgentDoors,
    readonly runId: string,
    /** Number of the message with which it began. */
    readonly sequence: number,
    private readonly begin: BeginBody,
  ) {}

  complete(body: CompleteBody): void {
    this.#complete.say(body);
  }

  publish(body: PublishBody): void {
    this.#publish.say(body);
  }

  /** What it has is dropped, and it ends with this reason; without one it lies for the next attempt. */
  stop(reason?: BautaError): void {
    this.#stop.abort(reason ?? leaving);
    for (const word of [this.#complete, this.#publish]) word.fail(reason ?? leaving);
  }

  /** One attempt. Resolves with the version when it is published; throws what broke it, after which an attempt may be made again. */
  async attempt(): Promise<DatasetVersion> {
    const { begin, doors } = this;
    // Each range that is under way has a session of its own, or the reader would wait for one for ever.
    const loadConnections = begin.streams * toLanes(begin);
    const target = openTarget({ connection: doors.connection, settings: { loadConnections }, clock: doors.clock });
    try {
      const published = await this.findPublished(target);
      if (published) return published;
      await this.requireTarget(target);
      return await this.throughStaging(target);
    } finally {
      await target.close();
    }
  }

  /** An earlier attempt was killed after it had published. */
  private async findPublished(target: Target): Promise<DatasetVersion | undefined> {
    return (await target.datasets()).find(({ runId, state }) => runId === this.runId && state !== 'staging');
  }

  private async requireTarget(target: Target): Promise<void> {
    const { begin } = this;
    const { facts, findings } = await target.inspect(begin.plan, begin.catalogue);
    if (facts.database !== begin.target)
      throw toError('AGENT_TARGET_NAME', { stage: 'deliver', name: facts.database, expected: begin.target });
    const errors = findings.filter(({ severity, code }) => severity === 'error' && code !== 'TARGET_BUSY');
    const [first] = errors;
    if (first) throw toError(first.code, first.where, errors);
  }

  private async throughStaging(target: Target): Promise<DatasetVersion> {
    const key = await this.unseal();
    const { staging, ranges } = await this.adoptOrBegin(target);
    const end = async (): Promise<void> => {
      // Killed or stopped for the next attempt, it stays; given up, it goes.
      await (this.#stop.signal.aborted && this.#stop.signal.reason === leaving ? staging.leave?.() : staging.drop());
    };
    const cut = (): void => void (this.#stop.signal.reason === leaving ? staging.leave?.() : staging.drop())?.catch(() => undefined);
    this.#stop.signal.addEventListener('abort', cut);
    try {
      this.#stop.signal.throwIfAborted();
      const { doors, runId, sequence, begin } = this;
      const isComplete = (): boolean => this.#complete.isSaid;
      const loading = await fill({ doors, runId, sequence, begin, key, staging, ranges, isComplete, signal: this.#stop.signal });
      return await this.finish(target, staging, loading);
    } catch (error) {
      const known = toKnownError(this.#stop.signal.aborted ? this.#stop.signal.reason : error);
      if (isPassing(known)) await staging.leave?.().catch(() => undefined);
      else await end();
      throw known;
    } finally {
      this.#stop.signal.removeEventListener('abort', cut);
    }
  }

  private async adoptOrBegin(target: Target): Promise<Pick<AdoptedStaging, 'staging' | 'ranges'>> {
    const { begin, runId } = this;
    const adopted = await target.adopt?.(begin.plan, begin.catalogue, this.toRun(), begin.planDigest);
    if (adopted) return adopted;
    await target.sweep();
    const staging = await target.begin(begin.plan, begin.catalogue, { ...this.toRun(), nonce: Buffer.from(begin.nonce, 'hex') });
    try {
      const made = (await target.datasets()).find((one) => one.runId === runId);
      if (made?.version !== begin.version) {
        const where = { stage: 'deliver', name: begin.target, amount: String(begin.version), expected: `${(made?.version ?? 0) - 1}` };
        throw toError('AGENT_VERSION_TAKEN', where);
      }
      if (!staging.record) throw toError('STAGING_CLOSED');
      return { staging, ranges: await staging.record({ moment: begin.topic, planDigest: begin.planDigest }, toRangesOf(begin)) };
    } catch (error) {
      await staging.drop().catch(() => undefined);
      throw error;
    }
  }

  /** The password of the run's role, so that an attempt after this one gets in; nobody else can make it. */
  private toRun(): StagingRun {
    const { seed } = this.doors.home.identity;
    const password = createHmac('sha256', seed).update(`bauta agent login of a run\0${this.runId}`).digest('base64url');
    return { id: this.runId, password, retired: this.begin.version - 1 };
  }

  private async unseal(): Promise<DatasetKey | undefined> {
    const { sealed } = this.begin;
    if (!sealed) return undefined;
    const { agentId, identity } = this.doors.home.identity;
    const own = sealed.for[agentId];
    if (own === undefined) throw toError('AGENT_SEALED', { stage: 'deliver', run: this.runId });
    const secret = await unsealBytes(Buffer.from(own, 'base64'), identity).catch(() => {
      throw toError('AGENT_SEALED', { stage: 'deliver', run: this.runId });
    });
    return { id: sealed.keyId, secret };
  }

  private async finish(target: Target, staging: Staging, loading: DatasetLoading): Promise<DatasetVersion> {
    const { doors, begin } = this;
    const { rows, bytes } = loading.progress;
    await doors.receipts.send('loaded', this, { rows, bytes });
    const built = await staging.finish();
    if (built.some(isError))
      throw toError('DELIVER_SCHEMA_FAILED', { stage: 'deliver', amount: String(built.filter(isError).length) }, built);
    const sum = await loading.sum();
    // The service verifies at the same time. What was loaded is held against what it signed when it has.
    const options = { plan: begin.plan, nonce: staging.nonce, delivered: sum.receipts };
    const { findings: ofRows, receipts } = await this.reading(staging, (reader) => verifyRowsAlone(reader, options));
    const complete = await this.#complete.heard();
    requireManifest(begin, complete, sum);
    await staging.setSequences(complete.sequences);
    const findings = sortFindings([...ofRows, ...(await this.reading(staging, (reader) => reader.integrity()))]);
    const errors = findings.filter(isError);
    const [first] = errors;
    if (first) throw toError(first.code, first.where, errors);
    const { server: systemIdentifier, database } = await target.place();
    const told = { findings: toFindingsJson([...built, ...findings]), place: { database, systemIdentifier }, rows, bytes };
    await doors.receipts.send('verified', this, { ...told, tables: receipts.map((receipt) => ({ ...receipt })) });
    const publish = await this.#publish.heard();
    return this.publishNow(target, staging, publish, receipts);
  }

  private async reading<T>(staging: Staging, look: (reader: DatasetReader) => Promise<T>): Promise<T> {
    const { connection } = this.doors;
    const reader = await DatasetReader.open(staging.login ? asLogin(connection, staging.login) : connection, staging.database);
    try {
      return await look(reader);
    } finally {
      await reader.close();
    }
  }

  private async publishNow(target: Target, staging: Staging, body: PublishBody, receipts: readonly Receipt[]): Promise<DatasetVersion> {
    const { begin, runId, doors } = this;
    const own = body.markers?.[doors.home.identity.agentId];
    const { server } = await target.place();
    // Enrolled beside another server: it is not the one that the marker speaks of.
    const row = own && isMadeOutTo(own, server) ? own : body.marker;
    requireMarker(row, { begin, runId, environment: doors.enrolment.environment, receipts, nowMs: doors.clock.now() });
    const made = (await target.datasets()).find((one) => one.runId === runId);
    if (!made) throw toError('STAGING_GONE', { stage: 'deliver', run: runId });
    const version = { ...made, planDigest: begin.planDigest };
    await staging.mark(row);
    await staging.publish(version);
    return { ...version, state: 'current' };
  }
}

const isError = ({ severity }: Pick<Finding, 'severity'>): boolean => severity === 'error';

/** The process ends, and the next one goes on. */
const leaving: BautaError = toError('STAGING_CLOSED');

/** Broker or server are away, or a token of the broker ran out: what is loaded stays, and the next attempt goes on with it. */
export function isPassing(error: BautaError): boolean {
  if (error === leaving) return true;
  return /^(BROKER_UNREACHABLE|BROKER_TIMEOUT|BROKER_AUTH|CONNECTION_UNREACHABLE|CONNECTION_LOST|CONNECTION_TIMEOUT|TARGET_LOCK_LOST|TARGET_BUSY)$/.test(
    error.code,
  );
}
