// The key of what can be exchanged back: of a hierarchy of its own, asked for by plans that have something reversible and by no other.
import { deepFreeze } from '../kernel/deep-freeze.js';
import type { GateFacts } from './gate/gate.js';
import { toTokenParams } from './mask/mask.js';
import { type Plan, toRules } from './plan.js';
import type { KeyProvider } from './ports.js';
import { type KeyRecord, toKeyCheck } from './recorded-keys.js';

/** The plan with the version of the token key, if it needs one. */
export async function withTokenKey(plan: Plan, keys: KeyProvider): Promise<{ readonly plan: Plan; readonly tokenKey?: KeyRecord }> {
  if (!toRules(plan).some(({ reversible }) => reversible === true)) return { plan };
  const version = await keys.currentVersion();
  const tokenKey: KeyRecord = { ...keys.hierarchy, version, check: await toKeyCheck(keys, version) };
  return { plan: deepFreeze<Plan>({ ...plan, tokenKeyVersion: version }), tokenKey };
}

/** What the gate has to know of tokens. */
export async function toTokenFacts(
  plan: Plan,
  { tokenKeys: keys, vaulted = false }: { readonly tokenKeys: KeyProvider; readonly vaulted?: boolean },
): Promise<Pick<GateFacts, 'tokenKey' | 'tokenDomains'>> {
  const { tokenKeyVersion: version, facts } = plan;
  const tokenDomains = Object.entries(facts.target.tokens ?? {}).map(([domain, named]) => ({
    ...{ domain, params: toTokenParams(named) },
    reachable: named.vaulted !== true || vaulted,
  }));
  return version === undefined ? { tokenDomains } : { tokenDomains, tokenKey: { version, expiresAtMs: await keys.expiresAt(version) } };
}
