import { describe, expect, it } from '@jest/globals';

import { loadDocuments, readText } from '../../src/documents/documents.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { toPlanLines } from '../../src/cli/plan-text.js';
import { toPlanView } from '../../src/pipeline/plan-view.js';
import { tags } from '../../src/pipeline/tags.js';
import type { RulebookDefinition } from '../../src/pipeline/definition.js';
import { bind, registry, said } from '../support/binding.js';
import { analysed, arrayOf, catalogue, foreignKey, table, type, unique, uniqueIndex } from '../support/catalogue.js';

const statistics = (nDistinct: number) => ({ nDistinct, nullFraction: 0, averageWidth: 10 });
const keepAll = (...columns: string[]) => [{ columns, reason: 'says nothing of a person' }];

describe('a plan', () => {
  it('says for each column what happens, why, and as a function of what', () => {
    const customer = table(
      'customer',
      {
        id: 'int4!',
        email: 'citext!',
        first_name: 'text',
        profile: 'jsonb',
        phones: { type: arrayOf(type('text')) },
        full: { type: type('text'), generated: 's', expression: 'first_name' },
      },
      { key: ['id'], constraints: [unique('email')] },
    );
    const order = table(
      'orders',
      { id: 'int4!', customer_id: 'int4', first_name: 'text', note: 'text' },
      { key: ['id'], constraints: [foreignKey(['customer_id'], 'public.customer', ['id'])] },
    );
    const item = table(
      'item',
      { order_id: 'int4!', first_name: 'text' },
      { constraints: [foreignKey(['order_id'], 'public.orders', ['id'])] },
    );
    const bound = bind(catalogue(customer, order, item), {
      tables: {
        customer: {
          person: true,
          columns: {
            email: 'pii.email',
            first_name: 'pii.first-name',
            profile: { paths: { 'contact.email': 'pii.email', theme: 'none' }, rest: 'drop' },
            phones: 'pii.phone',
          },
          keep: keepAll('id'),
        },
        orders: { columns: { first_name: 'pii.first-name', note: 'pii.free-text' }, keep: keepAll('id') },
        item: { columns: { first_name: 'pii.first-name' } },
      },
    });
    expect(bound.findings).toEqual([]);
    const [first, , orders] = bound.plan?.tables ?? [];
    expect(first?.columns.map(({ name }) => name)).toEqual(['id', 'email', 'first_name', 'profile', 'phones']);
    expect(first?.columns[1]).toMatchObject({
      tag: 'pii.email',
      unique: true,
      rule: { transform: 'email', scope: 'value', domain: 'pii.email', canonical: 'citext', params: { domain: 'example.com' } },
    });
    expect(first?.columns[2]?.rule).toMatchObject({ scope: 'subject', reveals: [] });
    expect(first?.columns[3]).toMatchObject({
      tag: 'mixed',
      rule: {
        transform: 'keep',
        rest: 'drop',
        paths: { 'contact.email': { tag: 'pii.email', transform: 'email' }, theme: { transform: 'keep' } },
      },
    });
    expect(first?.columns[4]?.rule).toMatchObject({ transform: 'phone' });
    expect(first?.hidden).toMatchObject([{ purpose: 'subject', column: 'id', via: [] }]);
    expect(orders?.hidden).toMatchObject([
      { purpose: 'subject', column: 'customer_id' },
      { purpose: 'row', column: 'id' },
    ]);
    expect(bound.plan?.tables[1]?.hidden).toMatchObject([
      { purpose: 'subject', column: 'customer_id', via: [{ columns: ['order_id'], references: { name: 'orders' } }] },
      { purpose: 'row', column: 'ctid', via: [] },
    ]);
    expect(Object.isFrozen(bound.plan?.tables[0]?.columns[0]?.rule)).toBe(true);
    const lines = toPlanLines(toPlanView(bound.plan ?? fail(), catalogue(customer, order, item))).join('\n');
    expect(lines).toMatch(/^ {2}email +pii\.email +email +value +equality frequency +unique$/m);
    expect(lines).toContain('joins public.orders to find the person');
    expect(lines).toMatch(/^ {4}contact\.email +pii\.email +email/m);
  });

  it('masks joined columns alike, prepared for the narrowest of them', () => {
    const a = table(
      'a',
      { email: { type: type('varchar', { length: 40, display: 'character varying(40)' }), notNull: true } },
      { key: ['email'] },
    );
    const b = table('b', { a_email: 'citext' }, { constraints: [foreignKey(['a_email'], 'public.a', ['email'])] });
    const bound = bind(catalogue(a, analysed(b)), { tables: { a: { columns: { email: 'pii.email' } } } });
    expect(bound.findings).toEqual([]);
    const [one, two] = (bound.plan?.tables ?? []).map(({ columns }) => columns[0]);
    expect(one?.rule).toEqual(two?.rule);
    expect(one?.rule).toMatchObject({ preparedFor: { length: 40 }, canonical: 'citext' });
    expect([one?.component, two?.component]).toEqual([0, 0]);
  });

  it('takes an override along to every joined column', () => {
    const a = table('a', { id: 'int4!' }, { key: ['id'] });
    const b = table('b', { a_id: 'int4' }, { constraints: [foreignKey(['a_id'], 'public.a', ['id'])] });
    const overrides = [{ columns: ['public.a.id'], transform: 'keep', reason: 'joined with reports', expires: '2027-01-01' }];
    const bound = bind(catalogue(a, b), { tables: { a: { columns: { id: 'pii.key' } } }, pipeline: { overrides } });
    expect(bound.plan?.tables.map(({ columns }) => [columns[0]?.rule.transform, columns[0]?.reason])).toEqual([
      ['keep', 'joined with reports'],
      ['keep', 'joined with reports'],
    ]);
  });

  it('takes, of several rules of a tag, one that keeps a unique column unique', () => {
    const own = { 'pii.username': [{ transform: 'replace' }, { transform: 'text-key' }] };
    const transforms = (key: readonly string[]) =>
      bind(catalogue(analysed(table('t', { c: 'text!' }, { key }))), { tables: { t: { columns: { c: 'pii.username' } } }, rules: own }).plan
        ?.tables[0]?.columns[0]?.rule.transform;
    expect([transforms([]), transforms(['c'])]).toEqual(['replace', 'text-key']);
  });

  it('loads through the root when a partition key is masked', () => {
    const partitionKey = { columns: ['email'], mentions: [], definition: 'LIST (email)' };
    const parents = [{ schema: 'public', name: 'p' }];
    const root = table('p', { email: 'text!' }, { kind: 'p', partitionKey, estimatedRows: -1 });
    const part = table('p1', { email: 'text!' }, { parents, partitionBound: "FOR VALUES IN ('a')" });
    const rest = table('p2', { email: 'text!' }, { parents, partitionBound: 'DEFAULT' });
    const analysed = [root, part, rest].map((one) => ({
      ...one,
      columns: one.columns.map((column) => ({ ...column, statistics: statistics(1000) })),
    }));
    const words = { tables: { p: { columns: { email: 'pii.email' } } } };
    expect(said(bind(catalogue(...analysed.slice(0, 2)), words))).toEqual(['PLAN_PARTITION_UNCOVERED p.email']);
    expect(bind(catalogue(...analysed), words).plan?.tables.map(({ loadInto }) => loadInto.name)).toEqual(['p', 'p', 'p']);
    const hash = analysed.map((one, i) => ({
      ...one,
      ...(i === 0
        ? { partitionKey: { ...partitionKey, definition: 'HASH (email)' } }
        : { partitionBound: `FOR VALUES WITH (modulus 2, remainder ${i - 1})` }),
    }));
    expect(bind(catalogue(...hash), words).findings).toEqual([]);
    expect(said(bind(catalogue(...hash.slice(0, 2)), words))).toEqual(['PLAN_PARTITION_UNCOVERED p.email']);
  });

  it('reports each reference whose rows are left behind', () => {
    const a = table('a', { id: 'int4!' }, { key: ['id'] });
    const b = table('b', { a_id: 'int4' }, { constraints: [foreignKey(['a_id'], 'public.a', ['id'])] });
    const words = { tables: { a: { keep: keepAll('id') } }, pipeline: { tables: { a: { rows: 'none' as const } } } };
    const bound = bind(catalogue(a, b), words);
    expect(bound.findings).toMatchObject([{ code: 'PLAN_REFERENCE_CUT', severity: 'warning' }]);
    expect(bound.plan?.cutReferences).toEqual([{ table: 'public.b', constraint: 'a_id_fkey' }]);
    expect(bound.wanted).toMatchObject([{ kind: 'reference', schema: 'public', name: 'b', constraint: 'a_id_fkey', rows: 'all' }]);
    expect(bind(catalogue(a, b), { ...words, counts: { references: new Map([['public.b.a_id_fkey', 0]]) } }).findings).toEqual([]);
    expect(
      said(bind(catalogue(a, b), { ...words, pipeline: { exclude: ['public.a'] }, tables: { a: {}, b: { keep: keepAll('a_id') } } })),
    ).toEqual(['PLAN_REFERENCE_OUT_OF_SCOPE b.a_id_fkey']);
  });
});

describe('a plan is refused', () => {
  const one = (words: Parameters<typeof table>[1], tag: string, more: Parameters<typeof table>[2] = {}, pipeline = {}, extra = {}) =>
    bind(catalogue(table('t', words, more)), { tables: { t: { columns: { c: tag } } }, pipeline, ...extra });

  it('when something unique would get a transform that does not keep it so, and is told what would', () => {
    const bound = one({ c: 'text!' }, 'pii.first-name', { key: ['c'] });
    expect(said(bound)).toContain('PLAN_NOT_UNIQUE t.c');
    expect(bound.findings.find(({ code }) => code === 'PLAN_NOT_UNIQUE')?.hint).toContain('text-key');
    expect(bound.plan).toBeUndefined();
    expect(said(one({ c: 'text' }, 'pii.free-text', { indexes: [uniqueIndex({ keys: [null], mentions: ['c'] })] }))).toEqual([
      'PLAN_NOT_UNIQUE t.c',
    ]);
  });

  it('when a unique generated column is made of a masked one that may collide', () => {
    const generated = { type: type('text'), generated: 's' as const, expression: 'lower(c)' };
    expect(said(one({ c: 'text', g: generated }, 'pii.free-text', { indexes: [uniqueIndex({ keys: ['g'] })] }))).toEqual([
      'PLAN_NOT_UNIQUE t.c',
    ]);
    const other = { ...generated, expression: "'abc'::text" };
    expect(said(one({ c: 'text', g: other }, 'pii.free-text', { indexes: [uniqueIndex({ keys: ['g'] })] }))).toEqual([]);
  });

  it('when there are too few pseudonyms for a unique column, by statistics or by count', () => {
    expect(said(one({ c: 'text!' }, 'pii.phone', { key: ['c'] }))).toEqual(['PLAN_SPACE_TOO_SMALL t.c']);
    expect(said(one({ c: 'text!' }, 'pii.phone', { key: ['c'], estimatedRows: 1 }))).toEqual([]);
    const unknown = one({ c: 'text!' }, 'pii.email', { key: ['c'], estimatedRows: -1 });
    expect(said(unknown)).toEqual(['PLAN_COUNT_MISSING t.c']);
    expect(unknown.wanted).toEqual([{ kind: 'column', schema: 'public', name: 't', column: 'c' }]);
    const counts = { columns: new Map([['public.t.c', { rows: 10, distinct: 10 }]]) };
    expect(one({ c: 'text!' }, 'pii.email', { key: ['c'], estimatedRows: -1 }, {}, { counts }).findings).toEqual([]);
  });

  it('when frequencies would tell the values, unless somebody says why', () => {
    const column = { type: type('text'), statistics: statistics(50) };
    expect(said(one({ c: column }, 'pii.email'))).toEqual(['PLAN_FREQUENCIES_SURVIVE t.c']);
    expect(
      one({ c: column }, 'pii.email', {}, { overrides: [{ columns: ['*.t.c'], reason: 'joined with the mail log' }] }).findings,
    ).toEqual([]);
    expect(
      said(one({ c: column }, 'pii.email', {}, { overrides: [{ columns: ['*.t.c'], scope: 'row', reason: 'nothing joins it' }] })),
    ).toEqual([]);
    expect(said(one({ c: 'text' }, 'pii.email'))).toEqual(['PLAN_COUNT_MISSING t.c']);
  });

  it('when type, NULL or collation do not fit the transform', () => {
    expect(said(one({ c: 'int4' }, 'pii.email'))).toEqual(['PLAN_TYPE_MISFIT t.c']);
    const narrow = one({ c: 'varchar(10)' }, 'pii.email');
    expect(narrow.findings[0]?.hint).toBe('an address needs 14 characters');
    expect(one({ c: 'bytea!' }, 'pii.photo').plan?.tables[0]?.columns[0]?.rule.transform).toBe('fixed');
    expect(one({ c: 'bytea' }, 'pii.photo').plan?.tables[0]?.columns[0]?.rule.transform).toBe('null');
    expect(
      said(one({ c: 'bytea!' }, 'pii.photo', {}, { overrides: [{ columns: ['*.c'], transform: 'null', reason: 'no pictures' }] })),
    ).toEqual(['PLAN_NOT_NULL t.c']);
    expect(said(one({ c: { type: type('text', { deterministicCollation: false }) } }, 'pii.free-text'))).toEqual([
      'PLAN_COLLATION_NONDETERMINISTIC t.c',
    ]);
    expect(said(one({ c: 'jsonb' }, 'pii.email'))).toEqual(['PLAN_TYPE_MISFIT t.c']);
  });

  it('when the rulebook or an override cannot be followed', () => {
    const named = (rule: object) => said(one({ c: 'text' }, 'pii.free-text', {}, {}, { rules: { 'pii.free-text': [rule] } }))[0];
    expect(said(one({ c: 'text' }, 'pci.pan'))).toEqual(['PLAN_RULE_MISSING']);
    expect(named({ transform: 'replac' })).toBe('PLAN_TRANSFORM_UNKNOWN');
    expect(named({ transform: 'email', params: { domian: 'x' } })).toBe('PLAN_PARAM_UNKNOWN');
    expect(named({ transform: 'email', params: { domain: 7 } })).toBe('PLAN_PARAM_INVALID');
    expect(named({ transform: 'fixed' })).toBe('PLAN_PARAM_INVALID');
    expect(named({ transform: 'replace', scope: 'value' })).toBe('PLAN_SCOPE_UNFIT');
    expect(named({ transform: 'email', scope: 'row', params: { domain: 'bank.de' } })).toBe('PLAN_RESERVED_SPACE_LEFT t.c');
    expect(named({ transform: 'email', scope: 'row', params: { domain: 'bank.de' }, reason: 'a mail sink' })).toBeUndefined();
    expect(
      said(one({ c: 'text' }, 'pii.free-text', {}, { overrides: [{ columns: ['public.t.d'], transform: 'null', reason: 'why not' }] })),
    ).toEqual(['PLAN_OVERRIDE_UNUSED']);
    const twice = [
      { columns: ['*.c'], transform: 'null', reason: 'one' },
      { columns: ['*.t.*'], transform: 'null', reason: 'two' },
    ];
    expect(said(one({ c: 'text' }, 'pii.free-text', {}, { overrides: twice }))).toEqual(['PLAN_OVERRIDE_TWICE t.c']);
  });

  it('when a tagged column is kept without reason and last day', () => {
    const kept = (more: object) =>
      said(
        bind(catalogue(table('t', { c: 'text' })), {
          tables: { t: { columns: { c: 'pii.email' }, keep: [{ columns: ['c'], reason: 'needed', ...more }] } },
        }),
      );
    expect(kept({})).toEqual(['PLAN_KEEP_UNREASONED t.c']);
    expect(kept({ expires: '2027-01-01' })).toEqual([]);
  });

  it('when joined columns would be masked differently, by row, or are generated', () => {
    const a = table('a', { email: 'text!' }, { key: ['email'] });
    const b = table('b', { e: 'text' }, { constraints: [foreignKey(['e'], 'public.a', ['email'])] });
    const words = {
      a: { columns: { email: 'pii.email' } },
      b: { columns: { e: 'pii.email' }, keep: [{ columns: ['e'], reason: 'why', expires: '2027-01-01' }] },
    };
    expect(said(bind(catalogue(a, b), { tables: words }))).toContain('PLAN_COMPONENT_DIFFERS b.e');
    const byRow = { overrides: [{ columns: ['public.a.email'], scope: 'row' as const, reason: 'nothing joins it' }] };
    expect(said(bind(catalogue(a, b), { tables: { a: words.a }, pipeline: byRow }))).toEqual([
      'PLAN_KEY_SCOPE a.email',
      'PLAN_KEY_SCOPE b.e',
    ]);
    const generated = table(
      'b',
      { e: { type: type('text'), generated: 's', expression: "'x'" } },
      { constraints: [foreignKey(['e'], 'public.a', ['email'])] },
    );
    expect(said(bind(catalogue(a, generated), { tables: { a: words.a } }))).toEqual(['PLAN_KEY_GENERATED b.e']);
  });

  it('with every finding at once', () => {
    const bound = bind(catalogue(table('t', { a: 'text', b: 'int4', c: 'text' })), {
      tables: { t: { columns: { a: 'pii.emial', b: 'pii.email', d: 'none' } }, u: {} },
      pipeline: { tables: { v: { rows: 'none' } } },
    });
    expect(new Set(bound.findings.map(({ code }) => code))).toEqual(
      new Set([
        'CLASSIFICATION_TAG_UNKNOWN',
        'CLASSIFICATION_COLUMN_UNKNOWN',
        'CLASSIFICATION_TABLE_UNKNOWN',
        'COLUMN_UNTAGGED',
        'PLAN_TYPE_MISFIT',
        'PLAN_TABLE_UNKNOWN',
      ]),
    );
    expect(bind(catalogue(table('t', { a: 'text' })), { tables: {}, pipeline: { include: ['other.*'] } }).findings).toMatchObject([
      { code: 'PLAN_SCOPE_EMPTY' },
    ]);
  });

  it('when people are ambiguous; where there are none it is masked row by row, with a warning', () => {
    const person = table('p', { id: 'int4!' }, { key: ['id'] });
    const both = [foreignKey(['x'], 'public.p', ['id']), foreignKey(['y'], 'public.p', ['id'])];
    const tables = { p: { person: true, keep: keepAll('id') }, t: { columns: { n: 'pii.first-name' } } };
    const two = table('t', { x: 'int4', y: 'int4', n: 'text' }, { constraints: both });
    expect(said(bind(catalogue(person, two), { tables }))).toEqual(['CLASSIFICATION_SUBJECT_AMBIGUOUS t']);
    const alone = bind(catalogue(table('t', { n: 'text' })), { tables: { t: tables.t } });
    expect(alone.findings).toMatchObject([{ code: 'CLASSIFICATION_SUBJECT_MISSING', severity: 'warning' }]);
    expect(alone.plan?.tables[0]?.columns[0]?.rule.scope).toBe('row');
  });
});

describe('the rulebook that Bauta ships', () => {
  it('has a rule for every tag, and none for anything else', async () => {
    const loaded = await loadDocuments(packageFile('src', 'pipeline', 'mask', 'rulebooks', 'default.yaml'), readText);
    expect(loaded.findings).toEqual([]);
    const { rules } = loaded.definitions[0]?.body as RulebookDefinition;
    expect(Object.keys(rules).sort()).toEqual([...tags.keys()].sort());
    expect(registry.transforms.length).toBeGreaterThan(0);
  });
});

function fail(): never {
  throw new Error('there is no plan');
}
