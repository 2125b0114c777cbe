// One attempt of one run: claimed, provisioned by the data plane, each border a transition, and its end recorded.
import type { Settings } from '../../config/settings.js';
import { type BautaError, toError, toErrorView, toKnownError } from '../../kernel/errors.js';
import { provision } from '../../pipeline/pipeline.js';
import type { RunSummary } from '../../pipeline/report/report.js';
import type { Prepared } from '../../pipeline/prepare.js';
import type { Doors, Hooks } from '../../pipeline/run.js';
import type { Metadata, Move, RunRow, RunState } from '../../systems/metadata/metadata.js';
import type { RunObserver } from './run-observer.js';
import { OutboxSink } from './outbox-sink.js';
import { type JobPayload, enqueue } from './request-run.js';
import type { RunComposer } from './run-composer.js';
import { useApproval } from './run-approval.js';
import { keepSource, loadRequest } from './stored-request.js';

const ATTEMPTS = 5;
const FIRST_WAIT_MS = 5000;

export interface Execution {
  readonly metadata: Metadata;
  readonly composer: RunComposer;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly workerId: string;
  readonly metrics: RunObserver;
  /** Tells of the run that was claimed; its controller ends it from outside. */
  readonly claimed: (run: RunRow, stop: AbortController, movedRows: () => number) => () => void;
}

/** Does nothing when the run is not queued for this attempt any more. Never throws for what the run itself did. */
export async function executeRun(execution: Execution, { workspace, run: id, attempt }: JobPayload): Promise<void> {
  const { metadata, workerId } = execution;
  const run = await metadata.within(workspace, async ({ runs }) => {
    const found = await runs.lock(id);
    if (found.state !== 'queued' || found.attempt !== attempt) return undefined;
    return runs.transition(id, { to: 'planning', workerId });
  });
  if (!run) return;
  execution.metrics.enter(id, 'planning');
  const stop = new AbortController();
  let moved = 0;
  const release = execution.claimed(run, stop, () => moved);
  try {
    const { summary, error } = await attemptOnce(execution, run, stop, (rows) => (moved += rows));
    const reason: unknown = stop.signal.aborted ? stop.signal.reason : error;
    // It rests, and nobody has it any more.
    if (reason !== undefined && toKnownError(reason).code === 'RUN_AWAITS_APPROVAL') return;
    execution.metrics.enter(id, await end(metadata, run, workerId, summary, reason));
  } catch (error) {
    // Somebody else has it now: nothing more may be said of it from here.
    if (toKnownError(error).code !== 'RUN_TAKEN_OVER') throw error;
  } finally {
    execution.metrics.leave(id);
    release();
  }
}

type Outcome = { readonly summary?: RunSummary; readonly error?: unknown };

async function attemptOnce(execution: Execution, run: RunRow, stop: AbortController, moved: (rows: number) => void): Promise<Outcome> {
  const { metadata, composer, settings } = execution;
  try {
    const stored = await loadRequest(metadata, run, composer, execution);
    const opened = await composer.composeRun({
      settings,
      home: settings.BAUTA_HOME,
      after: [],
      signal: stop.signal,
      runId: run.id,
      ...stored,
    });
    try {
      const published = run.attempt > 1 ? await findPublished(opened.doors, run.id) : undefined;
      if (published) return { summary: published };
      const doors = { ...opened.doors, sink: new OutboxSink(opened.doors.sink, metadata, run.workspaceId, execution.metrics) };
      return await provision(doors, opened.request, opened.run, hooksOf(execution, run, stop, moved));
    } finally {
      await opened.close();
    }
  } catch (error) {
    return { error };
  }
}

const borders: Readonly<Record<string, RunState>> = {
  source: 'extracting',
  deliver: 'building',
  verify: 'verifying',
  publish: 'publishing',
};

function hooksOf(
  { metadata, workerId, settings, metrics }: Execution,
  run: RunRow,
  stop: AbortController,
  moved: (rows: number) => void,
): Hooks {
  let seen: Promise<void> = Promise.resolve();
  let planned: Prepared | undefined;
  return {
    prepared: (prepared) => {
      planned = prepared;
      seen = keepSource(metadata, prepared.seenSource);
      // Waited for at the next border; without a listener until then it would end the process.
      seen.catch(() => undefined);
    },
    approve: async () => {
      if (!planned) throw toError('UNEXPECTED', { name: 'an approval before a plan' });
      const by = { workerId, hours: settings.BAUTA_APPROVAL_HOURS, nowMs: Date.now() };
      if ((await useApproval(metadata, run, planned, by)) === 'approved') return;
      const waits = toError('RUN_AWAITS_APPROVAL', { run: run.id });
      stop.abort(waits);
      throw waits;
    },
    moved: (_, rows) => moved(rows),
    border: async (name) => {
      await seen;
      const to = borders[name];
      if (to === undefined) return;
      await metadata.within(run.workspaceId, async ({ runs }) => {
        const { cancelRequestedAt } = await runs.transition(run.id, { to, held: { workerId, attempt: run.attempt } });
        // The last moment: who asks later finds a run that publishes.
        if (cancelRequestedAt) throw toError('RUN_CANCELLED');
      });
      metrics.enter(run.id, to);
    },
  };
}

/** A worker that was killed after the switch and before it could say so: what is published is published, and there is no second one. */
async function findPublished(doors: Doors, runId: string): Promise<RunSummary | undefined> {
  const found = (await doors.target.datasets()).find((dataset) => dataset.runId === runId && dataset.state !== 'staging');
  if (!found) return undefined;
  const { target, version, planDigest } = found;
  const nothing = {
    tables: [],
    findings: [],
    verdicts: [],
    decision: null,
    seconds: 0,
    rowsPerSecond: 0,
    peakRssBytes: 0,
    checkpoint: null,
  };
  return { runId, state: 'published', dataset: { target, version, planDigest }, ...nothing };
}

async function end(metadata: Metadata, run: RunRow, workerId: string, summary: RunSummary | undefined, error: unknown): Promise<RunState> {
  const held = { workerId, attempt: run.attempt };
  const known = error === undefined ? undefined : toKnownError(error);
  const again = summary?.state === 'published' ? undefined : toWait(known, run.attempt);
  return metadata.within(run.workspaceId, async (transaction) => {
    if (again === undefined) return (await transaction.runs.transition(run.id, { ...toEnd(summary, known), held })).state;
    const queued = await transaction.runs.transition(run.id, { to: 'queued', held });
    await enqueue(transaction, run.id, queued.attempt, new Date(Date.now() + again));
    return queued.state;
  });
}

function toEnd(summary: RunSummary | undefined, error: BautaError | undefined): Pick<Move, 'to' | 'summary'> {
  const told = summary ?? (error ? { state: 'failed', error: toErrorView(error), findings: error.findings } : { state: 'failed' });
  const to = error?.code === 'RUN_CANCELLED' && summary?.state !== 'published' ? 'cancelled' : (summary?.state ?? 'failed');
  return { to, summary: { ...told, state: to } };
}

/** Milliseconds until it is tried again; undefined: it is not. Only what time can mend, twice as long each time, with jitter. */
function toWait(error: BautaError | undefined, attempt: number): number | undefined {
  if (error?.code === 'RUN_HANDED_BACK') return 0;
  if (error?.class !== 'UnavailableError' || error.code === 'RUN_CANCELLED' || attempt >= ATTEMPTS) return undefined;
  return FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
}
