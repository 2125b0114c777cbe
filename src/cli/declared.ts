// What documents declare of who processes what for which purpose: for the fields of a report that no log can have.
import { loadDocuments, readText } from '../documents/documents.js';
import { InputError } from '../kernel/errors.js';
import type { Declared } from '../pipeline/report/report.js';

type Body = Readonly<Record<string, unknown>>;

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.flatMap((one) => text(one) ?? []) : []);

/** Throws DOCUMENTS_INVALID with every finding. Without a file nothing is declared. */
export async function readDeclared(file: string | undefined): Promise<Declared> {
  if (file === undefined) return { organisation: null, pipelines: {} };
  const { definitions, findings } = await loadDocuments(file, readText);
  if (findings.length > 0) throw new InputError('DOCUMENTS_INVALID', { file, amount: String(findings.length) }, findings);
  const bodies = definitions.map(({ body }) => ({ kind: body.kind, name: body.name, body: body as unknown as Body }));
  const organisation = bodies.find(({ kind }) => kind === 'Organisation')?.body;
  return {
    organisation: organisation ? toOrganisation(organisation) : null,
    pipelines: Object.fromEntries(bodies.filter(({ kind }) => kind === 'Pipeline').map(({ name, body }) => [name, toPipeline(body)])),
  };
}

function toOrganisation(body: Body): Declared['organisation'] {
  const customers = Array.isArray(body['customers']) ? (body['customers'] as readonly Body[]) : [];
  return {
    legalName: text(body['legalName']) ?? '',
    acts: body['acts'] === 'processor' ? 'processor' : 'controller',
    contact: text(body['contact']) ?? '',
    representative: text(body['representative']),
    dataProtectionOfficer: text(body['dataProtectionOfficer']),
    customers: customers.map(({ name, contact }) => ({ name: text(name) ?? '', contact: text(contact) ?? '' })),
  };
}

const toPipeline = (body: Body): Declared['pipelines'][string] => ({
  purpose: text(body['purpose']) ?? '',
  legalBasis: text(body['legalBasis']) ?? '',
  subjectCategories: texts(body['subjectCategories']),
  retentionDays: typeof body['retentionDays'] === 'number' ? body['retentionDays'] : 0,
  owner: text(body['owner']),
});
