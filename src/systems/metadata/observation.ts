// What is measured in the metadata database: counts and ages, of one workspace and of the whole installation.
import type { EntityManager } from 'typeorm';

import type { RunState } from './run-state.js';

export interface Observation {
  /** Of the workspace; states without a run are not there. */
  readonly runs: readonly { readonly state: RunState; readonly count: number }[];
  readonly queued: number;
  /** 0: none waits. A run that waits for its next attempt or its turn waits too. */
  readonly oldestQueuedSeconds: number;
  /** Of the installation: heard within `silentMs`, and not. */
  readonly workers: number;
  readonly silentWorkers: number;
  /** Of the installation: what is not in the log yet. */
  readonly outbox: number;
  readonly oldestOutboxSeconds: number;
}

/** In a transaction of a workspace. */
export async function observe(manager: EntityManager, silentMs: number): Promise<Observation> {
  const runs = await manager.query<{ state: RunState; count: string; oldest: number | null }[]>(
    `SELECT state, count(*) AS count, extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS oldest
     FROM bauta.run GROUP BY state ORDER BY state`,
  );
  const [workers] = await manager.query<{ heard: string; silent: string }[]>(
    `SELECT count(*) FILTER (WHERE heard) AS heard, count(*) FILTER (WHERE NOT heard) AS silent
     FROM (SELECT heartbeat_at >= clock_timestamp() - $1 * interval '1 millisecond' AS heard FROM bauta.worker) w`,
    [silentMs],
  );
  const [lag] = await manager.query<{ entries: string; oldest_seconds: number }[]>(`SELECT * FROM bauta.outbox_lag()`);
  const queued = runs.find(({ state }) => state === 'queued');
  return {
    runs: runs.map(({ state, count }) => ({ state, count: Number(count) })),
    queued: Number(queued?.count ?? 0),
    oldestQueuedSeconds: queued?.oldest ?? 0,
    workers: Number(workers?.heard ?? 0),
    silentWorkers: Number(workers?.silent ?? 0),
    outbox: Number(lag?.entries ?? 0),
    oldestOutboxSeconds: lag?.oldest_seconds ?? 0,
  };
}
