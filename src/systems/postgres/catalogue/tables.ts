// Rows of pg_class and its neighbours become Table and view values.
import {
  type Constraint,
  type Index,
  type Table,
  type TableColumn,
  type TableName,
  type ViewObject,
  toLabel,
} from '../../../pipeline/catalogue.js';
import { quoteQualified } from '../quote.js';
import type { ToDataType } from './data-type.js';
import { type Reading, findComment, groupRows, toAddress } from './reading.js';
import {
  type ColumnRow,
  type ConstraintRow,
  type IndexRow,
  type RelationRow,
  type StatisticsRow,
  readColumns,
  readConstraints,
  readIndexes,
  readRelations,
  readStatistics,
} from './relations.js';

export interface ReadTables {
  readonly tables: readonly Table[];
  readonly views: readonly ViewObject[];
  /** Constraints of domains, for the reader of types. */
  readonly domainConstraints: readonly ConstraintRow[];
  /** Labels of things that no plain role can make or that are broken, with the reason. */
  readonly refused: readonly { readonly label: string; readonly name: string; readonly severity: 'error' | 'warning' }[];
}

interface Parts {
  readonly reading: Reading;
  readonly toDataType: ToDataType;
  readonly columns: ReadonlyMap<number, readonly ColumnRow[]>;
  readonly constraints: ReadonlyMap<number, readonly ConstraintRow[]>;
  readonly indexes: ReadonlyMap<number, readonly IndexRow[]>;
  readonly statistics: ReadonlyMap<string, StatisticsRow>;
  readonly relations: ReadonlyMap<number, RelationRow>;
}

export async function readTables(reading: Reading, toDataType: ToDataType): Promise<ReadTables> {
  const relations = await readRelations(reading);
  const constraints = await readConstraints(reading);
  const indexes = await readIndexes(reading);
  const statistics = await readStatistics(reading);
  const parts: Parts = {
    reading,
    toDataType,
    columns: groupRows(await readColumns(reading), (row) => row.relation),
    constraints: groupRows(constraints, (row) => row.relation),
    indexes: groupRows(
      indexes.filter((row) => row.valid),
      (row) => row.relation,
    ),
    statistics: new Map(statistics.map((row) => [JSON.stringify([row.schema, row.table, row.column]), row])),
    relations: new Map(relations.map((row) => [row.oid, row])),
  };
  const refused = [
    ...indexes
      .filter((row) => !row.valid)
      .map((row) => ({ label: `index ${toLabel(row.schema, row.name)}`, name: 'the index is invalid', severity: 'warning' as const })),
    ...relations
      .filter((row) => row.access_method !== null && row.access_method !== 'heap')
      .map((row) => ({ label: toRelationLabel(row), name: `access method ${row.access_method}`, severity: 'error' as const })),
  ];
  for (const row of relations) registerRelation(parts, row);
  return {
    tables: relations.filter((row) => row.kind === 'r' || row.kind === 'p').map((row) => toTable(parts, row)),
    views: relations.filter((row) => row.kind === 'v' || row.kind === 'm').map((row) => toView(parts, row)),
    domainConstraints: constraints.filter((row) => row.domain !== 0),
    refused,
  };
}

function toRelationLabel(row: Pick<RelationRow, 'kind' | 'schema' | 'name'>): string {
  const kind = { r: 'table', p: 'table', v: 'view', m: 'materialized view' }[row.kind];
  return `${kind} ${toLabel(row.schema, row.name)}`;
}

/** The relation and its pieces at their addresses. Generated columns and not-null constraints are made with their table. */
function registerRelation(parts: Parts, row: RelationRow): void {
  const { addresses } = parts.reading;
  const label = toRelationLabel(row);
  addresses.set(toAddress('relation', row.oid), label);
  const own = (kind: string, name: string): string => `${kind} ${toLabel(row.schema, row.name, name)}`;
  for (const column of parts.columns.get(row.oid) ?? []) {
    if (column.default_oid === null) continue;
    const separate = row.kind !== 'v' && column.generated === '';
    addresses.set(toAddress('default', column.default_oid), separate ? own('default', column.name) : label);
  }
  for (const constraint of parts.constraints.get(row.oid) ?? []) {
    const separate = constraint.kind !== 'n' || !constraint.validated;
    addresses.set(toAddress('constraint', constraint.oid), separate ? own('constraint', constraint.name) : label);
  }
  for (const index of parts.indexes.get(row.oid) ?? []) {
    const key = index.constraint_name === null ? `index ${toLabel(index.schema, index.name)}` : own('constraint', index.constraint_name);
    addresses.set(toAddress('relation', index.oid), key);
  }
}

function toTable(parts: Parts, row: RelationRow): Table {
  const columns = parts.columns.get(row.oid) ?? [];
  const index = row.replica_index;
  const replica = row.replica_identity === 'i' ? { kind: 'i' as const, ...(index !== null && { index }) } : { kind: row.replica_identity };
  return {
    schema: row.schema,
    name: row.name,
    oid: row.oid,
    kind: row.kind === 'p' ? 'p' : 'r',
    unlogged: row.persistence === 'u',
    comment: findComment(parts.reading, 'relation', row.oid),
    columns: columns.map((column) => toColumn(parts, row, column)),
    constraints: (parts.constraints.get(row.oid) ?? []).map((constraint) => toConstraint(parts, constraint)),
    indexes: toIndexes(parts, row),
    parents: row.parents,
    ...(row.key_definition !== null && {
      partitionKey: { columns: row.key_columns ?? [], mentions: row.key_mentions ?? [], definition: row.key_definition },
    }),
    ...(row.is_partition && row.bound !== null && { partitionBound: row.bound }),
    rowSecurity: row.row_security,
    ...(row.force_row_security && { forceRowSecurity: true }),
    ...(row.options && { options: row.options }),
    ...(row.toast_options && { toastOptions: row.toast_options }),
    ...(replica.kind !== 'd' && { replicaIdentity: replica as NonNullable<Table['replicaIdentity']> }),
    ...(row.cluster_index !== null && { clusterIndex: row.cluster_index }),
    ...(row.of_type !== null && { ofType: row.of_type }),
    estimatedRows: row.rows,
    bytes: Number(row.bytes ?? 0),
    pages: Number(row.pages ?? 0),
  };
}

function toColumn(parts: Parts, table: RelationRow, row: ColumnRow): TableColumn {
  const found = parts.statistics.get(JSON.stringify([table.schema, table.name, row.name]));
  // A negative n_distinct is a fraction of the rows; without an estimate of the rows it says nothing.
  const known = found && (found.distinct >= 0 || table.rows >= 0);
  return {
    attnum: row.attnum,
    name: row.name,
    type: parts.toDataType(row.type, row.typmod, row.display, row.deterministic),
    notNull: row.not_null,
    identity: row.identity,
    generated: row.generated,
    expression: row.expression,
    comment: findComment(parts.reading, 'relation', table.oid, row.attnum),
    labels: row.labels,
    ...(known && {
      statistics: {
        nDistinct: found.distinct >= 0 ? found.distinct : -found.distinct * table.rows,
        nullFraction: found.nulls,
        averageWidth: found.width,
      },
    }),
    ...(row.inherited && { inherited: true }),
    ...toColumnOptions(row),
  };
}

function toColumnOptions(row: ColumnRow): Pick<TableColumn, 'collation' | 'storage' | 'compression' | 'statisticsTarget' | 'options'> {
  const collation = toCollation(row);
  return {
    ...(collation !== null && { collation }),
    ...(row.storage !== null && { storage: row.storage }),
    ...(row.compression !== null && { compression: row.compression }),
    ...(row.statistics_target !== null && { statisticsTarget: row.statistics_target }),
    ...(row.options && { options: row.options }),
  };
}

function toCollation(row: ColumnRow): string | null {
  if (row.collation_schema === null || row.collation_name === null) return null;
  return quoteQualified({ schema: row.collation_schema, name: row.collation_name });
}

function toPartOf(row: { part_of_schema: string | null; part_of_name: string | null }): { partOf?: TableName } {
  if (row.part_of_schema === null || row.part_of_name === null) return {};
  return { partOf: { schema: row.part_of_schema, name: row.part_of_name } };
}

function toNames(parts: Parts, relation: number, attnums: readonly number[] | null): string[] {
  const columns = parts.columns.get(relation) ?? [];
  return (attnums ?? []).map((attnum) => columns.find((column) => column.attnum === attnum)?.name ?? `#${attnum}`);
}

function toConstraint(parts: Parts, row: ConstraintRow): Constraint {
  const other = parts.relations.get(row.referenced);
  return {
    name: row.name,
    kind: row.kind,
    columns: toNames(parts, row.relation, row.columns),
    ...(other && {
      references: { schema: other.schema, name: other.name, columns: toNames(parts, row.referenced, row.referenced_columns) },
    }),
    deferrable: row.deferrable,
    validated: row.validated,
    definition: row.definition,
    comment: findComment(parts.reading, 'constraint', row.oid),
    inherited: row.inherited,
    ...toPartOf(row),
    ...(row.no_inherit && (row.kind === 'c' || row.kind === 'n') && { noInherit: true }),
  };
}

function toIndexes(parts: Parts, relation: RelationRow): Index[] {
  return (parts.indexes.get(relation.oid) ?? []).map((row) => ({
    name: row.name,
    unique: row.unique,
    keys: row.columns.slice(0, row.key_count).map((attnum) => (attnum === 0 ? null : (toNames(parts, relation.oid, [attnum])[0] ?? null))),
    mentions: row.mentions
      // pg_depend has one row for a plain key (or included column) and others for what expressions and predicate mention.
      .filter(({ attnum, times }) => times > (row.constraint_oid === null && row.columns.includes(attnum) ? 1 : 0))
      .map(({ column }) => column),
    predicate: row.predicate,
    definition: row.definition,
    constraint: row.constraint_name,
    comment: findComment(parts.reading, 'relation', row.oid),
    inherited: row.part_of_name !== null,
    ...toPartOf(row),
    ...(row.statistics_targets.length > 0 && { statisticsTargets: row.statistics_targets }),
  }));
}

function toView(parts: Parts, row: RelationRow): ViewObject {
  return {
    kind: row.kind === 'm' ? 'materialized view' : 'view',
    schema: row.schema,
    name: row.name,
    comment: findComment(parts.reading, 'relation', row.oid),
    definition: (row.definition ?? '').trim().replace(/;$/, ''),
    options: row.options ?? [],
    columns: (parts.columns.get(row.oid) ?? []).map((column) => ({
      name: column.name,
      type: column.display,
      comment: findComment(parts.reading, 'relation', row.oid, column.attnum),
      defaultExpression: column.expression,
      collation: null,
      ...toColumnOptions(column),
    })),
    populated: row.populated,
    indexes: toIndexes(parts, row),
    ...(row.cluster_index !== null && { clusterIndex: row.cluster_index }),
  };
}
