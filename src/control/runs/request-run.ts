// A run is asked for: its row, its event and its job in one transaction, with the versions of documents that hold for it.
import { type WrittenDocument, findNamed } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import { toError } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import type { DocumentRef, DocumentVersion, RunRow, Transaction } from '../../systems/metadata/metadata.js';
import type { ConnectionDefinition, RunParameters } from '../../pipeline/definition.js';
import { toJob } from '../../systems/queue/queue.js';
import { requireNotFrozen } from '../frozen.js';
import { tagClasses, toTagClass } from './tag-classes.js';

export const PROVISION = 'provision';

export interface WantedRun {
  readonly pipeline: string;
  readonly requestedBy: string | null;
  readonly dueAt?: Date;
  /** The document that asks for it, when no person does. */
  readonly cause?: DocumentRef;
  readonly nowMs: number;
  /** 0 to 9, the greater first; default 5. */
  readonly priority?: number;
  readonly deadlineAt?: Date;
  /** Take a version that is there where it is what the run would make. */
  readonly reuse?: boolean;
  /** W3C trace context of what asked for it. */
  readonly traceparent?: string | undefined;
}

/** Parameters of a Schedule or a Trigger; `fromMs`: when the run was due, or what asked for it happened. */
export function toWanted({ priority, deadlineMinutes }: RunParameters = {}, fromMs: number): Pick<WantedRun, 'priority' | 'deadlineAt'> {
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(deadlineMinutes === undefined ? {} : { deadlineAt: new Date(fromMs + deadlineMinutes * 60_000) }),
  };
}

/** The new run's id; undefined when there is one of this pipeline for this instant. Throws RESOURCE_UNKNOWN, INCIDENT_FROZEN. */
export async function requestRun(transaction: Transaction, wanted: WantedRun): Promise<string | undefined> {
  const { pipeline, requestedBy, dueAt = null, cause, nowMs, priority = 5, deadlineAt = null, traceparent, reuse = false } = wanted;
  const documents = await findDocuments(transaction, pipeline);
  const environment = await findEnvironment(transaction, pipeline);
  // A person is told at once; what a schedule or a trigger asks for is denied when it is to begin, and that stands in the log.
  if (requestedBy !== null) await requireNotFrozen(transaction, environment, pipeline);
  const run = {
    ...{ id: newRunId(nowMs), pipeline, requestedBy, dueAt, priority, deadlineAt, reuse, ...toNeeds(documents) },
    // The author of a cause has a part in the run, as those of the others have.
    documents: [...documents.map(({ kind, name, version }): DocumentRef => ({ kind, name, version })), ...(cause ? [cause] : [])],
    ...(cause ? { cause } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
    environment,
  };
  if (!(await transaction.runs.insert(run))) return undefined;
  await enqueue(transaction, run);
  return run.id;
}

/**
 * A run that has ended, again: a new run with the very versions of documents that it had, from the first stage on. What an ended run made on
 * the target is gone with it, and so is its snapshot: there is nothing left that a later stage could go on from.
 */
export async function requestAgain(
  transaction: Transaction,
  run: RunRow,
  { requestedBy, nowMs, traceparent }: Pick<WantedRun, 'nowMs' | 'traceparent'> & { readonly requestedBy: string },
): Promise<string> {
  const { pipeline, documents, environment, source, tags, priority } = run;
  await requireNotFrozen(transaction, environment, pipeline);
  const again = {
    id: newRunId(nowMs),
    pipeline,
    documents,
    environment,
    source,
    tags,
    priority,
    requestedBy,
    dueAt: null,
    rerunOf: run.id,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  await transaction.runs.insert(again);
  await enqueue(transaction, again);
  return again.id;
}

/** A job says that there is something to do; which run is done is for `find_next_run` to say. */
export async function enqueue(transaction: Transaction, { id, tags }: Pick<RunRow, 'id' | 'tags'>, at?: Date): Promise<void> {
  await transaction.run(toWake(id, tags, at));
}

export function toWake(id: string, tags: readonly string[], at?: Date): ReturnType<typeof toJob> {
  return toJob(PROVISION, { run: id }, { key: id, flags: tags, ...(at ? { at } : {}) });
}

/** Where a run of the pipeline would deliver to. Throws RESOURCE_UNKNOWN. */
export async function findEnvironment({ documents }: Transaction, name: string): Promise<string> {
  const pipeline = await documents.find({ kind: 'Pipeline', name });
  if (!pipeline) throw toError('RESOURCE_UNKNOWN', { type: 'pipeline' });
  const { target } = pipeline.document as { target: string | { environment: string } };
  return typeof target === 'string' ? target : target.environment;
}

/** What the pipeline names, in the version that is the latest now. The rulebook `default` comes with the release unless there is one of that name. */
export async function findDocuments({ documents }: Transaction, name: string): Promise<readonly DocumentVersion[]> {
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
  return found;
}

/** What the run reads, and which classes of tags the documents say of it. The plan may find more: the run is then given to others. */
export function toNeeds(documents: readonly DocumentVersion[]): { readonly source: string; readonly tags: readonly string[] } {
  const said = documents.filter(({ kind }) => kind.startsWith('Classification')).flatMap(({ document }) => toTexts(document as Json));
  const classes = new Set(said.map(toTagClass));
  return { source: toSource(documents), tags: tagClasses.filter((tagClass) => classes.has(tagClass)) };
}

/** By host, port and database where a Connection says them, else by the reference: what the limit of runs on one source counts. */
function toSource(documents: readonly DocumentVersion[]): string {
  const { source } = documents.find(({ kind }) => kind === 'Pipeline')?.document as { source: string | { connection: string } };
  const name = typeof source === 'string' ? source : source.connection;
  const connection = documents.find((one) => one.kind === 'Connection' && one.name === name)?.document as
    Partial<ConnectionDefinition> | undefined;
  if (!connection) return name;
  const { url, host = '', port = 5432, database = '' } = connection;
  return url ?? `${host}:${port}/${database}`;
}

function toTexts(value: Json): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap((member) => toTexts(member as Json)) : [];
}
