// Which runner a rule gets: one transform for the whole value, or a walk through the paths inside it.
import type { DataType } from '../catalogue.js';
import type { RulePlan } from '../plan.js';
import { type ColumnRunner, createScalarRunner, type RunnerSetting } from './column-runner.js';
import type { Identity } from './seed.js';
import { createStructuredRunner, type ShowKey, toStructure } from './structure/structure.js';

export interface RunnerOptions extends RunnerSetting {
  /** Domains whose tokens a batch brings with it. */
  readonly vaulted: ReadonlySet<string>;
  readonly showKey: ShowKey;
}

export function createRunner(type: DataType, rule: RulePlan, identity: Identity, options: RunnerOptions): ColumnRunner {
  const structured = toStructuredRule(type, rule);
  if (!structured.paths) return createScalarRunner(type, rule, identity, options);
  return createStructuredRunner(type, { ...structured, paths: structured.paths }, identity, {
    showKey: options.showKey,
    make: (innerType, innerRule, path) => createRunner(innerType, innerRule, { ...identity, path }, options),
  });
}

/** One tag on a whole array means each of its elements; only NULL and keep speak of the array itself. */
export function toStructuredRule(type: DataType, rule: RulePlan): RulePlan {
  if (toStructure(type) !== 'array' || rule.paths || rule.transform === 'null' || rule.transform === 'keep') return rule;
  return { ...rule, paths: { '[]': { ...rule, tag: '' } }, rest: 'refuse' };
}
