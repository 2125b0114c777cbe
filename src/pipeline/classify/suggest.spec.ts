import { describe, expect, it } from '@jest/globals';

import { arrayOf, constraint, foreignKey, table, type } from '../../../test/support/catalogue.js';
import type { Catalogue, Table } from '../catalogue.js';
import type { ColumnSample } from '../column-sample.js';
import type { ClassificationDefinition, ClassificationLock, Described } from '../definition.js';
import { check, confirm, scanSchemaTexts, suggest, toClassification } from './classify.js';

const server = { version: 180000, systemIdentifier: '', database: 'x', databaseOid: 0, encoding: 'UTF8', inRecovery: false };
const catalogueOf = (...tables: readonly Table[]): Catalogue => ({ server, schemas: [], tables, objects: [] });
const sample = (on: string, column: string, values: readonly string[], path?: string): ColumnSample => ({
  ...{ schema: 'public', table: on, column, values },
  ...(path === undefined ? {} : { path }),
});
const shown = (catalogue: Catalogue, ...more: [samples?: readonly ColumnSample[], inventories?: Parameters<typeof suggest>[2]]) =>
  suggest(catalogue, ...more).map(({ table: on, column, path, tag, follows }) =>
    [on, column, path, tag, follows && `as ${follows}`].filter(Boolean).join(' '),
  );

const primary = constraint({ name: 'p', kind: 'p', columns: ['id'] });

describe('suggestions', () => {
  it('come from content where the name says nothing, and say by which rule', () => {
    const pans = ['4111111111111111', '5500005555555559', '340000000000009', '30000000000004', '6011000000000004'];
    const [found] = suggest(catalogueOf(table('t', { f7: 'text', f8: 'text' })), [
      sample('t', 'f7', pans),
      sample('t', 'f8', ['new', 'paid', 'sent']),
    ]);
    expect(found).toEqual({ schema: 'public', table: 't', column: 'f7', tag: 'pci.pan', rule: 'content/pan', confidence: 0.97 });
  });

  it('believe check digits before a name', () => {
    const ibans = Array.from({ length: 6 }, () => 'DE89370400440532013000');
    expect(shown(catalogueOf(table('t', { city: 'text' })), [sample('t', 'city', ibans)])).toEqual(['t city pii.iban']);
  });

  it('find free text by its words and by what hides in it', () => {
    const texts = [...Array.from({ length: 30 }, () => 'all quiet'), 'please call anna.meier@web.de first'];
    expect(shown(catalogueOf(table('t', { f: 'text' })), [sample('t', 'f', texts)])).toEqual(['t f pii.free-text']);
  });

  it('take dates decades apart for births', () => {
    const births = ['1951-03-04', '1964-01-02', '1977-12-12', '1988-06-01', '1999-09-09', '1970-02-03'];
    const made = births.map((day) => day.replace(/^\d{4}/, '2024'));
    expect(shown(catalogueOf(table('t', { d: 'date', e: 'date' })), [sample('t', 'd', births), sample('t', 'e', made)])).toEqual([
      't d pii.date-of-birth',
    ]);
  });

  it('speak of keys and of both their ends as one', () => {
    const people = table('customer', { id: 'int8', email: 'text', first_name: 'text' }, { constraints: [primary] });
    const orders = table(
      'purchase',
      { id: 'int8', buyer: 'int8', mail: 'text' },
      { constraints: [primary, foreignKey(['buyer'], 'public.customer', ['id']), foreignKey(['mail'], 'public.customer', ['email'])] },
    );
    expect(shown(catalogueOf(orders, people))).toEqual([
      'customer id pii.key',
      'customer email pii.email',
      'customer first_name pii.first-name',
      'purchase id pii.key',
      'purchase buyer pii.key as public.customer.id',
      'purchase mail pii.email as public.customer.email',
    ]);
    expect(toClassification(catalogueOf(people), suggest(catalogueOf(people))).tables[0]).toMatchObject({
      key: 'public.customer',
      person: true,
    });
  });

  it('go by path inside json and leave a column open as long as one path is unknown', () => {
    const catalogue = catalogueOf(table('t', { profile: 'jsonb', tags: { type: arrayOf(type('text')) } }));
    const inventory = { schema: 'public', table: 't', column: 'profile', whole: true, dataKeys: false, cut: false };
    const paths = [
      { path: 'a.mail', kinds: ['string'] },
      { path: 'lang', kinds: ['string'] },
    ];
    const mails = Array.from({ length: 6 }, (_, i) => `anna${i}@web.de`);
    const samples = [sample('t', 'profile', mails, 'a.mail'), sample('t', 'tags', mails)];
    expect(shown(catalogue, samples, [{ ...inventory, paths }])).toEqual(['t profile a.mail pii.email', 't tags pii.email']);
    const draft = toClassification(catalogue, suggest(catalogue, samples, [{ ...inventory, paths }]), [{ ...inventory, paths }]);
    expect(draft.tables[0]?.columns[0]).toMatchObject({ kind: 'paths', complete: false });
    const one = [{ ...inventory, paths: paths.slice(0, 1) }];
    expect(toClassification(catalogue, suggest(catalogue, samples, one), one).tables[0]?.columns[0]).toMatchObject({
      kind: 'paths',
      complete: true,
    });
  });

  it('never hold a sampled value', () => {
    const canary = 'canary.person@web.de';
    const catalogue = catalogueOf(table('t', { f: 'text', profile: 'jsonb' }));
    const samples = [sample('t', 'f', [canary, canary, canary]), sample('t', 'profile', [canary], 'x')];
    expect(JSON.stringify([suggest(catalogue, samples), toClassification(catalogue, suggest(catalogue, samples))])).not.toContain('canary');
  });
});

const classification = (
  words: ClassificationDefinition['tables'],
  patterns: Record<string, string> = {},
): Described<ClassificationDefinition> => ({
  body: { kind: 'Classification', name: 'c', tables: words, patterns },
  origin: { file: 'c.yaml', line: (pointer) => pointer.length },
});
const locked = (columns: ClassificationLock['columns']): Described<ClassificationLock> => ({
  body: { version: 1, columns },
  origin: { file: 'classification.lock', line: () => 1 },
});
const inScope = { isOutOfScope: () => false };

describe('a check', () => {
  const catalogue = catalogueOf(table('t', { id: 'int8', mobile: 'text', created_at: 'timestamptz' }));
  const written = classification({ t: { columns: { id: 'pii.key' } } }, { '*.created_at': 'none' });

  it('names each new column with its line and the tag that name and type suggest', () => {
    const findings = check({ classification: written, tables: catalogue.tables, ...inScope }, catalogue);
    expect(findings.map(({ code, where }) => `${code} ${where.column} ${where.file}:${where.line}`)).toEqual([
      `COLUMN_UNTAGGED mobile c.yaml:${'/tables/t'.length}`,
      `COLUMN_UNCONFIRMED created_at c.yaml:${'/patterns/*.created_at'.length}`,
    ]);
    expect(findings[0]?.suggestion?.tag).toBe('pii.phone');
    expect(findings[0]?.hint).toContain('suggested: pii.phone');
  });

  it('passes when each column is tagged, and those of a pattern are confirmed by name', () => {
    const lock = locked({ 'public.t.created_at': { tag: 'none', by: 'Ada', at: '2026-01-01T00:00:00.000Z' } });
    const all = classification({ t: { columns: { id: 'pii.key', mobile: 'pii.phone' } } }, { '*.created_at': 'none' });
    expect(check({ classification: all, lock, tables: catalogue.tables, ...inScope }, catalogue)).toEqual([]);
    const later = catalogueOf(...catalogue.tables, table('u', { created_at: 'timestamptz' }));
    expect(
      check({ classification: all, lock, tables: later.tables, ...inScope }, later).map(({ code, where }) => [code, where.table]),
    ).toEqual([['COLUMN_UNCONFIRMED', 'u']]);
  });
});

describe('a confirmation', () => {
  const tables = [table('t', { id: 'int8', created_at: 'timestamptz' }), table('u', { created_at: 'timestamptz', note: 'text' })];
  const written = classification({ t: { columns: { id: 'pii.key' } } }, { '*.created_at': 'none' });
  const confirmed = (patterns: readonly string[], known?: ClassificationLock) =>
    confirm({ classification: written, tables, ...inScope, known, patterns, by: 'Ada', at: '2026-01-01T00:00:00.000Z' });

  it('lists the columns that exist now, by pattern, table and column, sorted', () => {
    expect(Object.keys(confirmed(['*.created_at']).lock?.columns ?? {})).toEqual(['public.t.created_at', 'public.u.created_at']);
    expect(confirmed(['public.t']).confirmed).toEqual(['public.t.created_at', 'public.t.id']);
    expect(confirmed(['t']).confirmed).toEqual(confirmed(['public.t']).confirmed);
    expect(confirmed(['public.t.id']).lock?.columns['public.t.id']).toEqual({ tag: 'pii.key', by: 'Ada', at: '2026-01-01T00:00:00.000Z' });
  });

  it('keeps the first witness, replaces one of another tag, and forgets columns that are gone', () => {
    const old = { tag: 'none', by: 'Bob', at: '2025-01-01T00:00:00.000Z' };
    const known: ClassificationLock = {
      version: 1,
      columns: { 'public.t.created_at': old, 'public.t.gone': old, 'public.u.created_at': { ...old, tag: 'pii.date' }, 'away.x.y': old },
    };
    const { lock, confirmed: fresh, removed } = confirmed(['*.created_at'], known);
    expect([fresh, removed]).toEqual([['public.u.created_at'], ['public.t.gone']]);
    expect(lock?.columns['public.t.created_at']).toEqual(old);
    expect(lock?.columns['away.x.y']).toEqual(old);
    expect(lock?.columns['public.u.created_at']?.by).toBe('Ada');
  });

  it('confirms nothing by halves: an untagged column and a pattern without a column refuse it', () => {
    const { lock, findings } = confirmed(['public.u', 'public.nowhere']);
    expect(lock).toBeUndefined();
    expect(findings.map(({ code }) => code).sort()).toEqual(['CONFIRM_COLUMN_UNTAGGED', 'CONFIRM_NO_COLUMN']);
  });
});

describe('texts of a schema', () => {
  const texts = [
    { object: 'function public.total()', part: 'function', text: 'SELECT 1 -- ask canary.person@web.de' },
    { object: 'table public.canary.person@web.de', part: 'name', text: 'canary.person@web.de' },
    { object: 'policy public.t.own', part: 'role', text: 'anna_smith' },
    { object: 'table public.t', part: 'name', text: 't' },
  ];
  it('give findings with object, part and rule, and never the text', () => {
    const findings = scanSchemaTexts(texts, [], '2026-01-01');
    expect(findings.map(({ code, where }) => [code, where.object, where.name, where.rule])).toEqual([
      ['SCHEMA_TEXT_PERSONAL', 'function public.total()', 'function', 'content/email'],
      ['SCHEMA_TEXT_PERSONAL', 'table *', 'name', 'content/email'],
      ['SCHEMA_TEXT_PERSONAL', 'policy public.t.own', 'role', 'content/full-name'],
    ]);
    expect(JSON.stringify(findings)).not.toContain('canary');
  });
  it('are let through when dropped or, until a day, kept with a reason', () => {
    const object = 'function public.total()';
    const reason = 'the address of our own desk';
    const scan = (action: 'keep' | 'drop', expires?: string) =>
      scanSchemaTexts(texts.slice(0, 1), [{ object, action, reason, ...(expires === undefined ? {} : { expires }) }], '2026-06-01').map(
        ({ severity }) => severity,
      );
    expect([scan('drop'), scan('keep'), scan('keep', '2026-06-01'), scan('keep', '2026-05-31')]).toEqual([
      [],
      ['warning'],
      ['warning'],
      ['error'],
    ]);
  });
});
