// An errand is asked for: its row and its job in one transaction, with the versions of documents that hold now.
import type { Schema } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import { newRunId } from '../../kernel/ids.js';
import type { DocumentRef, ErrandKind, ErrandRow, NewErrand, RunRow, Transaction } from '../../systems/metadata/metadata.js';
import { toError } from '../../kernel/errors.js';
import { nameSchema } from '../http/http.js';
import { toJob } from '../../systems/queue/queue.js';
import type { WantedKeyChange } from './change-keys.js';
import { requireNotFrozen } from '../frozen.js';
import { findDocuments, findEnvironment, toNeeds } from '../runs/runs.js';

export const ERRAND = 'errand';

/** What gives people something of a copy. */
const frozen: ReadonlySet<ErrandKind> = new Set(['clone', 'archive', 'rollback']);
const PAGE = 200;

/** Nobody begins with one that was asked for longer ago than this: a roll-back of an hour ago would surprise everybody. */
export const WAIT_MS = 60_000;

/** A worker that is at one says so this often; silent for so long, it is gone. */
export const BEAT_MS = 5000;
export const SILENT_MS = 30_000;

export const wantedSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['pipeline'],
  properties: { pipeline: nameSchema },
  description: 'pipeline',
};

export interface ErrandPayload {
  readonly workspace: string;
  readonly errand: string;
}

export interface WantedErrand {
  readonly kind: ErrandKind;
  readonly pipeline: string;
  readonly requestedBy: string;
  readonly nowMs: number;
  readonly wanted?: Json;
  /** The id of the clone that it is about. */
  readonly clone?: string | null;
}

/** Throws RESOURCE_UNKNOWN, INCIDENT_FROZEN, or what `permit` throws of the pipeline's environment. */
export async function requestErrand(
  transaction: Transaction,
  { kind, pipeline, requestedBy, nowMs, wanted = null, clone = null }: WantedErrand,
  permit: (environment: string) => void,
): Promise<ErrandRow> {
  const environment = await findEnvironment(transaction, pipeline);
  permit(environment);
  if (frozen.has(kind)) await requireNotFrozen(transaction, environment, pipeline);
  const found = await findDocuments(transaction, pipeline);
  const documents = found.map(({ kind: of, name, version }): DocumentRef => ({ kind: of, name, version }));
  // The worker's pool has the connections of those tags, and no other has.
  return insert(transaction, { kind, pipeline, environment, documents, requestedBy, wanted, clone }, toNeeds(found).tags, nowMs);
}

/** Of the version that a run made: where it stands is for the documents of its day to say. */
export function requestQuarantine(
  transaction: Transaction,
  { id, pipeline, environment, documents, tags }: Pick<RunRow, 'id' | 'pipeline' | 'environment' | 'documents' | 'tags'>,
  { requestedBy, nowMs }: { readonly requestedBy: string; readonly nowMs: number },
): Promise<ErrandRow> {
  const errand = { kind: 'quarantine', pipeline, environment, documents, requestedBy, wanted: { run: id }, clone: null } as const;
  return insert(transaction, errand, tags, nowMs);
}

/** What the log tells of an incident is collected; any worker can do it. */
export function requestCollection(
  transaction: Transaction,
  { nowMs, ...errand }: Pick<ErrandRow, 'environment' | 'requestedBy' | 'wanted'> & { readonly nowMs: number },
): Promise<ErrandRow> {
  return insert(transaction, { ...errand, kind: 'evidence', pipeline: '', documents: [], clone: null }, [], nowMs);
}

/** Of an environment and no pipeline; any worker can do it. The caller MUST have found that whoever asks may. */
export function requestKeyChange(
  transaction: Transaction,
  { nowMs, wanted, ...errand }: Pick<ErrandRow, 'kind' | 'environment' | 'requestedBy'> & { nowMs: number; wanted: WantedKeyChange },
): Promise<ErrandRow> {
  return insert(transaction, { ...errand, pipeline: '', documents: [], wanted: { ...wanted }, clone: null }, [], nowMs);
}

/** Of a connection: by a worker of a pool that has what the pipelines need that use it. The caller MUST have found that whoever asks may. */
export async function requestRotation(
  transaction: Transaction,
  connection: DocumentRef,
  { requestedBy, nowMs }: { readonly requestedBy: string; readonly nowMs: number },
): Promise<ErrandRow> {
  const wanted = { connection: connection.name };
  const errand = {
    kind: 'secret-rotation',
    pipeline: '',
    environment: '',
    documents: [connection],
    requestedBy,
    wanted,
    clone: null,
  } as const;
  return insert(transaction, errand, await flagsOf(transaction, connection), nowMs);
}

/** One that another worker had, for the next one. */
export async function requestAgain(transaction: Transaction, { id, documents: [connection] }: ErrandRow): Promise<void> {
  await enqueue(transaction, id, connection === undefined ? [] : await flagsOf(transaction, connection));
}

/** What the pipelines need that use the connection. */
async function flagsOf(transaction: Transaction, connection: Pick<DocumentRef, 'name'>): Promise<readonly string[]> {
  const flags = new Set<string>();
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = await transaction.documents.list('Pipeline', PAGE, after);
    for (const pipeline of page) {
      const found = await findDocuments(transaction, pipeline.name);
      if (found.some(({ kind, name }) => kind === 'Connection' && name === connection.name))
        for (const tag of toNeeds(found).tags) flags.add(tag);
    }
    after = page.length === PAGE ? page.at(-1)?.name : undefined;
  }
  return [...flags];
}

async function insert(
  transaction: Transaction,
  errand: Omit<NewErrand, 'id'>,
  flags: readonly string[],
  nowMs: number,
): Promise<ErrandRow> {
  const id = newRunId(nowMs);
  await transaction.errands.insert({ ...errand, id });
  await enqueue(transaction, id, flags);
  const row = await transaction.errands.find(id);
  if (!row) throw toError('RESOURCE_UNKNOWN', { type: errand.kind });
  return row;
}

async function enqueue(transaction: Transaction, id: string, flags: readonly string[]): Promise<void> {
  const payload: ErrandPayload = { workspace: transaction.workspaceId, errand: id };
  await transaction.run(toJob(ERRAND, { ...payload }, { key: `errand ${id}`, flags: [...flags] }));
}
