// Evidence as the gate counts it: the newest report of each format and tool about what is deployed, with what waivers take out of it at that moment.
import type { EvidenceItem, EvidenceSubject, ReadEvidence } from '../../pipeline/evidence-item.js';
import type { Metadata, WaiverRow } from '../../systems/metadata/metadata.js';
import { type EvidenceItem as Read, readEvidence } from '../evidence/evidence.js';

/** Of these each finding is a test that failed, whatever severity somebody gave it. */
const tests: ReadonlySet<string> = new Set(['junit', 'dbt-run-results', 'in-toto-test-result']);

export const toReadEvidence =
  (metadata: Metadata): ReadEvidence =>
  (workspaceId, subjects, nowMs) =>
    metadata.within(workspaceId, async (transaction) => {
      const at = new Date(nowMs);
      const items = await readEvidence(transaction, subjects.map(toName), at);
      const standing = items.some(({ waived }) => waived.length > 0) ? await transaction.waivers.standing(at) : [];
      const names = new Map<string, string | null>();
      for (const { receivedBy } of items)
        if (!names.has(receivedBy)) names.set(receivedBy, (await transaction.people.findById(receivedBy))?.name ?? null);
      return items.map((item) => toItem(item, names.get(item.receivedBy) ?? null, standing));
    });

const toName = ({ kind, value }: EvidenceSubject): { readonly kind: EvidenceSubject['kind']; readonly name: string } => ({
  kind,
  name: value,
});

function toItem(row: Read, person: string | null, standing: readonly WaiverRow[]): EvidenceItem {
  const {
    id,
    format: type,
    tool,
    subjectKind: kind,
    subject: value,
    receivedAt,
    madeAt,
    databaseAt,
    missing,
    open,
    waived,
    producer,
  } = row;
  const count = (severity: string): number => open[severity]?.[0] ?? 0;
  const isTest = tests.has(type);
  const all = Object.values(open).reduce((sum, [one]) => sum + one, 0);
  const none = { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 };
  const ends = standing.filter((waiver) => waived.some((one) => one.waiver === waiver.id)).map(({ until }) => until.getTime());
  const said = (member: string): string | null => producer?.[member] ?? null;
  return {
    ...{ id, type, tool, subject: { kind, value } },
    ...(producer?.['attestor'] === undefined ? {} : { attestor: producer['attestor'] }),
    producer: {
      issuer: said('issuer'),
      repository: said('repository'),
      repositoryName: said('repositoryName'),
      ref: said('ref'),
      workflow: said('workflow'),
      person,
    },
    ...{ receivedAtMs: receivedAt.getTime(), madeAtMs: madeAt?.getTime() ?? null, databaseAtMs: databaseAt?.getTime() ?? null },
    ...{ state: missing === null ? 'whole' : 'empty', why: missing },
    counts: isTest
      ? none
      : { critical: count('critical'), high: count('high'), medium: count('medium'), low: count('low'), unknown: count('unknown') },
    fixableCriticals: isTest ? 0 : (open['critical']?.[1] ?? 0),
    failed: isTest ? all : 0,
    ...{ waived: waived.length, waivedUntilMs: ends.length === 0 ? null : Math.min(...ends) },
  };
}
