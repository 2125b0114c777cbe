// A worker's time for errands, beside its runs: they wait for no run, and no run waits for them.
import { type BautaError, toError, toKnownError } from '../../kernel/errors.js';
import type { ErrandRow } from '../../systems/metadata/metadata.js';
import { openPool } from '../../systems/postgres/postgres.js';
import { type Queue, startQueue } from '../../systems/queue/queue.js';
import { tagClasses } from '../runs/runs.js';
import { type ErrandOptions, carryOut } from './carry-out.js';
import { type Outcome, changing, endErrand } from './find-errand.js';
import { BEAT_MS, ERRAND, type ErrandPayload, WAIT_MS } from './request-errand.js';

const AT_ONCE = 2;
/** Of what only looks. What changes the world is never stopped on its way. */
const LONGEST_MS = 10 * 60_000;

export interface ErrandWorkerOptions extends ErrandOptions {
  /** Of the service role, for the queue. */
  readonly url: string;
  /** Told of what goes wrong outside of an errand. */
  readonly failed: (error: unknown) => void;
}

export class ErrandWorker {
  private readonly stopped = new AbortController();

  private constructor(
    private readonly options: ErrandWorkerOptions,
    private readonly sessions: ReturnType<typeof openPool>,
  ) {}

  private queue: Queue | undefined;

  static async start(options: ErrandWorkerOptions): Promise<ErrandWorker> {
    const { url, settings, failed } = options;
    const worker = new ErrandWorker(options, openPool(url, AT_ONCE + 2));
    const pool = settings.BAUTA_POOL_TAGS.split(',');
    const forbidden = tagClasses.filter((tagClass) => !pool.includes(tagClass));
    const tasks = { [ERRAND]: (payload: unknown) => worker.work(payload as ErrandPayload).catch(failed) };
    worker.queue = await startQueue({ pool: worker.sessions, concurrency: AT_ONCE, tasks, forbidden });
    return worker;
  }

  /** What only looks is given up; what changes the world comes to its end first. */
  async stop(): Promise<void> {
    this.stopped.abort(toError('ERRAND_ABANDONED'));
    await this.queue?.stop();
    await this.sessions.end();
  }

  /** A job that comes twice or late finds that it is not meant. */
  private async work({ workspace, errand: id }: ErrandPayload): Promise<void> {
    const { metadata, failed } = this.options;
    const row = await metadata.within(workspace, async ({ errands }) =>
      (await errands.claim(id, WAIT_MS)) ? errands.find(id) : undefined,
    );
    if (!row) return;
    const beat = setInterval(() => void metadata.within(workspace, ({ errands }) => errands.hear(id)).catch(failed), BEAT_MS);
    try {
      const outcome = await this.attempt(workspace, row);
      await metadata.within(workspace, (transaction) => endErrand(transaction, row, outcome));
    } finally {
      clearInterval(beat);
    }
  }

  private async attempt(workspace: string, row: ErrandRow): Promise<Outcome> {
    const stop = new AbortController();
    const onStop = (): void => stop.abort(this.stopped.signal.reason);
    const late: BautaError = toError('ERRAND_UNANSWERED', { amount: `${LONGEST_MS / 60_000} min` });
    const timer = changing[row.kind] ? undefined : setTimeout(() => stop.abort(late), LONGEST_MS);
    if (!changing[row.kind]) this.stopped.signal.addEventListener('abort', onStop, { once: true });
    if (this.stopped.signal.aborted) onStop();
    try {
      stop.signal.throwIfAborted();
      return await carryOut(this.options, workspace, row, stop.signal);
    } catch (error) {
      return { error: toKnownError(stop.signal.aborted ? stop.signal.reason : error) };
    } finally {
      clearTimeout(timer);
      this.stopped.signal.removeEventListener('abort', onStop);
    }
  }
}
