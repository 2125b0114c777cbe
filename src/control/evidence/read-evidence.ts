// What a gate goes by: the last report of each tool of what is about to be deployed, after the waivers that stand.
import type { Counts, EvidenceRow, Subject, Transaction, WaiverRow } from '../../systems/metadata/metadata.js';
import type { ScanFinding } from '../../systems/scanners/scanners.js';
import { readFindings, toCounts } from './receive.js';

export interface EvidenceItem extends EvidenceRow {
  /** Open findings after waivers. */
  readonly open: Counts;
  /** Open findings that a waiver sets aside, by which one. */
  readonly waived: readonly { readonly waiver: string; readonly rule: string; readonly severity: string; readonly place: string }[];
}

export async function readEvidence(transaction: Transaction, subjects: readonly Subject[], at: Date): Promise<readonly EvidenceItem[]> {
  const rows = await transaction.evidence.latest(subjects);
  const waivers = await transaction.waivers.standing(at);
  return Promise.all(rows.map((row) => toItem(transaction, row, waivers.filter((one) => isWithin(one, row))))); // prettier-ignore
}

async function toItem({ evidence }: Transaction, row: EvidenceRow, waivers: readonly WaiverRow[]): Promise<EvidenceItem> {
  const kept = waivers.length === 0 ? undefined : await evidence.findings(row.id);
  const findings = (kept ? await readFindings(kept) : []).filter(({ state }) => state === 'open');
  const waived = findings.flatMap((finding) => {
    const by = waivers.find((waiver) => isOf(waiver, finding));
    return by ? [{ by, finding }] : [];
  });
  const aside = toCounts(waived.map(({ finding }) => finding));
  const open = Object.entries(row.counts).map(([name, [all, fixable]]) => {
    const [less, fixableLess] = aside[name] ?? [0, 0];
    return [name, [all - less, fixable - fixableLess]] as const;
  });
  return {
    ...row,
    open: Object.fromEntries(open),
    waived: waived.map(({ by, finding: { rule, severity, place } }) => ({ waiver: by.id, rule, severity, place })),
  };
}

function isOf({ rule, fingerprint }: WaiverRow, finding: ScanFinding): boolean {
  return rule === finding.rule && (fingerprint === null || fingerprint === finding.fingerprint);
}

/** A waiver of a repository is of what a job of it sent, and of nothing that only says so. */
function isWithin({ scopeKind, scope }: WaiverRow, { subjectKind, subject, producer }: EvidenceRow): boolean {
  if (scopeKind === null) return true;
  if (scopeKind === 'repository') return producer?.['repository'] === scope;
  return scopeKind === subjectKind && scope === subject;
}
