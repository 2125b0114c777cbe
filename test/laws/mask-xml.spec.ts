import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { createMasker, findRuleProblems, prepareMask } from '../../src/pipeline/mask/mask.js';
import type { RulePlan } from '../../src/pipeline/plan.js';
import { createTestKeys, testTransforms, toBatch, toPlan, toRule, toType } from '../support/mask-plan.js';
import { formatLines, parseLines } from './copy-text.reference.js';
import { type Element, formatXml, maskXml } from './xml-paths.reference.js';

type Rest = 'refuse' | 'drop' | 'keep';

function toPathRule(paths: Readonly<Record<string, string>>, rest: Rest = 'refuse'): RulePlan {
  const rules = Object.entries(paths).map(([path, transform]) => [path, { ...toRule(transform), tag: 'pii.test' }]);
  return toRule('keep', { paths: Object.fromEntries(rules) as NonNullable<RulePlan['paths']>, rest });
}

async function mask(rule: RulePlan, ...values: readonly (string | null)[]): Promise<(string | null)[]> {
  const plan = toPlan([{ name: 'doc', type: toType('xml'), rule }]);
  const masker = createMasker(await prepareMask(plan, createTestKeys()), 0, { transforms: testTransforms });
  const lines = formatLines(values.map((value) => [value]));
  return parseLines(Buffer.from(masker.mask(toBatch(lines)).bytes).toString()).map(([value]) => value ?? null);
}

describe('xml', () => {
  it('has each listed element and attribute masked by its own rule, and the rest of the text as it was', async () => {
    const rule = toPathRule({
      'order.@id': 'keep',
      'order.by.mail': 'exclaim',
      'order.by.@age': 'exclaim',
      'order.note': 'same',
      'order.x:y.z': 'exclaim',
    });
    const value = `<?xml version="1.0"?>\n<order id="7" xmlns:x="http://example.org/x">\n  <by age = '17'><mail>a&amp;b&#64;c</mail><mail/></by>\n  <note><![CDATA[<b>]]> &lt;</note><x:y ><z>q</z></x:y >\n</order>\n`;
    expect(await mask(rule, value, null, '')).toEqual([
      `<?xml version="1.0"?>\n<order id="7" xmlns:x="http://example.org/x">\n  <by age = '&lt;17&gt;'><mail>&lt;a&amp;b@c&gt;</mail><mail/></by>\n  <note>&lt;b&gt; &lt;</note><x:y ><z>&lt;q&gt;</z></x:y >\n</order>\n`,
      null,
      '',
    ]);
  });

  it.each([
    ['<a><new>x</new></a>', 'a.new'],
    ['<a c="1"/>', 'a.@c'],
    ['<a>text</a>', 'a'],
    ['<a><!-- anna --></a>', 'a.#comment'],
    ['<?php anna?><a/>', '#instruction'],
    ['text', '$'],
    ['<a><b><c/></b></a>', 'a.b.c'],
    ['<a><anna1987@x/></a>', 'a.*'],
    ['<a xmlns="mailto:anna@example.org"/>', 'a.@xmlns'],
    ['<other/>', 'other'],
  ])('stops at the unlisted path of %s, called %s', async (value, path) => {
    const refused = expect.objectContaining({ code: 'MASK_PATH_UNLISTED', where: expect.objectContaining({ path }) });
    await expect(mask(toPathRule({ 'a.b': 'exclaim' }), value)).rejects.toEqual(refused);
  });

  it.each([
    '<!DOCTYPE a [<!ENTITY e "anna">]><a><b>x</b></a>',
    '<a><b>&e;</b></a>',
    '<a><b>&#0;</b></a>',
    '<a><b>x</a></b>',
    '<a><b>x</b>',
    '<a><b>x</b></a></a>',
    '<a b=1><b>x</b></a>',
    '<a><b><![CDATA[x</b></a>',
    '<?xml version="1.0" anna="x"?><a/>',
    '<a b="1"c="2"/>',
    '<',
    '<a',
    '<a b="',
  ])('refuses %s without a word of it', async (value) => {
    const nested = Object.fromEntries([
      ['a.@b', 'same'],
      ['a.@c', 'same'],
      ['a.b', 'exclaim'],
      [Array(301).fill('a').join('.'), 'same'],
    ]);
    const error = await mask(toPathRule(nested), value).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'MASK_VALUE_REFUSED' });
    expect(JSON.stringify(error) + String(error)).not.toContain('anna');
  });

  it('refuses what is nested deeper than the parser of the server goes', async () => {
    const path = Array(301).fill('a').join('.');
    await expect(mask(toPathRule({ [path]: 'same' }), '<a>'.repeat(300))).rejects.toMatchObject({ code: 'MASK_VALUE_REFUSED' });
  });

  it('leaves out or keeps what nobody listed where the rule says so', async () => {
    const value = `<a x="1" k='2'>loose<b>in</b><c y="<">no<d>deep</d></c><!-- c --><?p q?><e/></a>`.replace('"<"', '"&lt;>"');
    expect(await mask(toPathRule({ 'a.b': 'exclaim', 'a.@k': 'keep' }, 'drop'), value)).toEqual([`<a k='2'><b>&lt;in&gt;</b></a>`]);
    expect(await mask(toPathRule({ 'a.b': 'exclaim', 'a.@k': 'keep' }, 'keep'), value)).toEqual([value.replace('in', '&lt;in&gt;')]);
    expect(await mask(toPathRule({ 'a.b': 'exclaim' }, 'drop'), '<z>secret</z>', 'secret')).toEqual(['', '']);
  });

  it('lets nothing out of a comment or an instruction, whatever the pseudonym holds', async () => {
    const rule = toPathRule({ '#comment': 'exclaim', '#instruction': 'exclaim', a: 'same' });
    expect(await mask(rule, '<!-- x --><?go a?b?><a>1</a>')).toEqual(['<!-- <x  --><?go <a b ?><a>1</a>']);
  });

  it('says before a row is read which paths cannot be in it', () => {
    const codes = (path: string): string[] =>
      findRuleProblems(toType('xml'), toPathRule({ [path]: 'replace' }), {}).map(({ code }) => code);
    expect([codes('a[].b'), codes('[]'), codes('a.@b.c'), codes('a.#comment'), codes('a.@b')]).toEqual([
      ['MASK_PATHS_UNSUPPORTED'],
      ['MASK_PATHS_UNSUPPORTED'],
      ['MASK_PATHS_UNSUPPORTED'],
      [],
      [],
    ]);
  });

  it('agrees with a walk through objects on documents of every form', async () => {
    const word = fc.constantFrom('a', 'b', 'c');
    const text = fc
      .string({ unit: fc.constantFrom('x', 'é', '&', '<', '>', '"', "'", ' ', '😀', '\n'), minLength: 1, maxLength: 6 })
      .map((one) => `t${one}`);
    const { element } = fc.letrec<{ element: Element }>((tie) => ({
      element: fc.record({
        name: word,
        attributes: fc.dictionary(word, text, { maxKeys: 2 }),
        children: fc
          .array(fc.oneof({ maxDepth: 3 }, text, tie('element')), { maxLength: 3 })
          .map((all) => all.filter((one, i) => typeof one !== 'string' || typeof all[i - 1] !== 'string')),
      }),
    }));
    const paths = fc.uniqueArray(
      fc
        .tuple(fc.array(word, { minLength: 1, maxLength: 3 }), fc.option(word))
        .map(([names, attribute]) => [...names, ...(attribute === null ? [] : [`@${attribute}`])].join('.')),
      { maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(element, paths, fc.constantFrom('drop' as const, 'keep' as const), async (document, listed, rest) => {
        const rule = toPathRule(Object.fromEntries(listed.map((path) => [path, 'exclaim'])), rest);
        const expected = maskXml(document, listed, rest, (value) => `<${value}>`);
        expect(await mask(rule, formatXml(document))).toEqual([expected ? formatXml(expected) : '']);
      }),
      { numRuns: 300 },
    );
  });
});
