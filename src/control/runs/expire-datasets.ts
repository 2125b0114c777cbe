// The clock found a version that has expired: whoever has the connections drops it, and the log has the attestation.
import { systemClock } from '../../kernel/clock.js';
import { toError, toErrorView } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import type { TargetDefinition } from '../../pipeline/definition.js';
import { expire } from '../../pipeline/expire.js';
import type { DatasetRow, RunRow } from '../../systems/metadata/metadata.js';
import { toJob } from '../../systems/queue/queue.js';
import type { LookOptions } from './look-at-source.js';
import { OutboxSink } from './outbox-sink.js';
import { findDocuments } from './request-run.js';
import type { RunObserver } from './run-observer.js';
import { loadRequest } from './stored-request.js';

export const EXPIRY = 'expiry';
const LONGEST_MS = 10 * 60_000;

export interface ExpiryPayload {
  readonly workspace: string;
  readonly run: string;
}

export interface ExpiryOptions extends LookOptions {
  readonly metrics: Pick<RunObserver, 'tell'>;
}

/** One of a version waits at a time. A worker does it that may touch what its run did. */
export function toExpiry(workspace: string, { id: run, tags }: Pick<RunRow, 'id' | 'tags'>): ReturnType<typeof toJob> {
  const payload: ExpiryPayload = { workspace, run };
  return toJob(EXPIRY, { ...payload }, { key: `expiry ${workspace} ${run}`, flags: tags });
}

/** Everything that has expired on the target of that version. What is in the way is a code of the version's row, and it is tried again. */
export async function expireDatasets(options: ExpiryOptions, { workspace, run: id }: ExpiryPayload): Promise<void> {
  const { metadata } = options;
  const { dataset, run } = await metadata.within(workspace, async ({ datasets, runs }) => ({
    dataset: await datasets.find(id),
    run: await runs.find(id),
  }));
  if (!dataset || !run || dataset.droppedAt !== null) return;
  try {
    await dropExpired(options, dataset, run);
  } catch (error) {
    const { code } = toErrorView(error);
    // A run that is at work there is no news.
    if (code !== 'TARGET_BUSY') await metadata.within(workspace, ({ datasets }) => datasets.keepDropError(id, code));
  }
}

async function dropExpired(options: ExpiryOptions, { server, target }: DatasetRow, run: RunRow): Promise<void> {
  const { metadata, composer, settings, metrics } = options;
  const { workspaceId: workspace, pipeline } = run;
  // Where it stands is for the documents of its day to say.
  const stored = await loadRequest(metadata, run, composer, options);
  const verifier = await metadata.within(workspace, ({ log }) => log.verifier());
  const verifiers = verifier ? [verifier] : [];
  const { doors, close } = await composer.composeRun({
    ...{ settings, home: settings.BAUTA_HOME, workspace, after: [], signal: AbortSignal.timeout(LONGEST_MS), runId: run.id },
    ...{ ...stored, applicationName: `bauta expiry ${run.id}`, reuse: false },
    log: { sink: new OutboxSink(metadata, workspace, metrics), actor: () => Promise.resolve(''), verifiers },
  });
  try {
    const place = await doors.target.place();
    // A connection that leads elsewhere by now: what is not found there is not gone.
    if (place.server !== server || place.database !== target) throw toError('TARGET_CHANGED', { stage: 'deliver', name: target });
    const order = { pipeline, target: await readTarget(options, run, stored.request.pipeline.body.target), verifiers };
    const { versions, findings } = await expire(doors, { ...order, newId: () => newRunId(systemClock.now()) });
    const there = new Set((await doors.target.datasets()).map(({ runId }) => runId));
    const failed = versions.find(({ attestation }) => attestation === null);
    const code = findings.find(({ severity }) => severity === 'error')?.code ?? null;
    await metadata.within(workspace, async ({ datasets }) => {
      for (const { runId } of await datasets.standing({ server, target })) {
        if (!there.has(runId)) await datasets.drop(runId, null);
        else await datasets.keepDropError(runId, failed?.run === runId ? code : null);
      }
    });
  } finally {
    await close();
  }
}

/** How long it stays after its time, and what is declared, is for the documents of today; where they cannot be used, those of its day hold. */
export async function readTarget(options: ExpiryOptions, run: RunRow, before: TargetDefinition): Promise<TargetDefinition> {
  const { metadata, composer } = options;
  const { workspaceId, pipeline } = run;
  try {
    const documents = await metadata.within(workspaceId, (transaction) => findDocuments(transaction, pipeline));
    const { request } = await loadRequest(metadata, { id: run.id, workspaceId, pipeline, documents }, composer, options);
    const now = request.pipeline.body.target;
    return now.environment === before.environment ? now : before;
  } catch {
    return before;
  }
}
