// Extract, mask and deliver, overlapped: every range is a stream of batches, masked several at a time, in order, into staging.
import { toError } from '../kernel/errors.js';
import type { Journal } from './audit/audit.js';
import type { Batch, Masked } from './batch.js';
import { deliver, sumReceipts } from './deliver/deliver.js';
import { type Extraction, extract } from './extract/extract.js';
import type { Plan, TablePlan } from './plan.js';
import type { MaskExecutor, Ranges, Receipt, Snapshot, Staging } from './ports.js';
import type { Doors, Hooks } from './run.js';

/** How often it is asked what others loaded. */
const LOOK_MS = 1000;

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
  ranges: Ranges,
): Promise<readonly Receipt[]> {
  const executor = await doors.executor(plan);
  const progress = new Progress(doors, plan, hooks, journal, staging, ranges);
  let looking: NodeJS.Timeout | undefined;
  try {
    if (ranges.shared) {
      await progress.look();
      looking = setInterval(() => void progress.look().catch(() => undefined), LOOK_MS);
    }
    await extract(snapshot, ranges, {
      concurrency: doors.streams,
      patient: true,
      consume: toConsume(plan, ranges, executor, staging.nonce, {
        begun: (at) => progress.begin(at),
        tell: (batches, table) => tell(batches, table, hooks),
      }),
      loaded: (at, receipt) => progress.end(at, receipt),
    });
    await progress.look();
  } finally {
    clearInterval(looking);
    await executor.close();
  }
  return progress.receipts();
}

/** Loads what nobody else loads of a run that somebody else leads. Resolves with the number of ranges. */
export async function moveAlong(
  doors: Pick<Doors, 'executor' | 'streams'>,
  plan: Plan,
  snapshot: Snapshot,
  nonce: Uint8Array,
  ranges: Ranges,
): Promise<number> {
  const executor = await doors.executor(plan);
  let count = 0;
  try {
    const consume = toConsume(plan, ranges, executor, nonce);
    await extract(snapshot, ranges, { concurrency: doors.streams, consume, loaded: () => Promise.resolve(void (count += 1)) });
    return count;
  } finally {
    await executor.close();
  }
}

interface Telling {
  readonly begun: (at: number) => void;
  readonly tell: (batches: AsyncIterable<Masked>, table: TablePlan) => AsyncIterable<Masked>;
}

/** Masks and delivers a range. */
function toConsume(plan: Plan, ranges: Ranges, executor: MaskExecutor, nonce: Uint8Array, telling?: Telling): Extraction['consume'] {
  const streamsInto = new Map<string, number>();
  for (const { table } of ranges.all) {
    const place = toPlace(plan.tables[table]!);
    streamsInto.set(place, (streamsInto.get(place) ?? 0) + 1);
  }
  return (at, batches, into) => {
    telling?.begun(at);
    const table = plan.tables[ranges.all[at]!.table]!;
    const stream = masked(executor, batches);
    return deliver({ load: into, nonce }, table, telling?.tell(stream, table) ?? stream, streamsInto.get(toPlace(table)) === 1);
  };
}

/** What is in staging, whoever loaded it: each range once. */
class Progress {
  private readonly tables: readonly Moving[];
  private readonly left = new Map<string, number>();
  private readonly pending: Set<number>;
  private readonly own = new Set<number>();

  constructor(
    private readonly doors: Pick<Doors, 'clock'>,
    plan: Plan,
    private readonly hooks: Hooks,
    private readonly journal: Journal,
    private readonly staging: Staging,
    private readonly ranges: Ranges,
  ) {
    this.tables = plan.tables.map((table) => ({ table, receipts: [], left: 0, startedAt: 0 }));
    this.pending = new Set(ranges.all.keys());
    for (const at of this.pending) {
      const moving = this.of(at);
      moving.left += 1;
      const place = toPlace(moving.table);
      this.left.set(place, (this.left.get(place) ?? 0) + 1);
    }
  }

  begin(at: number): void {
    this.own.add(at);
    this.of(at).startedAt ||= this.doors.clock.now();
  }

  async end(at: number, receipt: Receipt): Promise<void> {
    if (!this.pending.delete(at)) return;
    const moving = this.of(at);
    moving.receipts.push(receipt);
    moving.left -= 1;
    const place = toPlace(moving.table);
    this.left.set(place, this.left.get(place)! - 1);
    if (this.left.get(place) === 0) this.staging.loaded(moving.table.loadInto);
    if (moving.left > 0) return;
    const seconds = moving.startedAt === 0 ? 0 : (this.doors.clock.now() - moving.startedAt) / 1000;
    await this.journal.append('deliver', 'table.loaded', { ...toReceipt(moving), seconds });
  }

  /** What was loaded before this attempt, and by those who work beside it. */
  async look(): Promise<void> {
    const among = [...this.pending].filter((at) => !this.own.has(at));
    this.hooks.ranges?.(among.length);
    if (among.length === 0) return;
    for (const { at, receipt } of await this.ranges.findLoaded(among)) {
      // Seen by another look, meanwhile.
      if (!this.pending.has(at)) continue;
      const { schema, name } = this.of(at).table;
      this.hooks.moved?.(`${schema}.${name}`, receipt.rows, receipt.bytes);
      await this.end(at, receipt);
    }
  }

  /** Throws RECEIPT_MISSING where a range is taken for loaded and nobody has its receipt: what is not counted would not be missed. */
  receipts(): readonly Receipt[] {
    const [missing] = this.pending;
    if (missing !== undefined) {
      const { schema, name: table } = this.of(missing).table;
      throw toError('RECEIPT_MISSING', { stage: 'deliver', schema, table });
    }
    return this.tables.map(toReceipt);
  }

  private of(at: number): Moving {
    return this.tables[this.ranges.all[at]!.table]!;
  }
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
