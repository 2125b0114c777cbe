import { expect, it } from '@jest/globals';

import type { Catalogue, DataType, Table } from '../catalogue.js';
import type { ColumnPlan, Plan, RulePlan, TablePlan } from '../plan.js';
import { toShownPath } from '../shown-path.js';
import { type GateFacts, toGateInput } from './gate-input.js';

const text: DataType = { display: 'text', kind: 'base', base: 'text', deterministicCollation: true };
const int8: DataType = { ...text, display: 'bigint', base: 'int8' };

const keep: RulePlan = {
  transform: 'keep', params: {}, scope: 'value', domain: 'none', canonical: 'text', reveals: ['value'], uniqueness: 'preserved',
}; // prettier-ignore
const email: RulePlan = { ...keep, transform: 'email', params: { domain: 'example.com' }, domain: 'pii.email', reveals: ['equality'] };

const toColumn = (attnum: number, name: string, change: Partial<ColumnPlan> = {}): ColumnPlan => ({
  attnum, name, type: int8, notNull: true, tag: 'none', rule: keep, unique: false, from: 'document', ...change,
}); // prettier-ignore

const toTablePlan = (name: string, columns: readonly ColumnPlan[], change: Partial<TablePlan> = {}): TablePlan => ({
  schema: 'public', name, oid: 1, kind: 'r', rows: 'all', columns, hidden: [], loadInto: { schema: 'public', name }, ...change,
}); // prettier-ignore

const toTable = (plan: TablePlan, rows: number, distinct: Record<string, number>, change: Partial<Table> = {}): Table => ({
  ...{ schema: 'public', name: plan.name, oid: 1, kind: 'r', unlogged: false, comment: null, constraints: [], indexes: [], parents: [] },
  ...{ rowSecurity: false, estimatedRows: rows, bytes: 1, pages: 1 },
  columns: plan.columns.map(({ attnum, name, type }) => ({
    ...{ attnum, name, type, notNull: true, identity: '', generated: '', expression: null, comment: null, labels: [] },
    ...(distinct[name] === undefined ? {} : { statistics: { nDistinct: distinct[name], nullFraction: 0, averageWidth: 8 } }),
  })),
  ...change,
}); // prettier-ignore

const customer = toTablePlan('customer', [
  toColumn(1, 'id', { unique: true, reason: ' looked up by testers ', expires: '2026-12-31' }),
  toColumn(2, 'email', { type: text, tag: 'pii.email', rule: email, unique: true, component: 0 }),
  toColumn(3, 'profile', {
    type: { ...text, base: 'jsonb' },
    tag: 'mixed',
    rule: {
      ...keep,
      rest: 'drop',
      paths: {
        'contact.email': { ...email, tag: 'pii.email' },
        'anna@shop.example.age': { ...keep, tag: 'none' },
        'items[].sku': { ...keep, tag: 'none' },
      },
    },
  }),
]);
const order = toTablePlan('order', [toColumn(1, 'id'), toColumn(2, 'customer_id'), toColumn(3, 'amount'), toColumn(4, 'sku')], {
  hidden: [{
    purpose: 'subject', column: 'id', type: int8,
    via: [{ columns: ['customer_id'], references: { schema: 'public', name: 'customer', columns: ['id'] } }],
  }],
}); // prettier-ignore
const product = toTablePlan('product', [toColumn(1, 'sku', { unique: true })]);
const log = toTablePlan('log', [toColumn(1, 'order_id')]);

const key = (...columns: string[]): Table['constraints'][number] => ({
  name: 'k', kind: 'p', columns, deferrable: false, validated: true, definition: '', comment: null, inherited: false,
}); // prettier-ignore
const reference = (column: string, name: string): Table['constraints'][number] => ({
  ...key(column),
  kind: 'f',
  references: { schema: 'public', name, columns: ['id'] },
});

const catalogue = {
  tables: [
    toTable(customer, 1000, {}, { constraints: [key('id')] }),
    toTable(
      order,
      100_000,
      { id: 100_000, customer_id: 900, amount: 600, sku: 50 },
      { constraints: [reference('customer_id', 'customer'), reference('sku', 'product')] },
    ),
    toTable(product, 50, { sku: 50 }),
    toTable(log, -1, { order_id: 5 }, { constraints: [reference('order_id', 'order')] }),
  ],
} as unknown as Catalogue;

const plan: Plan = {
  version: 1, workspace: 'default', pipeline: 'shop', environment: 'test-1', keyVersion: 3,
  facts: {
    purpose: 'ask Anna Canary', owner: 'Anna Canary', legalBasis: 'Anna said so', subjectCategories: ['customers', ' '], retentionDays: 30,
    source: { connection: 'env:SOURCE', region: 'eu', writable: { reason: 'Anna wants it', expires: '2026-02-30' } },
    target: { connection: 'env:TARGET', environment: 'test-1', class: 'test', safeguard: 'Anna signed', allows: ['pii'] },
    schemaTexts: [{ object: 'function public.anna', action: 'keep', reason: 'Anna' }],
  },
  source: { systemIdentifier: '1', databaseOid: 5, database: 'shop' },
  catalogueDigest: 'sha256:01', documents: {}, tables: [customer, order, product, log], cutReferences: [],
}; // prettier-ignore

const facts: GateFacts = {
  catalogue,
  source: { address: 'db:5432', writable: true },
  knownSources: [{ systemIdentifier: '9', address: 'crm:5432', database: 'crm' }],
  target: { systemIdentifier: '2', databaseOid: null, database: 'shop_test', address: 'test:5432', serverVersion: 180000, peakBytes: 0 },
  key: { version: 3, expiresAtMs: null },
  showPath: toShownPath,
  nowMs: Date.UTC(2026, 10, 21, 23, 59),
};

interface Asked {
  readonly columns: readonly Record<string, unknown>[];
  readonly [member: string]: unknown;
}
const asked = toGateInput(plan, facts) as unknown as Asked;
const find = (table: string, column: string, path: string | null = null): Record<string, unknown> | undefined =>
  asked.columns.find((entry) => entry['table'] === `public.${table}` && entry['column'] === column && entry['path'] === path);

it('carries names, tags, transforms, digests and numbers, and nothing of what people wrote in sentences', () => {
  expect(JSON.stringify(asked).toLowerCase()).not.toContain('anna');
  expect(asked['stated']).toEqual({ purposeLength: 15, ownerLength: 11, legalBasisLength: 12, subjectCategories: 1, retentionDays: 30 });
  expect(find('customer', 'email')).toMatchObject({
    tag: 'pii.email',
    transform: 'email',
    unique: true,
    component: 0,
    uniqueness: 'preserved',
  });
  expect(find('customer', 'email')?.['paramsDigest']).toMatch(/^sha256:/);
});

it('writes dates as days and counts what is no date as long over', () => {
  expect(asked['today']).toBe(20_778);
  expect(find('customer', 'id')).toMatchObject({ reasonLength: 20, expiresDay: 20_818 });
  expect(asked['source']).toMatchObject({ writable: true, writableException: { reasonLength: 13, expiresDay: -1 } });
});

it('lists the source of the plan among the known ones', () => {
  expect(asked['knownSources']).toEqual([
    { systemIdentifier: '1', address: 'db:5432', database: 'shop' },
    { systemIdentifier: '9', address: 'crm:5432', database: 'crm' },
  ]);
});

it('asks about each path, and shows a key only if it looks like a name', () => {
  expect(find('customer', 'profile')).toMatchObject({ tag: 'mixed', transform: 'paths', rest: 'drop' });
  expect(find('customer', 'profile', 'contact.email')).toMatchObject({ tag: 'pii.email', transform: 'email', unique: false });
  expect(find('customer', 'profile', 'items[].sku')).toBeDefined();
  expect(find('customer', 'profile', '*.example.age')).toMatchObject({ tag: 'none', transform: 'keep' });
});

it('knows that a table that refers to persons speaks of them, over any number of steps, and that a lookup table does not', () => {
  expect(
    ['customer', 'order', 'log', 'product'].map(
      (name) => asked.columns.find((entry) => entry['table'] === `public.${name}`)?.['speaksOfPerson'],
    ),
  ).toEqual([true, true, true, false]);
});

it('says how nearly unique a column is: per row, per person, and null where nobody counted', () => {
  expect(find('customer', 'id')?.['distinctRatio']).toBe(1);
  expect(find('customer', 'email')?.['distinctRatio']).toBeNull();
  expect(find('order', 'amount')?.['distinctRatio']).toBeCloseTo(0.6);
  expect(find('order', 'sku')?.['distinctRatio']).toBeCloseTo(0.05);
  expect(find('log', 'order_id')?.['distinctRatio']).toBeNull();
});
