// What Organisation and Pipeline documents declare of who processes what for which purpose, as they were in force in a period: for the fields of a report
// that no log can have.
import type { Declared, InForce, Period } from '../pipeline/report/report.js';

type Body = Readonly<Record<string, unknown>>;

/** Kinds of documents that declare something of this. */
export const declaring = ['Organisation', 'Pipeline', 'Environment'] as const;

/** A document as somebody wrote it, and since when it holds; null: nobody knows, it holds all the time. */
export interface Applied {
  readonly kind: string;
  readonly name: string;
  readonly appliedAt: string | null;
  readonly document: object;
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.flatMap((one) => text(one) ?? []) : []);

/** Of every document all its versions, in any order. Of several Organisations the first by name counts: a workspace is one party. */
export function toDeclared(versions: readonly Applied[], period: Pick<Period, 'from' | 'to'>): Declared {
  const named = (kind: string): readonly string[] =>
    [...new Set(versions.filter((one) => one.kind === kind).map(({ name }) => name))].sort();
  const inForce = <Value>(kind: string, name: string | undefined, read: (body: Body) => Value): readonly InForce<Value>[] =>
    cut(
      versions.filter((one) => one.kind === kind && one.name === name),
      period,
    ).map(({ value, ...when }) => ({ ...when, value: read(value as Body) }));
  return {
    organisation: inForce('Organisation', named('Organisation')[0], toOrganisation),
    pipelines: Object.fromEntries(named('Pipeline').map((name) => [name, inForce('Pipeline', name, toPipeline)])),
    environments: Object.fromEntries(
      named('Environment').map((name) => [name, inForce('Environment', name, ({ safeguard }) => ({ safeguard: text(safeguard) }))]),
    ),
  };
}

/** Each version holds until the next; what does not touch the period is left out, and what reaches beyond it is cut off there. */
function cut(versions: readonly Applied[], { from, to }: Pick<Period, 'from' | 'to'>): readonly InForce<object>[] {
  const ordered = versions.toSorted((one, other) => ((one.appliedAt ?? '') < (other.appliedAt ?? '') ? -1 : 1));
  return ordered.flatMap(({ appliedAt, document }, i) => {
    const [begins, ends] = [appliedAt ?? '', ordered[i + 1]?.appliedAt ?? null];
    if (begins >= to || (ends !== null && (ends <= from || ends === begins))) return [];
    return [{ from: begins <= from ? null : begins, to: ends === null || ends >= to ? null : ends, value: document }];
  });
}

function toOrganisation(body: Body): Declared['organisation'][number]['value'] {
  return {
    legalName: text(body['legalName']) ?? '',
    acts: body['acts'] === 'processor' ? 'processor' : 'controller',
    contact: text(body['contact']) ?? '',
    representative: text(body['representative']),
    dataProtectionOfficer: text(body['dataProtectionOfficer']),
    jointControllers: toParties(body['jointControllers']),
    customers: toParties(body['customers']),
  };
}

const toParties = (value: unknown): readonly { readonly name: string; readonly contact: string }[] =>
  (Array.isArray(value) ? (value as readonly Body[]) : []).map(({ name, contact }) => ({
    name: text(name) ?? '',
    contact: text(contact) ?? '',
  }));

const toPipeline = (body: Body): Declared['pipelines'][string][number]['value'] => ({
  purpose: text(body['purpose']) ?? '',
  legalBasis: text(body['legalBasis']) ?? '',
  subjectCategories: texts(body['subjectCategories']),
  retentionDays: typeof body['retentionDays'] === 'number' ? body['retentionDays'] : 0,
  owner: text(body['owner']),
  safeguard: typeof body['target'] === 'object' && body['target'] !== null ? text((body['target'] as Body)['safeguard']) : null,
});
