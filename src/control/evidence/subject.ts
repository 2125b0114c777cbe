// What a report is evidence of: what the caller says, held against what his identity token says and against what the report says of itself.
import { toError } from '../../kernel/errors.js';
import type { Producer, SubjectKind } from '../../systems/metadata/metadata.js';
import type { Scan } from '../../systems/scanners/scanners.js';

export interface Bound {
  readonly kind: SubjectKind;
  /** A commit, `sha256:…` of an image, the name of an environment. */
  readonly name: string;
  /** What goes on under many of them. */
  readonly line: string;
}

export const subjectNames = ['commit', 'image', 'environment'] as const;

const forms = {
  commit: /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/,
  image: /^(?<name>[a-z0-9][a-z0-9._/:-]{0,250}@)?(?<digest>sha256:[0-9a-f]{64})$/,
  environment: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
} as const;

export const subjectForms: Readonly<Record<SubjectKind, string>> = {
  commit: '40 or 64 hex digits',
  image: 'sha256:… or NAME@sha256:…: a tag is what somebody moves',
  environment: 'the name of an environment',
};

/**
 * Exactly one of the three. Of a job its token says commit and repository: what the request says MUST be the same. Throws EVIDENCE_SUBJECT and
 * EVIDENCE_FOREIGN.
 */
export function toBound(said: Readonly<Partial<Record<SubjectKind | 'repository', string>>>, job: Producer | undefined): Bound {
  const given = subjectNames.filter((name) => said[name] !== undefined);
  const [kind = job?.['commit'] === undefined ? undefined : ('commit' as const)] = given;
  if (kind === undefined || given.length > 1) throw toError('EVIDENCE_SUBJECT', { expected: `one of ${subjectNames.join(', ')}` });
  const text = said[kind] ?? job?.['commit'] ?? '';
  const found = forms[kind].exec(text);
  if (!found) throw toError('EVIDENCE_SUBJECT', { expected: `${kind}: ${subjectForms[kind]}` });
  if (kind === 'environment') return { kind, name: text, line: text };
  if (kind === 'image') return { kind, name: found.groups?.['digest'] ?? '', line: found.groups?.['name']?.replace(/[:@].*$/, '') ?? '' };
  if (job && job['commit'] !== text) throw toError('EVIDENCE_FOREIGN', { name: 'commit' });
  if (job && said.repository !== undefined && said.repository !== job['repository'])
    throw toError('EVIDENCE_FOREIGN', { name: 'repository' });
  return { kind, name: text, line: job?.['repository'] ?? said.repository ?? '' };
}

/** Whether the report itself names the subject. Throws EVIDENCE_CONTRADICTS where it names another one. */
export function isStated({ kind, name }: Bound, { subjects }: Scan, job: Producer | undefined): boolean {
  if (kind === 'environment') return false;
  if (kind === 'image') {
    const digests = subjects.filter((one) => one.kind === 'image' || one.kind === 'component').flatMap((one) => one.digests);
    // A repository's files are no image.
    const other = subjects.some((one) => one.kind === 'repository' || one.kind === 'files' || one.kind === 'cluster');
    if (other || (digests.length > 0 && !digests.includes(name))) throw toError('EVIDENCE_CONTRADICTS', { name: 'image' });
    return digests.includes(name);
  }
  const repositories = subjects.filter((one) => one.kind === 'repository');
  const revisions = repositories.flatMap(({ revision }) => revision ?? []);
  if (revisions.some((revision) => revision.toLowerCase() !== name)) throw toError('EVIDENCE_CONTRADICTS', { name: 'commit' });
  const own = job?.['repositoryName'];
  const foreign = own !== undefined && repositories.some((one) => one.name !== null && isAddress(one.name) && !isOf(one.name, own));
  if (foreign) throw toError('EVIDENCE_CONTRADICTS', { name: 'repository' });
  return revisions.length > 0;
}

const isAddress = (name: string): boolean => /^(https?|ssh|git):\/\/|^git@/.test(name);

function isOf(address: string, repository: string): boolean {
  const path = address.replace(/\.git$|\/$/g, '').toLowerCase();
  return path.endsWith(`/${repository.toLowerCase()}`) || path.endsWith(`:${repository.toLowerCase()}`);
}
