// A notice becomes a message: what happened to which run, or what is to be approved. Undefined: nobody has to be told.
import type { Notice, RunRow, Transaction } from '../../systems/metadata/metadata.js';
import type { Message, NoticeEvent } from '../../systems/notify/notify.js';

const events: Readonly<Record<string, NoticeEvent>> = {
  'run.failed': 'run-failed',
  'run.compensation-failed': 'run-failed',
  'run.withheld': 'run-withheld',
  'run.denied': 'run-denied',
  'run.late': 'run-late',
  'run.published': 'run-recovered',
  'approval.wanted': 'approval-wanted',
};

export async function toMessage(transaction: Transaction, notice: Notice, workspace: string): Promise<Message | undefined> {
  const event = events[notice.type];
  const { run: runId, approval } = notice.data;
  const run = typeof runId === 'string' ? await transaction.runs.find(runId) : undefined;
  if (event === undefined) return undefined;
  // That a run was published is no news unless the one before it was not.
  if (event === 'run-recovered' && !(run && (await endedBadlyBefore(transaction, run)))) return undefined;
  const code = event === 'run-recovered' ? undefined : codeOf(run);
  return {
    ...{ event, at: notice.at, workspace },
    ...(run ? { pipeline: run.pipeline, environment: run.environment, run: run.id } : {}),
    ...(typeof approval === 'string' ? { approval } : {}),
    ...(code === undefined ? {} : { code }),
  };
}

/** What a channel hears once: the same of the same pipeline, or of the same approval. */
export const toSubject = ({ event, pipeline, approval }: Message): string =>
  event === 'approval-wanted' ? `approval ${approval ?? ''}` : `pipeline ${pipeline ?? ''}`;

async function endedBadlyBefore({ runs }: Transaction, run: RunRow): Promise<boolean> {
  const before = await runs.list(20, { pipeline: run.pipeline }, run.id);
  const last = before.find(({ state }) => ['published', 'failed', 'compensation-failed', 'withheld', 'denied'].includes(state));
  return last !== undefined && last.state !== 'published';
}

/** Of the summary nothing but the code: what else is in it names tables and columns. */
function codeOf(run: RunRow | undefined): string | undefined {
  const { error } = (run?.summary ?? {}) as { readonly error?: { readonly code?: unknown } };
  return typeof error?.code === 'string' && /^[A-Z_]{3,60}$/.test(error.code) ? error.code : undefined;
}
