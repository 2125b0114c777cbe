// A published version is looked at: is what it was made with still what a run would take today? Documents and rulebook, the policy, and the
// source's schema, of which no row is read.
import type { Json } from '../../kernel/canonical-json.js';
import { digestJson } from '../../kernel/digest.js';
import { toErrorView } from '../../kernel/errors.js';
import type { Request } from '../../pipeline/prepare.js';
import type { DatasetRow, Drifted, RunRow } from '../../systems/metadata/metadata.js';
import { readPolicyDigest } from '../../systems/opa/opa.js';
import { toJob } from '../../systems/queue/queue.js';
import type { LookOptions } from './look-at-source.js';
import { findDocuments } from './request-run.js';
import { loadRequest } from './stored-request.js';

export const DRIFT = 'drift';
const LONGEST_MS = 10 * 60_000;
const SCHEMA = 'source schema';

export interface DriftPayload {
  readonly workspace: string;
  readonly run: string;
}

/** One look at a version waits at a time. A worker does it that may touch what its run did: no other has the connections. */
export function toDriftLook(workspace: string, { id: run, tags }: Pick<RunRow, 'id' | 'tags'>): ReturnType<typeof toJob> {
  const payload: DriftPayload = { workspace, run };
  return toJob(DRIFT, { ...payload }, { key: `drift ${workspace} ${run}`, flags: tags });
}

/** By kind and name, with the lock: its patterns say what columns are, and no plan has a digest of it. */
export function toDocumentDigests({ documents, classification, lock }: Request): Readonly<Record<string, string>> {
  return lock === undefined
    ? documents
    : { ...documents, [`ClassificationLock ${classification.body.name}`]: digestJson(lock.body as unknown as Json) };
}

/** What cannot be seen is a code of the version's row, and the next look tries again. */
export async function lookForDrift(options: LookOptions, { workspace, run: id }: DriftPayload): Promise<void> {
  const { metadata } = options;
  const { dataset, run } = await metadata.within(workspace, async ({ datasets, runs }) => ({
    dataset: await datasets.find(id),
    run: await runs.find(id),
  }));
  if (!dataset || !run || dataset.replacedAt !== null) return;
  const before = dataset.drift ?? [];
  const parts = [
    { sees: (what: string) => what === SCHEMA, look: () => lookAtSchema(options, dataset, run) },
    { sees: (what: string) => what !== SCHEMA, look: () => lookAtDocuments(options, dataset, run) },
  ];
  const drift: Drifted[] = [];
  let error: string | null = null;
  for (const { sees, look } of parts) {
    try {
      drift.push(...(await look()));
    } catch (thrown) {
      error = toErrorView(thrown).code;
      // Nobody knows better.
      drift.push(...before.filter(({ what }) => sees(what)));
    }
  }
  await metadata.within(workspace, ({ datasets }) => datasets.keepLook(id, { drift, error }));
}

/** By the documents that the version was made with: what another scope would see is not what changed. */
async function lookAtSchema(options: LookOptions, { catalogueDigest }: DatasetRow, run: RunRow): Promise<readonly Drifted[]> {
  const { metadata, composer, settings } = options;
  const { request, source, leases } = await loadRequest(metadata, run, composer, options);
  const digest = await composer.describeSource({ settings, request, source, leases, signal: AbortSignal.timeout(LONGEST_MS) });
  return digest === catalogueDigest ? [] : [{ what: SCHEMA, digest }];
}

async function lookAtDocuments(
  { metadata, composer, settings, environment }: LookOptions,
  { documents: before, policyDigest }: DatasetRow,
  { id, workspaceId, pipeline }: RunRow,
): Promise<readonly Drifted[]> {
  const documents = await metadata.within(workspaceId, (transaction) => findDocuments(transaction, pipeline));
  const { request, leases } = await loadRequest(metadata, { id, workspaceId, pipeline, documents }, composer, { settings, environment });
  await leases.close();
  const now = toDocumentDigests(request);
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  const changed = names.filter((name) => before[name] !== now[name]).map((what) => ({ what, digest: now[what] ?? 'gone' }));
  const policy = await readPolicyDigest();
  return policy === policyDigest ? changed : [...changed, { what: 'policy', digest: policy }];
}
