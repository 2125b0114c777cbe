// What a rule's transform declares about its output, for who looks whether originals are in it.
import type { DataType } from '../catalogue.js';
import type { OutputClaim } from '../output-claim.js';
import type { RulePlan } from '../plan.js';
import { findTransform, toWorkingType, withDefaults } from './column-runner.js';

/**
 * `disjoint` only where the transform tells its own output from anything else. A transform that is not in the registry counts as `kept`:
 * nothing is claimed for it. `type`: of the column, of an array's element or of a path.
 */
export function outputSpace(rule: RulePlan, type: DataType): OutputClaim {
  const transform = findTransform(rule.transform);
  const params = transform && withDefaults(transform, rule.params);
  if (!transform || !params) return { output: 'kept', produces: () => true, laws: [], space: 0n };
  const working = rule.preparedFor ?? toWorkingType(transform, type);
  const fixedPoints = transform.fixedPoints?.(params, working);
  const [laws, space] = [transform.laws(params, working), transform.space(params, working)];
  const chances = { laws, space, ...(fixedPoints === undefined ? {} : { fixedPoints }) };
  const output = transform.outputWith?.(params) ?? transform.output;
  if (output === 'kept') return { output: 'kept', produces: () => true, ...chances };
  if (output === 'overlapping' || !transform.produces || !transform.pattern || transform.leavesReservedSpace?.(params)) {
    return { output: 'overlapping', produces: () => true, ...chances };
  }
  const produces = (text: Uint8Array): boolean => transform.produces?.(text, params) === true;
  return { output: 'disjoint', pattern: transform.pattern(params), produces, ...chances };
}
