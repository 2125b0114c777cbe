// What a plan says of a whole table: which rows, which hidden fields beside them, where they go in, and which references that breaks.
import { type Finding, toFinding } from '../kernel/errors.js';
import { toPointer } from '../kernel/json-pointer.js';
import { findNearest } from '../kernel/nearest.js';
import { parseSqlName, toSqlName } from '../kernel/sql-name.js';
import type { BindInput, CountRequest } from './bind-input.js';
import { rowPlace } from './bind-type.js';
import type { Table, TableName } from './catalogue.js';
import type { PersonRoute } from './classify/classify.js';
import type { Rows } from './definition.js';
import { type HiddenColumn, type Plan, type RulePlan, isVaulted } from './plan.js';

/** Rows per table, by `toSqlName`; what is said of a partitioned table holds for its partitions. */
export function bindRows(
  { pipeline }: BindInput,
  tables: readonly Table[],
  isInScope: (table: TableName) => boolean,
): { readonly rows: ReadonlyMap<string, Rows>; readonly findings: readonly Finding[] } {
  const rows = new Map<string, Rows>();
  const findings: Finding[] = [];
  const known = tables.map(({ schema, name }) => toSqlName(schema, name));
  for (const [key, { rows: wanted }] of Object.entries(pipeline.body.tables ?? {})) {
    const parts = parseSqlName(key) ?? [];
    const [schema = '', name = ''] = parts.length === 1 ? ['public', ...parts] : parts;
    const text = toSqlName(schema, name);
    if (known.includes(text)) rows.set(text, wanted);
    else if (isInScope({ schema, name })) {
      const where = { file: pipeline.origin.file, line: pipeline.origin.line(toPointer('tables', key)) };
      findings.push(toFinding('PLAN_TABLE_UNKNOWN', { ...where, name: text, expected: findNearest(text, known) ?? 'a table in scope' }));
    }
  }
  const byName = new Map(tables.map((table) => [toSqlName(table.schema, table.name), table]));
  for (const table of tables) {
    const above = partitionedAbove(table, byName).find((root) => rows.has(toSqlName(root.schema, root.name)));
    const name = toSqlName(table.schema, table.name);
    if (above && !rows.has(name)) rows.set(name, rows.get(toSqlName(above.schema, above.name)) ?? 'all');
  }
  return { rows, findings };
}

/** References that lead out of scope (an error: they cannot be made) and those whose rows are left behind (a warning with a count). */
export function bindReferences(
  input: BindInput,
  tables: readonly Table[],
  rows: ReadonlyMap<string, Rows>,
): { readonly cut: Plan['cutReferences']; readonly findings: readonly Finding[]; readonly wanted: readonly CountRequest[] } {
  const known = new Set(tables.map(({ schema, name }) => toSqlName(schema, name)));
  const cut: { table: string; constraint: string }[] = [];
  const findings: Finding[] = [];
  const wanted: CountRequest[] = [];
  for (const { schema, name, kind: tableKind, constraints } of tables) {
    for (const { kind, name: constraint, references, inherited } of constraints) {
      if (kind !== 'f' || !references) continue;
      const to = toSqlName(references.schema, references.name);
      const where = { schema, table: name, constraint };
      if (!known.has(to)) findings.push(toFinding('PLAN_REFERENCE_OUT_OF_SCOPE', { ...where, expected: to }));
      if ((rows.get(to) ?? 'all') === 'all' || rows.get(toSqlName(schema, name)) === 'none') continue;
      cut.push({ table: toSqlName(schema, name), constraint });
      const count = input.counts?.references?.get(toSqlName(schema, name, constraint));
      const own = rows.get(toSqlName(schema, name)) ?? 'all';
      if (count === undefined)
        wanted.push({
          kind: 'reference',
          schema,
          name,
          constraint,
          rows: own,
          references: toName(references),
          referencedRows: rows.get(to) ?? 'all',
        });
      if (count === 0) continue;
      const amount = count === undefined ? 'not counted' : `${count} rows`;
      // Counted at each partition too, which may have rows of its own choice; an inherited reference cannot be left unchecked.
      const checked = inherited && tableKind === 'r';
      findings.push(
        checked
          ? toFinding('PLAN_REFERENCE_CUT_PARTITION', { ...where, amount })
          : toFinding('PLAN_REFERENCE_CUT', { ...where, amount }, 'warning'),
      );
    }
  }
  return { cut, findings, wanted };
}

const toName = ({ schema, name }: TableName): TableName => ({ schema, name });

/** Every rule of a column: its own and those of its paths. */
export function allRules(rule: RulePlan): readonly RulePlan[] {
  return [rule, ...Object.values(rule.paths ?? {})];
}

/** The fields that scopes `subject` and `row` are a function of. A row whose person may be missing has both. */
export function bindHidden(
  table: Table,
  route: PersonRoute,
  rules: readonly RulePlan[],
  vaulted: ReadonlySet<string>,
): readonly HiddenColumn[] {
  const scopes = new Set(rules.flatMap(allRules).map(({ scope }) => scope));
  // What is kept of a person has to be found again when that person is erased.
  const keptOf = rules.some((rule) => isVaulted(rule, vaulted));
  const bySubject = (scopes.has('subject') || keptOf) && route.kind === 'route';
  const hidden: HiddenColumn[] = [];
  if (bySubject)
    hidden.push(
      ...route.fields.map(({ column, type }): HiddenColumn => ({
        ...{ purpose: 'subject', column, type, via: route.via },
        ...(keptOf && { person: route.person ?? '' }),
      })),
    );
  if (scopes.has('row') || (scopes.has('subject') && bySubject && route.nullable)) {
    const key = table.constraints.find(({ kind }) => kind === 'p')?.columns ?? [];
    const columns = key.flatMap((name) => table.columns.filter((column) => column.name === name));
    if (columns.length === 0) hidden.push({ purpose: 'row', column: 'ctid', type: rowPlace, via: [] });
    hidden.push(...columns.map(({ name, type }): HiddenColumn => ({ purpose: 'row', column: name, type, via: [] })));
  }
  return hidden;
}

/** Partitioned tables above a partition, nearest first. */
export function partitionedAbove(table: Table, byName: ReadonlyMap<string, Table>): readonly Table[] {
  const above: Table[] = [];
  for (let at: Table | undefined = table; at?.partitionBound !== undefined;) {
    const [parent]: readonly TableName[] = at.parents;
    at = parent && byName.get(toSqlName(parent.schema, parent.name));
    if (!at || above.includes(at)) break;
    above.push(at);
  }
  return above;
}

/** Columns of a partition key that are masked. */
export function maskedKey(table: Table, isMasked: (table: Table, column: string) => boolean): readonly string[] {
  const { columns = [], mentions = [] } = table.partitionKey ?? {};
  const named = [...new Set([...columns, ...mentions])].filter((column) => column !== null);
  return named.filter((column) => isMasked(table, column));
}

/** Does every value of the key fall into a partition? With a default partition, or where the remainders of a hash are complete. */
export function coversAll(table: Table, tables: readonly Table[]): boolean {
  const bounds = tables
    .filter(
      ({ partitionBound, parents }) =>
        partitionBound !== undefined && parents.some((parent) => parent.schema === table.schema && parent.name === table.name),
    )
    .map(({ partitionBound = '' }) => partitionBound);
  if (bounds.some((bound) => /^DEFAULT$/i.test(bound.trim()))) return true;
  const shares = bounds.map((bound) => /^FOR VALUES WITH \(modulus (\d+), remainder \d+\)$/i.exec(bound.trim())?.[1]);
  if (!/^HASH\b/i.test(table.partitionKey?.definition ?? '') || shares.length === 0 || shares.includes(undefined)) return false;
  // Each modulus divides the next larger one, so that the largest is a common denominator.
  const largest = Math.max(...shares.map(Number));
  return shares.reduce((sum, share) => sum + largest / Number(share), 0) === largest;
}
