// Which keys a plan needs: one per domain and purpose. The label is all that the KeyProvider sees; threads get derived keys, never the master.
import { toError } from '../../kernel/errors.js';
import { toTokenEnvironment } from '../definition.js';
import { type Plan, isVaulted, toRules, toVaultedDomains } from '../plan.js';
import type { KeyProvider } from '../ports.js';

/**
 * `prf`: draws (AES-256-CMAC). `cipher`: the round function of permutations (AES-256). `token`: of those that are reversible. `token-find` and
 * `token-seal`: by which a value is found whose token is kept, and under which it is kept.
 */
export type KeyPurpose = 'prf' | 'cipher' | 'token' | 'token-find' | 'token-seal';

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

/** Whose keys the plan's labels name. */
export function toKeyScope({ workspace, environment, keyEnvironment = environment }: Plan): KeyScope {
  return { workspace, environment: keyEnvironment };
}

/** Every key that the plan's rules use; those of what is reversible come from the other hierarchy, under its own version. */
export async function deriveKeys(
  plan: Plan,
  provider: Pick<KeyProvider, 'derive'>,
  tokenKeys?: Pick<KeyProvider, 'derive'>,
): Promise<RuleKeys> {
  // Nothing in a thread can make or reverse a token that is kept.
  const vaulted = toVaultedDomains(plan.facts.target);
  const rules = toRules(plan).filter((rule) => !isVaulted(rule, vaulted));
  const scope = toKeyScope(plan);
  const toDomains = (reversible: boolean): readonly string[] =>
    [...new Set(rules.filter((rule) => (rule.reversible === true) === reversible).map(({ domain }) => domain))].sort();
  const masking = toDomains(false).flatMap((domain) => [toKeyLabel(scope, domain, 'prf'), toKeyLabel(scope, domain, 'cipher')]);
  const own = { ...plan, environment: toTokenEnvironment(plan.environment, plan.facts.target.keys) };
  const token = toDomains(true).map((domain) => [toKeyLabel(scope, domain, 'token'), toKeyLabel(own, domain, 'token')] as const);
  const { tokenKeyVersion } = plan;
  if (token.length > 0 && (!tokenKeys || tokenKeyVersion === undefined)) throw toError('MASK_KEY_MISSING', { stage: 'mask' });
  return new Map(
    await Promise.all([
      ...masking.map(async (label) => [label, await provider.derive(label, plan.keyVersion)] as [string, Uint8Array]),
      ...token.map(
        async ([name, label]) => [name, await (tokenKeys ?? provider).derive(label, tokenKeyVersion ?? 0)] as [string, Uint8Array],
      ),
    ]),
  );
}
