// How rows of source and output are told to be the same one, for who compares them: by kept columns that are unique together, else by place.
import type { TransformView } from './bind-input.js';
import type { Table } from './catalogue.js';
import type { ColumnPlan, Pairing, RulePlan } from './plan.js';

/** `elsewhere`: the rows go in through another table, where those of several sources mix and no place tells them apart. */
export function bindPairing(
  table: Table,
  columns: readonly ColumnPlan[],
  elsewhere: boolean,
  transforms: readonly TransformView[],
): Pairing | undefined {
  if (table.kind !== 'r') return undefined;
  const kept = new Map(columns.filter(({ rule }) => rule.transform === 'keep' && !rule.paths).map((column) => [column.name, column]));
  const keys = table.constraints
    .filter(({ kind, deferrable }) => (kind === 'p' || kind === 'u') && !deferrable)
    .map(({ columns: names }) => names)
    .filter((names) => names.every((name) => kept.get(name)?.notNull === true && isExact(kept.get(name) as ColumnPlan)))
    .sort((a, b) => a.length - b.length);
  const spread = columns.some(({ rule }) => toLeaves(rule).some((leaf) => isSpread(leaf, transforms)));
  const [best] = keys;
  if (best) return { by: 'key', columns: best };
  return spread && !elsewhere ? { by: 'place' } : undefined;
}

/** Equal values have equal bytes. */
function isExact({ type }: ColumnPlan): boolean {
  return type.deterministicCollation && !['citext', 'numeric', 'float4', 'float8', 'interval', 'json', 'jsonb'].includes(type.base);
}

function toLeaves(rule: RulePlan): readonly RulePlan[] {
  return rule.paths ? Object.values(rule.paths) : [rule];
}

/** Its pseudonyms share the space of the originals, so that only a comparison of rows tells whether one came through. */
function isSpread({ transform }: RulePlan, transforms: readonly TransformView[]): boolean {
  const found = transforms.find(({ name }) => name === transform);
  return found?.output === 'overlapping' || (found?.output === 'kept' && found.fixedPoints !== undefined);
}
