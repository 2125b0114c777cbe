// A run is asked for: its row, its event and its job in one transaction, with the versions of documents that hold for it.
import { type WrittenDocument, findNamed } from '../../documents/documents.js';
import { toError } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import type { DocumentRef, Transaction } from '../../systems/metadata/metadata.js';
import { toJob } from '../../systems/queue/queue.js';

export const PROVISION = 'provision';

export interface JobPayload {
  readonly workspace: string;
  readonly run: string;
  readonly attempt: number;
}

/** The new run's id; undefined when there is one of this pipeline for this instant. Throws RESOURCE_UNKNOWN. */
export async function requestRun(
  transaction: Transaction,
  wanted: {
    readonly pipeline: string;
    readonly requestedBy: string | null;
    readonly dueAt?: Date;
    /** The document that asks for it, when no person does. */
    readonly cause?: DocumentRef;
    readonly nowMs: number;
  },
): Promise<string | undefined> {
  const { pipeline, requestedBy, dueAt = null, cause, nowMs } = wanted;
  // Its author has a part in the run, as those of the others have.
  const documents = [...(await findDocuments(transaction, pipeline)), ...(cause ? [cause] : [])];
  const environment = await findEnvironment(transaction, pipeline);
  const id = newRunId(nowMs);
  const run = { id, pipeline, documents, environment, requestedBy, dueAt, ...(cause ? { cause } : {}) };
  if (!(await transaction.runs.insert(run))) return undefined;
  await enqueue(transaction, id, 1);
  return id;
}

export async function enqueue(transaction: Transaction, run: string, attempt: number, at?: Date): Promise<void> {
  const payload = { workspace: transaction.workspaceId, run, attempt };
  await transaction.run(toJob(PROVISION, payload, { key: `${run}:${attempt}`, ...(at ? { at } : {}) }));
}

/** Where a run of the pipeline would deliver to. Throws RESOURCE_UNKNOWN. */
export async function findEnvironment({ documents }: Transaction, name: string): Promise<string> {
  const pipeline = await documents.find({ kind: 'Pipeline', name });
  if (!pipeline) throw toError('RESOURCE_UNKNOWN', { type: 'pipeline' });
  const { target } = pipeline.document as { target: string | { environment: string } };
  return typeof target === 'string' ? target : target.environment;
}

/** What the pipeline names, in the version that is the latest now. The rulebook `default` comes with the release unless there is one of that name. */
async function findDocuments({ documents }: Transaction, name: string): Promise<readonly DocumentRef[]> {
  const pipeline = await documents.find({ kind: 'Pipeline', name });
  if (!pipeline) throw toError('RESOURCE_UNKNOWN', { type: 'pipeline' });
  const { classification, rulebook = 'default' } = pipeline.document as { classification: string; rulebook?: string };
  const found = [pipeline];
  const add = async (kind: string, named: string): Promise<void> => {
    if (found.some((one) => one.kind === kind && one.name === named)) return;
    const document = await documents.find({ kind, name: named });
    if (document) found.push(document);
  };
  // An environment names a connection in turn: what is found is looked through as well.
  for (const { document } of found)
    for (const named of findNamed(document as WrittenDocument['written'])) await add(named.kind, named.name);
  await add('ClassificationLock', classification);
  await add('Rulebook', rulebook);
  return found.map(({ kind, name: named, version }) => ({ kind, name: named, version }));
}
