// What of a plan's rules cannot work, found before a row is read: the plan asks, and createMasker throws the first of the same problems.
import { type Finding, toFinding, type Where } from '../../kernel/errors.js';
import type { DataType } from '../catalogue.js';
import type { RulePlan } from '../plan.js';
import { accepts, findTransform, leafType, toWorkingType, withDefaults } from './column-runner.js';
import { transforms } from './registry.js';
import { toStructuredRule } from './runner.js';
import { findPathMisfit, formatPath, parsePath, toStructure } from './structure/structure.js';
import type { Transform } from './transform.js';

/** All problems of one column's rule; `where` names the column. */
export function findRuleProblems(type: DataType, rule: RulePlan, where: Where, among: readonly Transform[] = transforms): Finding[] {
  const { paths } = toStructuredRule(type, rule);
  if (!paths) return findScalarProblems(type, rule, where, among);
  const misfit = findPathMisfit(type, paths);
  if (misfit !== undefined) return [toFinding('MASK_PATHS_UNSUPPORTED', { ...where, path: misfit, type: type.display })];
  return Object.entries(paths).flatMap(([path, leaf]) =>
    findScalarProblems(getTypeAt(type, path), leaf, { ...where, path: formatPath(parsePath(path) ?? []) }, among),
  );
}

function findScalarProblems(type: DataType, rule: RulePlan, where: Where, among: readonly Transform[]): Finding[] {
  const transform = findTransform(rule.transform, among);
  if (!transform) {
    return [toFinding('MASK_TRANSFORM_UNKNOWN', { ...where, name: rule.transform, expected: among.map(({ name }) => name).join(', ') })];
  }
  const working = toWorkingType(transform, type);
  if (accepts(transform, working) && transform.misfit?.(working, withDefaults(transform, rule.params)) === undefined) return [];
  return [
    toFinding('MASK_TRANSFORM_MISFIT', {
      path: '',
      ...where,
      name: rule.transform,
      type: type.display,
      expected: transform.accepts.join(', '),
    }),
  ];
}

/** The type of what stands at a path that `findPathMisfit` found to fit. */
function getTypeAt(type: DataType, path: string): DataType {
  let at = type;
  for (const segment of parsePath(path) ?? []) {
    const structure = toStructure(at);
    if (structure === 'array') at = at.element ?? leafType;
    else if (structure === 'composite') at = at.attributes?.find(({ name }) => name === segment)?.type ?? leafType;
    else return leafType;
  }
  return at;
}
