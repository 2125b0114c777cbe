// Which keys a plan needs: one per domain and purpose. The label is all that the KeyProvider sees; threads get derived keys, never the master.
import type { ColumnPlan, Plan, RulePlan } from '../plan.js';
import type { KeyProvider } from '../ports.js';

/** `prf`: draws (AES-256-CMAC). `cipher`: the round function of permutations (AES-256). */
export type KeyPurpose = 'prf' | 'cipher';

const purposes: readonly KeyPurpose[] = ['prf', 'cipher'];

export interface KeyScope {
  readonly workspace: string;
  readonly environment: string;
}

/** 32 bytes by label. */
export type RuleKeys = ReadonlyMap<string, Uint8Array>;

/** `bauta/1` NUL workspace NUL environment NUL domain NUL purpose. */
export function toKeyLabel(scope: KeyScope, domain: string, purpose: KeyPurpose): string {
  return ['bauta/1', scope.workspace, scope.environment, domain, purpose].join('\0');
}

/** Every key that the plan's rules use. */
export async function deriveKeys(plan: Plan, provider: Pick<KeyProvider, 'derive'>): Promise<RuleKeys> {
  const domains = new Set(plan.tables.flatMap((table) => table.columns.flatMap(toRules)).map((rule) => rule.domain));
  const labels = [...domains].sort().flatMap((domain) => purposes.map((purpose) => toKeyLabel(plan, domain, purpose)));
  return new Map(
    await Promise.all(labels.map(async (label) => [label, await provider.derive(label, plan.keyVersion)] as [string, Uint8Array])),
  );
}

/** The column's own rule and those of its paths, kept ones left out. */
function toRules({ rule }: ColumnPlan): RulePlan[] {
  return [rule, ...Object.values(rule.paths ?? {})].filter(({ transform }) => transform !== 'keep');
}
