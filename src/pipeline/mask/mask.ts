// mask: column in, column out. The only maker of Masked<Batch>; deliver accepts nothing else. Every transform declares what it promises, and
// the laws hold it to its word.
import type { Batch, Masked } from '../batch.js';
import { type Plan, toVaultedDomains } from '../plan.js';
import type { KeyProvider, MaskExecutor } from '../ports.js';
import { toError } from '../../kernel/errors.js';
import { Masker } from './masker.js';
import { transforms } from './registry.js';
import { deriveKeys, type RuleKeys, toKeyScope } from './rule-keys.js';
import type { RunnerOptions } from './runner.js';
import { type ShowKey, showPlainKey } from './structure/structure.js';
import type { Transform } from './transform.js';

export type { MaskExecutor } from '../ports.js';
export type { Batch, Masked } from '../batch.js';
export { toCanonicalForm } from './canonical.js';
export { findTransform, withDefaults } from './column-runner.js';
export { findRuleProblems } from './rule-problems.js';
export { isReservedDomain } from './reserved-domain.js';
export { outputSpace } from './output-space.js';
export { rehearse, type RehearsedRow } from './rehearse.js';
export { transforms } from './registry.js';
export { type KeyPurpose, type KeyScope, type RuleKeys, toKeyLabel } from './rule-keys.js';
export { type Exchange, NotOfForm, toExchange, toTokenParams } from './exchange.js';
export { type ShowKey, showPlainKey } from './structure/structure.js';
export { defineTransform, type Transform } from './transform.js';
export { toTypeFamily } from './type-family.js';
export { type VaultedValues, type VaultedExchange, withVaultedTokens, withoutVault } from './vaulted-columns.js';

/** All that a thread needs; a plain value that structured clone can carry. Holds derived keys, never the master. */
export interface PreparedMask {
  readonly plan: Plan;
  readonly keys: RuleKeys;
}

export interface MaskOptions {
  /** Instead of the registry, for tests. */
  readonly transforms?: readonly Transform[];
  /** How a key inside a value is shown in an error; default: only plain words without a look of personal data. */
  readonly showKey?: ShowKey;
}

/** Derives every key that the plan's rules use. `tokenKeys`: of the hierarchy `token`, without which nothing reversible can be prepared. */
export async function prepareMask(
  plan: Plan,
  provider: Pick<KeyProvider, 'derive'>,
  tokenKeys?: Pick<KeyProvider, 'derive'>,
): Promise<PreparedMask> {
  return { plan, keys: await deriveKeys(plan, provider, tokenKeys) };
}

/** The stage for one table. One batch after the other: the memory of a batch is used again by the next batch of any table of the thread. */
export interface TableMasker {
  /** Looks at the batch's bytes during the call and leaves them alone. The masked lines are in `into` where they fit, else in memory of their own. */
  mask(batch: Batch, into?: Uint8Array): Masked;
}

/** The stage for one table, in the calling thread. Throws where a rule cannot work on its column. */
export function createMasker(prepared: PreparedMask, table: number, options: MaskOptions = {}): TableMasker {
  const { plan, keys } = prepared;
  return new Masker(plan, table, toRunnerOptions(plan, keys, options));
}

/** As MaskExecutor, and the masked lines go to the caller's memory where they fit there: shared memory too. */
export interface MaskInto {
  mask(batch: Batch, into?: Uint8Array): Promise<Masked>;
}

/** Masks in the calling thread, one batch at a time. */
export function createMaskExecutor(prepared: PreparedMask, options: MaskOptions = {}): MaskExecutor & MaskInto {
  const maskers = new Map<number, TableMasker>();
  let closed = false;
  return {
    width: 1,
    mask: (batch, into?: Uint8Array) =>
      new Promise((resolve) => {
        if (closed) throw toError('MASK_CLOSED', { stage: 'mask' });
        let masker = maskers.get(batch.table);
        if (!masker) maskers.set(batch.table, (masker = createMasker(prepared, batch.table, options)));
        resolve(masker.mask(batch, into));
      }),
    close: () => {
      closed = true;
      return Promise.resolve();
    },
  };
}

function toRunnerOptions(plan: Plan, keys: RuleKeys, options: MaskOptions): RunnerOptions {
  return {
    scope: toKeyScope(plan),
    keys,
    transforms: options.transforms ?? transforms,
    showKey: options.showKey ?? showPlainKey,
    vaulted: toVaultedDomains(plan.facts.target),
    persons: new Map(),
  };
}
