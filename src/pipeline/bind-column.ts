// One column of the plan: the rule of its tag, or of each path inside it, and who says so.
import { type Finding, toFinding } from '../kernel/errors.js';
import type { Overrides } from './bind-override.js';
import { type BoundRule, keptReveals, type RuleBinder, toKeepRule } from './bind-rule.js';
import { looseText, toCanonicalForm, toJoinedForm, toNarrowest, toScalar } from './bind-type.js';
import type { DataType } from './catalogue.js';
import { findAtPath, type ResolvedColumn, toShape } from './classify/classify.js';
import type { RulePlan } from './plan.js';
import { isPersonal } from './tags.js';

export interface DraftColumn {
  readonly resolved: ResolvedColumn;
  readonly rule: RulePlan;
  /** The transform of a rule without paths; absent for kept columns. */
  readonly bound?: BoundRule;
  readonly reason?: string;
  readonly expires?: string;
  /** The scalar that the transform is prepared for. */
  readonly type: DataType;
}

export function isMasked({ rule }: { readonly rule: RulePlan }): boolean {
  return rule.transform !== 'keep' || Object.values(rule.paths ?? {}).some(({ transform }) => transform !== 'keep') || rule.rest === 'drop';
}

/** `joined`: types of all columns of its component, its own included; `unique`: it or one of them is unique or a key. Undefined when something is wrong, which is a finding then. */
export function draftColumn(
  resolved: ResolvedColumn,
  joined: readonly DataType[],
  unique: boolean,
  binder: RuleBinder,
  overrides: Overrides,
  findings: Finding[],
): DraftColumn | undefined {
  const { column, tag, keep, where } = resolved;
  const type = toNarrowest(joined.map(toScalar)) ?? toScalar(column.type);
  if (keep) {
    if (isPersonal(tag) && keep.expires === undefined) findings.push(toFinding('PLAN_KEEP_UNREASONED', { ...where, name: tag }));
    return {
      resolved,
      rule: toKeepRule(keptReveals),
      reason: keep.reason,
      ...(keep.expires === undefined ? {} : { expires: keep.expires }),
      type,
    };
  }
  if (resolved.paths) return draftPaths(resolved, resolved.paths, binder, overrides);
  const placed = overrides.of(resolved.name);
  const bound = binder.bind({
    ...{ tag, type, notNull: column.notNull && toShape(column.type) !== 'array', unique, loose: false },
    canonical: toJoinedForm(joined),
    override: placed?.override,
    where: { ...where, ...placed?.where, column: where.column, table: where.table, schema: where.schema },
  });
  if (!bound) return undefined;
  const { reason, expires } = bound;
  const rule =
    joined.some(({ display }) => display !== column.type.display) && bound.transform ? { ...bound.rule, preparedFor: type } : bound.rule;
  if (bound.transform && bound.rule.transform !== 'keep' && !toScalar(column.type).deterministicCollation) {
    findings.push(toFinding('PLAN_COLLATION_NONDETERMINISTIC', where));
  }
  return { resolved, rule, bound, type, ...(reason === undefined ? {} : { reason }), ...(expires === undefined ? {} : { expires }) };
}

function draftPaths(
  resolved: ResolvedColumn,
  tagsByPath: ReadonlyMap<string, string>,
  binder: RuleBinder,
  overrides: Overrides,
): DraftColumn | undefined {
  const { column, where, rest = 'refuse', restReason } = resolved;
  const paths: Record<string, RulePlan & { tag: string }> = {};
  const reasons: string[] = [];
  let expires = restReason?.expires;
  let whole = true;
  for (const [path, tag] of tagsByPath) {
    const type = findAtPath(column.type, path)?.type;
    const placed = overrides.of(resolved.name, path);
    const bound = binder.bind({
      ...{ tag, type: type ?? looseText, notNull: false, unique: false, loose: type === undefined, override: placed?.override },
      canonical: type ? toCanonicalForm(type) : 'text',
      where: { ...where, ...placed?.where, path },
    });
    if (!bound) whole = false;
    else paths[path] = { ...bound.rule, tag };
    if (bound?.reason !== undefined) reasons.push(bound.reason);
    // Of several exceptions in one column the one that ends first ends the column's.
    if (bound?.expires !== undefined && (expires === undefined || bound.expires < expires)) expires = bound.expires;
  }
  if (!whole) return undefined;
  if (restReason) reasons.unshift(restReason.reason);
  const rules = Object.values(paths);
  const reveals = rest === 'keep' ? keptReveals : keptReveals.filter((reveal) => rules.some((rule) => rule.reveals.includes(reveal)));
  const uniqueness = rest !== 'drop' && rules.every((rule) => rule.uniqueness === 'preserved') ? 'preserved' : 'not-guaranteed';
  const rule: RulePlan = { ...toKeepRule(reveals), uniqueness, paths, rest };
  const reason = [...new Set(reasons)].join('; ');
  return { resolved, rule, type: column.type, ...(reason === '' ? {} : { reason }), ...(expires === undefined ? {} : { expires }) };
}
