// What a rule's transform declares about its output, for who looks whether originals are in it.
import type { RulePlan } from '../plan.js';
import { findTransform, withDefaults } from './column-runner.js';

/**
 * `disjoint` only where the transform tells its own output from anything else; `produces` takes the unescaped bytes of one value.
 * A transform that is not in the registry counts as `kept`: nothing is claimed for it.
 */
export function outputSpace(rule: RulePlan): { readonly output: 'disjoint' | 'overlapping' | 'kept'; produces(text: Uint8Array): boolean } {
  const transform = findTransform(rule.transform);
  const params = transform && withDefaults(transform, rule.params);
  if (!transform || !params || transform.output !== 'disjoint' || !transform.produces || transform.leavesReservedSpace?.(params)) {
    return { output: transform?.output === 'overlapping' ? 'overlapping' : 'kept', produces: () => true };
  }
  return { output: 'disjoint', produces: (text) => transform.produces?.(text, params) === true };
}
