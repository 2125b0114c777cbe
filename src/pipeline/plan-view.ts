// A plan as people read it: per table and column what happens and why, with the estimates that are no part of the plan itself. Pure.
import { toSqlName } from '../kernel/sql-name.js';
import type { Catalogue, Table } from './catalogue.js';
import { type ClaimSource, type ColumnPlan, type Plan, type RulePlan, type TablePlan, toPlanDigest } from './plan.js';

export interface RuleView {
  readonly tag: string;
  readonly transform: string;
  readonly scope: string;
  readonly domain: string;
  readonly reveals: readonly string[];
  readonly bestEffort: boolean;
}

export interface ColumnView extends RuleView {
  readonly column: string;
  readonly type: string;
  readonly unique: boolean;
  /** Who said what the column is, as a sentence's part. */
  readonly why: string;
  readonly reason: string | null;
  readonly expires: string | null;
  readonly distinct: number | null;
  readonly paths: readonly (RuleView & { readonly path: string })[];
  readonly rest: string | null;
}

export interface TableView {
  readonly schema: string;
  readonly table: string;
  readonly rows: string;
  /** null: never analysed. */
  readonly estimatedRows: number | null;
  readonly bytes: number;
  /** Tables that COPY joins to find the person of a row: once per table, not per range. */
  readonly joins: readonly string[];
  readonly loadInto: string | null;
  readonly columns: readonly ColumnView[];
}

export interface PlanView {
  readonly pipeline: string;
  readonly environment: string;
  readonly keyVersion: number;
  readonly planDigest: string;
  readonly tables: readonly TableView[];
  readonly maskedColumns: number;
  readonly keptColumns: number;
  /** Size of the tables to be copied, and an upper estimate of what the target needs while staging stands beside the versions it has: data and as much for indexes. */
  readonly bytes: number;
  readonly peakDiskBytes: number;
}

const reasons: Readonly<Record<ClaimSource, string>> = {
  document: 'the classification says so',
  comment: 'its comment says so',
  label: 'its security label says so',
  'foreign-key': 'a foreign key joins it to a column that was said to be so',
  inherited: 'it comes from a parent table or partition',
  pattern: 'a confirmed pattern says so',
};

export function toPlanView(plan: Plan, catalogue: Catalogue): PlanView {
  const known = new Map(catalogue.tables.map((table) => [toSqlName(table.schema, table.name), table]));
  const tables = plan.tables.map((table) => toTableView(table, known.get(toSqlName(table.schema, table.name))));
  const columns = tables.flatMap((table) => table.columns);
  const masked = columns.filter(isMasked).length;
  const bytes = tables.reduce((sum, table) => sum + (table.rows === 'none' ? 0 : table.bytes), 0);
  const { pipeline, environment, keyVersion } = plan;
  const counts = { maskedColumns: masked, keptColumns: columns.length - masked };
  return { pipeline, environment, keyVersion, planDigest: toPlanDigest(plan), tables, ...counts, bytes, peakDiskBytes: bytes * 2 };
}

function toTableView(plan: TablePlan, table: Table | undefined): TableView {
  const { schema, name, rows, loadInto, hidden } = plan;
  const joins = hidden[0]?.via.map(({ references }) => toSqlName(references.schema, references.name)) ?? [];
  const elsewhere = loadInto.schema !== schema || loadInto.name !== name;
  return {
    ...{ schema, table: name, rows: typeof rows === 'string' ? rows : 'where' },
    estimatedRows: table && table.estimatedRows >= 0 ? table.estimatedRows : null,
    bytes: table?.bytes ?? 0,
    joins,
    loadInto: elsewhere ? toSqlName(loadInto.schema, loadInto.name) : null,
    columns: plan.columns.map((column) => toColumnView(column, table)),
  };
}

function toColumnView(column: ColumnPlan, table: Table | undefined): ColumnView {
  const { name, type, tag, rule, unique, from, reason = null, expires = null } = column;
  return {
    ...{ column: name, type: type.display, ...toRuleView(tag, rule), unique, why: reasons[from as ClaimSource] ?? from, reason, expires },
    distinct: table?.columns.find((other) => other.name === name)?.statistics?.nDistinct ?? null,
    paths: Object.entries(rule.paths ?? {}).map(([path, one]) => ({ path, ...toRuleView(one.tag, one) })),
    rest: rule.rest ?? null,
  };
}

function toRuleView(tag: string, rule: RulePlan): RuleView {
  const { transform, scope, domain, reveals } = rule;
  return { tag, transform: rule.paths ? 'paths' : transform, scope, domain, reveals, bestEffort: transform === 'redact' };
}

function isMasked(column: ColumnView): boolean {
  return column.transform === 'paths' || column.transform !== 'keep';
}

/** Lines for a terminal. Columns that say nothing of a person share one line; everything else has its own. */
export function toPlanLines(view: PlanView): readonly string[] {
  const { pipeline, environment, keyVersion, tables, maskedColumns, keptColumns } = view;
  return [
    `plan ${view.planDigest}`,
    `pipeline ${pipeline}, environment ${environment}, key version ${keyVersion}`,
    `${tables.length} tables, ${maskedColumns} columns masked, ${keptColumns} kept, ${toMegabytes(view.bytes)} to copy, up to ${toMegabytes(view.peakDiskBytes)} on the target`,
    ...tables.flatMap(toTableLines),
  ];
}

function toTableLines(table: TableView): readonly string[] {
  const estimate = table.estimatedRows === null ? 'rows not estimated' : `about ${Math.round(table.estimatedRows)} rows`;
  const extras = [
    table.rows === 'all' ? '' : `rows: ${table.rows}`,
    table.joins.length === 0 ? '' : `joins ${table.joins.join(' and ')} to find the person`,
    table.loadInto === null ? '' : `goes in through ${table.loadInto}`,
  ].filter((extra) => extra !== '');
  const plain = table.columns.filter((column) => column.tag === 'none');
  return [
    '',
    [`${toSqlName(table.schema, table.table)} (${estimate})`, ...extras].join(', '),
    ...table.columns.filter((column) => column.tag !== 'none').flatMap(toColumnLines),
    ...(plain.length === 0 ? [] : [`  kept: ${plain.map(({ column }) => toSqlName(column)).join(', ')}`]),
  ];
}

function toColumnLines(column: ColumnView): readonly string[] {
  const rest = column.rest === null ? '' : `; the rest: ${column.rest}`;
  const said = column.reason === null ? '' : `; reason: ${column.reason}${column.expires === null ? '' : ` (until ${column.expires})`}`;
  const head = column.paths.length > 0 ? 'by path' : toRuleText(column);
  return [
    `  ${toSqlName(column.column)}: ${head}${column.unique ? '; unique' : ''}; ${column.why}${rest}${said}`,
    ...column.paths.map((path) => `    ${path.path}: ${toRuleText(path)}`),
  ];
}

function toRuleText({ tag, transform, scope, reveals, bestEffort }: RuleView): string {
  const lets = reveals.length === 0 ? 'lets nothing through' : `lets through ${reveals.join(', ')}`;
  return `${tag} → ${transform}${bestEffort ? ' (best effort)' : ''}, by ${scope}, ${lets}`;
}

function toMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
