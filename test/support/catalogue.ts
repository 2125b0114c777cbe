// A catalogue written down in a few words, for tests that need no server.
import type { Catalogue, Constraint, DataType, Index, Table, TableColumn } from '../../src/pipeline/catalogue.js';

export function type(base: string, more: Partial<DataType> = {}): DataType {
  return { display: base, kind: 'base', base, deterministicCollation: true, ...more };
}

export function arrayOf(element: DataType): DataType {
  return { ...element, display: `${element.display}[]`, kind: 'array', element };
}

export type ColumnWords = string | (Partial<TableColumn> & { readonly type: DataType });

/** Columns by name: a base type (`text`, `varchar(50)`, `int4!` for NOT NULL) or a column in full. */
export function table(
  name: string,
  columns: Readonly<Record<string, ColumnWords>>,
  more: Partial<Table> & { readonly key?: readonly string[] } = {},
): Table {
  const [schema = 'public', own = name] = name.includes('.') ? name.split('.') : ['public', name];
  const { key, constraints = [], ...rest } = more;
  const primary: Constraint[] = key ? [constraint({ name: `${own}_pkey`, kind: 'p', columns: key })] : [];
  return {
    ...{
      schema,
      name: own,
      oid: 16384 + own.length,
      kind: 'r',
      unlogged: false,
      comment: null,
      indexes: [],
      parents: [],
      rowSecurity: false,
    },
    ...{ estimatedRows: 1000, bytes: 1 << 20, pages: 128 },
    columns: Object.entries(columns).map(([column, words], i) => toColumn(column, words, i + 1)),
    constraints: [...primary, ...constraints],
    ...rest,
  };
}

function toColumn(name: string, words: ColumnWords, attnum: number): TableColumn {
  const plain: Omit<TableColumn, 'type'> = {
    attnum,
    name,
    notNull: false,
    identity: '',
    generated: '',
    expression: null,
    comment: null,
    labels: [],
  };
  if (typeof words !== 'string') return { ...plain, ...words };
  const [, base = 'text', length, mark] = /^(\w+)(?:\((\d+)\))?(!?)$/.exec(words) ?? [];
  return {
    ...plain,
    notNull: mark === '!',
    type: type(base, length === undefined ? {} : { length: Number(length), display: `${base}(${length})` }),
  };
}

export function constraint(words: Pick<Constraint, 'name' | 'kind' | 'columns'> & Partial<Constraint>): Constraint {
  return { deferrable: false, validated: true, definition: '', comment: null, inherited: false, ...words };
}

export function unique(...columns: readonly string[]): Constraint {
  return constraint({ name: `${columns.join('_')}_key`, kind: 'u', columns });
}

/** `foreignKey(['customer_id'], 'public.customer', ['id'])`. */
export function foreignKey(columns: readonly string[], to: string, other: readonly string[]): Constraint {
  const [schema = '', name = ''] = to.split('.');
  return constraint({ name: `${columns.join('_')}_fkey`, kind: 'f', columns, references: { schema, name, columns: other } });
}

export function uniqueIndex(words: Partial<Index>): Index {
  return {
    name: 'i',
    unique: true,
    keys: [],
    mentions: [],
    predicate: null,
    definition: '',
    constraint: null,
    comment: null,
    inherited: false,
    ...words,
  };
}

export function catalogue(...tables: readonly Table[]): Catalogue {
  const server = { version: 180004, systemIdentifier: '7000', database: 'prod', databaseOid: 5, encoding: 'UTF8', inRecovery: false };
  return { server, schemas: [{ name: 'public', comment: null }], tables, objects: [] };
}

/** The same table after ANALYZE: every column has as many distinct values as there are rows. */
export function analysed(from: Table, nDistinct = from.estimatedRows): Table {
  return { ...from, columns: from.columns.map((column) => ({ ...column, statistics: { nDistinct, nullFraction: 0, averageWidth: 8 } })) };
}
