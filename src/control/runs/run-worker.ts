// A worker: claims runs when the queue says that there are some, says that it is there, and ends a run that was cancelled or paused.
import { randomUUID } from 'node:crypto';

import { type Settings } from '../../config/settings.js';
import { toError } from '../../kernel/errors.js';
import type { Metadata, RunRow } from '../../systems/metadata/metadata.js';
import { openPool } from '../../systems/postgres/postgres.js';
import { type Queue, startQueue } from '../../systems/queue/queue.js';
import { type Execution, executeRun } from './execute-run.js';
import { LOOK, type LookPayload, lookAtSource } from './look-at-source.js';
import { EXPIRY, type ExpiryPayload, expireDatasets } from './expire-datasets.js';
import { DATA, type DataPayload, lookAtData } from './look-at-data.js';
import { DRIFT, type DriftPayload, lookForDrift } from './look-for-drift.js';
import { PROVISION, toWake } from './request-run.js';
import type { RunObserver } from './run-observer.js';
import type { RunComposer } from './run-composer.js';
import { shareRun } from './share-run.js';
import { tagClasses } from './tag-classes.js';
import { markLate, takeOver } from './take-over.js';

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

export class RunWorker {
  readonly id = randomUUID();
  private readonly pool: readonly string[];
  private readonly silentMs: number;
  private readonly held = new Map<string, Pick<Execution, 'run' | 'stop' | 'moved'>>();
  /** Of another worker's run, while this one has none. */
  private sharing: AbortController | undefined;
  /** From before a run is claimed until after its end is recorded. */
  private claiming = 0;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly busy = new Set<Promise<void>>();
  private queue: Queue | undefined;
  private sessions: ReturnType<typeof openPool> | undefined;
  private lastBeatMs = 0;
  private stopped = false;

  private constructor(private readonly options: RunWorkerOptions) {
    this.pool = options.settings.BAUTA_POOL_TAGS.split(',');
    // Looked for four times in each heartbeat: who falls silent is noticed within two.
    this.silentMs = 1.75 * options.settings.BAUTA_HEARTBEAT_MS;
  }

  static async start(options: RunWorkerOptions): Promise<RunWorker> {
    const worker = new RunWorker(options);
    const { url, settings } = options;
    await worker.beat();
    worker.every(settings.BAUTA_HEARTBEAT_MS / 2, () => worker.beat());
    worker.every(settings.BAUTA_HEARTBEAT_MS / 4, () => worker.look());
    worker.every(WATCH_MS, () => worker.watch());
    worker.sessions = openPool(url, settings.BAUTA_RUNS + 3);
    const forbidden = tagClasses.filter((tagClass) => !worker.pool.includes(tagClass));
    const tasks = {
      [PROVISION]: () => worker.work(),
      [LOOK]: (payload: unknown) => lookAtSource(options, payload as LookPayload).catch(options.failed),
      [DATA]: (payload: unknown) => lookAtData(options, payload as DataPayload).catch(options.failed),
      [EXPIRY]: (payload: unknown) => expireDatasets(options, payload as ExpiryPayload).catch(options.failed),
      [DRIFT]: (payload: unknown) => lookForDrift(options, payload as DriftPayload).catch(options.failed),
    };
    worker.queue = await startQueue({ pool: worker.sessions, concurrency: settings.BAUTA_RUNS, tasks, forbidden });
    await worker.beat();
    return worker;
  }

  /** Runs that are under way go back to the queue, with nothing left of them on the target. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const { stop } of this.held.values()) stop.abort(toError('RUN_HANDED_BACK'));
    this.sharing?.abort(toError('RUN_HANDED_BACK'));
    await this.queue?.stop();
    await this.sessions?.end();
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.busy);
    await this.options.metadata.query('DELETE FROM bauta.worker WHERE id = $1', [this.id]);
  }

  /** One run after the other, for as long as there is one that this worker may do. */
  private async work(): Promise<void> {
    const { metadata, settings } = this.options;
    this.claiming += 1;
    try {
      while (!this.stopped) {
        const run = await metadata.claim(this.id, this.pool, settings.BAUTA_SOURCE_RUNS);
        if (!run) return;
        await this.execute(run);
      }
    } catch (error) {
      // A run that could not even be recorded is found abandoned once the database is there again.
      this.options.failed(error);
    } finally {
      this.claiming -= 1;
    }
  }

  private async execute(run: RunRow): Promise<void> {
    const { metadata, composer, settings, environment, metrics, url } = this.options;
    const held = { run, stop: new AbortController(), moved: { rows: 0, bytes: 0, openRanges: 0 } };
    this.held.set(run.id, held);
    if (this.stopped) held.stop.abort(toError('RUN_HANDED_BACK'));
    try {
      await executeRun({ metadata, composer, settings, environment, metrics, url, workerId: this.id, pool: this.pool, ...held });
    } finally {
      this.held.delete(run.id);
    }
  }

  private async beat(): Promise<void> {
    const { metadata, settings } = this.options;
    await metadata.query(
      `INSERT INTO bauta.worker (id, locks_as, pool) VALUES ($1, $2, $3)
       ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp(), locks_as = excluded.locks_as`,
      [this.id, this.queue?.lockedBy ?? '', this.pool],
    );
    this.lastBeatMs = performance.now();
    for (const { run } of this.held.values())
      await metadata.within(run.workspaceId, ({ holders }) => holders.renew(run.id, settings.BAUTA_HOLD_MS));
    await markLate(metadata);
    if (this.claiming >= settings.BAUTA_RUNS) return;
    // What could not be done when its job came (its source was busy, another pool had the job) has none any more.
    const [next] = await metadata.query<{ id: string; tags: string[] }>('SELECT id, tags FROM bauta.find_next_run($1, $2)', [
      this.pool,
      settings.BAUTA_SOURCE_RUNS,
    ]);
    if (!next) return this.share();
    const { sql, parameters } = toWake(next.id, next.tags);
    await metadata.query(sql, parameters);
  }

  /** Nothing is queued and nothing is under way here: then with what others have. Not waited for. */
  private share(): void {
    const { metadata, composer, settings, environment, metrics, url, failed } = this.options;
    if (this.claiming > 0 || this.sharing || this.stopped || settings.BAUTA_SHARE_RANGES === 0) return;
    const stop = (this.sharing = new AbortController());
    const shared = shareRun({ metadata, composer, settings, environment, metrics, url, workerId: this.id, pool: this.pool, stop });
    const done = shared
      .then(() => undefined, failed)
      .finally(() => {
        this.sharing = undefined;
        this.busy.delete(done);
      });
    this.busy.add(done);
  }

  /** Takes over from who is there no more; and stops what others may have been given meanwhile, when it was itself that was silent. */
  private async look(): Promise<void> {
    if (performance.now() - this.lastBeatMs > this.silentMs)
      for (const { stop } of this.held.values()) stop.abort(toError('RUN_TAKEN_OVER'));
    // With a claim under way this worker does not know its runs.
    const has = (): readonly string[] | undefined => (this.claiming > this.held.size ? undefined : [...this.held.keys()]);
    await takeOver(this.options.metadata, this.id, this.silentMs, has);
  }

  /** Tells how far the runs are, and hears whether they shall end. */
  private async watch(): Promise<void> {
    for (const { run, stop, moved } of this.held.values()) {
      const now = await this.options.metadata.within(run.workspaceId, async ({ runs }) => {
        const found = await runs.find(run.id);
        const ours = found?.workerId === this.id && found.attempt === run.attempt;
        if (ours && (Number(found.movedRows) !== moved.rows || found.openRanges !== moved.openRanges)) await runs.setMoved(run.id, moved);
        return found;
      });
      if (now?.workerId !== this.id || now.attempt !== run.attempt) stop.abort(toError('RUN_TAKEN_OVER', { run: run.id }));
      else if (now.state === 'publishing') continue;
      // Asked for before this attempt began: then it only takes away what is left, and is to come to its end.
      else if (now.cancelRequestedAt && !run.cancelRequestedAt) stop.abort(toError('RUN_CANCELLED'));
      else if (now.pauseRequestedAt) stop.abort(toError('RUN_PAUSED'));
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
