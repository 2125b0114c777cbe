// What a run tells people while it goes, as values: the same for who sits beside it and for who follows it from elsewhere. Names, counts and codes.
import type { Json } from '../kernel/canonical-json.js';
import type { Finding } from '../kernel/errors.js';
import type { CheckResult } from './check.js';
import type { PrivacyMeasures } from './privacy.js';
import type { Prepared } from './prepare.js';
import type { Hooks } from './run.js';
import { toShownFinding, toShownPath } from './shown-path.js';
import type { Verdict, VerifyReport } from './verify/verify.js';

export type Told =
  | {
      readonly kind: 'prepared';
      readonly warnings: readonly Finding[];
      /** Null: documents and catalogue do not fit together. */
      readonly plan: PlanSize | null;
      readonly decision: { readonly allow: boolean; readonly revision: string } | null;
    }
  | { readonly kind: 'built'; readonly statements: number }
  | { readonly kind: 'verified'; readonly findings: readonly Finding[]; readonly rows: number; readonly verdicts: readonly Verdict[] }
  | { readonly kind: 'checked'; readonly checks: readonly CheckResult[] }
  | { readonly kind: 'measured'; readonly privacy: PrivacyMeasures };

export interface PlanSize {
  readonly tables: number;
  readonly bytes: number;
  readonly masked: number;
  readonly columns: number;
  /** By the source's statistics. */
  readonly estimatedRows: number;
}

/** Hooks that say what a person wants to know, when it is so. */
export function tellingHooks(
  tell: (told: Told) => void,
): Required<Pick<Hooks, 'prepared' | 'built' | 'verified' | 'checked' | 'measured'>> {
  return {
    prepared: (prepared) => tell(toPrepared(prepared)),
    built: (done, of) => {
      if (done === of) tell({ kind: 'built', statements: of });
    },
    verified: (report) => tell(toVerified(report)),
    checked: (checks) => {
      if (checks.length > 0) tell({ kind: 'checked', checks });
    },
    measured: (privacy) => {
      if (privacy.tablesMeasured > 0) tell({ kind: 'measured', privacy });
    },
  };
}

function toPrepared({ plan, sourceFacts, decision, findings }: Prepared): Told {
  const columns = plan?.tables.flatMap((table) => table.columns) ?? [];
  const masked = columns.filter(({ rule }) => rule.transform !== 'keep' || rule.paths).length;
  const { bytes, estimatedRows } = sourceFacts;
  return {
    kind: 'prepared',
    warnings: findings.filter(({ severity }) => severity === 'warning'),
    plan: plan ? { tables: plan.tables.length, bytes, masked, columns: columns.length, estimatedRows } : null,
    decision: decision ? { allow: decision.allow, revision: decision.policy.revision } : null,
  };
}

function toVerified({ findings, receipts, verdicts }: VerifyReport): Told {
  return {
    kind: 'verified',
    findings: findings.map(toShownFinding),
    rows: receipts.reduce((sum, receipt) => sum + receipt.rows, 0),
    verdicts: verdicts.map((verdict) => (verdict.path === undefined ? verdict : { ...verdict, path: toShownPath(verdict.path) })),
  };
}

/** As it is kept and sent. */
export const toToldJson = (told: Told): Json => JSON.parse(JSON.stringify(told)) as Json;
