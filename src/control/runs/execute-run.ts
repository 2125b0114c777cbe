// One attempt of one run that was claimed: provisioned by the data plane, each border a transition, and its end recorded.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Settings } from '../../config/settings.js';
import { type BautaError, toError, toErrorView, toKnownError } from '../../kernel/errors.js';
import { toCheckResults, toTally } from '../../pipeline/check.js';
import { toPrivacyMeasures, toPrivacySum } from '../../pipeline/privacy.js';
import { provision } from '../../pipeline/pipeline.js';
import type { RunSummary } from '../../pipeline/report/report.js';
import type { Prepared, Request } from '../../pipeline/prepare.js';
import type { Doors, Hooks } from '../../pipeline/run.js';
import { tellingHooks } from '../../pipeline/told.js';
import type { MadeWith, Metadata, Move, RunRow, RunState, Transaction } from '../../systems/metadata/metadata.js';
import { toTraceId } from '../http/http.js';
import type { RunObserver } from './run-observer.js';
import { OutboxSink } from './outbox-sink.js';
import { Followers } from './followers.js';
import { enqueue } from './request-run.js';
import type { RunComposer, RunLog } from './run-composer.js';
import { toDocumentDigests } from './look-for-drift.js';
import { useApproval } from './run-approval.js';
import { toRunVault } from './run-vault.js';
import { RunSuccession } from './run-succession.js';
import { keepSource, loadRequest } from './stored-request.js';
import { requireNotFrozen } from '../frozen.js';
import { findBeyond } from './tag-classes.js';

const RETRIES = 4;
const FIRST_WAIT_MS = 5000;
/** A session that was cut ends at its server a moment later, and with it what it had locked. */
const CLEAR_MS = 10_000;

export interface Execution {
  readonly metadata: Metadata;
  readonly composer: RunComposer;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly workerId: string;
  readonly metrics: RunObserver;
  /** Of the metadata database, as the service role: for who holds the run's snapshot beside this process. */
  readonly url: string;
  /** Classes of tags that this worker may touch. */
  readonly pool: readonly string[];
  readonly run: RunRow;
  /** Ends the run from outside. */
  readonly stop: AbortController;
  /** What went into staging so far; counted here. */
  readonly moved: { rows: number; bytes: number; openRanges: number };
}

/** Never throws for what the run itself did. */
export async function executeRun(execution: Execution): Promise<void> {
  const { metrics, run } = execution;
  const { signal } = execution.stop;
  metrics.enter(run, 'planning');
  try {
    const outcome = await attemptOnce(execution);
    const error: unknown = signal.aborted ? signal.reason : outcome.error;
    // It rests, and nobody has it any more.
    if (error !== undefined && toKnownError(error).code === 'RUN_AWAITS_APPROVAL') return;
    metrics.enter(run, await end(execution, { ...outcome, error }));
  } catch (error) {
    // Somebody else has it now: nothing more may be said of it from here.
    if (toKnownError(error).code !== 'RUN_TAKEN_OVER') throw error;
  } finally {
    metrics.leave(run.id);
  }
}

/** Who looks at a server sees which run its sessions are of, and in which trace: 63 characters are what it keeps. */
function toApplicationName({ id, traceparent }: RunRow): string {
  return traceparent === null ? `bauta run ${id}` : `bauta run ${id} ${toTraceId(traceparent)}`;
}

interface Outcome {
  readonly summary?: RunSummary;
  readonly error?: unknown;
  /** Whether something of the run may still be on the target; absent: as it was before this attempt. */
  readonly left?: boolean;
  /** It is there for who goes on with the run. */
  readonly goesOn?: boolean;
}

async function attemptOnce(execution: Execution): Promise<Outcome> {
  const { metadata, composer, settings, run, stop } = execution;
  try {
    const stored = await loadRequest(metadata, run, composer, execution);
    const after: [] = [];
    const succession = new RunSuccession({ ...execution, source: stored.source });
    const opened = await composer.composeRun({
      ...{ settings, home: settings.BAUTA_HOME, after, signal: stop.signal, runId: run.id, applicationName: toApplicationName(run) },
      ...stored,
      log: await openLog(execution),
      reuse: run.reuse,
      vault: toRunVault(metadata, run),
      revoked: (of) => metadata.within(run.workspaceId, ({ agents }) => agents.revoked(of)),
      succession,
    });
    let outcome: Outcome = {};
    try {
      outcome = await carryOut(execution, opened);
    } catch (error) {
      outcome = { error };
    }
    // The last attempt takes away what an earlier one left and this one did not come to sweep; one that was stopped cannot.
    if (run.abandoned && outcome.left === undefined && !stop.signal.aborted && isLast(outcome, run))
      outcome = { ...outcome, left: !(await clear(opened.doors, run.id).catch(() => false)) };
    const goesOn = stop.signal.aborted && succession.goesOn(stop.signal.reason) && outcome.summary?.state !== 'published';
    try {
      await opened.close();
      return { ...outcome, goesOn };
    } catch (error) {
      // The doors drop what their run left, once more: who cannot close them cannot say that nothing is left.
      return { error, ...outcome, left: true };
    } finally {
      await succession.end(goesOn);
    }
  } catch (error) {
    return { error };
  }
}

async function carryOut(execution: Execution, opened: Awaited<ReturnType<RunComposer['composeRun']>>): Promise<Outcome> {
  const { run } = execution;
  const published = run.attempt > 1 ? await findPublished(opened.doors, run.id) : undefined;
  if (published) return { summary: published };
  if (run.cancelRequestedAt) {
    // It was cancelled while a worker that is gone had it.
    return { error: toError('RUN_CANCELLED'), left: !(await clear(opened.doors, run.id)) };
  }
  const followers = new Followers(execution.metadata, run);
  try {
    return await provision(opened.doors, opened.request, opened.run, hooksOf(execution, followers, opened.request));
  } finally {
    await followers.heard();
  }
}

/** False where something of the run is still there after a while: somebody has it, or it cannot be dropped. */
async function clear({ target }: Doors, runId: string): Promise<boolean> {
  for (const startedAt = performance.now(); ; await sleep(200)) {
    await target.sweep();
    const left = (await target.datasets()).some((dataset) => dataset.runId === runId && dataset.state === 'staging');
    if (!left || performance.now() - startedAt > CLEAR_MS) return !left;
  }
}

/** The workspace's log: it is the only one that tells of the run, and the one whose markers it knows. */
async function openLog({ metadata, metrics, run }: Execution): Promise<RunLog> {
  const { workspaceId, requestedBy } = run;
  const verifier = await metadata.within(workspaceId, ({ log }) => log.verifier());
  return {
    sink: new OutboxSink(metadata, workspaceId, metrics),
    actor: () => Promise.resolve(requestedBy ?? 'service'),
    verifiers: verifier ? [verifier] : [],
  };
}

const borders: Readonly<Record<string, RunState>> = {
  source: 'extracting',
  deliver: 'building',
  verify: 'verifying',
  publish: 'publishing',
};

function hooksOf(
  { metadata, workerId, run, stop, settings, metrics, moved, pool }: Execution,
  followers: Followers,
  request: Request,
): Hooks {
  const telling = tellingHooks((told) => followers.tell(told));
  let seen: Promise<void> = Promise.resolve();
  let planned: Prepared | undefined;
  return {
    ...telling,
    prepared: (prepared) => {
      telling.prepared(prepared);
      planned = prepared;
      seen = keepSource(metadata, prepared.seenSource);
      // Waited for at the next border; without a listener until then it would end the process.
      seen.catch(() => undefined);
    },
    approve: async () => {
      if (!planned) throw toError('UNEXPECTED', { name: 'an approval before a plan' });
      await requirePool(metadata, run, planned, pool);
      const by = { workerId, hours: settings.BAUTA_APPROVAL_HOURS, nowMs: Date.now() };
      if ((await useApproval(metadata, run, planned, by)) === 'approved') return;
      const waits = toError('RUN_AWAITS_APPROVAL', { run: run.id });
      stop.abort(waits);
      throw waits;
    },
    heard: (line) => void metadata.within(run.workspaceId, ({ runs }) => runs.say(run.id, line)).catch(() => undefined),
    ranges: (open) => void (moved.openRanges = open),
    moved: (_, rows, bytes) => {
      moved.rows += rows;
      moved.bytes += bytes;
    },
    border: async (name) => {
      await seen;
      const to = borders[name];
      if (to === undefined) return;
      if (to === 'extracting') await requirePool(metadata, run, planned, pool);
      await metadata.within(run.workspaceId, async (transaction) => {
        const { runs, datasets } = transaction;
        // At the last of them nothing was published yet, and an incident that is opened later finds a run that publishes.
        await requireNotFrozen(transaction, run.environment, run.pipeline);
        const held = { workerId, attempt: run.attempt };
        const { cancelRequestedAt, pauseRequestedAt } = await runs.transition(run.id, { to, held, moved });
        // The last moment: who asks later finds a run that publishes.
        if (cancelRequestedAt) throw toError('RUN_CANCELLED');
        if (pauseRequestedAt) throw toError('RUN_PAUSED');
        if (to === 'publishing') await datasets.keep(run.id, toMadeWith(planned, request));
      });
      metrics.enter(run, to);
    },
  };
}

/** What a later look compares with what is then. */
function toMadeWith(planned: Prepared | undefined, request: Request): MadeWith {
  if (!planned?.plan || !planned.decision) throw toError('UNEXPECTED', { name: 'a publication before a plan' });
  const { catalogueDigest } = planned.plan;
  const { digest, revision } = planned.decision.policy;
  return { documents: toDocumentDigests(request), catalogueDigest, policyDigest: digest, policyRevision: revision };
}

/** Throws RUN_BEYOND_POOL when the plan touches what this worker may not, whatever the documents said; the run then says it itself. */
async function requirePool(metadata: Metadata, run: RunRow, planned: Prepared | undefined, pool: readonly string[]): Promise<void> {
  const beyond = planned?.plan ? findBeyond(planned.plan, pool) : [];
  if (beyond.length === 0) return;
  await metadata.within(run.workspaceId, ({ runs }) => runs.addTags(run.id, beyond));
  throw toError('RUN_BEYOND_POOL', { name: beyond.join(', ') });
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
    checks: toCheckResults(await doors.sink.read(['checks.made'], runId)),
    privacy: toPrivacyMeasures(await doors.sink.read(['privacy.measured'], runId)),
    decision: null,
    pruned: [],
    seconds: 0,
    rowsPerSecond: 0,
    peakRssBytes: 0,
    checkpoint: null,
  };
  return { runId, state: 'published', dataset: { target, version, planDigest }, ...nothing };
}

function isLast({ summary, error }: Outcome, { retries }: RunRow): boolean {
  return summary?.state !== 'published' && (error === undefined || toWait(toKnownError(error), retries) === undefined);
}

async function end({ metadata, run, workerId, moved }: Execution, { summary, error, left, goesOn = false }: Outcome): Promise<RunState> {
  const held = { workerId, attempt: run.attempt };
  const isPublished = summary?.state === 'published';
  return metadata.within(run.workspaceId, async (transaction) => {
    const { state, cancelRequestedAt, abandoned } = await transaction.runs.lock(run.id);
    const failed = error === undefined ? undefined : toKnownError(error);
    // Of an earlier attempt, and this one came neither to sweep nor to look.
    const unseen = !isPublished && left === undefined && abandoned;
    const remains = unseen || (!isPublished && left === true);
    if (goesOn) return requeue(transaction, run.id, { held, moved, abandoned: true, line: toTold(failed!, run.attempt, 0) });
    // Cancelled before this attempt came to sweep: the next one does nothing else.
    const clears = unseen && cancelRequestedAt !== null && run.cancelRequestedAt === null;
    const again = isPublished ? undefined : clears ? 0 : toWait(failed, run.retries);
    // Nobody wants the next attempt of a run that is to end, unless to take away what is left of it.
    const known = again !== undefined && cancelRequestedAt && !unseen ? toError('RUN_CANCELLED') : failed;
    const next = known === failed ? again : undefined;
    const line = known ? { line: toTold(known, run.attempt, next) } : {};
    if (known?.code === 'RUN_PAUSED' && !isPublished) {
      return (await transaction.runs.transition(run.id, { to: 'paused', held, moved, abandoned: remains, ...line })).state;
    }
    if (next === undefined) {
      const leaves = remains && (state !== 'planning' || cancelRequestedAt !== null || unseen);
      const ended = await transaction.runs.transition(run.id, { ...toEnd(summary, known, leaves, state), held, moved, ...line });
      if (ended.state === 'published')
        await transaction.datasets.publish(run.id, toTally(summary?.checks ?? []), toPrivacySum(summary?.privacy ?? null));
      // The gate was asked for it today.
      if (ended.state === 'reused' && summary?.reused && summary.decision)
        await transaction.datasets.renew(summary.reused.runId, summary.decision.policy);
      return ended.state;
    }
    const later = next === 0 ? {} : { notBefore: new Date(Date.now() + next), retry: true };
    return requeue(transaction, run.id, { held, moved, abandoned: remains, ...later, ...line });
  });
}

async function requeue(transaction: Transaction, id: string, move: Omit<Move, 'to'>): Promise<RunState> {
  await transaction.runs.transition(id, { to: 'queued', ...move });
  const queued = await transaction.runs.lock(id);
  await enqueue(transaction, queued, move.notBefore);
  return queued.state;
}

function toEnd(
  summary: RunSummary | undefined,
  error: BautaError | undefined,
  left: boolean,
  from: RunState,
): Pick<Move, 'to' | 'summary'> {
  const told = summary ?? (error ? { state: 'failed', error: toErrorView(error), findings: error.findings } : { state: 'failed' });
  // Before anything of it was read it is denied as a gate denies.
  const frozen = error?.code === 'INCIDENT_FROZEN' && from === 'planning' ? 'denied' : undefined;
  const reached = error?.code === 'RUN_CANCELLED' && summary?.state !== 'published' ? 'cancelled' : (frozen ?? summary?.state ?? 'failed');
  const to = left ? 'compensation-failed' : reached;
  return { to, summary: { ...told, state: to } };
}

/** Nothing failed: another worker, or this one when it has time again, begins the next attempt. */
const handedOn: ReadonlySet<string> = new Set(['RUN_HANDED_BACK', 'RUN_BEYOND_POOL', 'RUN_TAKEN_OVER']);

/** Milliseconds until it is tried again; undefined: it is not. Only what time can mend, twice as long each time, with jitter. */
function toWait(error: BautaError | undefined, retries: number): number | undefined {
  if (error && handedOn.has(error.code)) return 0;
  const stopped = error?.code === 'RUN_CANCELLED' || error?.code === 'RUN_PAUSED';
  if (error?.class !== 'UnavailableError' || stopped || retries >= RETRIES) return undefined;
  return FIRST_WAIT_MS * 2 ** retries * (0.5 + Math.random() / 2);
}

function toTold({ code }: BautaError, attempt: number, again: number | undefined): string {
  const next = again === undefined ? '' : again === 0 ? '; queued again' : `; tried again in ${(again / 1000).toFixed(1)} s`;
  return `attempt ${attempt} ended: ${code}${next}`;
}
