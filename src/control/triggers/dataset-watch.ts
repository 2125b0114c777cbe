// A new dataset version of one pipeline asks for a run of another: what was published is looked for, and answered once.
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import type { Metadata, Transaction } from '../../systems/metadata/metadata.js';
import { requestRun, toWanted } from '../runs/runs.js';
import { getTrigger } from './stored-trigger.js';

const AT_ONCE = 200;
/** Longer than what is looked back for. */
const KEPT_MS = 96 * 3_600_000;

export interface WatchOptions {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
}

export async function answerDatasets({ metadata, clock, failed }: WatchOptions): Promise<void> {
  const now = new Date(clock.now());
  const found = await metadata.query<{ workspace_id: string; name: string; run_id: string }>(
    'SELECT workspace_id, name, run_id FROM bauta.find_watched_runs($1, $2)',
    [now, AT_ONCE],
  );
  for (const { workspace_id, name, run_id } of found)
    await metadata.within(workspace_id, (transaction) => answer(transaction, name, run_id, now)).catch(failed);
}

async function answer(transaction: Transaction, name: string, published: string, now: Date): Promise<void> {
  const row = await transaction.triggers.lock(name);
  if (!row || row.pausedAt !== null || (await transaction.triggers.isAnswered(row.id, published))) return;
  const { version } = row;
  const { pipeline, parameters } = await getTrigger(transaction, row);
  const run = await requestRun(transaction, {
    pipeline,
    requestedBy: null,
    cause: { kind: 'Trigger', name, version },
    nowMs: now.getTime(),
    ...toWanted(parameters, now.getTime()),
  });
  if (run === undefined) return;
  await transaction.triggers.answer(row.id, published, run, now, new Date(now.getTime() + KEPT_MS));
  const data = { trigger: name, version, dataset: published, run };
  await transaction.audit({ type: 'trigger.answered', at: toTimestamp(now.getTime()), data });
}
