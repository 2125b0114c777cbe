// Extract, mask and deliver, overlapped: every range is a stream of batches, masked several at a time, in order, into staging.
import type { Journal } from './audit/audit.js';
import type { Batch, Masked } from './batch.js';
import { deliver, sumReceipts } from './deliver/deliver.js';
import { extract } from './extract/extract.js';
import type { Plan, TablePlan } from './plan.js';
import type { MaskExecutor, Receipt, Snapshot, Staging } from './ports.js';
import type { Doors, Hooks } from './run.js';

interface Moving {
  readonly table: TablePlan;
  readonly receipts: Receipt[];
  /** Ranges that are not yet in staging. */
  left: number;
  startedAt: number;
}

/** Moves every row of the plan. Resolves with one receipt per table, tables without rows included; the first failure stops all streams. */
export async function move(
  doors: Doors,
  plan: Plan,
  hooks: Hooks,
  journal: Journal,
  snapshot: Snapshot,
  staging: Staging,
): Promise<readonly Receipt[]> {
  const executor = await doors.executor(plan);
  const tables: Moving[] = plan.tables.map((table) => ({ table, receipts: [], left: 0, startedAt: 0 }));
  const streamsInto = new Map<string, number>();
  const left = new Map<string, number>();
  for (const { table } of snapshot.ranges()) {
    const moving = tables[table]!;
    moving.left += 1;
    const place = toPlace(moving.table);
    streamsInto.set(place, (streamsInto.get(place) ?? 0) + 1);
    left.set(place, streamsInto.get(place)!);
  }
  try {
    await extract(snapshot, doors.streams, async (range, batches) => {
      const moving = tables[range.table]!;
      moving.startedAt ||= doors.clock.now();
      const place = toPlace(moving.table);
      const alone = streamsInto.get(place) === 1;
      moving.receipts.push(await deliver(staging, moving.table, tell(masked(executor, batches), moving.table, hooks), alone));
      left.set(place, left.get(place)! - 1);
      if (left.get(place) === 0) staging.loaded(moving.table.loadInto);
      moving.left -= 1;
      if (moving.left === 0)
        await journal.append('deliver', 'table.loaded', { ...toReceipt(moving), seconds: (doors.clock.now() - moving.startedAt) / 1000 });
    });
  } finally {
    await executor.close();
  }
  return tables.map(toReceipt);
}

/** Up to `width` batches are masked at once; they come out in the order in which they went in. */
async function* masked(executor: MaskExecutor, batches: AsyncIterable<Batch>): AsyncGenerator<Masked, void, undefined> {
  const under: Promise<Masked>[] = [];
  try {
    for await (const batch of batches) {
      const promise = executor.mask(batch).finally(batch.release);
      // Whoever waits for an earlier one hears of this failure in its turn.
      promise.catch(() => undefined);
      under.push(promise);
      if (under.length >= executor.width) yield await (under.shift() as Promise<Masked>);
    }
    while (under.length > 0) yield await (under.shift() as Promise<Masked>);
  } finally {
    await Promise.allSettled(under);
  }
}

async function* tell(batches: AsyncIterable<Masked>, table: TablePlan, hooks: Hooks): AsyncGenerator<Masked, void, undefined> {
  for await (const batch of batches) {
    // Whoever takes the batch may give its memory back.
    const bytes = batch.bytes.length;
    yield batch;
    hooks.moved?.(`${table.schema}.${table.name}`, batch.rows, bytes);
  }
}

function toPlace({ loadInto }: TablePlan): string {
  return JSON.stringify([loadInto.schema, loadInto.name]);
}

function toReceipt({ table, receipts }: Moving): Receipt {
  const none: Receipt = { schema: table.schema, table: table.name, rows: 0, bytes: 0, digest: '0'.repeat(32) };
  return receipts.length === 0 ? none : sumReceipts(receipts);
}
