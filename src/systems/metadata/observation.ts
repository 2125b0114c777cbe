// What is measured in the metadata database: counts and ages, of one workspace and of the whole installation.
import type { EntityManager } from 'typeorm';

import { type EventProgress, EventStore } from './event-store.js';

export interface Observation {
  /** Of the workspace. */
  readonly queued: number;
  /** 0: none waits. A run that waits for its next attempt or its turn waits too. */
  readonly oldestQueuedSeconds: number;
  /** Of the installation: heard within `silentMs`, and not. */
  readonly workers: number;
  readonly silentWorkers: number;
  /** Of the installation: what is not in the log yet. */
  readonly outbox: number;
  readonly oldestOutboxSeconds: number;
  /** Of the workspace, by stream; none where nothing has ever been published. */
  readonly events: readonly EventProgress[];
}

/** In a transaction of the workspace. Reads what waits, however many runs have ended. */
export async function observe(manager: EntityManager, workspaceId: string, silentMs: number): Promise<Observation> {
  const [queued] = await manager.query<{ count: string; oldest: number | null }[]>(
    `SELECT count(*) AS count, extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS oldest
     FROM bauta.run WHERE workspace_id = $1 AND state = 'queued'`,
    [workspaceId],
  );
  const [workers] = await manager.query<{ heard: string; silent: string }[]>(
    `SELECT count(*) FILTER (WHERE heard) AS heard, count(*) FILTER (WHERE NOT heard) AS silent
     FROM (SELECT heartbeat_at >= clock_timestamp() - $1 * interval '1 millisecond' AS heard FROM bauta.worker) w`,
    [silentMs],
  );
  const [lag] = await manager.query<{ entries: string; oldest_seconds: number }[]>(`SELECT * FROM bauta.outbox_lag()`);
  return {
    queued: Number(queued?.count ?? 0),
    oldestQueuedSeconds: queued?.oldest ?? 0,
    workers: Number(workers?.heard ?? 0),
    silentWorkers: Number(workers?.silent ?? 0),
    outbox: Number(lag?.entries ?? 0),
    oldestOutboxSeconds: lag?.oldest_seconds ?? 0,
    events: await new EventStore(manager, workspaceId).progress(),
  };
}
