// Rows: for consumers that are not ours. One transaction for a version, with what is told of it, over topics that every version shares; or topics of the
// version alone, which readers get when it is published.
import { type Finding, toError, toFinding } from '../../../kernel/errors.js';
import type { Clock } from '../../../kernel/clock.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import { type Plan, toPlanDigest } from '../../../pipeline/plan.js';
import type { DropKept, DropSeen, DropStep } from '../../../pipeline/ports.js';
import type { Broker } from '../broker.js';
import type { Producer } from '../producer.js';
import type { AgentBody } from '../wire/body.js';
import type { ControlMessage } from '../wire/message.js';
import type { RowChoices, RowFormat, SchemaRegistry } from '../wire/rows/rows.js';
import { parsePlaces, toPlaces, toPositions } from '../wire/rows-body.js';
import { type TopicPlace, toEnvironmentPrefix } from '../wire/topic-names.js';
import type { Encoding, Opening } from './encoding.js';
import type { Say } from './outlet.js';
import { estimateBytes } from './rows-chunks.js';
import { RowsOutlet, openRowsProducer } from './rows-outlet.js';
import { cutRows, deleteBefore, deleteOfRun, deleteReturned, endRows, hasRowsOf, removeVersionTopic } from './rows-topics.js';
import type { StreamSettings } from './target.js';
import type { ToldVersion } from './versions.js';

const dayMs = 86_400_000;
/** Between a topic and a run, where several versions share the topic. */
const ofRun = ' of run ';

/** What a pipeline's document says of its rows. */
export interface RowsSettings {
  readonly format: RowFormat;
  readonly choices: RowChoices;
  readonly registry?: SchemaRegistry | undefined;
  readonly readers: readonly string[];
  /** What is estimated to be larger goes to topics of its version. */
  readonly transactionBytes: number;
  readonly transactionMs: number;
}

export interface RowsEncodingOptions {
  readonly broker: Broker;
  readonly place: TopicPlace;
  /** What the dataset is called. */
  readonly database: string;
  readonly rows: RowsSettings;
  readonly settings: StreamSettings;
  /** Of Bauta. */
  readonly version: string;
  readonly clock: Clock;
  readonly onCommit?: (() => void | Promise<void>) | undefined;
}

export class RowsEncoding implements Encoding {
  readonly name = 'rows';
  /** Others read: nobody answers. */
  readonly agents = 0;
  readonly #options: RowsEncodingOptions;
  #producer: Producer | undefined;

  constructor(options: RowsEncodingOptions) {
    this.#options = options;
  }

  async inspect(plan: Plan, catalogue: Catalogue, agents: ReadonlyMap<string, AgentBody>): Promise<readonly Finding[]> {
    const { place, rows } = this.#options;
    const findings: Finding[] = [];
    const where = { stage: 'deliver', name: place.environment };
    if (agents.size > 0) findings.push(toFinding('STREAM_AGENTS_OF_ROWS', { ...where, amount: String(agents.size) }));
    const alone = this.#isAlone(plan, catalogue);
    if (alone && rows.readers.length === 0) findings.push(toFinding('ROWS_READERS_MISSING', where));
    if ((alone || rows.readers.length > 0) && !(await this.#hasAuthorizer()))
      findings.push(toFinding('BROKER_AUTHORIZER_MISSING', { stage: 'deliver', connection: this.#options.broker.name }));
    return findings;
  }

  async #hasAuthorizer(): Promise<boolean> {
    const admin = await this.#options.broker.admin();
    try {
      return await admin.hasAuthorizer();
    } finally {
      await admin.close();
    }
  }

  #isAlone(plan: Plan, catalogue: Catalogue): boolean {
    const { format, transactionBytes } = this.#options.rows;
    return estimateBytes(plan, catalogue, format) > transactionBytes;
  }

  async fence(): Promise<void> {
    const { broker, place, rows } = this.#options;
    await this.#producer?.close();
    this.#producer = await openRowsProducer(broker, place, rows.transactionMs);
  }

  open({ runId, nonce, plan, catalogue, streams, version }: Opening): ReturnType<Encoding['open']> {
    const { broker, place, database, rows, settings, version: bauta, clock, onCommit } = this.#options;
    const isAlone = this.#isAlone(plan, catalogue);
    const { format, choices, registry, readers, transactionMs } = rows;
    const { partitions, replication } = settings;
    const now = clock.now();
    const outlet = new RowsOutlet(
      { runId, plan, streams },
      {
        ...{ broker, place, catalogue, format, choices, registry, readers, transactionMs, version: bauta, atMs: now, nowMs: now, onCommit },
        ...{ partitions, replication, retentionMs: plan.facts.retentionDays * dayMs, producer: this.#producer },
        ...(isAlone && { alone: `${runId}-${Buffer.from(nonce).toString('hex').slice(0, 8)}` }),
      },
    );
    const of = { encoding: 'rows', format, target: database, version, planDigest: toPlanDigest(plan), alone: isAlone };
    return { outlet, toBegin: () => Promise.resolve({ ...of, before: toPlaces(outlet.before) }) };
  }

  async withdraw({ topics, rows }: ToldVersion, say: Say): Promise<void> {
    const { broker } = this.#options;
    if (!rows) return say.tell();
    if (rows.alone) {
      for (const topic of topics) await removeVersionTopic(broker, topic);
      return say.tell();
    }
    const written = await this.#findWritten(toPositions(rows.before));
    if (written.size === 0) return say.tell();
    await cutRows(broker, this.#requireProducer(), written, say);
  }

  /** Topics that were written to since. */
  async #findWritten(before: ReturnType<typeof toPositions>): Promise<ReturnType<typeof toPositions>> {
    const there = new Set(await this.#list());
    const ends = await this.#options.broker.ends([...before.keys()].filter((topic) => there.has(topic)));
    return new Map(
      [...before].filter(([topic, of]) => [...(ends.get(topic) ?? [])].some(([partition, end]) => end > (of.get(partition) ?? 0n))),
    );
  }

  /** Topics of the environment. */
  async #list(kind = ''): Promise<readonly string[]> {
    const { broker, place } = this.#options;
    const admin = await broker.admin();
    return admin.list(`${toEnvironmentPrefix(place)}${kind}`).finally(() => admin.close());
  }

  async tidy(messages: readonly ControlMessage[], kept: readonly ToldVersion[]): Promise<readonly string[]> {
    const { broker } = this.#options;
    const cut = await deleteBefore(broker, toCuts(messages));
    const shared = kept.filter(isShared);
    const returned = await deleteReturned(broker, toStarts(shared), toRuns(shared));
    const known = new Set(kept.flatMap(({ topics }) => topics));
    const nobodys = (await this.#list('versions.')).filter((topic) => !known.has(topic));
    for (const topic of nobodys) await removeVersionTopic(broker, topic);
    return [...new Set([...cut, ...returned]), ...nobodys];
  }

  toSteps({ topics, runId, rows }: ToldVersion): readonly DropStep[] {
    return topics.map((topic) =>
      rows?.alone
        ? { kind: 'topic', name: topic, statement: `DeleteAcls, DeleteRecords, DeleteTopics ${topic}` }
        : { kind: 'topic', name: `${topic}${ofRun}${runId}`, statement: `DeleteRecords ${topic}` },
    );
  }

  /**
   * Of shared topics the version that stands in front goes first. Where no later one has the topic, its keys stay without values until the retention
   * of the topic: sinks delete their rows by them.
   */
  async drop(runId: string, steps: readonly DropStep[], versions: readonly ToldVersion[]): Promise<readonly DropKept[]> {
    const { broker } = this.#options;
    const at = versions.findIndex((one) => one.runId === runId);
    const stands = (one: ToldVersion): boolean => isShared(one) && one.state !== 'staging';
    const [first] = versions.slice(0, Math.max(at, 0)).filter(stands);
    const later = versions.slice(at + 1).filter(stands);
    const others = toRuns(versions.filter((one) => one.runId !== runId && isShared(one)));
    const kept: DropKept[] = [];
    for (const { name } of steps) {
      const [topic = name, run] = name.split(ofRun);
      if (run === undefined) await removeVersionTopic(broker, topic);
      else if (first?.topics.includes(topic)) {
        const where = { stage: 'deliver', name: topic, amount: String(first.version) };
        throw toError('STREAM_VERSION_BEFORE', where);
      } else if (at < 0 || later.some(({ topics }) => topics.includes(topic)))
        await deleteOfRun(broker, topic, runId, others.get(topic) ?? []);
      else {
        const keys = await endRows(broker, this.#requireProducer(), topic);
        if (keys > 0)
          kept.push({ kind: 'topic', name: `${topic}, keys`, why: `${keys} keys without a value, for the retention of the topic` });
      }
    }
    return kept;
  }

  async see(steps: readonly DropStep[]): Promise<DropSeen['things']> {
    const { broker } = this.#options;
    const there = new Set(await this.#list());
    const seen: DropSeen['things'][number][] = [];
    for (const { kind, name } of steps) {
      const [topic = name, run] = name.split(ofRun);
      const stands = there.has(topic) && (run === undefined || (await hasRowsOf(broker, topic, run)));
      seen.push({ kind, name, there: stands, sessions: 0 });
    }
    return seen;
  }

  /** Topics that versions share hold the current one. */
  canReturnTo({ rows }: ToldVersion): boolean {
    return rows?.alone === true;
  }

  #requireProducer(): Producer {
    if (!this.#producer) throw toError('STAGING_CLOSED');
    return this.#producer;
  }
}

/** In topics that versions share. */
const isShared = ({ rows }: ToldVersion): boolean => rows !== undefined && !rows.alone;

/** Of each topic the runs that have it. */
function toRuns(versions: readonly ToldVersion[]): ReadonlyMap<string, readonly string[]> {
  const runs = new Map<string, string[]>();
  for (const { topics, runId } of versions) for (const topic of topics) runs.set(topic, [...(runs.get(topic) ?? []), runId]);
  return runs;
}

/** Of each partition where the first of these versions begins. */
function toStarts(versions: readonly ToldVersion[]): ReturnType<typeof toPositions> {
  const starts = new Map<string, Map<number, bigint>>();
  for (const { rows } of versions)
    for (const [topic, before] of toPositions(rows?.before ?? {})) {
      const known = starts.get(topic) ?? new Map<number, bigint>();
      starts.set(topic, known);
      for (const [partition, offset] of before) if (offset < (known.get(partition) ?? offset + 1n)) known.set(partition, offset);
    }
  return starts;
}

/** Where runs were to be cut that were withdrawn since the last one began: who begins has done it for all before him. Of each partition the last place. */
function toCuts(messages: readonly ControlMessage[]): ReturnType<typeof toPositions> {
  const cuts = new Map<string, Map<number, bigint>>();
  for (const { type, body } of messages.slice(messages.findLastIndex((one) => one.type === 'begin') + 1)) {
    const places = type === 'withdraw' ? parsePlaces((body as { readonly cut?: unknown } | null)?.cut) : undefined;
    for (const [topic, of] of places ? toPositions(places) : []) {
      const known = cuts.get(topic) ?? new Map<number, bigint>();
      cuts.set(topic, known);
      for (const [partition, offset] of of) if (offset > (known.get(partition) ?? 0n)) known.set(partition, offset);
    }
  }
  return cuts;
}
