// What a rule must keep for its column: uniqueness, agreement with joined columns, and frequencies that tell nothing.
import { type Json, toCanonicalJson } from '../kernel/canonical-json.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import { type DraftColumn, isMasked } from './bind-column.js';
import { type BindInput, type CountRequest, toCountKey } from './bind-input.js';
import type { RulePlan } from './plan.js';
import type { RuleBinder } from './bind-rule.js';
import { findSpread, hasRoom, isFrequent, type Spread } from './bind-unique.js';
import { type Resolution, type ResolvedTable, toShape } from './classify/classify.js';

interface Checked {
  readonly findings: readonly Finding[];
  readonly wanted: readonly CountRequest[];
}

/** Joined columns have one rule; joined by a foreign key they keep equal values equal, and none of them is generated. */
export function checkComponents(resolution: Resolution, drafts: ReadonlyMap<string, DraftColumn>): readonly Finding[] {
  return resolution.components.flatMap(({ columns, keyed }) => {
    const members = columns.flatMap((column) => drafts.get(column) ?? []);
    const texts = new Map(members.map((member) => [toRuleText(member), member]));
    const [, other] = [...texts.values()];
    if (other) {
      const expected = columns.join(', ');
      return [toFinding('PLAN_COMPONENT_DIFFERS', { ...other.resolved.where, name: other.rule.transform, expected })];
    }
    return !keyed
      ? []
      : members.filter(isMasked).flatMap(({ resolved, rule }) => {
          if (resolved.column.generated !== '') return [toFinding('PLAN_KEY_GENERATED', resolved.where)];
          return rule.scope === 'value' ? [] : [toFinding('PLAN_KEY_SCOPE', resolved.where)];
        });
  });
}

/** All of a rule that decides about its output, but for the type that all members are prepared for anyway. */
function toRuleText({ rule }: DraftColumn): string {
  return toCanonicalJson({ ...rule, preparedFor: undefined } as unknown as Json);
}

export function checkColumn(input: BindInput, table: ResolvedTable, draft: DraftColumn, unique: boolean, binder: RuleBinder): Checked {
  if (!isMasked(draft)) return { findings: [], wanted: [] };
  return unique ? checkUnique(input, table, draft, binder) : checkFrequency(input, table, draft);
}

function checkUnique(input: BindInput, { table, route }: ResolvedTable, draft: DraftColumn, binder: RuleBinder): Checked {
  const { resolved, rule, type } = draft;
  const { where, column } = resolved;
  const spread = findSpread(table, column.name, true, input.counts);
  const values = spread?.distinct ?? 0;
  const transform = draft.bound?.transform;
  // Under scope `subject` one person has one pseudonym: unique only where one person is one row.
  const oneEach = rule.scope !== 'subject' || (route.kind === 'route' && route.self);
  const space = transform?.space(rule.params, type);
  // A bijection is one of values; as a function of the row it is only a draw from a space that it does not state.
  const bijective = space !== 0n || rule.scope === 'value';
  if (rule.uniqueness !== 'preserved' || !oneEach || !bijective) {
    const expected = binder.alternatives(type, false, { values });
    return { findings: [toFinding('PLAN_NOT_UNIQUE', { ...where, rule: rule.paths ? 'paths' : rule.transform, expected })], wanted: [] };
  }
  if (space === undefined || space === 0n) return { findings: [], wanted: [] };
  if (!spread) return missingCount(table, draft);
  if (hasRoom(space, values)) return { findings: [], wanted: [] };
  const expected = binder.alternatives(type, false, { values });
  return {
    findings: [toFinding('PLAN_SPACE_TOO_SMALL', { ...where, rule: rule.transform, amount: String(Math.round(values)), expected })],
    wanted: [],
  };
}

function checkFrequency(input: BindInput, { table }: ResolvedTable, draft: DraftColumn): Checked {
  const { resolved, rule, reason } = draft;
  // A partitioned table holds no row itself; its partitions are looked at one by one.
  if (reason !== undefined || table.kind === 'p') return { findings: [], wanted: [] };
  if (rule.paths) return checkPaths(input, table, draft, Object.entries(rule.paths));
  // An array's statistics are of whole arrays; its elements are counted.
  if (toShape(resolved.column.type) === 'array') return checkPaths(input, table, draft, [['[]', rule]]);
  if (!tells(rule)) return { findings: [], wanted: [] };
  const spread = findSpread(table, resolved.column.name, false, input.counts);
  if (!spread) return missingCount(table, draft);
  return { findings: isFrequent(spread) ? [toFrequent(draft, spread)] : [], wanted: [] };
}

/** Paths have no statistics: their values are counted. Not inside XML, which the server cannot walk at that price. */
function checkPaths(
  { counts }: BindInput,
  table: ResolvedTable['table'],
  draft: DraftColumn,
  rules: readonly (readonly [path: string, rule: RulePlan])[],
): Checked {
  const { column } = draft.resolved;
  const requests = rules
    .filter(([, rule]) => tells(rule) && column.type.base !== 'xml')
    .map(([path]) => ({ kind: 'column' as const, schema: table.schema, name: table.name, column: column.name, path, type: column.type }));
  const found = requests.map((request) => ({ request, spread: counts?.columns?.get(toCountKey(request)) }));
  return {
    findings: found.flatMap(({ request: { path }, spread }) => (spread && isFrequent(spread) ? [toFrequent(draft, spread, path)] : [])),
    wanted: found.flatMap(({ request, spread }) => (spread ? [] : [request])),
  };
}

/** Under scope `value` equal values stay equal, and are counted as easily as originals. */
function tells({ transform, scope, paths, reveals }: RulePlan): boolean {
  return transform !== 'keep' && scope === 'value' && !paths && (reveals.includes('equality') || reveals.includes('frequency'));
}

function toFrequent({ resolved }: DraftColumn, { distinct, rows }: Spread, path?: string): Finding {
  const amount = `${Math.round(distinct)} values in ${Math.round(rows)} rows`;
  return toFinding('PLAN_FREQUENCIES_SURVIVE', { ...resolved.where, amount, ...(path === undefined ? {} : { path }) });
}

function missingCount(table: ResolvedTable['table'], { resolved }: DraftColumn): Checked {
  const request: CountRequest = { kind: 'column', schema: table.schema, name: table.name, column: resolved.column.name };
  return { findings: [toFinding('PLAN_COUNT_MISSING', resolved.where)], wanted: [request] };
}
