// Records of a version into staging, from where this agent stood: reading, looking and loading at once, with progress to the service.
import { type BautaError, toError } from '../kernel/errors.js';
import type { Ranges, Staging } from '../pipeline/ports.js';
import {
  type BeginBody,
  type BulkRead,
  DatasetLoading,
  type DatasetKey,
  type Positions,
  type RecordProblem,
  type TopicReader,
} from '../systems/kafka/kafka.js';
import type { AgentDoors } from './doors.js';

/** Records that are inflated and checked at once. */
const WIDTH = 4;
const PROGRESS_MS = 2000;
/** The service has said that all is there: how long nothing may come. */
const PATIENCE_MS = 3000;
const FETCH_BYTES = 2 << 20;

export interface Filling {
  readonly doors: AgentDoors;
  readonly runId: string;
  /** Number of the message with which it began. */
  readonly sequence: number;
  readonly begin: BeginBody;
  readonly key: DatasetKey | undefined;
  readonly staging: Staging;
  readonly ranges: Ranges;
  readonly signal: AbortSignal;
  /** The service has said what there is: from then on nothing more is written. */
  readonly isComplete: () => boolean;
}

/** Resolves when every range is loaded. What it refuses it counts, tells and leaves out. */
export async function fill(filling: Filling): Promise<DatasetLoading> {
  const { doors, runId, begin, key, staging, ranges, signal } = filling;
  const refused = new Map<RecordProblem, number>();
  const onRefused = (problem: RecordProblem): void => {
    refused.set(problem, (refused.get(problem) ?? 0) + 1);
    doors.metrics.refused.inc({ topic: 'bulk', problem });
    doors.refusals.add({ topic: 'bulk', problem });
  };
  const { environment } = doors.enrolment;
  const loading = new DatasetLoading({ begin, environment, runId, publicKey: doors.serviceKey, key, staging, ranges, onRefused });
  const from = await loading.resume();
  const reader = await doors.broker.reader({ topic: begin.topic, from, signal, maxBytes: FETCH_BYTES, waitMs: 100 });
  const progress = new Progress(filling, loading, reader, refused);
  try {
    if (loading.progress.rangesLoaded > 0) loading.expect(await reader.askEnds());
    await progress.tell();
    await readAll(filling, loading, reader, progress);
    await progress.tell();
    return loading;
  } catch (error) {
    await loading.stop(toError('STAGING_CLOSED'));
    throw error;
  } finally {
    await reader.close();
  }
}

/**
 * A range needs a session of the target until it is loaded, and the next record in its partition may be of another one. Live, no more than
 * `streams` ranges are under way in all; of a topic that has gone on without this agent each partition may be in the middle of as many. So no more
 * partitions than that are read at a time, or each would wait for a session that another one's range has.
 */
export function toLanes({ streams, partitions }: Pick<BeginBody, 'streams' | 'partitions'>): number {
  return Math.min(streams, partitions);
}

async function readAll(
  { begin, isComplete, signal }: Filling,
  loading: DatasetLoading,
  reader: TopicReader,
  progress: Progress,
): Promise<void> {
  let quietSince = performance.now();
  const lanes = toLanes(begin);
  /** By partition, those first that have waited longest. */
  const waiting = new Map<number, BulkRead[]>();
  const mayRead = (partition: number): boolean => {
    const { reading } = loading;
    return reading.has(partition) || reading.size < lanes;
  };
  while (!loading.isDone) {
    signal.throwIfAborted();
    const records = await reader.read(new Set(waiting.keys()));
    for (const [partition, part] of byPartition(records.map(toRead)))
      if (!waiting.has(partition) && mayRead(partition)) await takeAll(loading, part);
      else waiting.set(partition, [...(waiting.get(partition) ?? []), ...part]);
    for (const [partition, part] of waiting)
      if (mayRead(partition)) {
        waiting.delete(partition);
        await takeAll(loading, part);
      }
    await loading.settle();
    void progress.tellSometimes();
    if (records.length > 0) quietSince = performance.now();
    else if (
      isComplete() &&
      waiting.size === 0 &&
      performance.now() - quietSince > PATIENCE_MS &&
      isAtEnd(await reader.askEnds(), reader.positions)
    ) {
      const { rangesLoaded } = loading.progress;
      const where = {
        stage: 'deliver',
        object: begin.topic,
        amount: String(loading.total - rangesLoaded),
        expected: String(loading.total),
      };
      throw toError('AGENT_RECORDS_MISSING', where);
    }
  }
}

function byPartition(records: readonly BulkRead[]): ReadonlyMap<number, BulkRead[]> {
  const parts = new Map<number, BulkRead[]>();
  for (const record of records) {
    const part = parts.get(record.partition);
    if (part) part.push(record);
    else parts.set(record.partition, [record]);
  }
  return parts;
}

/** Some are looked at while others are taken, in their order. */
async function takeAll(loading: DatasetLoading, records: readonly BulkRead[]): Promise<void> {
  const looking: ReturnType<DatasetLoading['look']>[] = [];
  for (const [at, record] of records.entries()) {
    for (let next = at + looking.length; looking.length < WIDTH && next < records.length; next++) {
      const one = loading.look(records[next]!);
      one.catch(() => undefined);
      looking.push(one);
    }
    await loading.take(record, await looking.shift());
  }
}

const toRead = ({ partition, offset, headers, value }: Awaited<ReturnType<TopicReader['read']>>[number]): BulkRead => ({
  ...{ partition, offset, value },
  headers: Object.fromEntries(headers),
});

const isAtEnd = (ends: Positions, positions: Positions): boolean =>
  [...ends].every(([partition, end]) => (positions.get(partition) ?? 0n) >= end);

class Progress {
  private readonly startedAt = performance.now();
  private readonly before: { readonly rows: number; readonly bytes: number; readonly rangesLoaded: number };
  private told = { rows: 0, bytes: 0 };
  private toldAt = 0;

  constructor(
    private readonly filling: Filling,
    private readonly loading: DatasetLoading,
    private readonly reader: TopicReader,
    private readonly refused: ReadonlyMap<RecordProblem, number>,
  ) {
    this.before = loading.progress;
    this.told = { rows: this.before.rows, bytes: this.before.bytes };
  }

  async tellSometimes(): Promise<void> {
    if (performance.now() - this.toldAt >= PROGRESS_MS) await this.tell().catch(() => undefined);
  }

  async tell(): Promise<void> {
    this.toldAt = performance.now();
    const { metrics, receipts } = this.filling.doors;
    const { rows, bytes, rangesLoaded } = this.loading.progress;
    metrics.rows.inc(rows - this.told.rows);
    metrics.bytes.inc(bytes - this.told.bytes);
    this.told = { rows, bytes };
    const seconds = Math.max(0.001, (performance.now() - this.startedAt) / 1000);
    const done = rangesLoaded - this.before.rangesLoaded;
    const secondsLeft = done === 0 ? null : Math.ceil((seconds / done) * (this.loading.total - rangesLoaded));
    const lag = this.lag();
    const bytesPerSecond = Math.round((bytes - this.before.bytes) / seconds);
    metrics.lag.set(lag);
    metrics.rate.set(bytesPerSecond);
    metrics.secondsLeft.set(secondsLeft ?? -1);
    const refused = [...this.refused].map(([problem, amount]) => ({ problem, amount }));
    const body = { rows, bytes, lag, rangesLoaded, ranges: this.loading.total, bytesPerSecond, secondsLeft, refused };
    await receipts.send('loading', this.filling, body).catch((error: unknown) => this.warn(error));
  }

  private lag(): number {
    const { positions, ends } = this.reader;
    let lag = 0n;
    for (const [partition, end] of ends) lag += end - (positions.get(partition) ?? 0n);
    return Number(lag);
  }

  /** That progress is not heard of stops nothing. */
  private warn(error: unknown): void {
    this.filling.doors.say(`progress was not told: ${(error as BautaError).code}`);
  }
}
