// A worker: takes runs from the queue, says that it is there, ends a run that was cancelled, and takes over from who is there no more.
import { randomUUID } from 'node:crypto';

import { type Settings } from '../../config/settings.js';
import { toError } from '../../kernel/errors.js';
import type { Metadata, RunRow } from '../../systems/metadata/metadata.js';
import { openPool } from '../../systems/postgres/postgres.js';
import { type Queue, startQueue } from '../../systems/queue/queue.js';
import { type Execution, executeRun } from './execute-run.js';
import { type JobPayload, PROVISION, enqueue } from './request-run.js';
import type { RunObserver } from './run-observer.js';
import type { RunComposer } from './run-composer.js';

const WATCH_MS = 500;

export interface RunWorkerOptions {
  readonly metadata: Metadata;
  /** Of the service role, for the queue. */
  readonly url: string;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly composer: RunComposer;
  /** Told what this process sees of its runs. */
  readonly metrics: RunObserver;
  /** Told of what goes wrong outside of a run. */
  readonly failed: (error: unknown) => void;
}

interface Held {
  readonly run: RunRow;
  readonly stop: AbortController;
  readonly movedRows: () => number;
}

export class RunWorker {
  readonly id = randomUUID();
  private readonly held = new Map<string, Held>();
  /** From before a run is claimed until after its end is recorded. */
  private readonly working = new Set<string>();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly busy = new Set<Promise<void>>();
  private queue: Queue | undefined;
  private pool: ReturnType<typeof openPool> | undefined;
  private lastBeatMs = 0;
  private stopped = false;

  private constructor(private readonly options: RunWorkerOptions) {}

  static async start(options: RunWorkerOptions): Promise<RunWorker> {
    const worker = new RunWorker(options);
    const { metadata, url, settings } = options;
    await metadata.query('INSERT INTO bauta.worker (id) VALUES ($1)', [worker.id]);
    worker.lastBeatMs = performance.now();
    worker.every(settings.BAUTA_HEARTBEAT_MS, () => worker.beat());
    worker.every(WATCH_MS, () => worker.watch());
    worker.pool = openPool(url, settings.BAUTA_RUNS + 3);
    worker.queue = await startQueue({
      pool: worker.pool,
      concurrency: settings.BAUTA_RUNS,
      tasks: { [PROVISION]: (payload) => worker.work(payload) },
    });
    return worker;
  }

  /** Runs that are under way go back to the queue, with nothing left of them on the target. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const { stop } of this.held.values()) stop.abort(toError('RUN_HANDED_BACK'));
    await this.queue?.stop();
    await this.pool?.end();
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.busy);
    await this.options.metadata.query('DELETE FROM bauta.worker WHERE id = $1', [this.id]);
  }

  private async work(payload: unknown): Promise<void> {
    const { metadata, composer, settings, environment, metrics } = this.options;
    const claimed: Execution['claimed'] = (run, stop, movedRows) => {
      this.held.set(run.id, { run, stop, movedRows });
      if (this.stopped) stop.abort(toError('RUN_HANDED_BACK'));
      return () => void this.held.delete(run.id);
    };
    const { run } = payload as JobPayload;
    this.working.add(run);
    try {
      await executeRun({ ...{ metadata, composer, settings, environment, metrics, claimed }, workerId: this.id }, payload as JobPayload);
    } catch (error) {
      // The run could not even be recorded: it is found abandoned once the database is there again.
      this.options.failed(error);
    } finally {
      this.working.delete(run);
    }
  }

  private async beat(): Promise<void> {
    const { metadata, settings } = this.options;
    const silentMs = 2 * settings.BAUTA_HEARTBEAT_MS;
    // Silent for as long as it takes others to give us up: they may have.
    if (performance.now() - this.lastBeatMs > silentMs) for (const { stop } of this.held.values()) stop.abort(toError('RUN_TAKEN_OVER'));
    await metadata.query('INSERT INTO bauta.worker (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp()', [
      this.id,
    ]);
    this.lastBeatMs = performance.now();
    const abandoned = await metadata.query<{ workspace_id: string; id: string; worker_id: string }>(
      'SELECT workspace_id, id, worker_id FROM bauta.find_abandoned($1, $2, $3)',
      [silentMs, this.id, [...this.working]],
    );
    for (const { workspace_id, id, worker_id } of abandoned) await this.requeue(workspace_id, id, worker_id);
  }

  /** Whoever is first makes it a new attempt; the others find that it is. */
  private async requeue(workspaceId: string, id: string, workerId: string): Promise<void> {
    await this.options.metadata.within(workspaceId, async (transaction) => {
      const run = await transaction.runs.lock(id);
      if (run.workerId !== workerId) return;
      const { attempt } = await transaction.runs.transition(id, { to: 'queued' });
      await enqueue(transaction, id, attempt);
    });
  }

  /** Tells how far the runs are, and hears whether they shall end. */
  private async watch(): Promise<void> {
    for (const { run, stop, movedRows } of this.held.values()) {
      const now = await this.options.metadata.within(run.workspaceId, async ({ runs }) => {
        const found = await runs.find(run.id);
        if (found?.workerId === this.id && found.attempt === run.attempt && Number(found.movedRows) !== movedRows())
          await runs.setMovedRows(run.id, movedRows());
        return found;
      });
      if (now?.workerId !== this.id || now.attempt !== run.attempt) stop.abort(toError('RUN_TAKEN_OVER', { run: run.id }));
      else if (now.cancelRequestedAt && now.state !== 'publishing') stop.abort(toError('RUN_CANCELLED'));
    }
  }

  private every(ms: number, work: () => Promise<void>): void {
    let running = false;
    this.timers.push(
      setInterval(() => {
        if (running) return;
        running = true;
        const done = work()
          .catch(this.options.failed)
          .finally(() => {
            running = false;
            this.busy.delete(done);
          });
        this.busy.add(done);
      }, ms),
    );
  }
}
