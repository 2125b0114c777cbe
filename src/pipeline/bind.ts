// Definitions meet a catalogue: a frozen plan, or every reason why there is none. Pure: the same arguments give the same plan, and neither
// statistics nor the order and names of documents are part of it.
import { deepFreeze } from '../kernel/deep-freeze.js';
import { type Finding, sortFindings, toFinding } from '../kernel/errors.js';
import { toSqlName } from '../kernel/sql-name.js';
import { checkComponents, checkColumn } from './bind-check.js';
import { bindChecks, type BoundChecks } from './bind-checks.js';
import { draftColumn, type DraftColumn, isMasked } from './bind-column.js';
import { type BindInput, type Bound, type CountRequest, toScopeTest } from './bind-input.js';
import { Overrides } from './bind-override.js';
import { bindPairing } from './bind-pairing.js';
import { RuleBinder } from './bind-rule.js';
import { bindRoles, type BoundRoles } from './bind-roles.js';
import { allRules, bindHidden, bindReferences, bindRows, coversAll, maskedKey, partitionedAbove } from './bind-table.js';
import { findUniqueColumns, withPartitionRows } from './bind-unique.js';
import type { DataType, Table } from './catalogue.js';
import { type Resolution, type ResolvedTable, resolveTags } from './classify/classify.js';
import type { Rows } from './definition.js';
import { type ColumnPlan, type Plan, type RulePlan, type TablePlan, toVaultedDomains } from './plan.js';
import { isTelling } from './telling.js';

export type { BindInput, Bound, CountRequest, Counts, Registry, TransformView } from './bind-input.js';
export { toCountKey, toScopeTest } from './bind-input.js';

export function bindPlan(input: BindInput): Bound {
  const isInScope = toScopeTest(input.pipeline.body);
  const tables = withPartitionRows(input.catalogue.tables.filter(isInScope)).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const resolution = resolveTags({
    classification: input.classification,
    lock: input.lock,
    tables,
    isOutOfScope: (table) => !isInScope(table),
  });
  const binding = new Binding(input, resolution, tables);
  const { rows, findings } = bindRows(input, tables, isInScope);
  const references = bindReferences(input, tables, rows);
  const roles = bindRoles(input);
  const planned = binding.tables(rows);
  const checks = bindChecks({ pipeline: input.pipeline, tables, telling: toTelling(planned) });
  if (tables.length === 0)
    binding.findings.push(
      toFinding('PLAN_SCOPE_EMPTY', { file: input.pipeline.origin.file, line: input.pipeline.origin.line('/include') }),
    );
  const all = distinct([
    ...resolution.findings,
    ...binding.allFindings(),
    ...findings,
    ...references.findings,
    ...roles.findings,
    ...checks.findings,
  ]);
  const wanted = [...binding.wanted, ...references.wanted];
  if (all.some(({ severity }) => severity === 'error')) return { findings: all, wanted };
  return { plan: toPlan(input, planned, references.cut, roles, checks), findings: all, wanted };
}

/** Columns of each table that let something of a person through. */
function toTelling(tables: readonly TablePlan[]): ReadonlyMap<string, readonly string[]> {
  return new Map(tables.map((table) => [toSqlName(table.schema, table.name), table.columns.filter(isTelling).map(({ name }) => name)]));
}

function toPlan(
  input: BindInput,
  tables: readonly TablePlan[],
  cutReferences: Plan['cutReferences'],
  { roles }: BoundRoles,
  { checks }: BoundChecks,
): Plan {
  const { body } = input.pipeline;
  const { systemIdentifier, databaseOid, database } = input.catalogue.server;
  const { purpose, owner, legalBasis, subjectCategories, retentionDays, source, target, schemaTexts } = body;
  return deepFreeze<Plan>({
    version: 1,
    workspace: input.workspace,
    pipeline: body.name,
    environment: target.environment,
    ...(target.keys?.join ? { keyEnvironment: target.keys.join.environment } : {}),
    keyVersion: input.keyVersion,
    facts: {
      purpose,
      owner,
      legalBasis,
      subjectCategories,
      retentionDays,
      source,
      target,
      ...(schemaTexts === undefined ? {} : { schemaTexts }),
    },
    source: { systemIdentifier, databaseOid, database },
    catalogueDigest: input.catalogueDigest,
    documents: { ...input.documents },
    tables,
    cutReferences,
    ...(roles === undefined ? {} : { roles }),
    ...(checks === undefined ? {} : { checks }),
  });
}

class Binding {
  readonly findings: Finding[] = [];
  readonly wanted: CountRequest[] = [];
  private readonly binder: RuleBinder;
  private readonly overrides: Overrides;
  private readonly drafts = new Map<string, DraftColumn>();
  private readonly byName: ReadonlyMap<string, Table>;

  constructor(
    private readonly input: BindInput,
    private readonly resolution: Resolution,
    private readonly all: readonly Table[],
  ) {
    this.byName = new Map(all.map((table) => [nameOf(table), table]));
    this.binder = new RuleBinder(input.registry, input.rulebook);
    this.overrides = new Overrides(input.pipeline, resolution);
    const joined = this.toJoinedTypes();
    const uniqueComponents = new Set<number | undefined>();
    for (const { table, columns } of resolution.tables) {
      for (const name of findUniqueColumns(table)) uniqueComponents.add(columns.get(name)?.component);
    }
    uniqueComponents.delete(undefined);
    for (const { table, columns } of resolution.tables) {
      const own = findUniqueColumns(table);
      for (const column of columns.values()) {
        const unique = own.has(column.column.name) || uniqueComponents.has(column.component);
        const types = column.component === undefined ? [column.column.type] : (joined[column.component] ?? []);
        const draft = draftColumn(column, types, unique, this.binder, this.overrides, this.findings);
        if (draft) this.drafts.set(column.name, draft);
      }
    }
    this.findings.push(...checkComponents(resolution, this.drafts));
  }

  allFindings(): readonly Finding[] {
    return [...this.findings, ...this.binder.findings, ...this.overrides.findings];
  }

  tables(rows: ReadonlyMap<string, Rows>): readonly TablePlan[] {
    return this.resolution.tables.map((resolved) => this.table(resolved, rows.get(nameOf(resolved.table)) ?? 'all'));
  }

  private table(resolved: ResolvedTable, rows: Rows): TablePlan {
    const { table, route } = resolved;
    const unique = findUniqueColumns(table);
    const columns = table.columns.flatMap((column): readonly ColumnPlan[] => {
      const draft = this.drafts.get(toSqlName(table.schema, table.name, column.name));
      if (!draft || column.generated !== '') return [];
      const { findings, wanted } = checkColumn(this.input, resolved, draft, unique.has(column.name), this.binder);
      this.findings.push(...findings);
      this.wanted.push(...wanted);
      return [toColumnPlan(draft, unique.has(column.name), route.kind === 'route')];
    });
    this.checkSubject(resolved);
    const loadInto = this.loadInto(table);
    const elsewhere = loadInto.schema !== table.schema || loadInto.name !== table.name;
    const pairing = bindPairing(table, columns, elsewhere, this.input.registry.transforms);
    const rules = columns.map(({ rule }) => rule);
    return {
      ...{ schema: table.schema, name: table.name, oid: table.oid, kind: table.kind, rows, columns },
      hidden: bindHidden(table, route, rules, toVaultedDomains(this.input.pipeline.body.target)),
      loadInto,
      ...(pairing ? { pairing } : {}),
      ...(pairing?.by === 'place' ? { inOrder: true } : {}),
    };
  }

  private checkSubject({ table, route, where, columns }: ResolvedTable): void {
    const wanted = [...columns.values()].some(({ name }) =>
      allRules(this.drafts.get(name)?.rule ?? noRule).some(({ scope }) => scope === 'subject'),
    );
    if (!wanted) return;
    if (route.kind === 'ambiguous')
      this.findings.push(toFinding('CLASSIFICATION_SUBJECT_AMBIGUOUS', { ...where, expected: route.choices.join(', ') }));
    if (route.kind === 'none')
      this.findings.push(toFinding('CLASSIFICATION_SUBJECT_MISSING', { ...where, schema: table.schema, table: table.name }, 'warning'));
  }

  /** The highest partitioned table whose key is masked: a masked key may move a row to another partition. */
  private loadInto(table: Table): TablePlan['loadInto'] {
    const masked = (at: Table, column: string): boolean => {
      const draft = this.drafts.get(toSqlName(at.schema, at.name, column));
      return draft !== undefined && isMasked(draft);
    };
    for (const column of coversAll(table, this.all) ? [] : maskedKey(table, masked)) {
      this.findings.push(toFinding('PLAN_PARTITION_UNCOVERED', { schema: table.schema, table: table.name, column }));
    }
    const above = partitionedAbove(table, this.byName).filter((root) => maskedKey(root, masked).length > 0);
    const { schema, name } = above.at(-1) ?? table;
    return { schema, name };
  }

  /** Types of the copied columns of each component. */
  private toJoinedTypes(): readonly (readonly DataType[])[] {
    const types: DataType[][] = this.resolution.components.map(() => []);
    for (const { columns } of this.resolution.tables) {
      for (const { component, column } of columns.values())
        if (component !== undefined && column.generated === '') types[component]?.push(column.type);
    }
    return types;
  }
}

const noRule: RulePlan = {
  transform: 'keep',
  params: {},
  scope: 'value',
  domain: '',
  canonical: 'text',
  reveals: [],
  uniqueness: 'preserved',
};

/** Without a person on the way from the table, `subject` is `row`. */
function toColumnPlan({ resolved, rule, reason, expires }: DraftColumn, unique: boolean, hasPerson: boolean): ColumnPlan {
  const { column, tag, component, from } = resolved;
  const settle = (one: RulePlan): RulePlan => (one.scope === 'subject' && !hasPerson ? { ...one, scope: 'row' } : one);
  const paths = rule.paths && Object.fromEntries(Object.entries(rule.paths).map(([path, one]) => [path, { ...settle(one), tag: one.tag }]));
  return {
    ...{ attnum: column.attnum, name: column.name, type: column.type, notNull: column.notNull, tag },
    rule: { ...settle(rule), ...(paths ? { paths } : {}) },
    unique,
    ...(component === undefined ? {} : { component }),
    from,
    ...(reason === undefined ? {} : { reason }),
    ...(expires === undefined ? {} : { expires }),
  };
}

function nameOf(table: { readonly schema: string; readonly name: string }): string {
  return toSqlName(table.schema, table.name);
}

/** A rule that is wrong is wrong for every column that uses it; it is said once. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  return sortFindings([...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()]);
}
