// For every law that a transform declares: an output that breaks it is withheld, whichever transform declares it; and each law is broken here.
import { describe, expect, it } from '@jest/globals';

import type { Law } from '../../src/pipeline/law.js';
import { outputSpace, type Transform, transforms } from '../../src/pipeline/mask/mask.js';
import { toName } from '../../src/pipeline/verify/laws/laws.js';
import { toDataType } from '../support/apply-transform.js';
import { type Copied, copyOf, lookAt } from '../support/mutants.js';
import type { LawCase, LawInputs } from '../laws/inputs/law-inputs.js';

/** What an output becomes, so that it breaks the law and fits the type. */
const mutants: Readonly<Record<Law['law'], (output: string, original: string) => string>> = {
  'check-digits': (output) => output.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10)),
  // Nine digits of an area that is issued; elsewhere a sign that no form has.
  form: (output) => (/^[\d -]+$/.test(output) ? `1${output.slice(1)}` : `${output.slice(0, -1)}!`),
  characters: (output) => `~${output.slice(1)}`,
  beginning: (output) => `${output.startsWith('Q') ? 'XX' : 'QQ'}${output.slice(2)}`,
  cut: (output) => `${output}x`,
  words: () => 'Qxq 0',
  'reserved-domain': (output) => output.replace(/example\.(com|invalid|org)|\.test/, 'gmail.com').replace('example.invalid', 'gmail.com'),
  network: (output) => (output.includes(':') ? '2a00:1450::1' : '8.8.8.8'),
  'stored-password': () => 'hunter2',
  text: () => 'another',
  null: () => '7',
  unchanged: (output) => `${output}7`,
  magnitude: (output) => `${output}0`,
  near: (_, original) => (original.startsWith('-') ? original.slice(1) : `-${original}`),
  band: (output) => `${Number(output.split(/[.e]/)[0]) + 1}`,
  period: (output) => output.replace(/^(\d{4,})/, (year) => String(Number(year) + 101).padStart(4, '0')),
  cohort: (output) => output.replace(/^(\d{4,})/, (year) => String(Number(year) + 5).padStart(4, '0')),
  moved: (_, original) => original,
};

const all: { name: string; transform: Transform; each: LawCase; law: Law }[] = [];
for (const transform of transforms) {
  const { inputs } = (await import(`../laws/inputs/${transform.name}.js`)) as { inputs: LawInputs };
  const seen = new Set<string>();
  for (const each of inputs.cases) {
    const rule = { transform: transform.name, params: each.params ?? {} } as Parameters<typeof outputSpace>[0];
    for (const law of outputSpace(rule, toDataType(each.type)).laws) {
      const name = toName(law);
      if (!seen.has(name)) all.push({ name: `${transform.name}: ${name}`, transform, each, law });
      seen.add(name);
    }
  }
}

/** One row in twenty. */
function breakRows(copied: Copied, law: Law): Copied {
  const mutate = mutants[law.law];
  return {
    ...copied,
    output: copied.output.map((output, row) => {
      const original = copied.source[row] as string;
      return row % 20 !== 7 || original === '\\N' ? output : mutate(output === '\\N' ? '' : output, original);
    }),
  };
}

it('breaks every law that there is', () => {
  expect([...new Set(all.map(({ law }) => law.law))].sort()).toEqual(Object.keys(mutants).sort());
});

describe('an output is withheld that breaks what is declared', () => {
  it.each(all)('by $name', async ({ transform, each, law }) => {
    const copied = await copyOf(transform, each, 600, 'key 1', 42);
    const broken = (await lookAt(breakRows(copied, law))).findings.filter(({ code }) => code === 'VERIFY_LAW_BROKEN');
    const { where, severity } = broken.find((finding) => finding.where.expected === toName(law)) ?? {};
    expect([severity, where?.table, where?.column]).toEqual(['error', 'person', 'value']);
    expect(where?.amount).toMatch(/^\d+ of \d+ sampled values$/);
    expect(where?.row).toBeGreaterThan(0);
  });

  it('by a NULL, by a value where NULL stood, and by two pseudonyms of one original', async () => {
    const email = transforms.find(({ name }) => name === 'email') as Transform;
    const { inputs } = (await import('../laws/inputs/email.js')) as { inputs: LawInputs };
    const copied = await copyOf(email, inputs.cases[0], 600, 'key 1', 42);
    const expected = async (source: (value: string, row: number) => string, output: (value: string, row: number) => string) => {
      const { findings } = await lookAt({ ...copied, source: copied.source.map(source), output: copied.output.map(output) });
      return findings.map(({ where }) => where.expected);
    };
    const same = (value: string): string => value;
    const every = (row: number): boolean => row % 20 === 7;
    expect(await expected(same, (value, row) => (every(row) ? '\\N' : value))).toEqual(['a value stays a value']);
    expect(await expected((value, row) => (every(row) ? '\\N' : value), same)).toEqual(['NULL stays NULL']);
    expect(await expected((value, row) => (every(row) ? 'one@corp.co.uk' : value), same)).toContain('one original, one pseudonym');
  });

  it('by what is not said to be let through: lengths, and how values begin', async () => {
    const username = transforms.find(({ name }) => name === 'username') as Transform;
    const { inputs } = (await import('../laws/inputs/username.js')) as { inputs: LawInputs };
    const copied = await copyOf(username, inputs.cases[0], 900, 'key 1', 42);
    const source = copied.source.map((_, row) => `${'abcdefghijklmnop'[row % 16]}-${'x'.repeat(1 + (row % 9))}-${row}`);
    const expected = async (mutate: (value: string, original: string) => string): Promise<unknown[]> => {
      const output = copied.output.map((value, row) => mutate(value, source[row] as string));
      const { findings } = await lookAt({ ...copied, source, output });
      return findings.map(({ where }) => where.expected).filter((name) => name?.startsWith('nothing'));
    };
    expect(await expected((value) => value)).toEqual([]);
    expect(await expected((value, original) => original.slice(0, 1) + value.slice(1))).toEqual(['nothing of the beginning']);
    expect(await expected((value, original) => value.slice(0, 14 - original.split('-')[1]!.length))).toContain('nothing of the length');
  });
});
