// A run whose pipeline takes an approval: it rests, planned, and is planned again when somebody approved. What is approved is a plan of these documents.
import { digestJson } from '../../kernel/digest.js';
import { toError, toErrorView } from '../../kernel/errors.js';
import type { Prepared } from '../../pipeline/prepare.js';
import type { Metadata, RunRow } from '../../systems/metadata/metadata.js';
import { type Consequence, objectionTo, openApproval } from '../approvals/approvals.js';
import { enqueue } from './request-run.js';

const SHOWN = 500;

/**
 * Uses the approval of exactly this plan, or puts the run to rest until there is one. The approval and the right of who gave it are looked at
 * now, whatever they were when it was given.
 */
export async function useApproval(
  metadata: Metadata,
  run: RunRow,
  prepared: Prepared,
  { workerId, hours, nowMs }: { readonly workerId: string; readonly hours: number; readonly nowMs: number },
): Promise<'approved' | 'waits'> {
  const documents = run.documents.map(({ kind, name, version }) => ({ kind, name, version }));
  const thing = { run: run.id, documents, planDigest: prepared.planDigest ?? '' };
  const digest = digestJson(thing);
  return metadata.within(run.workspaceId, async (transaction) => {
    let isApproved = false;
    for (const approval of await transaction.approvals.lockOpen({ runId: run.id })) {
      const { state, decidedBy } = approval;
      const holds: boolean =
        !isApproved &&
        approval.digest === digest &&
        state === 'approved' &&
        decidedBy !== null &&
        (await objectionTo(transaction, approval, decidedBy, nowMs)) === undefined;
      await transaction.approvals.transition(approval, holds ? 'used' : 'void');
      isApproved ||= holds;
    }
    if (isApproved) return 'approved';
    await transaction.runs.transition(run.id, { to: 'awaiting-approval', held: { workerId, attempt: run.attempt } });
    const authorIds = await transaction.documents.authorsOf(run.documents);
    const { requestedBy, environment } = run;
    await openApproval(
      transaction,
      { ...{ kind: 'run', runId: run.id, requestedBy, environments: [environment], authorIds, thing }, subject: toSubject(run, prepared) },
      { nowMs, hours },
    );
    return 'waits';
  });
}

/** What the approver sees of the plan: where it goes, what goes through unmasked and why, and what the gate said. */
function toSubject({ pipeline, documents, environment }: RunRow, { plan, planDigest, decision, findings }: Prepared): object {
  const columns = (plan?.tables ?? []).flatMap(({ schema, name, columns: all }) =>
    all.map((column) => ({ ...column, table: `${schema}.${name}` })),
  );
  const kept = columns.filter(({ rule }) => rule.transform === 'keep' && !rule.paths);
  const told = kept.slice(0, SHOWN).map(({ table, name, reason }) => ({ column: `${table}.${name}`, reason: reason ?? null }));
  return {
    ...{ pipeline, environment, documents, planDigest, target: plan?.facts.target.class ?? null },
    ...{ tables: plan?.tables.length ?? 0, columns: columns.length, keptColumns: kept.length, kept: told },
    warnings: findings.map(({ code, where }) => ({ code, where })).slice(0, SHOWN),
    policy: decision?.policy ?? null,
  };
}

/** Planned again, from the queue. */
export const runConsequence: Consequence = {
  async approved(transaction, { runId }) {
    const run = await transaction.runs.lock(runId ?? '');
    if (run.state !== 'awaiting-approval') throw toError('APPROVAL_VOID', { name: `the run is ${run.state}` });
    await transaction.runs.transition(run.id, { to: 'queued' });
    await enqueue(transaction, run);
    return 'approved';
  },
  async ended(transaction, { runId }, code) {
    const run = await transaction.runs.lock(runId ?? '');
    if (run.state !== 'awaiting-approval') return;
    await transaction.runs.transition(run.id, {
      to: 'denied',
      summary: { state: 'denied', error: toErrorView(toError(code)), findings: [] },
    });
  },
};
