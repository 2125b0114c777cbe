import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { DataType } from '../../src/pipeline/catalogue.js';
import { createMasker, findRuleProblems, prepareMask } from '../../src/pipeline/mask/mask.js';
import type { RulePlan } from '../../src/pipeline/plan.js';
import { createTestKeys, testTransforms, toArrayType, toBatch, toHidden, toPlan, toRule, toType } from '../support/mask-plan.js';
import { formatLines, parseLines } from './copy-text.reference.js';
import { formatJsonb, maskJson } from './json-paths.reference.js';

type Paths = Readonly<Record<string, string>>;

function toPathRule(paths: Paths, rest: 'refuse' | 'drop' | 'keep' = 'refuse', more: Partial<RulePlan> = {}): RulePlan {
  const rules = Object.entries(paths).map(([path, transform]) => [path, { ...toRule(transform, more), tag: 'pii.test' }]);
  return toRule('keep', { paths: Object.fromEntries(rules) as NonNullable<RulePlan['paths']>, rest, ...more });
}

/** Masks values of one column, each a row, with hidden fields after it. */
async function mask(
  type: DataType,
  rule: RulePlan,
  values: readonly (string | null)[],
  hidden: readonly string[] = [],
): Promise<(string | null)[]> {
  const plan = toPlan([{ name: 'doc', type, rule }], hidden.length > 0 ? [toHidden('row', 'id')] : []);
  const masker = createMasker(await prepareMask(plan, createTestKeys()), 0, { transforms: testTransforms });
  const lines = formatLines(values.map((value, i) => [value, ...(hidden.length > 0 ? [hidden[i] ?? null] : [])]));
  return parseLines(Buffer.from(masker.mask(toBatch(lines)).bytes).toString()).map(([value]) => value ?? null);
}

const jsonb = toType('jsonb');
const refused = (path: string): object =>
  expect.objectContaining({ code: 'MASK_PATH_UNLISTED', where: expect.objectContaining({ path, row: 1 }) });

describe('jsonb', () => {
  it('has each listed path masked by its own rule and is printed as the server prints it', async () => {
    const rule = toPathRule({ 'contact.email': 'exclaim', 'tags[]': 'keep', 'items[].name': 'exclaim', n: 'exclaim', t: 'same' });
    const value =
      '{"n": 12, "t": true, "tags": ["a", 3], "items": [{"name": "x\\"y"}, {"name": null}, {}], "contact": {"email": "é\\\\\\n"}}';
    expect(await mask(jsonb, rule, [value, null, '{}'])).toEqual([
      '{"n": "<12>", "t": true, "tags": ["a", 3], "items": [{"name": "<x\\"y>"}, {"name": null}, {}], "contact": {"email": "<é\\\\\\n>"}}',
      null,
      '{}',
    ]);
  });

  it('keeps a number a number only while the server would print it so', async () => {
    const numbers = '[1, -1.50, 0, 12]';
    expect(await mask(jsonb, toPathRule({ '[]': 'same' }), [numbers])).toEqual([numbers]);
    expect(await mask(jsonb, toPathRule({ '[]': 'exclaim' }), ['[7, "7"]'])).toEqual(['["<7>", "<7>"]']);
  });

  it.each([
    ['{"a": {"new": 1}}', 'a.new'],
    ['{"other": {}}', 'other'],
    ['{"a": 5}', 'a'],
    ['{"a": {"b": {"c": 1}}}', 'a.b.c'],
    ['{"list": ["x"]}', 'list[]'],
    ['{"anna@x.com": 1}', '*'],
    ['{"a": {"4111111111111111": 1}}', 'a.*'],
    ['"alone"', '$'],
  ])('stops at the unlisted path of %s, called %s', async (value, path) => {
    await expect(mask(jsonb, toPathRule({ 'a.b': 'exclaim', 'list[].x': 'exclaim' }), [value])).rejects.toEqual(refused(path));
  });

  it('knows its keys in whatever way json spells them, and keeps the rest of the text as it was', async () => {
    const rule = toPathRule({ 'é.x': 'exclaim', '"odd.key"': 'exclaim' }, 'drop');
    const value = '{ "z":1 ,\t"\\u00e9" : {"x":"\\ud83d\\ude00"} , "y" : [1,{"x":2}], "odd.key":1e5}';
    expect(await mask(toType('json'), rule, [value])).toEqual(['{ "\\u00e9" : {"x":"<😀>"} , "odd.key":"<1e5>"}']);
  });

  it('is masked as the slow twin masks it, for any document and any listed paths', async () => {
    const key = fc.constantFrom('a', 'b', 'c"', 'dé');
    const leaf = fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom('\n', '\u0001', '😀', '\\'),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const { document } = fc.letrec<{ document: unknown }>((tie) => ({
      document: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        fc.array(tie('document'), { maxLength: 3 }),
        fc.dictionary(key, tie('document'), { maxKeys: 4 }),
      ),
    }));
    const path = fc.constantFrom('a', 'a.b', 'b[]', 'b[].a', 'a.a', '"c\\""', 'dé[][]', '[]', '[].a', 'b');
    const rest = fc.constantFrom<'drop' | 'keep'>('drop', 'keep');
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { maxLength: 5 }),
        fc.uniqueArray(path, { minLength: 1, maxLength: 4 }),
        rest,
        async (documents, paths, other) => {
          const rule = toPathRule(Object.fromEntries(paths.map((name) => [name, 'exclaim'])), other);
          const expected = documents.map((value) => formatJsonb(maskJson(value, paths, other, (text) => `<${text}>`)));
          expect(await mask(jsonb, rule, documents.map(formatJsonb))).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is masked as the slow twin masks it where documents repeat their shapes, which the kernel remembers', async () => {
    const leaf = fc.oneof(
      { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom('a', '"', '\\', 'é', '\n', ' ', '}', ','), maxLength: 40 }) },
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const shape = fc.constantFrom(
      (values: readonly unknown[]) => ({ a: values[0], b: { c: values[1], k: [values[2], values[3]] } }),
      (values: readonly unknown[]) => ({ a: values[0], b: { c: null, k: [values[2]] } }),
      (values: readonly unknown[]) => ({ a: values[0], b: { c: values[1], z: values[2] } }),
      (values: readonly unknown[]) => ({ b: { k: [] }, a: values[3] }),
      (values: readonly unknown[]) => ({ b: { k: [values[0]] }, a: 'q'.repeat(5000) }),
      (values: readonly unknown[]) => values[0],
    );
    const documents = fc.array(
      fc.tuple(shape, fc.array(leaf, { minLength: 4, maxLength: 4 })).map(([make, values]) => make(values)),
      { minLength: 5, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(documents, fc.constantFrom<'drop' | 'keep'>('drop', 'keep'), async (values, rest) => {
        const paths = { a: 'exclaim', 'b.c': 'exclaim', 'b.k[]': 'keep' };
        const expected = values.map((value) => formatJsonb(maskJson(value, Object.keys(paths), rest, (text) => `<${text}>`, ['b.k[]'])));
        expect(await mask(jsonb, toPathRule(paths, rest), values.map(formatJsonb))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('gives the leaves of one row draws of their own in scope row, and the same ones in another batch', async () => {
    const rule = toPathRule({ '[]': 'draw' }, 'refuse', { scope: 'row' });
    const [first, second] = await mask(jsonb, rule, ['["x", "x"]', '["x", "x"]'], ['1', '2']);
    const draws = [...(JSON.parse(first ?? '') as string[]), ...(JSON.parse(second ?? '') as string[])];
    expect(new Set(draws).size).toBe(4);
    expect(await mask(jsonb, rule, ['["y", "y"]'], ['2'])).toEqual([second]);
  });

  it('refuses a value inside by the row of the batch', async () => {
    const attempt = mask(jsonb, toPathRule({ '[]': 'exclaim' }), ['["a", "b"]', '["c", "IMPOSSIBLE"]']);
    await expect(attempt).rejects.toMatchObject({ code: 'MASK_VALUE_REFUSED', where: { row: 2, column: 'doc' } });
  });
});

describe('arrays', () => {
  const texts = toArrayType(toType('text'));

  it('have one tag for all elements, and are quoted as the server quotes them', async () => {
    const values = ['{a,"b c",NULL,"NULL","","q\\"\\\\,{}"}', '{}', '{{a,b},{c,NULL}}', '[0:1]={a,b}', null];
    expect(await mask(texts, toRule('same'), values)).toEqual(values);
    expect(await mask(texts, toRule('exclaim'), values)).toEqual([
      '{<a>,"<b c>",NULL,<NULL>,<>,"<q\\"\\\\,{}>"}',
      '{}',
      '{{<a>,<b>},{<c>,NULL}}',
      '[0:1]={<a>,<b>}',
      null,
    ]);
  });

  it('may hold jsonb, whose paths go on after the element', async () => {
    const rule = toPathRule({ '[].a': 'exclaim' }, 'drop');
    expect(await mask(toArrayType(jsonb), rule, ['{"{\\"a\\": \\"x\\", \\"b\\": 1}",NULL,"{\\"a\\": null}"}'])).toEqual([
      '{"{\\"a\\": \\"<x>\\"}",NULL,"{\\"a\\": null}"}',
    ]);
    await expect(mask(toArrayType(jsonb), toPathRule({ '[].a': 'exclaim' }), ['{"{\\"b\\": 1}"}'])).rejects.toEqual(refused('[].b'));
  });
});

describe('hstore', () => {
  const rule = (rest: 'refuse' | 'drop' | 'keep'): RulePlan => toPathRule({ email: 'exclaim', lang: 'keep' }, rest);
  const value = '"a"=>"1", "lang"=>"en", "email"=>"x\\"y\\\\", "z"=>NULL';

  it('has its keys as paths', async () => {
    expect(await mask(toType('hstore'), rule('drop'), [value, '', '"a"=>"1"', '"email"=>NULL'])).toEqual([
      '"lang"=>"en", "email"=>"<x\\"y\\\\>"',
      '',
      '',
      '"email"=>NULL',
    ]);
    expect(await mask(toType('hstore'), rule('keep'), [value])).toEqual([value.replace('x\\"y\\\\', '<x\\"y\\\\>')]);
    await expect(mask(toType('hstore'), rule('refuse'), [value])).rejects.toEqual(refused('a'));
  });
});

describe('composites', () => {
  const attributes = [
    { name: 'street', type: toType('text') },
    { name: 'tags', type: toArrayType(toType('text')) },
    { name: 'zip', type: toType('text') },
  ];
  const address = toType('address', { kind: 'composite', attributes });

  it('have their attributes as paths, however deep they are quoted', async () => {
    const rule = toPathRule({ street: 'exclaim', 'tags[]': 'exclaim', zip: 'keep' });
    expect(await mask(address, rule, ['("a ""b"" \\\\c","{x,""y z""}",1)', '(,,)', '("",,"(")'])).toEqual([
      '("<a ""b"" \\\\c>","{<x>,""<y z>""}",1)',
      '(,,)',
      '(<>,,"(")',
    ]);
  });

  it('lose an unlisted attribute to NULL, or stop there', async () => {
    expect(await mask(address, toPathRule({ zip: 'keep' }, 'drop'), ['(a,{},1)'])).toEqual(['(,,1)']);
    await expect(mask(address, toPathRule({ zip: 'keep' }), ['(a,,1)'])).rejects.toEqual(refused('street'));
  });
});

describe('problems of rules', () => {
  const where = { schema: 'public', table: 'person', column: 'doc' };
  const codes = (type: DataType, rule: RulePlan): string[] => findRuleProblems(type, rule, where, testTransforms).map(({ code }) => code);

  it('are found before a row is read', () => {
    expect(codes(toType('xml'), toPathRule({ 'a[].b': 'same' }))).toEqual(['MASK_PATHS_UNSUPPORTED']);
    expect(codes(toType('text'), toPathRule({ a: 'same' }))).toEqual(['MASK_PATHS_UNSUPPORTED']);
    expect(codes(toArrayType(jsonb), toPathRule({ a: 'same' }))).toEqual(['MASK_PATHS_UNSUPPORTED']);
    expect(codes(jsonb, toPathRule({ 'a..b': 'same' }))).toEqual(['MASK_PATHS_UNSUPPORTED']);
    expect(codes(jsonb, toPathRule({ a: 'nothing', b: 'nothing', c: 'same' }))).toEqual([
      'MASK_TRANSFORM_UNKNOWN',
      'MASK_TRANSFORM_UNKNOWN',
    ]);
    expect(codes(toType('xml'), toRule('same'))).toEqual([]);
  });
});
