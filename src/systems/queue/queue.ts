// The door of the queue (graphile-worker): its tables, made by the owner; jobs that join the caller's transaction; workers that take them.
import { EventEmitter } from 'node:events';

import { Logger, type RunnerOptions, type TaskList, type WorkerEvents, makeWorkerUtils, run } from 'graphile-worker';

/** Errors are told by whoever called; the queue's own words may hold anything. */
export const silent = new Logger(() => () => undefined);

/** As the owner. Tables of the queue have row-level security without a policy: only the service role gets one. */
export async function migrateQueue(url: string): Promise<void> {
  const utils = await makeWorkerUtils({ connectionString: url, logger: silent });
  try {
    await utils.migrate();
    await utils.withPgClient((client) => client.query(rights));
  } finally {
    await utils.release();
  }
}

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/**
 * A job, as a statement for the transaction that wants it done. A worker that may not touch one of its `flags` leaves it to others. It MUST be
 * harmless to do it twice: the job of a worker that is gone is given to another one.
 */
export function toJob(
  task: string,
  payload: Readonly<Record<string, string | number>>,
  options: { readonly key: string; readonly at?: Date; readonly flags?: readonly string[] },
): Statement {
  return {
    sql: 'SELECT FROM graphile_worker.add_job($1, $2::json, run_at := $3, max_attempts := 25, job_key := $4, flags := $5)',
    parameters: [task, JSON.stringify(payload), options.at ?? null, options.key, options.flags ?? null],
  };
}

/**
 * Gives the jobs of a process that is gone to the others; the queue itself would wait four hours. One in whose place another was put while it
 * was locked is never done again, and would stay.
 */
export function toUnlock(lockedBy: string): readonly Statement[] {
  return [
    { sql: 'DELETE FROM graphile_worker._private_jobs WHERE locked_by = $1 AND attempts >= max_attempts', parameters: [lockedBy] },
    { sql: 'SELECT FROM graphile_worker.force_unlock_workers(ARRAY[$1])', parameters: [lockedBy] },
  ];
}

export interface Queue {
  /** What stands in jobs that this process has. */
  readonly lockedBy: string;
  /** Takes no more jobs and waits for those that it has. */
  stop(): Promise<void>;
}

export interface QueueOptions {
  /**
   * The caller's to end, after `stop`: graphile-worker does not wait until a pool that it made has ended, and takes its listeners off it; a
   * server that stopped right after it ended the process now and then, by an error that nobody heard.
   */
  readonly pool: NonNullable<RunnerOptions['pgPool']>;
  readonly concurrency: number;
  /** What to do with a job of a name. MUST NOT throw: who failed says so elsewhere. */
  readonly tasks: Readonly<Record<string, (payload: unknown) => Promise<void>>>;
  /** Jobs with one of these flags are for others. */
  readonly forbidden: readonly string[];
}

/** As the service role. */
export async function startQueue({ pool, concurrency, tasks, forbidden }: QueueOptions): Promise<Queue> {
  const taskList: TaskList = Object.fromEntries(Object.entries(tasks).map(([name, work]) => [name, (payload: unknown) => work(payload)]));
  const events: WorkerEvents = new EventEmitter();
  let lockedBy = '';
  events.on('pool:create', ({ workerPool }) => void (lockedBy = workerPool.id));
  const runner = await run({
    ...{ pgPool: pool, concurrency, taskList, events, logger: silent, noHandleSignals: true },
    ...{ pollInterval: 1000, parsedCronItems: [], forbiddenFlags: [...forbidden] },
  });
  return { lockedBy, stop: () => runner.stop() };
}

const rights = `
DO $$
DECLARE
  one record;
BEGIN
  GRANT USAGE ON SCHEMA graphile_worker TO bauta_service;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA graphile_worker TO bauta_service;
  REVOKE INSERT, UPDATE, DELETE ON graphile_worker.migrations FROM bauta_service;
  GRANT USAGE ON ALL SEQUENCES IN SCHEMA graphile_worker TO bauta_service;
  FOR one IN SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relnamespace = 'graphile_worker'::regnamespace AND c.relrowsecurity LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_policies WHERE schemaname = 'graphile_worker' AND tablename = one.relname) THEN
      EXECUTE pg_catalog.format('CREATE POLICY service ON graphile_worker.%I TO bauta_service USING (true) WITH CHECK (true)', one.relname);
    END IF;
  END LOOP;
END
$$`;
