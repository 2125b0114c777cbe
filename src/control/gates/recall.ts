// A native caller names a commit, or an image, and nothing else. What belongs to it is what a pipeline last told this gate about the same: somebody
// with the right to ask said so, and of the statement about the data what was opened then is kept in the record, under its own time.
import type { Json } from '../../kernel/canonical-json.js';
import type { Transaction } from '../../systems/metadata/metadata.js';
import { type Asked, digestOf } from './asked.js';

export interface Recalled {
  readonly asked: Asked;
  /** Of the statement, as the gate opened it; undefined: there was none. */
  readonly statement?: { readonly run: string | null; readonly facts: Json };
}

interface Kept {
  readonly request: { readonly commit: string | null; readonly image: { readonly digest: string | null } | null };
  readonly dataset: { readonly statement: { readonly run: string | null } | null } | null;
}

/** What the caller named himself stays as he named it. */
export async function recall({ decisions }: Transaction, gate: string, asked: Asked): Promise<Recalled> {
  const { environment, service, commit, image } = asked;
  const digest = image ? digestOf(image) : null;
  const key = commit ? { by: 'commit' as const, value: commit } : digest === null ? undefined : { by: 'image' as const, value: digest };
  const found = key && (await decisions.lastQuestion({ gate, environment, service, ...key }));
  if (!found) return { asked };
  const { request, dataset } = found as unknown as Kept;
  const known = request.image?.digest;
  return {
    asked: { ...asked, commit: commit ?? request.commit, image: image ?? (known ? `recalled@${known}` : null) },
    ...(dataset?.statement ? { statement: { run: dataset.statement.run, facts: dataset.statement } } : {}),
  };
}
