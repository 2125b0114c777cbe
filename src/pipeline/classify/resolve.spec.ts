import { describe, expect, it } from '@jest/globals';

import type { ClassificationDefinition, ClassificationLock, Described } from '../definition.js';
import type { Table } from '../catalogue.js';
import { arrayOf, constraint, foreignKey, table, type } from '../../../test/support/catalogue.js';
import { resolveTags, type Resolution } from './classify.js';

function resolve(
  tables: readonly Table[],
  words: ClassificationDefinition['tables'],
  patterns?: Record<string, string>,
  columns?: ClassificationLock['columns'],
): Resolution {
  const origin = { file: 'c.yaml', line: () => 1 };
  const classification: Described<ClassificationDefinition> = {
    body: { kind: 'Classification', name: 'c', tables: words, ...(patterns ? { patterns } : {}) },
    origin,
  };
  const lock: Described<ClassificationLock> | undefined = columns && {
    body: { version: 1, columns },
    origin: { file: 'lock', line: () => 1 },
  };
  return resolveTags({ classification, lock, tables, isOutOfScope: ({ schema }) => schema === 'away' });
}

function tagsOf({ tables }: Resolution): Record<string, string> {
  return Object.fromEntries(tables.flatMap(({ columns }) => [...columns.values()].map(({ name, tag, from }) => [name, `${tag} ${from}`])));
}

const codes = ({ findings }: Resolution) => findings.map(({ code, where }) => [code, where.table, where.column].filter(Boolean).join(' '));

describe('tags', () => {
  it('stop at nothing less than every column', () => {
    const found = resolve([table('t', { a: 'text', b: 'text', c: { type: type('text'), generated: 's', expression: 'upper(b)' } })], {
      t: { columns: { a: 'pii.email' } },
    });
    expect(codes(found)).toEqual(['COLUMN_UNTAGGED t b']);
    expect(found.findings[0]).toMatchObject({ severity: 'error', where: { schema: 'public', file: 'c.yaml' } });
  });

  it('come from comments and labels too, and contradict each other aloud', () => {
    const commented = { type: type('text'), comment: 'what support sees; bauta: pii.phone' };
    const labelled = {
      type: type('text'),
      labels: [
        { provider: 'bauta', label: 'pii.email' },
        { provider: 'anon', label: 'MASKED WITH FUNCTION x' },
      ],
    };
    const both = { type: type('text'), comment: 'bauta: pii.phone' };
    const found = resolve([table('t', { a: commented, b: labelled, c: both })], { t: { columns: { c: 'pii.email' } } });
    expect(tagsOf(found)).toEqual({
      'public.t.a': 'pii.phone comment',
      'public.t.b': 'pii.email label',
      'public.t.c': 'pii.email document',
    });
    expect(codes(found)).toEqual(['CLASSIFICATION_CONTRADICTION t c']);
  });

  it('travel along foreign keys in both directions, through cycles, self-references and each column of a composite key', () => {
    const a = table(
      'a',
      { id: 'int4!', boss: 'int4', b_id: 'int4' },
      { key: ['id'], constraints: [foreignKey(['boss'], 'public.a', ['id']), foreignKey(['b_id'], 'public.b', ['id'])] },
    );
    const b = table('b', { id: 'int4!', a_id: 'int4' }, { key: ['id'], constraints: [foreignKey(['a_id'], 'public.a', ['id'])] });
    const found = resolve([a, b], { a: { columns: { boss: 'pii.key' } }, b: { keep: [{ columns: ['id'], reason: 'no person' }] } });
    expect(found.findings).toEqual([]);
    expect(tagsOf(found)).toMatchObject({
      'public.a.id': 'pii.key foreign-key',
      'public.b.a_id': 'pii.key foreign-key',
      'public.a.b_id': 'none foreign-key',
    });
    expect(found.components.map(({ columns }) => columns.length)).toEqual([2, 3]);
    const composite = foreignKey(['x', 'y'], 'public.p', ['k', 'l']);
    const pair = resolve(
      [table('p', { k: 'text!', l: 'text!' }, { key: ['k', 'l'] }), table('c', { x: 'text', y: 'text' }, { constraints: [composite] })],
      { p: { columns: { k: 'pii.email', l: 'none' } } },
    );
    expect(tagsOf(pair)).toMatchObject({ 'public.c.x': 'pii.email foreign-key', 'public.c.y': 'none foreign-key' });
  });

  it('must agree at both ends of a reference', () => {
    const tables = [
      table('p', { id: 'int4!' }, { key: ['id'] }),
      table('c', { p: 'int4' }, { constraints: [foreignKey(['p'], 'public.p', ['id'])] }),
    ];
    expect(codes(resolve(tables, { p: { columns: { id: 'pii.key' } }, c: { columns: { p: 'none' } } }))).toEqual([
      'CLASSIFICATION_CONTRADICTION p id',
    ]);
  });

  it('reach partitions and children', () => {
    const parents = [{ schema: 'public', name: 'p' }];
    const found = resolve([table('p', { a: 'text' }, { kind: 'p' }), table('p1', { a: 'text', b: 'text' }, { parents })], {
      p: { columns: { a: 'pii.email' } },
      p1: { columns: { b: 'none' } },
    });
    expect(tagsOf(found)).toEqual({
      'public.p.a': 'pii.email document',
      'public.p1.a': 'pii.email inherited',
      'public.p1.b': 'none document',
    });
  });

  it('given by a pattern hold only for columns that somebody confirmed', () => {
    const tables = [table('t', { created_at: 'date', updated_at: 'date' })];
    const confirmed = { 'public.t.created_at': { tag: 'none', by: 'dpo', at: '2026-01-01T00:00:00Z' } };
    expect(codes(resolve(tables, {}, { '*_at': 'none' }, confirmed))).toEqual(['COLUMN_UNCONFIRMED t updated_at']);
    expect(codes(resolve(tables, { t: { keep: [{ columns: ['*'], reason: 'times only' }] } }, undefined, confirmed))).toEqual([
      'COLUMN_UNCONFIRMED t updated_at',
    ]);
    const partition = table(
      't1',
      { created_at: 'date', updated_at: 'date', own_at: 'date' },
      { parents: [{ schema: 'public', name: 't' }] },
    );
    const both = { ...confirmed, 'public.t.updated_at': confirmed['public.t.created_at'] };
    expect(codes(resolve([...tables, partition], {}, { '*_at': 'none' }, both))).toEqual(['COLUMN_UNCONFIRMED t1 own_at']);
    expect(codes(resolve(tables, { t: { columns: { created_at: 'pii.date', updated_at: 'none' } } }, undefined, confirmed))).toEqual([
      'CLASSIFICATION_CONTRADICTION t created_at',
    ]);
  });

  it('of tables and columns that do not exist are findings with the nearest word', () => {
    const found = resolve([table('customer', { email: 'text', 'First Name': 'text' })], {
      customer: { columns: { emial: 'pii.email', email: 'pii.emial', '"First Name"': 'pii.first-name' } },
      custommer: {},
      'away.elsewhere': {},
    });
    expect(found.findings.map(({ code, where }) => `${code} ${where.expected ?? ''}`)).toEqual([
      'CLASSIFICATION_TABLE_UNKNOWN public.customer',
      'CLASSIFICATION_COLUMN_UNKNOWN email',
      'CLASSIFICATION_TAG_UNKNOWN pii.email',
    ]);
  });

  it('of columns that hold paths are asked for by path', () => {
    const composite = type('contact', {
      kind: 'composite',
      attributes: [
        { name: 'name', type: type('text') },
        { name: 'phone', type: type('text') },
      ],
    });
    const tables = [
      table('t', {
        j: 'jsonb',
        k: 'jsonb',
        l: 'jsonb',
        h: 'hstore',
        a: { type: arrayOf(type('text')) },
        c: { type: composite },
        s: 'text',
      }),
    ];
    const found = resolve(tables, {
      t: {
        columns: {
          j: { paths: { 'a.b[].c': 'pii.email' } },
          k: 'none',
          h: { paths: { 'x y': 'none' } },
          a: 'pii.phone',
          c: { paths: { name: 'pii.full-name', fone: 'pii.phone' } },
          s: { paths: {} },
        },
        keep: [{ columns: ['l'], reason: 'settings of the shop', expires: '2027-01-01' }],
      },
    });
    expect(codes(found)).toEqual([
      'CLASSIFICATION_PATHS_NEEDED t k',
      'CLASSIFICATION_PATH_INVALID t h',
      'CLASSIFICATION_PATH_UNKNOWN t c',
      'CLASSIFICATION_PATH_UNKNOWN t c',
      'CLASSIFICATION_PATHS_MISPLACED t s',
    ]);
    expect(found.findings[2]?.hint).toContain('phone');
    expect(found.tables[0]?.columns.get('j')).toMatchObject({ tag: 'mixed', rest: 'refuse' });
  });
});

describe('a row', () => {
  const customer = table(
    'customer',
    { id: 'int4!', email: 'text!' },
    { key: ['id'], constraints: [constraint({ name: 'u', kind: 'u', columns: ['email'] })] },
  );
  const order = table(
    'order',
    { id: 'int4!', customer_id: 'int4!', email: 'text', gift_for: 'int4' },
    {
      key: ['id'],
      constraints: [foreignKey(['customer_id'], 'public.customer', ['id']), foreignKey(['email'], 'public.customer', ['email'])],
    },
  );
  const item = table('item', { order_id: 'int4' }, { constraints: [foreignKey(['order_id'], 'public.order', ['id'])] });
  const none = Object.fromEntries(['id', 'email', 'customer_id', 'gift_for', 'order_id'].map((name) => [name, 'none']));
  const pick = (...names: string[]) => ({ columns: Object.fromEntries(names.map((name) => [name, none[name] ?? 'none'])) });
  const words = { customer: { person: true, ...pick('id', 'email') }, '"order"': pick('gift_for'), item: pick('order_id') };
  const route = (found: Resolution, name: string) => found.tables.find(({ table: { name: own } }) => own === name)?.route;

  it('finds its person by itself, over a key, and over several hops with the joins that takes', () => {
    const found = resolve([customer, item, order], words);
    expect(found.findings).toEqual([]);
    expect(route(found, 'customer')).toMatchObject({ self: true, via: [], fields: [{ column: 'id' }], nullable: false });
    expect(route(found, 'order')).toMatchObject({ self: false, via: [], fields: [{ column: 'customer_id' }], nullable: false });
    expect(route(found, 'item')).toMatchObject({
      via: [{ columns: ['order_id'], references: { name: 'order', columns: ['id'] } }],
      fields: [{ column: 'customer_id' }],
      nullable: true,
    });
  });

  it('goes the declared way, with a join where the reference is not to the key', () => {
    const found = resolve([customer, item, order], { ...words, '"order"': { ...pick('gift_for'), subject: 'email' } });
    expect(route(found, 'order')).toMatchObject({ via: [{ columns: ['email'] }], fields: [{ column: 'id' }], nullable: true });
    expect(codes(resolve([customer, item, order], { ...words, item: { ...pick('order_id'), subject: 'order_id.gift' } }))).toEqual([
      'CLASSIFICATION_SUBJECT_INVALID item',
    ]);
  });

  it('may hold the key of its person without a foreign key, when the document says so', () => {
    const visit = table('visit', { who: 'int4', page: 'text' });
    const visits = { ...words, visit: { subject: 'who', ...pick('who', 'page') } };
    expect(route(resolve([customer, item, order, visit], visits), 'visit')).toMatchObject({
      self: false,
      via: [],
      fields: [{ column: 'who' }],
      nullable: true,
    });
    expect(codes(resolve([customer, item, order, visit], { ...visits, visit: { ...visits.visit, subject: 'whom' } }))).toEqual([
      'CLASSIFICATION_SUBJECT_INVALID visit',
    ]);
  });

  it('is ambiguous when two ways are equally short', () => {
    const gift = { ...order, constraints: [...order.constraints, foreignKey(['gift_for'], 'public.customer', ['id'])] };
    expect(route(resolve([customer, item, gift], words), 'order')).toEqual({ kind: 'ambiguous', choices: ['customer_id', 'gift_for'] });
  });

  it('of a partition or child of people is a person', () => {
    const child = table('vip', { id: 'int4!', email: 'text!' }, { parents: [{ schema: 'public', name: 'customer' }] });
    expect(route(resolve([customer, child], words), 'vip')).toMatchObject({ self: true, fields: [{ column: 'id' }] });
    expect(codes(resolve([table('p', { a: 'text' })], { p: { person: true, columns: { a: 'none' } } }))).toEqual([
      'CLASSIFICATION_PERSON_WITHOUT_KEY p',
    ]);
  });
});
