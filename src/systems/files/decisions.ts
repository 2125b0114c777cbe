// Records of decisions, one file each, below `decisions` of a BAUTA_HOME: whole before anything goes on by the decision.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import { syncFolder, writeWhole } from './durable.js';

const folderOf = (home: string): string => join(home, 'decisions');

/** Throws DECISION_UNWRITABLE: what cannot be told afterwards is not decided. */
export async function keepDecision(home: string, record: { readonly decision_id: string }): Promise<void> {
  const folder = folderOf(home);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeWhole(join(folder, `${record.decision_id}.json`), `${JSON.stringify(record)}\n`);
    await syncFolder(folder);
  } catch {
    throw toError('DECISION_UNWRITABLE', { file: folder });
  }
}

/** The record as it was written; throws DECISION_UNKNOWN. */
export async function readDecision(home: string, id: string): Promise<unknown> {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw toError('DECISION_UNKNOWN', { name: 'this id' });
  try {
    return JSON.parse(await readFile(join(folderOf(home), `${id}.json`), 'utf8')) as unknown;
  } catch {
    throw toError('DECISION_UNKNOWN', { name: id });
  }
}
