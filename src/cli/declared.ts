// What a file of documents declares: it says it of the whole period, since nobody knows since when it holds.
import { toDeclared } from '../control/declared.js';
import { loadDocuments, readText } from '../documents/documents.js';
import { InputError } from '../kernel/errors.js';
import type { Declared, Period } from '../pipeline/report/report.js';

/** Throws DOCUMENTS_INVALID with every finding. Without a file nothing is declared. */
export async function readDeclared(file: string | undefined, period: Period): Promise<Declared> {
  if (file === undefined) return toDeclared([], period);
  const { definitions, findings } = await loadDocuments(file, readText);
  if (findings.length > 0) throw new InputError('DOCUMENTS_INVALID', { file, amount: String(findings.length) }, findings);
  return toDeclared(
    definitions.map(({ body }) => ({ kind: body.kind, name: body.name, appliedAt: null, document: body })),
    period,
  );
}
