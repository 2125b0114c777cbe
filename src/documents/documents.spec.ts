import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';

import { packageFile } from '../kernel/package-root.js';
import type { ClassificationDefinition, PipelineDefinition } from '../pipeline/definition.js';
import { loadDocuments, parseLock, publishedSchemas, readText, selectDocuments } from './documents.js';

const root = resolve('/documents');

/** Files by path below the root; everything else is missing. */
function load(files: Record<string, string>, first = 'a.yaml') {
  return loadDocuments(resolve(root, first), (path) => Promise.resolve(files[path.slice(root.length + 1)]));
}

const codes = (loaded: { findings: readonly { code: string; where: { line?: number | undefined } }[] }) =>
  loaded.findings.map((finding) => `${finding.code}:${finding.where.line ?? ''}`);

const pipeline = `kind: Pipeline
name: shop
import: [c.yaml]
source: env:SOURCE_URL
target: {connection: env:TARGET_URL, environment: dev, class: dev, allows: [pii], sameServer: a demonstration on one laptop}
classification: shop
tables: {public.audit: none, public.orders: where placed_at > now()}
purpose: tests of the shop
owner: team-shop
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 30
`;
const classification = `kind: Classification
name: shop
tables:
  public.customer:
    person: true
    columns:
      email: pii.email
      constructor: none
      profile: {paths: {contact.email: pii.email}, rest: keep, reason: seen by the team, expires: 2027-01-31}
    keep: [{columns: [id, created_at], reason: says nothing of a person}]
`;

describe('documents', () => {
  it('become definitions with their short forms written out, in fewer than 25 lines', async () => {
    const loaded = await load({ 'a.yaml': pipeline, 'c.yaml': classification });
    expect(loaded.findings).toEqual([]);
    expect(pipeline.split('\n').length + classification.split('\n').length).toBeLessThanOrEqual(25);
    const [shop, personal] = [...loaded.definitions].sort((a, b) => (a.body.kind < b.body.kind ? 1 : -1)).map(({ body }) => body);
    expect(shop).toMatchObject({
      rulebook: 'default',
      source: { connection: 'env:SOURCE_URL' },
      target: { sameServer: { reason: 'a demonstration on one laptop' } },
      tables: { 'public.audit': { rows: 'none' }, 'public.orders': { rows: { where: 'placed_at > now()' } } },
    } satisfies Partial<Record<keyof PipelineDefinition, unknown>>);
    expect((personal as ClassificationDefinition).tables['public.customer']?.columns).toMatchObject({
      profile: { paths: { 'contact.email': 'pii.email' }, rest: { action: 'keep', expires: '2027-01-31' } },
    });
    expect(Object.isFrozen((personal as ClassificationDefinition).tables['public.customer']?.keep?.[0]?.columns)).toBe(true);
  });

  it('say where each member stands', async () => {
    const loaded = await load({ 'a.yaml': pipeline, 'c.yaml': classification });
    const origin = loaded.definitions.find(({ body }) => body.kind === 'Classification')?.origin;
    expect(origin?.file).toBe('c.yaml');
    expect(origin?.line('/tables/public.customer/columns/email')).toBe(7);
    expect(origin?.line('/tables/public.customer/columns/nowhere')).toBe(6);
  });

  it('may be JSON, several in one file, and mean the same', async () => {
    const yaml = await load({ 'a.yaml': `${classification}---\n${pipeline.replace('import: [c.yaml]\n', '')}` });
    const json = await load(
      {
        'a.json': `{\n\t"tables": {"public.customer": {"keep": [{"reason": "says nothing of a person", "columns": ["id", "created_at"]}], "person": true,
          "columns": {"profile": {"rest": "keep", "expires": "2027-01-31", "reason": "seen by the team", "paths": {"contact.email": "pii.email"}},
          "constructor": "none", "email": "pii.email"}}}, "name": "shop", "kind": "Classification"}`,
      },
      'a.json',
    );
    expect([yaml.findings, json.findings]).toEqual([[], []]);
    expect(Object.keys(yaml.digests).sort()).toEqual(['Classification shop', 'Pipeline shop']);
    expect(json.digests['Classification shop']).toBe(yaml.digests['Classification shop']);
  });

  it('report every problem at once, with line and the nearest valid word', async () => {
    const wrong = pipeline
      .replace('import: [c.yaml]\n', '')
      .replace('purpose:', 'purpos:')
      .replace('class: dev', 'class: stagin')
      .replace('retentionDays: 30', 'retentionDays: soon')
      .replace('public.audit', 'public audit');
    const loaded = await load({ 'a.yaml': wrong });
    expect(codes(loaded)).toEqual([
      'DOCUMENT_MEMBER_MISSING:1',
      'DOCUMENT_VALUE_INVALID:4',
      'DOCUMENT_MEMBER_UNKNOWN:7',
      'DOCUMENT_VALUE_INVALID:11',
    ]);
    expect(loaded.findings[1]?.hint).toContain('staging');
    expect(loaded.findings[2]?.hint).toContain('purpose');
    expect(codes(await load({ 'a.yaml': classification.replace('public.customer', '"public.customer": {}\n  public customer') }))).toEqual([
      'DOCUMENT_NAME_INVALID:5',
    ]);
  });

  it('say in the same way what is wrong with the roles of a target', async () => {
    const withRoles = (roles: string): string =>
      pipeline.replace('import: [c.yaml]\n', '').replace('allows: [pii]', `allows: [pii], roles: ${roles}`);
    const loaded = await load({ 'a.yaml': withRoles('{ readWrit: app, map: { app_rw: 3 } }') });
    expect(codes(loaded)).toEqual(['DOCUMENT_MEMBER_UNKNOWN:4', 'DOCUMENT_VALUE_INVALID:4']);
    expect(loaded.findings[0]?.hint).toContain('readWrite');
    expect(codes(await load({ 'a.yaml': withRoles('{ owner: team, readWrite: app, readOnly: look, map: { "Anna S.": look } }') }))).toEqual(
      [],
    );
  });

  it('point to the nearest kind', async () => {
    const loaded = await load({ 'a.yaml': 'kind: Pipelin\nname: x\n' });
    expect(loaded.findings[0]).toMatchObject({ code: 'DOCUMENT_KIND_UNKNOWN', hint: 'write kind: Pipeline', where: { line: 1 } });
  });

  it('are refused with tags, anchors, aliases, directives, merge keys, doubled keys and __proto__', async () => {
    const refused: Record<string, string> = {
      'a: !!str 1': 'DOCUMENT_YAML_FEATURE:1',
      'a: !<tag:x> 1': 'DOCUMENT_YAML_FEATURE:1',
      'a: &x 1\nb: 2': 'DOCUMENT_YAML_FEATURE:1',
      '%YAML 1.1\n---\na: yes': 'DOCUMENT_YAML_FEATURE:2',
      'a: {}\n<<: {}': 'DOCUMENT_KEY_REFUSED:2',
      'a: 1\nb: 2\na: 3': 'DOCUMENT_KEY_DUPLICATE:3',
      'a: {__proto__: {}}': 'DOCUMENT_KEY_REFUSED:1',
      '? [a]\n: 1': 'DOCUMENT_KEY_REFUSED:1',
      'a: .nan': 'DOCUMENT_YAML_FEATURE:1',
      'a: b: c': 'DOCUMENT_SYNTAX:1',
      [`a: ${'['.repeat(100_000)}`]: 'DOCUMENT_TOO_LARGE:1',
    };
    for (const [text, code] of Object.entries(refused))
      expect([text.slice(0, 30), ...codes(await load({ 'a.yaml': text }))]).toEqual([text.slice(0, 30), code]);
    const bomb = ['a: &a [x, x]', ...Array.from({ length: 30 }, (_, i) => `k${i}: &k${i} [*a, *a]`)].join('\n');
    expect(new Set((await load({ 'a.yaml': bomb })).findings.map(({ code }) => code))).toEqual(new Set(['DOCUMENT_YAML_FEATURE']));
  });

  it('are refused when a connection string or a password stands in them, wherever', async () => {
    for (const line of [
      'source: postgres://app:hunter2@db/prod',
      'source: {connection: env:X, password: hunter2}',
      'source: "host=db user=app password=hunter2"',
      'purpose: see https://app:hunter2@wiki/page',
    ]) {
      const name = line.slice(0, line.indexOf(':'));
      const loaded = await load({ 'a.yaml': pipeline.replace('import: [c.yaml]\n', '').replace(new RegExp(`^${name}: .*$`, 'm'), line) });
      expect(loaded.findings.map(({ code }) => code)).toContain('DOCUMENT_SECRET');
      expect(JSON.stringify(loaded.findings)).not.toContain('hunter2');
    }
    const tagged = await load({ 'a.yaml': classification.replace('email: pii.email', 'password: secret.password') });
    expect(tagged.findings).toEqual([]);
  });

  it('import each other below one folder, each file once, without cycles', async () => {
    const named = (name: string, imports: string) => `kind: Rulebook\nname: ${name}\nimport: ${imports}\nrules: {}\n`;
    const diamond = {
      'a.yaml': named('a', '[x/b.yaml, x/c.yaml]'),
      'x/b.yaml': named('b', 'd.yaml'),
      'x/c.yaml': named('c', '[../x/d.yaml]'),
      'x/d.yaml': 'kind: Rulebook\nname: d\nrules: {}\n',
    };
    const loaded = await load(diamond);
    expect([loaded.findings, loaded.definitions.length]).toEqual([[], 4]);
    const cycle = await load({ 'a.yaml': named('a', 'b.yaml'), 'b.yaml': named('b', 'a.yaml') });
    expect(cycle.findings[0]).toMatchObject({ code: 'DOCUMENT_IMPORT_CYCLE', where: { line: 3 } });
    for (const outside of ['../b.yaml', '/etc/passwd', 'x/../../b.yaml', 'C:\\b.yaml']) {
      expect(codes(await load({ 'a.yaml': named('a', `['${outside}']`) }))).toEqual(['DOCUMENT_IMPORT_OUTSIDE:3']);
    }
    expect(codes(await load({ 'a.yaml': named('a', 'gone.yaml') }))).toEqual(['DOCUMENT_MISSING:3']);
    const deep = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [i === 0 ? 'a.yaml' : `f${i}.yaml`, named(`n${i}`, `f${i + 1}.yaml`)]),
    );
    expect((await load(deep)).findings[0]?.code).toBe('DOCUMENT_TOO_LARGE');
    expect(codes(await load({ 'a.yaml': '# nothing\n' }))).toEqual(['DOCUMENT_EMPTY:']);
  });

  it('never show a value in a finding, however broken they are', async () => {
    const secret = 'zq7canary@x.com';
    const text = `${pipeline}${classification}`;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length),
        fc.constantFrom('', ': ', '"', '[', '}', '\t', '\n', '- ', '!x ', '&', '*', '|', '%'),
        async (at, broken) => {
          const loaded = await load({ 'a.yaml': `${text.slice(0, at)}${broken}${secret}${text.slice(at)}` });
          expect(JSON.stringify(loaded.findings)).not.toContain('canary');
        },
      ),
      { numRuns: 200 },
    );
  });

  it('have the same digest whatever the order of their members', async () => {
    const first = await load({ 'a.yaml': pipeline.replace('import: [c.yaml]\n', '') });
    const lines = pipeline.replace('import: [c.yaml]\n', '').trimEnd().split('\n');
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(lines, { minLength: lines.length }), async (shuffled) => {
        expect((await load({ 'b.yaml': shuffled.join('\n') }, 'b.yaml')).digests).toEqual(first.digests);
      }),
      { numRuns: 25 },
    );
  });

  it('are chosen by name, with the rulebook that Bauta ships unless another is named', async () => {
    const loaded = await load({ 'a.yaml': pipeline, 'c.yaml': classification });
    const { selected, findings } = await selectDocuments(loaded, readText);
    expect(findings).toEqual([]);
    expect(selected?.rulebook.body.name).toBe('default');
    expect(Object.keys(selected?.digests ?? {}).sort()).toEqual(['Classification shop', 'Pipeline shop', 'Rulebook default']);
    const misnamed = await selectDocuments(
      await load({ 'a.yaml': pipeline.replace('classification: shop', 'classification: shp'), 'c.yaml': classification }),
      readText,
    );
    expect(misnamed.findings[0]).toMatchObject({ code: 'DOCUMENT_NOT_FOUND', where: { line: 6, expected: 'shop' } });
    expect((await selectDocuments(loaded, readText, 'other')).findings[0]?.code).toBe('DOCUMENT_CHOICE');
  });

  it('include a lock that lists who confirmed what', () => {
    const text = JSON.stringify({
      version: 1,
      columns: { 'public.customer.email': { tag: 'pii.email', by: 'dpo', at: '2026-01-01T00:00:00Z' } },
    });
    expect(parseLock(text, 'classification.lock').lock?.body.columns['public.customer.email']?.by).toBe('dpo');
    expect(parseLock('{"version": 2}', 'classification.lock').findings.length).toBe(2);
  });

  it('have published schemas that are current', () => {
    for (const [name, schema] of Object.entries(publishedSchemas)) {
      expect(JSON.parse(readFileSync(packageFile('docs', 'schema', name), 'utf8'))).toEqual(schema);
    }
  });
});

it('every published schema is one itself, which nothing looks at again when a document is read', () => {
  const ajv = new Ajv2020({ strict: false });
  for (const [file, schema] of Object.entries(publishedSchemas)) expect([file, ajv.validateSchema(schema)]).toEqual([file, true]);
});
