// A report as the API shows it.
import type { Schema } from '../../documents/documents.js';
import type { EvidenceRow } from '../../systems/metadata/metadata.js';
import { attestationFormats, scanFormats, severities } from '../../systems/scanners/scanners.js';

const instant: Schema = { type: ['string', 'null'], format: 'date-time' };
const amount: Schema = { type: ['integer', 'null'] };
const properties: Readonly<Record<string, Schema>> = {
  id: { type: 'string', format: 'uuid' },
  digest: { type: 'string', description: 'SHA-256 of the report as it was sent' },
  bytes: { type: 'integer' },
  format: { type: 'string', enum: [...scanFormats, ...attestationFormats] },
  tool: { type: 'object', description: 'name and version, as the report says' },
  subject: { type: 'object', description: 'kind (commit, image, environment), name, and stated: whether the report itself names it' },
  receivedAt: { type: 'string', format: 'date-time' },
  receivedBy: { type: 'string', format: 'uuid', description: 'the person or service account' },
  producer: { type: ['object', 'null'], description: 'the job that sent it, as its identity token says; null: sent with an API key' },
  madeAt: { ...instant, description: 'when the report says that it was made' },
  databaseAt: { ...instant, description: 'of the vulnerabilities that were known to the tool' },
  missing: {
    type: ['string', 'null'],
    description: 'why it is no evidence although it was read: no-rules, no-targets, failed, inventory-only; null: it is evidence',
  },
  rules: { ...amount, description: 'rules or tests that gave a result; null: the format does not say' },
  targets: { ...amount, description: 'what was looked at; null: the format does not say' },
  errors: { type: 'integer', description: 'errors of the tool itself' },
  counts: { type: 'object', description: `open findings by severity (${severities.join(', ')}): open, and fixable of these` },
  suppressed: { type: 'integer', description: 'findings that the report itself sets aside' },
  newFindings: { ...amount, description: 'against the last report of this tool on this line; null: the first' },
  fixedFindings: amount,
  withdrawnAt: { ...instant, description: 'it counts no more since then' },
};

export const evidenceSchema: Schema = { type: 'object', required: Object.keys(properties), properties };

export function toEvidenceView(row: EvidenceRow): object {
  const { id, bytes, format, receivedBy, producer, missing, rules, targets, errors, suppressed, newFindings, fixedFindings } = row;
  return {
    ...{ id, digest: Buffer.from(row.digest).toString('hex'), bytes, format, tool: { name: row.tool, version: row.toolVersion } },
    subject: { kind: row.subjectKind, name: row.subject, stated: row.subjectStated },
    ...{ receivedAt: row.receivedAt.toISOString(), receivedBy, producer },
    ...{ madeAt: row.madeAt?.toISOString() ?? null, databaseAt: row.databaseAt?.toISOString() ?? null },
    ...{ missing, rules, targets, errors },
    counts: Object.fromEntries(Object.entries(row.counts).map(([name, [open, fixable]]) => [name, { open, fixable }])),
    ...{ suppressed, newFindings, fixedFindings, withdrawnAt: row.withdrawnAt?.toISOString() ?? null },
  };
}
