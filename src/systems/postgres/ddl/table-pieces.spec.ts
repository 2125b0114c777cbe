import { expect, it } from '@jest/globals';

import type { Constraint, Index, Table, TableColumn } from '../../../pipeline/catalogue.js';
import { toFamilies } from './create-table.js';
import { toPieceSteps } from './table-pieces.js';

const type = { display: 'bigint', kind: 'base', base: 'int8', deterministicCollation: true } as const;

const column = (name: string, notNull = true): TableColumn => ({
  ...{ attnum: 1, name, type, notNull, identity: '', generated: '', expression: null, comment: null, labels: [] },
});

const constraint = (name: string, kind: Constraint['kind'], definition: string, more: Partial<Constraint> = {}): Constraint => ({
  ...{ name, kind, definition, columns: ['id'], deferrable: false, validated: true, comment: null, inherited: false },
  ...more,
});

const indexOf = (name: string, more: Partial<Index> = {}): Index => ({
  ...{ name, unique: true, keys: ['id'], mentions: [], predicate: null, constraint: name, comment: null, inherited: false },
  definition: `CREATE UNIQUE INDEX ${name} ON s.t USING btree (id) WITH (fillfactor='70')`,
  ...more,
});

const toTable = (more: Partial<Table>): Table => ({
  ...{ schema: 's', name: 't', oid: 1, kind: 'r', unlogged: false, comment: null, columns: [column('id')], constraints: [], indexes: [] },
  ...{ parents: [], rowSecurity: false, estimatedRows: 0, bytes: 0, pages: 0 },
  ...more,
});

const steps = (table: Table, others: readonly Table[] = [], needs: Record<string, readonly string[]> = {}) =>
  toPieceSteps(
    table,
    toFamilies({
      server: { version: 150000, systemIdentifier: '', database: '', databaseOid: 1, encoding: 'UTF8', inRecovery: false },
      schemas: [],
      objects: [],
      tables: [table, ...others],
    }),
    needs,
  );

const sqlOf = (table: Table, label: string): readonly string[] | undefined => steps(table).find((step) => step.label === label)?.sql;

it('builds a key as an index, which locks nobody out who builds another, and names it then', () => {
  const late = constraint('late', 'u', 'UNIQUE (id) DEFERRABLE INITIALLY DEFERRED', { deferrable: true });
  const table = toTable({
    constraints: [constraint('t_pkey', 'p', 'PRIMARY KEY (id)'), late],
    indexes: [indexOf('t_pkey'), indexOf('late')],
  });
  expect(sqlOf(table, 'constraint s.t.t_pkey')).toEqual([
    "CREATE UNIQUE INDEX t_pkey ON s.t USING btree (id) WITH (fillfactor='70')",
    'ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY USING INDEX "t_pkey"',
  ]);
  expect(sqlOf(table, 'constraint s.t.late')?.[1]).toBe(
    'ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "late" UNIQUE USING INDEX "late" DEFERRABLE INITIALLY DEFERRED',
  );
});

it.each<[string, Partial<Table>]>([
  ['of a partitioned table', { kind: 'p' }],
  ['of a part', { parents: [{ schema: 's', name: 'whole' }] }],
  ['whose columns may be empty', { columns: [column('id', false)] }],
  ['that is no plain index', { indexes: [indexOf('k', { definition: 'CREATE UNIQUE INDEX k ON s.t USING gist (id)' })] }],
  ['whose index has another name', { indexes: [indexOf('other', { constraint: 'k' })] }],
])('adds a key %s in one statement', (_, more) => {
  const table = toTable({ constraints: [constraint('k', 'p', 'PRIMARY KEY (id)')], indexes: [indexOf('k')], ...more });
  expect(sqlOf(table, 'constraint s.t.k')).toEqual(['ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "k" PRIMARY KEY (id)']);
});

it('adds a reference that holds unchecked and looks for broken ones afterwards, and leaves one that did not hold as it was', () => {
  const references = { schema: 's', name: 'other', columns: ['id'] };
  const definition = 'FOREIGN KEY (id) REFERENCES s.other(id)';
  const table = toTable({
    constraints: [
      constraint('sound', 'f', definition, { references }),
      constraint('broken', 'f', `${definition} NOT VALID`, { references, validated: false }),
    ],
  });
  const made = (kind: Table['kind']) =>
    steps(table, [toTable({ name: 'other', kind })]).flatMap(({ label, sql }) =>
      /sound|broken/.test(label) ? [[label, ...sql.map((text) => text.replace(/^.*(ADD|VALIDATE)/, '$1'))]] : [],
    );
  const broken = ['constraint s.t.broken', `ADD CONSTRAINT "broken" ${definition} NOT VALID`];
  expect(made('r')).toEqual([
    ['constraint s.t.sound', `ADD CONSTRAINT "sound" ${definition} NOT VALID`],
    ['validation of constraint s.t.sound', 'VALIDATE CONSTRAINT "sound"'],
    broken,
  ]);
  expect(made('p')).toEqual([['constraint s.t.sound', `ADD CONSTRAINT "sound" ${definition}`], broken]);
});

it('analyses a table after everything that statistics are kept for', () => {
  const index = indexOf('by', { constraint: null, statisticsTargets: [{ position: 1, target: 500 }] });
  const made = steps(toTable({ indexes: [index] }), [], { 'statistics s.both': ['table s.t'], 'statistics s.else': ['table s.u'] });
  const analysed = made.find(({ label }) => label === 'statistics of s.t');
  expect(analysed?.sql).toEqual(['ANALYZE "s"."t"']);
  expect(analysed?.needs).toEqual(['table s.t', 'statistics s.both', 'index s.by', 'settings of index s.by']);
});
