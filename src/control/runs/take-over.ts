// What every worker does for the others: runs of one that is silent become a new attempt, its jobs are freed, and runs past their deadline are late.
import type { Metadata } from '../../systems/metadata/metadata.js';
import { toUnlock } from '../../systems/queue/queue.js';
import { enqueue } from './request-run.js';

/** `has`: the runs that the asking worker has now; undefined: it is not sure. */
export async function takeOver(
  metadata: Metadata,
  asking: string,
  silentMs: number,
  has: () => readonly string[] | undefined,
): Promise<void> {
  // Seen before anything is taken from it, so that who begins to beat again meanwhile loses nothing that it did not lose already.
  const silent = await metadata.query<{ id: string; locks_as: string }>(
    `SELECT id, locks_as FROM bauta.worker WHERE id <> $1 AND heartbeat_at < clock_timestamp() - $2 * interval '1 millisecond'`,
    [asking, silentMs],
  );
  const abandoned = await metadata.query<{ workspace_id: string; id: string; worker_id: string }>(
    'SELECT workspace_id, id, worker_id FROM bauta.find_abandoned($1, $2, $3)',
    [Math.round(silentMs), asking, has() ?? []],
  );
  for (const { workspace_id, id, worker_id } of abandoned) {
    // It may have claimed one since it was asked.
    if (worker_id === asking && (has()?.includes(id) ?? true)) continue;
    await requeue(metadata, workspace_id, id, worker_id);
  }
  for (const { id, locks_as } of silent) {
    for (const { sql, parameters } of toUnlock(locks_as)) await metadata.query(sql, parameters);
    await metadata.query(`DELETE FROM bauta.worker WHERE id = $1 AND heartbeat_at < clock_timestamp() - $2 * interval '1 millisecond'`, [
      id,
      silentMs,
    ]);
  }
}

/** Whoever is first makes it a new attempt; the others find that it is. */
async function requeue(metadata: Metadata, workspaceId: string, id: string, workerId: string): Promise<void> {
  await metadata.within(workspaceId, async (transaction) => {
    const run = await transaction.runs.lock(id);
    if (run.workerId !== workerId) return;
    const line = `worker ${workerId} is silent: attempt ${run.attempt} is given up`;
    const paused = run.pauseRequestedAt !== null && run.cancelRequestedAt === null;
    await transaction.runs.transition(id, { to: paused ? 'paused' : 'queued', abandoned: true, line });
    if (!paused) await enqueue(transaction, run);
  });
}

export async function markLate(metadata: Metadata): Promise<void> {
  const late = await metadata.query<{ workspace_id: string; id: string }>('SELECT workspace_id, id FROM bauta.find_late_runs()');
  for (const { workspace_id, id } of late) {
    await metadata.within(workspace_id, async ({ runs }) => {
      const run = await runs.lock(id);
      if (run.lateAt === null && run.endedAt === null) await runs.markLate(run);
    });
  }
}
