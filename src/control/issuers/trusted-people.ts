// The people whom an Issuer's trusts name: they are there, and for a job it is a service account, for which a person answers.
import type { WrittenDocument } from '../../documents/documents.js';
import { type Finding, toFinding } from '../../kernel/errors.js';
import type { IssuerDefinition } from '../../pipeline/definition.js';
import type { Transaction } from '../../systems/metadata/metadata.js';
import { isOfJobs } from './find-trust.js';

export async function findTrustedPeople(
  { people }: Transaction,
  documents: readonly WrittenDocument[],
): Promise<{ readonly ids: readonly string[]; readonly findings: readonly Finding[] }> {
  const ids = new Set<string>();
  const findings: Finding[] = [];
  for (const { written, kind, name: document } of documents) {
    if (kind !== 'Issuer') continue;
    const issuer = written as unknown as IssuerDefinition;
    for (const [i, { person: name }] of issuer.trusts.entries()) {
      const person = await people.find(name);
      if (person?.erasedAt === null && (!isOfJobs(issuer) || person.owner !== null)) ids.add(person.id);
      else findings.push(toFinding('TRUST_PERSON_INVALID', { file: `Issuer ${document}`, path: `trusts/[${i + 1}]/person`, name }));
    }
  }
  return { ids: [...ids], findings };
}
