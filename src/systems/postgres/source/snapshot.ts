// A snapshot that is held, watched and read: the holder's locks and rows for as long as it is open, not a session longer.
import type pg from 'pg';

import type { Clock } from '../../../kernel/clock.js';
import { toError } from '../../../kernel/errors.js';
import { BatchMemory } from '../../../pipeline/batch-memory.js';
import type { Batch } from '../../../pipeline/batch.js';
import type { Plan, TablePlan } from '../../../pipeline/plan.js';
import type { HeldSnapshot, Range, SequenceValue, Snapshot, SourceUsage } from '../../../pipeline/ports.js';
import type { ConnectionTarget } from '../connection.js';
import { copyOut } from '../copy-out.js';
import { toServerError } from '../server-error.js';
import type { CatalogueReader } from './catalogue-reader.js';
import { toSelect } from './copy-statement.js';
import type { Held } from './holder.js';
import { toRanges } from './ranges.js';
import { Readers } from './readers.js';
import { endSession, toBackendPid } from './session.js';
import type { SourceSettings } from './source-settings.js';
import { Throttle } from './throttle.js';
import { Watch } from './watch.js';

export interface SnapshotOptions {
  readonly target: ConnectionTarget;
  readonly settings: SourceSettings;
  readonly clock: Clock;
  readonly plan: Plan;
  readonly held: Held;
  readonly holder: pg.Client;
  readonly watcher: pg.Client;
  readonly readSequenceValues: CatalogueReader['readSequenceValues'];
}

export class PostgresSnapshot implements Snapshot {
  readonly held: HeldSnapshot;
  readonly #options: SnapshotOptions;
  readonly #ranges: readonly Range[];
  readonly #readers: Readers;
  readonly #watch: Watch;
  readonly #throttle: Throttle;
  readonly #memory = new BatchMemory();
  #rows = 0;
  #bytes = 0;
  #closing: Promise<void> | undefined;

  constructor(options: SnapshotOptions) {
    const { target, settings, clock, plan, held, holder, watcher } = options;
    this.held = held.exported;
    this.#options = options;
    this.#ranges = toRanges(plan.tables, held.sizes, settings);
    this.#throttle = new Throttle(settings.rowsPerSecond, clock);
    this.#readers = new Readers(target, settings, held.exported.id, (pids) => this.#watch.terminate(pids));
    this.#watch = new Watch({
      client: watcher,
      connection: target.name,
      settings,
      clock,
      startedAt: held.exported.openedAtMs,
      pids: () => [toBackendPid(holder), ...this.#readers.pids()],
    });
    this.#failWithout(holder);
    // The source gets its locks and its snapshot back now, not when the caller closes.
    this.#watch.exceeded.catch(() => this.close());
  }

  get exceeded(): Promise<never> {
    return this.#watch.exceeded;
  }

  ranges(): readonly Range[] {
    return this.#ranges;
  }

  async sequences(): Promise<readonly SequenceValue[]> {
    const { holder, held, target, readSequenceValues } = this.#options;
    return readSequenceValues(holder, held.catalogue, target.name);
  }

  usage(): SourceUsage {
    return { ...this.#watch.usage(), rows: this.#rows, bytes: this.#bytes };
  }

  async *read(range: Range): AsyncGenerator<Batch, void, undefined> {
    const { plan, held, target, settings } = this.#options;
    const table = plan.tables[range.table];
    if (!table) throw toError('SOURCE_REFERENCE_MISSING', { name: 'range', object: `table ${range.table}` });
    const select = toSelect(table, { findHop: held.findHop, pages: range.pages });
    const client = await this.#readers.acquire();
    let whole = false;
    try {
      const room = { batchBytes: settings.batchBytes, take: (size: number) => this.#memory.take(size) };
      let sequence = 0;
      for await (const { bytes, rows } of copyOut(client, `COPY (${select}) TO STDOUT`, room)) {
        await this.#throttle.take(rows);
        if (this.#watch.failure) throw this.#watch.failure;
        // What the socket still held when it was closed is no whole range.
        if (this.#closing) throw toError('EXTRACT_CLOSED', { connection: target.name, stage: 'extract' });
        this.#rows += rows;
        this.#bytes += bytes.length;
        yield { table: range.table, range: range.range, sequence, bytes, release: () => this.#memory.give(bytes) };
        sequence += 1;
      }
      whole = true;
    } catch (cause) {
      throw this.#watch.failure ?? this.#toReadError(cause, target.name, table);
    } finally {
      await this.#readers.release(client, whole);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #toReadError(cause: unknown, connection: string, { schema, name, rows }: TablePlan): Error {
    const where = { connection, stage: 'extract', schema, table: name };
    if (this.#closing) return toError('EXTRACT_CLOSED', where);
    const error = toServerError(cause, where);
    // A condition that fails on a row (class 22: a cast, a division), which the server could not know before.
    const { sqlState } = error.where;
    if (typeof rows === 'object' && sqlState?.startsWith('22')) return toError('SOURCE_ROWS_CONDITION_INVALID', { ...where, sqlState });
    return error;
  }

  /** Without the holder the tables are no longer locked, and what is read may be another column. */
  #failWithout(holder: pg.Client): void {
    let cause: unknown;
    holder.on('error', (error) => (cause ??= error));
    holder.once('end', () => {
      if (!this.#closing) this.#watch.fail(toServerError(cause, { connection: this.#options.target.name, stage: 'extract' }));
    });
  }

  async #close(): Promise<void> {
    this.#throttle.close();
    const cause = this.#watch.failure ?? toError('EXTRACT_CLOSED', { connection: this.#options.target.name, stage: 'extract' });
    await this.#readers.close(cause);
    await endSession(this.#options.holder);
    await this.#watch.stop();
  }
}
