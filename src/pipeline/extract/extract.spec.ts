import { expect, it } from '@jest/globals';

import { toError } from '../../kernel/errors.js';
import type { Batch } from '../batch.js';
import type { Range, Snapshot, SourceUsage } from '../ports.js';
import { extractAll } from '../../../test/support/extract-all.js';

const ranges: Range[] = [
  { table: 1, range: 0, pages: [0, 4] },
  { table: 1, range: 1, pages: [4, 8] },
  { table: 0, range: 0 },
  { table: 2, range: 0 },
];

/** A snapshot in memory: three batches a range; `close` and `exceed` work as the port says. */
class MemorySnapshot implements Snapshot {
  readonly held = { moment: 'memory', id: 'memory', backend: '1/1', openedAtMs: 0 };
  readonly opened: Range[] = [];
  closed = 0;
  exceed!: (cause: unknown) => void;
  readonly exceeded = new Promise<never>((_, reject) => (this.exceed = reject));

  ranges(): readonly Range[] {
    return ranges;
  }

  sequences(): Promise<[]> {
    return Promise.resolve([]);
  }

  async *read(range: Range): AsyncGenerator<Batch> {
    this.opened.push(range);
    for (let sequence = 0; sequence < 3; sequence++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (this.closed > 0) throw toError('EXTRACT_CLOSED', { stage: 'extract' });
      yield { table: range.table, range: range.range, sequence, bytes: new Uint8Array([10]) };
    }
  }

  usage(): SourceUsage {
    return { snapshotAgeMs: 1, rows: 12, bytes: 12, longestBlockedMs: 0, replicationLagBytes: null };
  }

  close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

it.each([1, 2, 9])('reads every range once, in order, at most %i at a time', async (concurrency) => {
  const snapshot = new MemorySnapshot();
  let active = 0;
  let most = 0;
  const seen: string[] = [];
  const usage = await extractAll(snapshot, concurrency, async (range, batches) => {
    most = Math.max(most, ++active);
    for await (const { sequence } of batches) seen.push(`${range.table}/${range.range}/${sequence}`);
    active -= 1;
  });
  expect(most).toBe(Math.min(concurrency, 4));
  expect(snapshot.opened).toEqual(ranges);
  expect(new Set(seen).size).toBe(12);
  expect(usage.rows).toBe(12);
  expect(snapshot.closed).toBe(0);
});

it('stops at the first failure of a consumer, closes the snapshot once, and waits for the others', async () => {
  const snapshot = new MemorySnapshot();
  let active = 0;
  const reading = extractAll(snapshot, 2, async (range, batches) => {
    active += 1;
    try {
      for await (const { sequence } of batches) if (range.range === 1 && sequence === 1) throw toError('EXTRACT_LINE_CUT');
    } finally {
      active -= 1;
    }
  });
  await expect(reading).rejects.toMatchObject({ code: 'EXTRACT_LINE_CUT' });
  expect(active).toBe(0);
  expect(snapshot.closed).toBe(1);
  expect(snapshot.opened.length).toBe(2);
});

it('says that a budget was exceeded, not that the stream was closed because of it', async () => {
  const snapshot = new MemorySnapshot();
  const reading = extractAll(snapshot, 2, async (_, batches) => {
    for await (const { sequence } of batches) if (sequence === 1) snapshot.exceed(toError('SOURCE_BUDGET_EXCEEDED', { name: 'blockedMs' }));
  });
  await expect(reading).rejects.toMatchObject({ code: 'SOURCE_BUDGET_EXCEEDED', where: { name: 'blockedMs' } });
  expect(snapshot.closed).toBe(1);
});

it('is over when it is over: a budget that is exceeded later ends nothing', async () => {
  const snapshot = new MemorySnapshot();
  await extractAll(snapshot, 2, async (_, batches) => {
    for await (const batch of batches) expect(batch.bytes.length).toBe(1);
  });
  snapshot.exceed(toError('SOURCE_BUDGET_EXCEEDED'));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(snapshot.closed).toBe(0);
});
