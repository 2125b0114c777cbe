// A plan as people read it: per table and column what happens and why, with the estimates that are no part of the plan itself. Pure.
import { toSqlName } from '../kernel/sql-name.js';
import { redactRecall } from './best-effort.js';
import type { Catalogue, Table } from './catalogue.js';
import { type ClaimSource, type ColumnPlan, type Plan, type RulePlan, type TablePlan, toPlanDigest } from './plan.js';
import { toCopiedBytes, toPeakBytes } from './peak-bytes.js';
import { type RolesView, toRolesView } from './roles-view.js';
import { toShownPath } from './shown-path.js';

export interface RuleView {
  readonly tag: string;
  readonly transform: string;
  readonly scope: string;
  readonly domain: string;
  readonly reveals: readonly string[];
  /** Who may can exchange it back. */
  readonly reversible: boolean;
  readonly bestEffort: boolean;
  /** Of what is best effort: how much of a hundred it finds, as measured (docs/redact.md). */
  readonly recallPercent: number | null;
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
  /** null: nothing can be exchanged back. */
  readonly tokenKeyVersion: number | null;
  /** null: the environment's own keys, the newest version of them. */
  readonly keys: {
    /** Whose they are, and why. */
    readonly join: { readonly environment: string; readonly reason: string; readonly tokens?: boolean } | null;
    /** The version that is kept, and the last day. */
    readonly previous: { readonly version: number; readonly until: string } | null;
  } | null;
  readonly planDigest: string;
  readonly tables: readonly TableView[];
  /** null: the environment's three roles get what they always get. */
  readonly roles: RolesView | null;
  readonly maskedColumns: number;
  readonly keptColumns: number;
  /** Size of the tables to be copied, and an upper estimate of what the target needs while staging stands beside the versions it has (`toPeakBytes`). */
  readonly bytes: number;
  readonly peakDiskBytes: number;
}

/** So usual that lines leave it out. */
export const usualWhy = 'the classification says so';

const reasons: Readonly<Record<ClaimSource, string>> = {
  document: usualWhy,
  comment: 'its comment says so',
  label: 'its security label says so',
  'foreign-key': 'joined by a foreign key',
  inherited: 'inherited from its parent',
  pattern: 'a confirmed pattern says so',
};

export function toPlanView(plan: Plan, catalogue: Catalogue): PlanView {
  const known = new Map(catalogue.tables.map((table) => [toSqlName(table.schema, table.name), table]));
  const tables = plan.tables.map((table) => toTableView(table, known.get(toSqlName(table.schema, table.name))));
  const columns = tables.flatMap((table) => table.columns);
  const masked = columns.filter(isMasked).length;
  const { pipeline, environment, keyVersion } = plan;
  const counts = { maskedColumns: masked, keptColumns: columns.length - masked };
  return {
    pipeline,
    environment,
    keyVersion,
    tokenKeyVersion: plan.tokenKeyVersion ?? null,
    keys: toKeysView(plan),
    planDigest: toPlanDigest(plan),
    tables,
    roles: toRolesView(plan, catalogue),
    ...counts,
    bytes: toCopiedBytes(plan, catalogue),
    peakDiskBytes: toPeakBytes(plan, catalogue),
  };
}

function toKeysView({ facts: { target } }: Plan): PlanView['keys'] {
  const { join, previous } = target.keys ?? {};
  return join || previous ? { join: join ?? null, previous: previous ?? null } : null;
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
    paths: Object.entries(rule.paths ?? {}).map(([path, one]) => ({ path: toShownPath(path), ...toRuleView(one.tag, one) })),
    rest: rule.rest ?? null,
  };
}

function toRuleView(tag: string, rule: RulePlan): RuleView {
  const { transform, scope, domain, reveals } = rule;
  const bestEffort = transform === 'redact';
  const recallPercent = bestEffort ? redactRecall.percent : null;
  return {
    tag,
    transform: rule.paths ? 'paths' : transform,
    scope,
    domain,
    reveals,
    reversible: rule.reversible === true,
    bestEffort,
    recallPercent,
  };
}

function isMasked(column: ColumnView): boolean {
  return column.transform === 'paths' || column.transform !== 'keep';
}
