// Records of a version into its staging, while they come: each range in a transaction of its own, with its rows, its receipt, the leaves of its
// records and how far its partition was read. Whoever is killed goes on from there; nobody loads a row twice.
import type { KeyObject } from 'node:crypto';

import { BautaError, toError, toKnownError } from '../../../kernel/errors.js';
import type { Masked } from '../../../pipeline/batch.js';
import { type Digest, GrowingTree } from '../../../pipeline/audit/audit.js';
import { deliver, sumReceipts } from '../../../pipeline/deliver/deliver.js';
import type { DeliveryTable } from '../../../pipeline/delivery-plan.js';
import type { Range, Ranges, Receipt, Staging } from '../../../pipeline/ports.js';
import type { BeginBody } from '../wire/body.js';
import { type DatasetKey, type Opened, openBulkRecord } from '../wire/record.js';
import { Feed } from './feed.js';

/** As it was read: anybody may have written it. */
export interface BulkRead {
  readonly partition: number;
  readonly offset: bigint;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly value: Uint8Array | null;
}

/** Why a record was left out. It changes nothing; that it is there is told. */
export type RecordProblem = 'forged' | 'broken' | 'repeated' | 'out of order';

export interface LoadingOf {
  readonly begin: Pick<BeginBody, 'plan' | 'ranges'>;
  readonly environment: string;
  readonly runId: string;
  readonly publicKey: KeyObject;
  /** Absent: values are not encrypted. */
  readonly key?: DatasetKey | undefined;
  readonly staging: Pick<Staging, 'loaded' | 'nonce'>;
  readonly ranges: Ranges;
  readonly onRefused: (problem: RecordProblem, record: BulkRead) => void;
}

interface OpenRange {
  readonly partition: number;
  /** Of its first record. */
  readonly from: bigint;
  readonly feed: Feed;
  readonly leaves: Digest[];
  /** All of it is in the feed. */
  whole: boolean;
  readonly loading: Promise<void>;
}

interface Note {
  /** Of its records, in order, in base64. */
  readonly leaves: string;
  readonly partition: number;
  /** Nothing before it in that partition is needed any more. */
  readonly resume: string;
}

const stepOf = 500;

export class DatasetLoading {
  readonly #of: LoadingOf;
  readonly #open = new Map<number, OpenRange>();
  readonly #loaded = new Set<number>();
  /** Where each table's ranges begin among all. */
  readonly #first: readonly number[];
  /** Ranges that are not loaded, by where they go in. */
  readonly #left = new Map<string, number>();
  readonly #streamsInto = new Map<string, number>();
  /** Behind the last record that was taken. */
  readonly #positions = new Map<number, bigint>();
  #expected: ReadonlyMap<number, bigint> = new Map();
  #failure: Error | undefined;
  #rows = 0;
  #bytes = 0;

  constructor(of: LoadingOf) {
    this.#of = of;
    let next = 0;
    this.#first = of.begin.ranges.map((count) => (next += count) - count);
    for (const [at, table] of of.begin.plan.tables.entries()) {
      const place = toPlace(table);
      this.#streamsInto.set(place, (this.#streamsInto.get(place) ?? 0) + of.begin.ranges[at]!);
    }
    for (const [place, count] of this.#streamsInto) this.#left.set(place, count);
  }

  /** What is loaded already, and from where each partition has to be read; those that are not named from their beginning. */
  async resume(): Promise<ReadonlyMap<number, bigint>> {
    const from = new Map<number, bigint>();
    for await (const { at, receipt, note } of this.#readLoaded()) {
      this.#count(at, receipt);
      const resume = BigInt(note.resume);
      if (resume > (from.get(note.partition) ?? 0n)) from.set(note.partition, resume);
    }
    return from;
  }

  /** Records before these are known to be there twice: they are read again. */
  expect(ends: ReadonlyMap<number, bigint>): void {
    this.#expected = ends;
  }

  get total(): number {
    return this.#of.ranges.all.length;
  }

  get progress(): { readonly rows: number; readonly bytes: number; readonly rangesLoaded: number } {
    return { rows: this.#rows, bytes: this.#bytes, rangesLoaded: this.#loaded.size };
  }

  /** Partitions of which a range has begun and has not all its records yet. */
  get reading(): ReadonlySet<number> {
    return new Set([...this.#open.values()].filter(({ whole }) => !whole).map(({ partition }) => partition));
  }

  get isDone(): boolean {
    return this.#loaded.size === this.total;
  }

  /** Looked at by itself, so that several can be at once. Undefined: it was left out. */
  async look(record: BulkRead): Promise<Opened | undefined> {
    const { environment, runId, publicKey, key, onRefused } = this.#of;
    try {
      const findKey = key && ((id: string) => (id === key.id ? key : undefined));
      return await openBulkRecord(record.headers, record.value, { environment, runId, publicKey, findKey });
    } catch (error) {
      if (!(error instanceof BautaError) || !/^STREAM_RECORD_/.test(error.code)) throw error;
      onRefused(error.code === 'STREAM_RECORD_BROKEN' ? 'broken' : 'forged', record);
      return undefined;
    }
  }

  /** In the order in which records stand in their partition. Waits while its range has enough; throws what broke the loading of any range. */
  async take(record: BulkRead, opened: Opened | undefined): Promise<void> {
    if (this.#failure) throw this.#failure;
    this.#positions.set(record.partition, record.offset + 1n);
    if (!opened) return;
    const { head, leaf, lines } = opened;
    const count = this.#of.begin.ranges[head.table];
    if (count === undefined || head.range >= count) return this.#of.onRefused('forged', record);
    const at = this.#first[head.table]! + head.range;
    const isExpected = record.offset < (this.#expected.get(record.partition) ?? 0n);
    if (this.#loaded.has(at)) return isExpected ? undefined : this.#of.onRefused('repeated', record);
    const known = this.#open.get(at)?.leaves ?? [];
    if (head.sequence < known.length) {
      if (known[head.sequence]!.equals(leaf)) return isExpected ? undefined : this.#of.onRefused('repeated', record);
      // Both were signed, and one of them is not of this version.
      throw toError('AGENT_RECORDS_CONFLICT', { stage: 'deliver', range: head.range + 1, batch: head.sequence + 1 });
    }
    if (head.sequence > known.length || this.#open.get(at)?.whole) return this.#of.onRefused('out of order', record);
    const range = this.#open.get(at) ?? this.#begin(at, record);
    range.leaves.push(leaf);
    if (head.last) range.whole = true;
    const { sequence } = head;
    if (head.rows > 0 || lines.length > 0)
      // The service masked it, and signed what it masked: nobody else has its key.
      await range.feed.push({ table: head.table, range: head.range, sequence, bytes: lines, rows: head.rows } as unknown as Masked);
    if (head.last) range.feed.end();
  }

  /** Once the last record of every range was taken, until all are loaded. Throws what broke the loading of any of them, at once or now. */
  async settle(): Promise<void> {
    const whole = [...this.#open.values()].filter((range) => range.whole);
    if (this.#loaded.size + whole.length === this.total) await Promise.all(whole.map(({ loading }) => loading));
    if (this.#failure) throw this.#failure;
  }

  /** Gives up what is under way. */
  async stop(reason: Error): Promise<void> {
    this.#failure ??= reason;
    for (const { feed } of this.#open.values()) feed.fail(reason);
    await Promise.all([...this.#open.values()].map(({ loading }) => loading));
  }

  /** What is loaded, per table in the plan's order, and the root over all records. MUST be asked when it is done. */
  async sum(): Promise<{ readonly receipts: readonly Receipt[]; readonly records: number; readonly root: Digest }> {
    const { tables } = this.#of.begin.plan;
    const sums = tables.map(({ schema, name: table }): Receipt => ({ schema, table, rows: 0, bytes: 0, digest: '0'.repeat(32) }));
    const tree = new GrowingTree();
    for await (const { at, receipt, note } of this.#readLoaded()) {
      const { table } = this.#of.ranges.all[at]!;
      sums[table] = sumReceipts([sums[table]!, receipt]);
      const leaves = Buffer.from(note.leaves, 'base64');
      for (let from = 0; from < leaves.length; from += 32) tree.append(leaves.subarray(from, from + 32));
    }
    return { receipts: sums, records: tree.size, root: tree.root() };
  }

  #begin(at: number, { partition, offset }: BulkRead): OpenRange {
    const feed = new Feed();
    const range: OpenRange = { partition, from: offset, feed, leaves: [], whole: false, loading: this.#load(at, feed) };
    this.#open.set(at, range);
    return range;
  }

  /** Never rejects: what broke it is heard by whoever brings the next record. */
  async #load(at: number, feed: Feed): Promise<void> {
    const { ranges, staging, begin } = this.#of;
    const table = begin.plan.tables[ranges.all[at]!.table]!;
    const place = toPlace(table);
    try {
      let loaded: Receipt | undefined;
      const state = await ranges.loadOne?.(at, async (into) => {
        loaded = await deliver({ load: into, nonce: staging.nonce }, table, feed, this.#streamsInto.get(place) === 1);
        return { receipt: loaded, note: this.#toNote(at) };
      });
      if (state !== 'loaded' || !loaded) throw toError('STAGING_CLOSED');
      this.#open.delete(at);
      this.#count(at, loaded);
    } catch (error) {
      this.#failure ??= toKnownError(error);
      feed.end();
    }
  }

  #toNote(at: number): string {
    const { partition, leaves } = this.#open.get(at)!;
    let resume = this.#positions.get(partition) ?? 0n;
    for (const [other, open] of this.#open) if (other !== at && open.partition === partition && open.from < resume) resume = open.from;
    const note: Note = { leaves: Buffer.concat(leaves).toString('base64'), partition, resume: String(resume) };
    return JSON.stringify(note);
  }

  #count(at: number, receipt: Receipt): void {
    this.#loaded.add(at);
    this.#rows += receipt.rows;
    this.#bytes += receipt.bytes;
    const table = this.#of.begin.plan.tables[this.#of.ranges.all[at]!.table]!;
    const place = toPlace(table);
    const left = this.#left.get(place)! - 1;
    this.#left.set(place, left);
    if (left === 0) this.#of.staging.loaded(table.loadInto);
  }

  /** In the order of all ranges, which is that of the tree's leaves. */
  async *#readLoaded(): AsyncGenerator<{ readonly at: number; readonly receipt: Receipt; readonly note: Note }> {
    const { ranges } = this.#of;
    for (let from = 0; from < ranges.all.length; from += stepOf) {
      const among = Array.from({ length: Math.min(stepOf, ranges.all.length - from) }, (_, i) => from + i);
      for (const { at, receipt, note } of await ranges.findLoaded(among))
        if (note !== undefined) yield { at, receipt, note: JSON.parse(note) as Note };
    }
  }
}

/** In the order of the leaves: table by table, range by range. */
export function toRangesOf({ ranges }: Pick<BeginBody, 'ranges'>): readonly Range[] {
  return ranges.flatMap((count, table) => Array.from({ length: count }, (_, range) => ({ table, range })));
}

const toPlace = ({ loadInto }: DeliveryTable): string => JSON.stringify([loadInto.schema, loadInto.name]);
