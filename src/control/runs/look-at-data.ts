// A published version is looked at: are its rows still those that were published, and who reads it? What is to be done about rows that are not, the
// environment's document says: tell people, shut everybody out, or make it anew.
import { systemClock, toTimestamp } from '../../kernel/clock.js';
import { toError, toErrorView } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import { type DataDrift, lookForDataDrift, toDriftTexts } from '../../pipeline/data-drift.js';
import { quarantine } from '../../pipeline/quarantine.js';
import type { DatasetRow, Readers, RunRow } from '../../systems/metadata/metadata.js';
import { DatasetReader } from '../../systems/postgres/postgres.js';
import { toJob } from '../../systems/queue/queue.js';
import { type ExpiryOptions, readTarget } from './expire-datasets.js';
import { OutboxSink } from './outbox-sink.js';
import { requestRun } from './request-run.js';
import { loadRequest } from './stored-request.js';

export const DATA = 'data';
const LONGEST_MS = 4 * 3_600_000;

export interface DataPayload {
  readonly workspace: string;
  readonly run: string;
}

/** One look at a version's rows waits at a time. */
export function toDataLook(workspace: string, { id: run, tags }: Pick<RunRow, 'id' | 'tags'>): ReturnType<typeof toJob> {
  const payload: DataPayload = { workspace, run };
  return toJob(DATA, { ...payload }, { key: `data ${workspace} ${run}`, flags: tags });
}

/** What cannot be seen is a code of the version's row, and the next look tries again. */
export async function lookAtData(options: ExpiryOptions, { workspace, run: id }: DataPayload): Promise<void> {
  const { metadata } = options;
  const { dataset, run } = await metadata.within(workspace, async ({ datasets, runs }) => ({
    dataset: await datasets.find(id),
    run: await runs.find(id),
  }));
  if (!dataset || !run || dataset.replacedAt !== null || dataset.droppedAt !== null) return;
  try {
    await look(options, dataset, run);
  } catch (error) {
    await metadata.within(workspace, ({ datasets }) => datasets.keepRowsError(id, toErrorView(error).code));
  }
}

async function look(options: ExpiryOptions, dataset: DatasetRow, run: RunRow): Promise<void> {
  const { metadata, composer, settings } = options;
  const { workspaceId: workspace, id } = run;
  const stored = await loadRequest(metadata, run, composer, options);
  if (stored.stream) throw toError('STREAM_CANNOT', { stage: 'verify', name: 'a look at the rows' });
  const verifier = await metadata.within(workspace, ({ log }) => log.verifier());
  const connection = { ...stored.target, connectTimeoutMs: settings.BAUTA_CONNECT_TIMEOUT_MS, signal: AbortSignal.timeout(LONGEST_MS) };
  const reader = await DatasetReader.open(connection);
  let seen: DataDrift;
  let readers: Readers;
  try {
    readers = { roles: await reader.readers(), at: toTimestamp(systemClock.now()) };
    seen = await lookForDataDrift(reader, { verifiers: verifier ? [verifier] : [], clock: systemClock });
  } finally {
    await reader.close();
  }
  // Somebody has published or gone back since: that version is looked at in its turn.
  if (seen.run !== null && seen.run !== id) throw toError('TARGET_CHANGED', { stage: 'verify', name: dataset.target });
  // A marker that does not hold says nothing of any row; without a record of definitions the rows are known all the same.
  const tables = seen.run === null ? [`the marker: ${seen.why ?? ''}`] : toDriftTexts(seen);
  const isNew = await metadata.within(workspace, ({ datasets }) => datasets.keepRows(id, { tables, readers }));
  if (isNew) await react(options, run, stored);
  if (seen.run !== null && seen.definitions === null) throw toError('DEFINITIONS_UNRECORDED', { stage: 'verify', name: dataset.target });
}

async function react(options: ExpiryOptions, run: RunRow, stored: Awaited<ReturnType<typeof loadRequest>>): Promise<void> {
  const { onDrift = 'alert' } = await readTarget(options, run, stored.request.pipeline.body.target);
  if (onDrift === 'quarantine') await shut(options, run, stored);
  if (onDrift === 'provision')
    await options.metadata.within(run.workspaceId, (transaction) =>
      requestRun(transaction, { pipeline: run.pipeline, requestedBy: null, nowMs: systemClock.now() }),
    );
}

async function shut(options: ExpiryOptions, run: RunRow, stored: Awaited<ReturnType<typeof loadRequest>>): Promise<void> {
  const { metadata, composer, settings, metrics } = options;
  const { workspaceId: workspace, id } = run;
  const { doors, close } = await composer.composeRun({
    ...{ settings, home: settings.BAUTA_HOME, workspace, after: [], signal: AbortSignal.timeout(LONGEST_MS), runId: id },
    ...{ ...stored, applicationName: `bauta quarantine ${id}`, reuse: false },
    log: { sink: new OutboxSink(metadata, workspace, metrics), actor: () => Promise.resolve(''), verifiers: [] },
  });
  try {
    await quarantine(doors, { id: newRunId(systemClock.now()), environment: run.environment, run: id });
    await metadata.within(workspace, ({ datasets }) => datasets.quarantine(id));
  } finally {
    await close();
  }
}
