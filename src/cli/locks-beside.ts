// `classification.lock` beside the classifications of a file, as the documents that a service keeps: each has the name of its classification.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { type LoadedDocuments, parseLock } from '../documents/documents.js';
import type { Json } from '../kernel/canonical-json.js';
import { toError } from '../kernel/errors.js';

export interface LockDocument {
  readonly kind: 'ClassificationLock';
  readonly name: string;
  readonly [member: string]: Json;
}

/** `definitions`: of `file` and what it imports. Throws DOCUMENTS_INVALID. */
export async function readLocksBeside(
  file: string,
  { definitions }: Pick<LoadedDocuments, 'definitions'>,
): Promise<readonly LockDocument[]> {
  const locks: LockDocument[] = [];
  for (const { body, origin } of definitions) {
    if (body.kind !== 'Classification') continue;
    const path = join(dirname(file), dirname(origin.file), 'classification.lock');
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const { lock, findings } = parseLock(text, path);
    if (!lock) throw toError('DOCUMENTS_INVALID', { file: path, amount: String(findings.length) }, findings);
    locks.push({ kind: 'ClassificationLock', name: body.name, ...(lock.body as unknown as Readonly<Record<string, Json>>) });
  }
  return locks;
}
