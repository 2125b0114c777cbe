// A run is ended from outside; nothing of it is published, nothing is left.
import { toTimestamp } from '../../kernel/clock.js';
import { type Transaction, isEnded } from '../../systems/metadata/metadata.js';
import { enqueue } from './request-run.js';

/** False: it has ended, or publishes. */
export async function cancelRun(
  transaction: Transaction,
  id: string,
  { actor, nowMs }: { readonly actor: string; readonly nowMs: number },
): Promise<boolean> {
  // Approvals before their run, as everywhere: two that lock both do not wait for each other.
  const approvals = await transaction.approvals.lockOpen({ runId: id });
  const run = await transaction.runs.lock(id);
  if (isEnded(run.state) || run.state === 'publishing') return false;
  for (const approval of approvals) await transaction.approvals.transition(approval, 'void', { actor });
  const isIdle = run.state === 'queued' || run.state === 'paused' || run.state === 'awaiting-approval';
  if (isIdle && !run.abandoned) {
    await transaction.runs.transition(id, { to: 'cancelled', actor });
    return true;
  }
  if (run.cancelRequestedAt !== null) return true;
  await transaction.runs.requestCancel(id);
  await transaction.audit({ type: 'run.cancel-requested', at: toTimestamp(nowMs), actor, data: { run: id } });
  // What a worker that is gone may have left, another one takes away first.
  if (isIdle && run.state !== 'queued') {
    const { tags } = await transaction.runs.transition(id, { to: 'queued', actor });
    await enqueue(transaction, { id, tags });
  }
  return true;
}
