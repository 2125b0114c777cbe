// A schedule with `when: schema-changed` is due: the source is looked at, and a run is asked for when its catalogue is not what it was.
import { toErrorView } from '../../kernel/errors.js';
import type { Settings } from '../../config/settings.js';
import type { ScheduleDefinition } from '../../pipeline/definition.js';
import type { Metadata, ScheduleRow } from '../../systems/metadata/metadata.js';
import { toJob } from '../../systems/queue/queue.js';
import { findDocuments, requestRun, toWanted } from './request-run.js';
import type { RunComposer } from './run-composer.js';
import { loadRequest } from './stored-request.js';

export const LOOK = 'look';
const LONGEST_MS = 10 * 60_000;

export interface LookPayload {
  readonly workspace: string;
  readonly schedule: string;
  readonly version: number;
  /** RFC 3339. */
  readonly due: string;
}

export interface LookOptions {
  readonly metadata: Metadata;
  readonly composer: RunComposer;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
}

/** One look of a schedule waits at a time; a later one takes its place. */
export function toLook(workspace: string, { name, version }: ScheduleRow, dueAt: Date): ReturnType<typeof toJob> {
  const payload: LookPayload = { workspace, schedule: name, version, due: dueAt.toISOString() };
  return toJob(LOOK, { ...payload }, { key: `look ${workspace} ${name}` });
}

/** What goes wrong is an event: the next due instant looks again. */
export async function lookAtSource(options: LookOptions, payload: LookPayload): Promise<void> {
  const { metadata } = options;
  const { workspace, schedule, version, due } = payload;
  try {
    await look(options, payload);
  } catch (error) {
    const data = { schedule, version, due, code: toErrorView(error).code };
    await metadata.within(workspace, (transaction) =>
      transaction.audit({ type: 'schedule.look-failed', at: new Date().toISOString(), data }),
    );
  }
}

async function look({ metadata, composer, settings, environment }: LookOptions, payload: LookPayload): Promise<void> {
  const { workspace, schedule: name, version, due } = payload;
  const found = await metadata.within(workspace, async (transaction) => {
    const document = await transaction.documents.find({ kind: 'Schedule', name }, version);
    type Written = Partial<Pick<ScheduleDefinition, 'pipeline' | 'overlap' | 'parameters'>>;
    const { pipeline = '', overlap = false, parameters } = (document?.document ?? {}) as Written;
    return { pipeline, overlap, parameters, documents: await findDocuments(transaction, pipeline) };
  });
  const { pipeline, overlap, parameters, documents } = found;
  const run = { id: `look of ${name}`, workspaceId: workspace, pipeline, documents };
  const { request, source, leases } = await loadRequest(metadata, run, composer, { settings, environment });
  const digest = await composer.describeSource({ settings, request, source, leases, signal: AbortSignal.timeout(LONGEST_MS) });
  await metadata.within(workspace, async (transaction) => {
    const row = await transaction.schedules.lock(name);
    // Another version, or a pause: nobody waits for this look any more.
    if (row?.version !== version || row.pausedAt !== null) return;
    const changed = row.catalogueDigest !== null && row.catalogueDigest !== digest;
    // Looked at again when that run has ended: what it saw is not known here.
    if (changed && !overlap && (await transaction.schedules.isRunning(pipeline))) return;
    const cause = { kind: 'Schedule', name, version };
    const asked = { pipeline, requestedBy: null, dueAt: new Date(due), cause, nowMs: Date.now(), ...toWanted(parameters, Date.parse(due)) };
    const runId = changed ? await requestRun(transaction, asked) : undefined;
    await transaction.schedules.keepCatalogue(name, digest, runId ?? null);
    const data = { schedule: name, version, due, digest, changed, run: runId ?? null };
    await transaction.audit({ type: 'schedule.looked', at: new Date().toISOString(), data });
  });
}
