// What becomes of rows topics besides writing them: emptied of a run that ended badly, of the version before, and at the end of a version.
import type { Broker } from '../broker.js';
import type { OutRecord, Transaction } from '../producer.js';
import type { Positions } from '../reader.js';
import type { BrokerAdmin } from '../topics.js';

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
 * A log is cut at its front only. So the committed records that stand before the aborted ones are written once more behind them, committed, and
 * everything in front of them is deleted: readers keep the version that they had, and nobody gets the other one.
 */
export async function cutAborted(broker: Broker, transactionalId: string, topics: ReadonlyMap<string, Positions>): Promise<void> {
  const admin = await broker.admin();
  const producer = await broker.producer({ transactionalId });
  try {
    for (const [topic, before] of topics) {
      const ends = toEnds(await admin.offsets(topic));
      const transaction = await producer.begin();
      const written = await copy(transaction, topic, readCommitted(broker, topic, before));
      if (written) await transaction.commit();
      else await transaction.abort();
      await admin.deleteRecords(topic, ends);
    }
  } finally {
    await producer.close();
    await admin.close();
  }
}

/** A record without a value for each key of a topic, for sinks that delete by it; what stood before them is deleted. Returns how many. */
export async function endRows(broker: Broker, transactionalId: string, topic: string): Promise<number> {
  const admin = await broker.admin();
  const producer = await broker.producer({ transactionalId });
  try {
    const transaction = await producer.begin();
    // After begin: it ended what another producer may have had open, so that reading does not wait for it.
    const ends = toEnds(await admin.offsets(topic));
    let count = 0;
    for await (const records of readCommitted(broker, topic, ends)) {
      const keys = records.filter(({ key, value }) => key !== null && value !== null).map((record) => ({ ...record, value: null }));
      for (const records of cut(keys)) await transaction.send({ topic, records });
      count += keys.length;
    }
    await (count > 0 ? transaction.commit() : transaction.abort());
    await admin.deleteRecords(topic, ends);
    return count;
  } finally {
    await producer.close();
    await admin.close();
  }
}

/** Where each partition of these topics ends now. */
export async function readEnds(admin: BrokerAdmin, topics: readonly string[]): Promise<ReadonlyMap<string, Positions>> {
  const ends = new Map<string, Positions>();
  for (const topic of topics) ends.set(topic, toEnds(await admin.offsets(topic)));
  return ends;
}

async function copy(transaction: Transaction, topic: string, pages: AsyncIterable<readonly OutRecord[]>): Promise<boolean> {
  let some = false;
  for await (const page of pages) {
    for (const records of cut(page)) await transaction.send({ topic, records });
    some ||= page.length > 0;
  }
  return some;
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

function toEnds(offsets: readonly { readonly partition: number; readonly next: bigint }[]): Positions {
  return new Map(offsets.map(({ partition, next }) => [partition, next]));
}
