// A run's staging where a broker is between: what goes out to the topic is read back from it into a proving database, and only that is verified.
// Agents are told what came to stand there when it was found good, and publish when they are told.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Json } from '../../../kernel/canonical-json.js';
import { digestJson } from '../../../kernel/digest.js';
import { type Finding, toError, toFinding, toKnownError } from '../../../kernel/errors.js';
import type { Masked } from '../../../pipeline/batch.js';
import type { TableName } from '../../../pipeline/catalogue.js';
import { LineDigest, toDigestText } from '../../../pipeline/deliver/deliver.js';
import type { ManifestTable, MarkerRow } from '../../../pipeline/marker.js';
import type { Plan, TablePlan } from '../../../pipeline/plan.js';
import type { DatasetVersion, Login, SequenceValue, Staging } from '../../../pipeline/ports.js';
import { isPassing } from '../failure.js';
import type { ControlTopic, Told } from './control-topic.js';
import type { Outlet, Say } from './outlet.js';
import { ReadBackQueues } from './read-back.js';
import type { Receipts } from './receipts.js';

export interface StreamStagingParts {
  readonly plan: Plan;
  readonly runId: string;
  readonly version: number;
  readonly proving: Staging;
  readonly outlet: Outlet;
  readonly control: ControlTopic;
  readonly receipts: Receipts;
  /** Agents that have to publish. */
  readonly agents: number;
  readonly waitMs: number;
  /** From then on no agent acts on what it was told. */
  readonly lastsMs: number;
  /** Ends what may be under way without an answer, and who else tells or writes. */
  readonly retake: () => Promise<void>;
  /** Told of steps; what it throws stops the run there. */
  readonly onStep: (step: StreamStep) => void | Promise<void>;
  /** Everything of this run at the broker and at the proving server that is not the outlet's: called once. */
  readonly close: () => Promise<void>;
}

const againMs = 1000;

type MarkerAt = (systemIdentifier: string) => Promise<MarkerRow>;

/** The borders of a delivery through a broker, in order. */
export const streamSteps = [
  'topic.create',
  'begin.tell',
  'data.load',
  'complete.tell',
  'publish.tell',
  'publish.commit',
  'publish.wait',
  'withdraw.tell',
] as const;
export type StreamStep = (typeof streamSteps)[number];

export class StreamStaging implements Staging {
  readonly database: string;
  readonly nonce: Uint8Array;
  readonly login: Login;
  readonly #parts: StreamStagingParts;
  readonly #back: ReadBackQueues;
  readonly #streams = new Map<TablePlan, number>();
  readonly #digests: bigint[];
  #sequences: readonly SequenceValue[] = [];
  #marker: MarkerRow | undefined;
  #markerAt: MarkerAt | undefined;
  #hear: (line: string) => void = () => undefined;
  /** `ended`: what is at the broker stays as it is. */
  #state: 'loading' | 'publishing' | 'published' | 'ended' | 'dropped' = 'loading';
  #dropping: Promise<void> | undefined;

  constructor(parts: StreamStagingParts) {
    const { login } = parts.proving;
    if (!login) throw toError('STAGING_CLOSED');
    this.#parts = parts;
    this.database = parts.proving.database;
    this.nonce = parts.proving.nonce;
    this.login = login;
    this.#back = new ReadBackQueues(parts.outlet);
    this.#digests = parts.plan.tables.map(() => 0n);
  }

  /** What is sent and what is proved run at once; each holds a few records and waits for the other. */
  async load(table: TablePlan, batches: AsyncIterable<Masked>, alone: boolean): Promise<{ readonly rows: number }> {
    this.#requireLoading();
    const at = this.#parts.plan.tables.indexOf(table);
    if (at < 0) throw toError('STAGING_CLOSED');
    await this.#parts.onStep('data.load');
    const stream = this.#streams.get(table) ?? 0;
    this.#streams.set(table, stream + 1);
    const digest = new LineDigest(this.nonce);
    const proving = this.#parts.proving.load(table, this.#back.read(at, stream, digest), alone);
    const writing = this.#parts.outlet.write(at, stream, batches);
    // The first that fails is what is heard; the other hears that nothing more comes.
    const failed = (error: unknown): never => {
      this.#back.fail(error);
      throw error;
    };
    const [loaded, written] = await Promise.all([proving.catch(failed), writing.catch(failed)]).catch(this.#throwTakenOver);
    if (loaded.rows !== written.rows)
      throw toError('DELIVER_ROWS_DIFFER', { stage: 'deliver', schema: table.schema, table: table.name, amount: `${written.rows} rows` });
    this.#digests[at]! += digest.sum;
    return loaded;
  }

  loaded(table: TableName): void {
    this.#parts.proving.loaded(table);
  }

  finish(onProgress?: (done: number, of: number) => void): Promise<readonly Finding[]> {
    this.#requireLoading();
    return this.#parts.proving.finish(onProgress);
  }

  async setSequences(values: readonly SequenceValue[]): Promise<void> {
    this.#requireLoading();
    this.#sequences = values;
    await this.#parts.proving.setSequences(values);
  }

  runAfter(files: readonly { readonly path: string }[]): Promise<void> {
    // A plan with such files was refused: no statement travels.
    const [first] = files;
    if (first) return Promise.reject(toError('STREAM_CANNOT', { stage: 'deliver', name: 'after' }));
    return Promise.resolve();
  }

  beside(): Promise<readonly ManifestTable[]> {
    return this.#parts.proving.beside();
  }

  /** What was proved is said of what stands at the broker: agents can finish from here on. */
  async mark(row: MarkerRow, at?: MarkerAt): Promise<void> {
    this.#requireLoading();
    const { outlet, control, runId, version, lastsMs, onStep } = this.#parts;
    await onStep('complete.tell');
    const { tables, ...manifest } = outlet.manifest() as { readonly tables: readonly Readonly<Record<string, Json>>[] };
    const body = {
      ...manifest,
      tables: tables.map((table, at) => ({ ...table, digest: toDigestText(this.#digests[at]!) })),
      sequences: this.#sequences.map((value) => ({ ...value })),
      findings: { errors: 0, warnings: 0 },
    };
    await control.tell({ type: 'complete', runId, version, lastsMs, body });
    this.#marker = row;
    this.#markerAt = at;
    const { records = 0, wireBytes = 0 } = outlet.sent ?? {};
    if (records > 0) this.#hear(`told: ${records} records, ${(wireBytes / 1e6).toFixed(1)} MB on the wire, read back and proved`);
  }

  /** Agents have to have verified before any of them is told to publish: what one of them cannot take is published nowhere. */
  async publish({ version }: DatasetVersion): Promise<readonly Finding[]> {
    this.#requireLoading();
    const marker = this.#marker;
    if (!marker) throw toError('STAGING_UNMARKED');
    const { receipts, outlet, agents, waitMs, onStep, close } = this.#parts;
    await receipts.wait(['verified', 'published'], agents, waitMs);
    await onStep('publish.tell');
    this.#state = 'publishing';
    const body = { version, marker: { ...marker }, markers: await this.#toMarkers(), expiresAt: marker.expiresAt };
    await outlet.commit(this.#toSay('publish', body)).catch((error: unknown) => this.#requireTold(error));
    try {
      await onStep('publish.wait');
      await receipts.wait(['published'], agents, waitMs, { patient: true });
    } catch (error) {
      await this.#takeBack();
      throw error;
    }
    this.#state = 'published';
    const others = receipts.agents.filter(({ state }) => state !== 'published');
    await close();
    const refused = receipts.toldRefused.map(({ agentId, topic, problem, amount }) => {
      const where = { stage: 'deliver', name: agentId, object: topic, amount: String(amount), expected: problem };
      return toFinding('STREAM_AGENT_REFUSED', where, 'warning');
    });
    const behind = others.map(({ agentId, state }) => {
      this.#hear(`${agentId} is behind: ${state}`);
      return toFinding('STREAM_AGENT_BEHIND', { stage: 'deliver', name: agentId, expected: state }, 'warning');
    });
    return [...behind, ...refused];
  }

  /** What got no answer may have been done all the same: that it was not is only known once nothing of it is under way any more. */
  async #requireTold(error: unknown): Promise<void> {
    const { control, runId, outlet, retake } = this.#parts;
    const isTold = await this.#askUntilAnswered(async () => {
      if (await control.wasTold('publish', runId)) return true;
      // Whoever took over has ended what was under way.
      if (!isNoAnswer(error) || (await control.isTakenOver(runId))) return false;
      await retake();
      return control.wasTold('publish', runId);
    });
    if (!isTold) return this.#throwTakenOver(error);
    await outlet.close();
  }

  /** It was told to be published, and has failed: before that is said, agents are told that it is withdrawn. */
  async #takeBack(): Promise<void> {
    const { control, runId, plan, outlet, retake } = this.#parts;
    let isAgain = false;
    await this.#askUntilAnswered(async () => {
      if (isAgain && (await control.isTakenOver(runId))) throw toError('STREAM_TAKEN_OVER', { stage: 'deliver', name: plan.environment });
      if (isAgain) await retake();
      isAgain = true;
      await outlet.abort(this.#toSay('withdraw', { reason: 'RUN_ENDED' })).catch(this.#throwTakenOver);
    });
    this.#state = 'ended';
  }

  /** As long as agents are waited for. Throws STREAM_OUTCOME_UNKNOWN: then nobody tells anything of this run any more. */
  async #askUntilAnswered<T>(ask: () => Promise<T>): Promise<T> {
    const { plan, waitMs } = this.#parts;
    for (const until = performance.now() + waitMs; ; await sleep(againMs))
      try {
        return await ask();
      } catch (error) {
        if (!isNoAnswer(error)) throw error;
        if (performance.now() < until) continue;
        this.#state = 'ended';
        throw toError('STREAM_OUTCOME_UNKNOWN', { stage: 'deliver', name: plan.environment, expected: toKnownError(error).code });
      }
  }

  /** As agents were enrolled. One that has moved since writes the marker that is made out to the broker. */
  servers(): readonly string[] {
    return [...new Set(this.#parts.receipts.agents.flatMap(({ server }) => (server === undefined ? [] : [server])))].sort();
  }

  /** A version says of itself where it stands: each agent's is made out to its own server. */
  async #toMarkers(): Promise<Readonly<Record<string, Json>>> {
    const markers: Record<string, Json> = {};
    const bySystem = new Map<string, Promise<MarkerRow>>();
    for (const { agentId, server } of this.#parts.receipts.agents) {
      if (server === undefined || !this.#markerAt) continue;
      const row = bySystem.get(server) ?? this.#markerAt(server);
      bySystem.set(server, row);
      markers[agentId] = { ...(await row) };
    }
    return markers;
  }

  drop(): Promise<void> {
    this.#dropping ??= this.#drop().finally(() => (this.#dropping = undefined));
    return this.#dropping;
  }

  async #drop(): Promise<void> {
    if (this.#state === 'dropped' || this.#state === 'published') return;
    const { outlet, proving, onStep, close } = this.#parts;
    this.#back.fail(toError('STAGING_CLOSED'));
    // What stops one of these stops none of the others; the first that failed is heard, and the next start sweeps what stayed.
    const failures: unknown[] = [];
    const attempt = (work: () => unknown): Promise<void> => Promise.resolve().then(work).then(() => undefined, (error: unknown) => void failures.push(error)); // prettier-ignore
    if (this.#state !== 'ended') {
      await attempt(() => onStep('withdraw.tell'));
      await attempt(() => outlet.abort(this.#toSay('withdraw', { reason: 'RUN_ENDED' })).catch(this.#throwTakenOver));
    }
    await attempt(() => outlet.close());
    await attempt(() => proving.drop());
    await attempt(close);
    this.#state = 'dropped';
    if (failures.length > 0) throw failures[0];
  }

  sent(): Readonly<Record<string, Json>> {
    const { outlet, receipts } = this.#parts;
    return { ...outlet.sent, manifest: digestJson(outlet.manifest()), agents: receipts.agents.length };
  }

  listen(hear: (line: string) => void): void {
    this.#hear = hear;
    this.#parts.receipts.tell((line) => hear(line));
  }

  #toSay(type: Told['type'], body: Readonly<Record<string, Json>>): Say {
    const { control, runId, version, lastsMs } = this.#parts;
    return toSay(control, { type, runId, version, lastsMs, body });
  }

  /** Who takes a run's place ends its transaction and withdraws it; a topic that is gone, or records of another run, may be what is seen first. */
  readonly #throwTakenOver = async (error: unknown): Promise<never> => {
    const { control, runId, plan } = this.#parts;
    const { code = '' } = error as { readonly code?: string };
    const isWithdrawn = /^(TOPIC|STREAM_RECORD)_/.test(code) && (await control.wasTold('withdraw', runId).catch(() => false));
    if (code !== 'BROKER_FENCED' && !isWithdrawn) throw error;
    throw toError('STREAM_TAKEN_OVER', { stage: 'deliver', name: plan.environment });
  };

  #requireLoading(): void {
    if (this.#state !== 'loading') throw toError('STAGING_CLOSED');
  }
}

/** Whatever goes wrong at a broker may have come after it did what it was asked; only who was kept out knows that it did not. */
function isNoAnswer(error: unknown): boolean {
  const { code } = toKnownError(error);
  return isPassing(error) || (code.startsWith('BROKER_') && code !== 'BROKER_FENCED');
}

/** One thing to tell, by itself or in somebody's transaction. */
export function toSay(control: ControlTopic, told: Omit<Told, 'body'> & { readonly body: Readonly<Record<string, Json>> }): Say {
  return {
    tell: async () => void (await control.tell(told)),
    sign: (more = {}) => control.sign({ ...told, body: { ...told.body, ...more } }).batch,
  };
}
