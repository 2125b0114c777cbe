// Documents that change: what differs, and how they become the latest versions, at once or when somebody approved.
import type { WrittenDocument } from '../documents/documents.js';
import type { Json } from '../kernel/canonical-json.js';
import { toTimestamp } from '../kernel/clock.js';
import { digestJson } from '../kernel/digest.js';
import { toError } from '../kernel/errors.js';
import type { DocumentVersion, Transaction } from '../systems/metadata/metadata.js';
import type { Consequence } from './approvals/approvals.js';
import { type Difference, toDiff } from './diff.js';
import { hasRight } from './http/http.js';
import { DocumentSet, findLowered } from './protection/protection.js';
import { followSchedule } from './schedules/schedules.js';
import { followTrigger } from './triggers/triggers.js';

export interface Applied {
  readonly kind: string;
  readonly name: string;
  readonly version: number;
  readonly digest: string;
  readonly change: 'created' | 'changed' | 'unchanged';
  readonly diff: readonly Difference[];
}

export interface Change {
  readonly document: WrittenDocument;
  readonly applied: Applied;
}

export function toChange(document: WrittenDocument, current: DocumentVersion | undefined): Change {
  const { kind, name, digest, written } = document;
  const at = { kind, name, digest };
  if (current?.digest === digest) return { document, applied: { ...at, version: current.version, change: 'unchanged', diff: [] } };
  const diff = toDiff(current?.document as Json | undefined, written);
  return { document, applied: { ...at, version: (current?.version ?? 0) + 1, change: current ? 'changed' : 'created', diff } };
}

/** MUST be given a transaction that has the lock of documents. */
export async function insertChanges(
  transaction: Transaction,
  changes: readonly Change[],
  authorId: string,
  nowMs: number,
  approval?: string,
): Promise<void> {
  const clock = { now: () => nowMs };
  const rhythms = new Map<string, Json>();
  for (const { document, applied } of changes) {
    const { kind, name, digest, written } = document;
    await transaction.documents.insert({ kind, name, version: applied.version, digest, document: written }, authorId);
    if (kind === 'Schedule') rhythms.set(name, await followSchedule(transaction, written, applied.version, clock));
    if (kind === 'Trigger') await followTrigger(transaction, written, applied.version, clock);
  }
  // When a schedule was to be due follows from the log alone: an instant at which nobody was there is seen to be missing.
  const documents = changes.map(({ applied: { kind, name, version, digest, change } }) => ({
    ...{ kind, name, version, digest, change },
    ...(kind === 'Schedule' ? { due: rhythms.get(name)! } : {}),
  }));
  const data = { documents, ...(approval === undefined ? {} : { approval }) };
  await transaction.audit({ type: 'documents.applied', at: toTimestamp(nowMs), actor: authorId, data });
}

interface Subject {
  readonly documents: readonly Applied[];
  readonly written: readonly WrittenDocument[];
}

/** All of it, as it was shown: a version that came in between, or anything that makes it lower more, less or else, makes it another change. */
export const documentsConsequence: Consequence = {
  async approved(transaction, { id, subject, requestedBy, digest }, nowMs) {
    const { documents, written } = subject as Subject;
    await transaction.documents.lock();
    if (requestedBy === null || !hasRight(await transaction.people.rolesOf(requestedBy), 'documents:apply', []))
      throw toError('APPROVAL_VOID', { name: 'who asked for it has the right no more' });
    const changes: Change[] = [];
    for (const document of written) changes.push(toChange(document, await transaction.documents.find(document)));
    const { before, after } = await DocumentSet.read(transaction, written);
    const now = {
      documents: changes.map(({ applied: { kind, name, version, digest: one } }) => ({ kind, name, version, digest: one })),
      lowers: findLowered(before, after, documents).map((one) => ({ ...one })),
      requestedBy,
    };
    if (digestJson(now) !== digest || after.keyProblems().length > 0)
      throw toError('APPROVAL_VOID', { name: 'other versions have come since' });
    await insertChanges(transaction, changes, requestedBy, nowMs, id);
    return 'used';
  },
};
