// The door of the queue (graphile-worker): its tables, made by the owner; jobs that join the caller's transaction; workers that take them.
import { Logger, type RunnerOptions, type TaskList, makeWorkerUtils, run } from 'graphile-worker';

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

/** A job, as a statement for the transaction that wants it done. It is tried once: what a failure means is for the run to say. */
export function toJob(
  task: string,
  payload: Readonly<Record<string, string | number>>,
  options: { readonly key: string; readonly at?: Date },
): Statement {
  return {
    sql: 'SELECT FROM graphile_worker.add_job($1, $2::json, run_at := $3, max_attempts := 1, job_key := $4)',
    parameters: [task, JSON.stringify(payload), options.at ?? null, options.key],
  };
}

export interface Queue {
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
  /** What to do with a job of a name. MUST NOT throw: a job is tried once. */
  readonly tasks: Readonly<Record<string, (payload: unknown) => Promise<void>>>;
}

/** As the service role. */
export async function startQueue({ pool, concurrency, tasks }: QueueOptions): Promise<Queue> {
  const taskList: TaskList = Object.fromEntries(Object.entries(tasks).map(([name, work]) => [name, (payload: unknown) => work(payload)]));
  const runner = await run({
    ...{ pgPool: pool, concurrency, taskList, logger: silent, noHandleSignals: true },
    ...{ pollInterval: 1000, parsedCronItems: [] },
  });
  return { stop: () => runner.stop() };
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
