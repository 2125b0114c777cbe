// A small honest catalogue reader for tests of the source alone: tables, columns and sequences, straight from pg_class and pg_attribute.
import type pg from 'pg';

import { digestJson } from '../../src/kernel/digest.js';
import type { Catalogue, DataType, Table } from '../../src/pipeline/catalogue.js';
import type { HiddenColumn, Plan, TablePlan } from '../../src/pipeline/plan.js';
import type { SourceScope } from '../../src/pipeline/ports.js';

interface Row {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'r' | 'p' | 'S';
  readonly columns: readonly { attnum: number; name: string; type: string; notNull: boolean; generated: '' | 's' | 'v' }[];
}

export async function readSmallCatalogue(client: pg.Client, scope: SourceScope): Promise<{ catalogue: Catalogue; findings: [] }> {
  const server = await client.query<{ version: number; id: string; database: string; oid: number; recovery: boolean }>(
    `SELECT current_setting('server_version_num')::int AS version, (SELECT system_identifier::text FROM pg_control_system()) AS id,
       current_database()::text AS database, (SELECT oid::int FROM pg_database WHERE datname = current_database()) AS oid, pg_is_in_recovery() AS recovery`,
  );
  const { rows } = await client.query<Row>(
    `SELECT c.oid::int AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, coalesce(jsonb_agg(jsonb_build_object('attnum', a.attnum,
       'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull, 'generated', a.attgenerated) ORDER BY a.attnum)
       FILTER (WHERE a.attnum > 0), '[]') AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p', 'S') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
     GROUP BY 1, 2, 3, 4 ORDER BY 2, 3`,
  );
  const inScope = rows.filter(({ schema, name }) => matches(scope, `${schema}.${name}`));
  const [facts] = server.rows;
  if (!facts) throw new Error('no server facts');
  // Kind and name are all that a source looks at.
  const sequences: unknown = inScope.filter(({ kind }) => kind === 'S').map(({ schema, name }) => ({ kind: 'sequence', schema, name }));
  const catalogue: Catalogue = {
    server: {
      version: facts.version,
      systemIdentifier: facts.id,
      database: facts.database,
      databaseOid: facts.oid,
      encoding: 'UTF8',
      inRecovery: facts.recovery,
    },
    schemas: [],
    tables: inScope.filter(({ kind }) => kind !== 'S').map(toTable),
    objects: sequences as Catalogue['objects'],
  };
  return { catalogue, findings: [] };
}

export function toSmallDigest({ tables }: Catalogue): string {
  return digestJson(
    tables.map(({ oid, kind, schema, name, columns }) => [
      oid,
      kind,
      schema,
      name,
      columns.map((column) => [column.attnum, column.name, column.type.display]),
    ]),
  );
}

/** A plan that keeps everything: for reading only. `change` may alter a table's plan. */
export function toSmallPlan(catalogue: Catalogue, change: (table: TablePlan) => Partial<TablePlan> = () => ({})): Plan {
  const tables = catalogue.tables.map((table): TablePlan => {
    const plan: TablePlan = {
      schema: table.schema,
      name: table.name,
      oid: table.oid,
      kind: table.kind,
      rows: 'all',
      columns: table.columns
        .filter(({ generated }) => generated === '')
        .map(({ attnum, name, type, notNull }) => ({
          attnum,
          name,
          type,
          notNull,
          tag: 'none',
          rule: keep,
          unique: false,
          from: 'document',
        })),
      hidden: [],
      loadInto: { schema: table.schema, name: table.name },
    };
    return { ...plan, ...change(plan) };
  });
  const { systemIdentifier, databaseOid, database } = catalogue.server;
  const source = { systemIdentifier, databaseOid, database };
  return {
    version: 1,
    workspace: 'default',
    pipeline: 'small',
    environment: 'test',
    keyVersion: 1,
    facts: {
      purpose: 'test',
      owner: 'test',
      legalBasis: 'test',
      subjectCategories: [],
      retentionDays: 1,
      source: { connection: 'env:SOURCE' },
      target: { connection: 'env:TARGET', environment: 'test', class: 'test', allows: [] },
    },
    source,
    catalogueDigest: toSmallDigest(catalogue),
    documents: {},
    tables,
    cutReferences: [],
  };
}

export function toHidden(purpose: HiddenColumn['purpose'], column: string, via: HiddenColumn['via'] = []): HiddenColumn {
  return { purpose, column, type: toType('text'), via };
}

const keep: TablePlan['columns'][number]['rule'] = {
  transform: 'keep',
  params: {},
  scope: 'value',
  domain: 'none',
  canonical: 'text',
  reveals: ['value'],
  uniqueness: 'preserved',
};

function matches({ include, exclude }: SourceScope, label: string): boolean {
  const fits = (pattern: string): boolean => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(label);
  return (include.length === 0 || include.some(fits)) && !exclude.some(fits);
}

function toType(display: string): DataType {
  return { display, kind: 'base', base: display, deterministicCollation: true };
}

function toTable({ oid, schema, name, kind, columns }: Row): Table {
  return {
    oid,
    schema,
    name,
    kind: kind === 'p' ? 'p' : 'r',
    unlogged: false,
    comment: null,
    columns: columns.map(({ type, ...column }) => ({
      ...column,
      type: toType(type),
      identity: '',
      expression: null,
      comment: null,
      labels: [],
    })),
    constraints: [],
    indexes: [],
    parents: [],
    rowSecurity: false,
    estimatedRows: -1,
    bytes: 0,
    pages: 0,
  };
}
