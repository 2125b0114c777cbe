// What becomes of rows topics besides writing them: emptied of a run that ended badly, of the version before, and at the end of a version.
import type { Broker } from '../broker.js';
import type { OutRecord, Producer, Transaction } from '../producer.js';
import type { Positions } from '../reader.js';
import { toPlaces } from '../wire/rows-body.js';
import { removeTopic } from './bulk-outlet.js';
import type { Say } from './outlet.js';

/** Of one request. */
const mostBytes = 768 * 1024;

/**
 * The committed records of a topic before these positions, each once, in order of each partition. A log ends where its last stable record is: what
 * comes after is not waited for.
 */
async function* readCommitted(broker: Broker, topic: string, before: Positions): AsyncGenerator<readonly OutRecord[], void, undefined> {
  const admin = await broker.admin();
  const there = await admin.offsets(topic).finally(() => admin.close());
  const left = new Set(there.filter(({ partition, first }) => first < (before.get(partition) ?? 0n)).map(({ partition }) => partition));
  if (left.size === 0) return;
  const reader = await broker.reader({ topic, partitions: [...left], waitMs: 100 });
  try {
    while ([...left].some((partition) => (reader.positions.get(partition) ?? 0n) < (before.get(partition) ?? 0n))) {
      const records = await reader.read();
      const mine = records.filter(({ partition, offset }) => offset < (before.get(partition) ?? 0n));
      if (mine.length > 0) yield mine.map(({ key, value, partition }) => ({ key, value, partition }));
    }
  } finally {
    await reader.close();
  }
}

/**
 * A log is cut at its front only. So the committed records that stand before the aborted ones are written once more behind them, and everything in
 * front of them is deleted: readers keep the version that they had, and nobody gets the other one. That the run is withdrawn is told in the same
 * transaction, with where to cut: who was put out of his place meanwhile deletes nothing, and who dies before he has deleted leaves it to the next start.
 */
export async function cutRows(broker: Broker, producer: Producer, topics: ReadonlyMap<string, Positions>, say: Say): Promise<void> {
  const admin = await broker.admin();
  try {
    const cut = await broker.ends([...topics.keys()]);
    const transaction = await producer.begin();
    try {
      for (const [topic, before] of topics) await copy(transaction, topic, readCommitted(broker, topic, before));
      await transaction.send(say.sign({ cut: toPlaces(cut) }));
      await transaction.commit();
    } catch (error) {
      if (transaction.isOpen) await transaction.abort().catch(() => undefined);
      throw error;
    }
    for (const [topic, ends] of cut) await admin.deleteRecords(topic, ends);
  } finally {
    await admin.close();
  }
}

/** Deletes what stands before these places and is still there. Names of topics of which something was. */
export async function deleteBefore(broker: Broker, places: ReadonlyMap<string, Positions>): Promise<readonly string[]> {
  if (places.size === 0) return [];
  const left = await findBefore(broker, places);
  if (left.size === 0) return [];
  const admin = await broker.admin();
  try {
    for (const [topic, before] of left) await admin.deleteRecords(topic, before);
  } finally {
    await admin.close();
  }
  return [...left.keys()];
}

/** Of topics that begin before these places, where what stands before them ends. */
async function findBefore(broker: Broker, places: ReadonlyMap<string, Positions>): Promise<ReadonlyMap<string, Positions>> {
  const admin = await broker.admin();
  try {
    const there = new Set(await admin.list());
    const left = new Map<string, Positions>();
    for (const [topic, before] of places) {
      if (!there.has(topic)) continue;
      const found = (await admin.offsets(topic)).flatMap(({ partition, first, next }): [number, bigint][] => {
        const place = before.get(partition) ?? 0n;
        return first < place ? [[partition, place < next ? place : next]] : [];
      });
      if (found.length > 0) left.set(topic, new Map(found));
    }
    return left;
  } finally {
    await admin.close();
  }
}

/**
 * A broker keeps where a log begins in a file that it writes once a minute: one that dies without another replica may have forgotten it when it is back,
 * and rows that were deleted are there again. Where a topic begins before the versions that are kept do, what is nobody's is deleted once more; keys
 * without a value stay for the sinks. `starts`: of the first version that is kept. Names of topics of which something was.
 */
export async function deleteReturned(
  broker: Broker,
  starts: ReadonlyMap<string, Positions>,
  keptRuns: ReadonlyMap<string, readonly string[]>,
): Promise<readonly string[]> {
  if (starts.size === 0) return [];
  const deleted: string[] = [];
  for (const topic of (await findBefore(broker, starts)).keys())
    deleted.push(...(await deleteBefore(broker, new Map([[topic, await findFront(broker, topic, isOfNone(keptRuns.get(topic) ?? []))]]))));
  return deleted;
}

const isOfNone =
  (runs: readonly string[]) =>
  (value: Buffer | null): boolean =>
    value !== null && !runs.some((run) => value.includes(run));

/** A record without a value for each key of a topic, for sinks that delete by it; what stood before them is deleted. Returns how many. */
export async function endRows(broker: Broker, producer: Producer, topic: string): Promise<number> {
  const admin = await broker.admin();
  try {
    if (!(await admin.list(topic)).includes(topic)) return 0;
    const ends = (await broker.ends([topic])).get(topic) ?? new Map<number, bigint>();
    const transaction = await producer.begin();
    let [count, values] = [0, 0];
    try {
      for await (const records of readCommitted(broker, topic, ends)) {
        const rows = records.filter(({ value }) => value !== null);
        const keys = rows.filter(({ key }) => key !== null).map((record) => ({ ...record, value: null }));
        for (const batch of cut(keys)) await transaction.send({ topic, records: batch });
        count += keys.length;
        values += rows.length;
      }
      await (count > 0 ? transaction.commit() : transaction.abort());
    } catch (error) {
      if (transaction.isOpen) await transaction.abort().catch(() => undefined);
      throw error;
    }
    // Ended before: those who delete by the keys that stand there may not have read them yet.
    if (values > 0) await admin.deleteRecords(topic, ends);
    return count;
  } finally {
    await admin.close();
  }
}

/**
 * Deletes the records of one run that stand before those of the runs that are kept, and with them what came back of runs before it. Where none is kept,
 * only what stands at the front and is its own.
 */
export async function deleteOfRun(broker: Broker, topic: string, runId: string, kept: readonly string[]): Promise<void> {
  const passes = kept.length > 0 ? isOfNone(kept) : (value: Buffer | null): boolean => value?.includes(runId) === true;
  await deleteBefore(broker, new Map([[topic, await findFront(broker, topic, passes)]]));
}

/** Whether a row of that run, committed or not, stands anywhere in the topic: all of it is looked at. */
export async function hasRowsOf(broker: Broker, topic: string, runId: string): Promise<boolean> {
  let found = false;
  await findFront(broker, topic, (value) => {
    found ||= value?.includes(runId) === true;
    return !found;
  });
  return found;
}

/** Of each partition the first record that is not passed over; its end where all are. */
async function findFront(broker: Broker, topic: string, passes: (value: Buffer | null) => boolean): Promise<Positions> {
  const admin = await broker.admin();
  const there = await admin
    .list(topic)
    .then(async (topics) => (topics.includes(topic) ? admin.offsets(topic) : []))
    .finally(() => admin.close());
  const left = new Map(there.filter(({ first, next }) => first < next).map(({ partition, next }) => [partition, next]));
  const front = new Map<number, bigint>();
  if (left.size === 0) return front;
  const reader = await broker.reader({ topic, partitions: [...left.keys()], readUncommitted: true, waitMs: 100 });
  try {
    while ([...left].some(([partition, next]) => !front.has(partition) && (reader.positions.get(partition) ?? 0n) < next)) {
      for (const { partition, offset, value } of await reader.read())
        if (!front.has(partition) && !passes(value)) front.set(partition, offset);
    }
  } finally {
    await reader.close();
  }
  return new Map([...left].map(([partition, next]) => [partition, front.get(partition) ?? next]));
}

/** Those for whom the rows are may read these topics. Throws BROKER_AUTHORIZER_MISSING. */
export async function grantReaders(broker: Broker, readers: readonly string[], topics: readonly string[]): Promise<void> {
  const admin = await broker.admin();
  try {
    await admin.grant(...topics.flatMap((topic) => readers.map((principal) => ({ principal, operation: 'read' as const, on: { topic } }))));
  } finally {
    await admin.close();
  }
}

/** With who may read it. */
export async function removeVersionTopic(broker: Broker, topic: string): Promise<void> {
  const admin = await broker.admin();
  try {
    const grants = await admin.grants({ topic });
    if (grants.length > 0) await admin.revoke(...grants);
    await removeTopic(admin, topic);
  } finally {
    await admin.close();
  }
}

async function copy(transaction: Transaction, topic: string, pages: AsyncIterable<readonly OutRecord[]>): Promise<void> {
  for await (const page of pages) for (const records of cut(page)) await transaction.send({ topic, records });
}

function* cut(records: readonly OutRecord[]): Generator<readonly OutRecord[], void, undefined> {
  let from = 0;
  let size = 0;
  for (let n = 0; n < records.length; n++) {
    size += (records[n]?.key?.length ?? 0) + (records[n]?.value?.length ?? 0);
    if (size < mostBytes) continue;
    yield records.slice(from, n + 1);
    from = n + 1;
    size = 0;
  }
  if (from < records.length) yield records.slice(from);
}
