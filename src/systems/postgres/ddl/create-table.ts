// Tables without their keys: columns, not-null constraints, inheritance, partitioning. Everything that rows need to go in.
import { type Catalogue, type Table, type TableColumn, type TableName, toLabel } from '../../../pipeline/catalogue.js';
import { quoteName, quoteQualified } from '../quote.js';
import { toColumnSettings, toOption } from './create-object.js';
import type { Step } from './step.js';

export interface Families {
  find(name: TableName): Table | undefined;
  /** Labels of all tables below, at any depth. */
  descendants(table: TableName): readonly string[];
}

export function toTableKey(table: TableName): string {
  return `table ${toLabel(table.schema, table.name)}`;
}

export function toFamilies(catalogue: Catalogue): Families {
  const tables = new Map(catalogue.tables.map((table) => [toTableKey(table), table]));
  const children = new Map<string, Table[]>();
  for (const table of catalogue.tables) {
    for (const parent of table.parents) children.set(toTableKey(parent), [...(children.get(toTableKey(parent)) ?? []), table]);
  }
  const descendants = (table: TableName): string[] =>
    (children.get(toTableKey(table)) ?? []).flatMap((child) => [toTableKey(child), ...descendants(child)]);
  return { find: (name) => tables.get(toTableKey(name)), descendants };
}

/** The table, its attachment to a partitioned parent and its columns' defaults. */
export function toTableSteps(table: Table, families: Families, dependencies: Readonly<Record<string, readonly string[]>>): Step[] {
  const label = toTableKey(table);
  const parents = table.partitionBound === undefined ? table.parents.map(toTableKey) : [];
  const schema = `schema ${toLabel(table.schema)}`;
  const steps: Step[] = [
    {
      label,
      rank: 'early',
      required: true,
      sql: [toCreateTable(table), ...toAdjustments(table, families)],
      needs: [...(dependencies[label] ?? []), ...parents, schema],
    },
  ];
  const [parent] = table.parents;
  if (table.partitionBound !== undefined && parent) {
    const sql = `ALTER TABLE ONLY ${quoteQualified(parent)} ATTACH PARTITION ${quoteQualified(table)} ${table.partitionBound}`;
    steps.push({
      label: `attachment ${toLabel(table.schema, table.name)}`,
      rank: 'early',
      required: true,
      sql: [sql],
      needs: [label, toTableKey(parent)],
    });
  }
  for (const column of table.columns) {
    if (column.expression === null || column.generated !== '') continue;
    const piece = `default ${toLabel(table.schema, table.name, column.name)}`;
    const sql = `ALTER TABLE ONLY ${quoteQualified(table)} ALTER COLUMN ${quoteName(column.name)} SET DEFAULT ${column.expression}`;
    steps.push({ label: piece, rank: 'early', required: true, sql: [sql], needs: [...(dependencies[piece] ?? []), label], pieceOf: label });
  }
  return steps;
}

function toCreateTable(table: Table): string {
  const partition = table.partitionBound !== undefined;
  const typed = table.ofType !== undefined;
  const lines = [
    ...table.columns
      // What comes from a parent is not declared again, or it would be the child's own; a partition is attached, and then it is the parent's.
      .filter((column) => partition || !column.inherited)
      .map((column) => (typed ? toTypedColumn(table, column) : toColumn(table, column)))
      .filter((line) => line !== ''),
    ...toInheritedNotNulls(table),
  ];
  const inherits = !partition && table.parents.length > 0 ? ` INHERITS (${table.parents.map(quoteQualified).join(', ')})` : '';
  const body = typed ? (lines.length === 0 ? '' : ` (${lines.join(', ')})`) : ` (${lines.join(', ')})`;
  const options = [
    ...(table.options ?? []).map((option) => toOption(option)),
    ...(table.toastOptions ?? []).map((option) => toOption(option, 'toast.')),
  ];
  return [
    `CREATE ${table.unlogged ? 'UNLOGGED ' : ''}TABLE ${quoteQualified(table)}`,
    typed ? ` OF ${table.ofType}` : '',
    body,
    inherits,
    table.partitionKey ? ` PARTITION BY ${table.partitionKey.definition}` : '',
    options.length === 0 ? '' : ` WITH (${options.join(', ')})`,
  ].join('');
}

function toColumn(table: Table, column: TableColumn): string {
  const collate = column.collation === undefined ? '' : ` COLLATE ${column.collation}`;
  return `${quoteName(column.name)} ${column.type.display}${collate}${toGenerated(column)}${toNotNull(table, column)}`;
}

function toTypedColumn(table: Table, column: TableColumn): string {
  const rest = `${toGenerated(column)}${toNotNull(table, column)}`;
  return rest === '' ? '' : `${quoteName(column.name)} WITH OPTIONS${rest}`;
}

function toGenerated(column: TableColumn): string {
  if (column.generated === '') return '';
  return ` GENERATED ALWAYS AS (${column.expression}) ${column.generated === 's' ? 'STORED' : 'VIRTUAL'}`;
}

/** From 18 on a not-null is a constraint with a name; before it is a mark on the column. */
function toNotNull(table: Table, column: TableColumn): string {
  if (!column.notNull) return '';
  const constraint = table.constraints.find((c) => c.kind === 'n' && c.columns[0] === column.name);
  if (!constraint) return ' NOT NULL';
  if (!constraint.validated) return '';
  if (constraint.inherited && table.partitionBound === undefined) return '';
  return ` CONSTRAINT ${quoteName(constraint.name)} NOT NULL${constraint.noInherit ? ' NO INHERIT' : ''}`;
}

function toInheritedNotNulls(table: Table): string[] {
  if (table.partitionBound !== undefined) return [];
  const inherited = new Set(table.columns.filter((column) => column.inherited).map((column) => column.name));
  return table.constraints
    .filter((c) => c.kind === 'n' && c.validated && !c.inherited && inherited.has(c.columns[0] ?? ''))
    .map((c) => `CONSTRAINT ${quoteName(c.name)} NOT NULL ${quoteName(c.columns[0] ?? '')}${c.noInherit ? ' NO INHERIT' : ''}`);
}

/** What differs from the parent, and the columns' storage: before the rows, since it says how they are stored. */
function toAdjustments(table: Table, families: Families): string[] {
  const only = `ALTER TABLE ONLY ${quoteQualified(table)}`;
  const parents = table.partitionBound === undefined ? table.parents.map((name) => families.find(name)).filter((t) => t !== undefined) : [];
  const above = (name: string): TableColumn[] => parents.flatMap((parent) => parent.columns.filter((column) => column.name === name));
  return table.columns.flatMap((column) => {
    const alter = `${only} ALTER COLUMN ${quoteName(column.name)}`;
    const made: string[] = [];
    if (column.inherited && column.expression === null && above(column.name).some((c) => c.expression !== null && c.generated === '')) {
      made.push(`${alter} DROP DEFAULT`);
    }
    const marked = table.constraints.some((c) => c.kind === 'n' && c.columns[0] === column.name);
    if (column.inherited && column.notNull && !marked && parents.length > 0 && !above(column.name).some((c) => c.notNull)) {
      made.push(`${alter} SET NOT NULL`);
    }
    return [...made, ...toColumnSettings(alter, column)];
  });
}
