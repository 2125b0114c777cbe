import { expect, it } from '@jest/globals';

import type { Catalogue, DataType, Index, Table } from '../../pipeline/catalogue.js';
import { findNeedlessIndexes } from './needless-indexes.js';

const of = (base: string, more: Partial<DataType> = {}): DataType => ({
  ...{ display: base, kind: 'base', base, deterministicCollation: true },
  ...more,
});

const types: Readonly<Record<string, DataType>> = {
  id: of('int8'),
  'at,"x"': of('int8'),
  made: of('timestamptz'),
  state: of('state', { kind: 'enum' }),
  name: of('text'),
  price: of('numeric'),
  list: of('int4', { element: of('int4') }),
};

const index = (definition: string, keys: readonly (string | null)[], more: Partial<Index> = {}): Index => ({
  ...{ name: 'i', unique: false, keys, mentions: [], predicate: null, constraint: null, comment: null, inherited: false },
  definition: `CREATE INDEX i ON s.t USING ${definition}`,
  ...more,
});

function find(one: Index, more: Partial<Table> = {}): readonly string[] {
  const columns = Object.entries(types).map(([name, type], at) => ({ attnum: at + 1, name, type }));
  const table = { schema: 's', name: 't', kind: 'r', columns, indexes: [one], ...more } as unknown as Table;
  return [...findNeedlessIndexes({ tables: [table] } as unknown as Catalogue)];
}

it('leaves out an index that no row can make fail, with what is said of it', () => {
  expect(find(index('btree (id)', ['id']))).toEqual(['index s.i', 'comment on index s.i']);
  expect(find(index('btree (made DESC NULLS LAST, state, id)', ['made', 'state', 'id']))).toHaveLength(2);
});

it.each<[string, Index, Partial<Table>?]>([
  ['is unique', index('btree (id)', ['id'], { unique: true })],
  ['makes a constraint', index('btree (id)', ['id'], { constraint: 'i' })],
  ['is over text, of which a value may be too long for it', index('btree (name)', ['name'])],
  ['is over numbers of any length', index('btree (id, price)', ['id', 'price'])],
  ['is over lists', index('btree (list)', ['list'])],
  ['is over an expression', index('btree ((1 / id))', [null])],
  ['holds for some rows', index('btree (id) WHERE ((1 / id) > 0)', ['id'], { predicate: '((1 / id) > 0)' })],
  ['takes other columns along', index('btree (id) INCLUDE (name)', ['id'])],
  ['has settings', index("btree (id) WITH (fillfactor='70')", ['id'])],
  ['has operators of its own', index('btree (id s.odd_ops)', ['id'])],
  ['is of another kind', index('gist (made)', ['made'])],
  ['is of a column with an odd name', index('btree ("at,""x""")', ['at,"x"'])],
  ['is part of another', index('btree (id)', ['id'], { partOf: { schema: 's', name: 'p' } })],
  ['is of a partitioned table', index('btree (id)', ['id']), { kind: 'p' }],
  ['orders its table', index('btree (id)', ['id']), { clusterIndex: 'i' }],
  ['names its rows', index('btree (id)', ['id']), { replicaIdentity: { kind: 'i', index: 'i' } }],
])('makes one that %s', (_, one, more = {}) => {
  expect(find(one, more)).toEqual([]);
});
