// For every transform of the registry: honest output raises no alarm; and where an original may come out as it was in at most one case of a hundred,
// one cell in a thousand let through is found. test/support/mutants-of-a-million.ts does the same with 1,000,000 rows.
import { describe, expect, it } from '@jest/globals';

import { type Transform, transforms } from '../../src/pipeline/mask/mask.js';
import type { LawInputs } from '../laws/inputs/law-inputs.js';
import { copyOf, letThrough, lookAt, rowsToTell, toChance } from '../support/mutants.js';

/** Without a mutant, and why. */
const leftOut: Readonly<Record<string, string>> = {
  country: 'a likely country comes out as itself in more than one case of a hundred',
  fixed: 'the fixed value comes out as itself',
  generalise: 'claims nothing: a part of the original goes through',
  keep: 'claims nothing: the original goes through',
  redact: 'claims nothing: what it does not recognise goes through',
  region: 'a likely region comes out as itself in more than one case of a hundred',
  truncate: 'claims nothing: a part of the original goes through',
};

const all: { name: string; transform: Transform; inputs: LawInputs }[] = [];
for (const transform of transforms) {
  const { inputs } = (await import(`../laws/inputs/${transform.name}.js`)) as { inputs: LawInputs };
  all.push({ name: transform.name, transform, inputs });
}
const tested = all.filter(({ transform, inputs }) => (toChance(transform, inputs.cases[0]) ?? 1) <= 0.01);

it('has a mutant of every transform that claims enough, and a reason for every other one', () => {
  expect(tested.length).toBeGreaterThan(25);
  expect(all.filter((one) => !tested.includes(one)).map(({ name }) => name)).toEqual(Object.keys(leftOut));
});

describe.each(all)('honest output of $name', ({ transform, inputs }) => {
  it.each(inputs.cases.map((each, i) => [`${i}: ${each.type}`, each] as const))('raises no alarm, case %s', async (_, each) => {
    const keys = each === inputs.cases[0] ? ['key 1', 'key 2', 'key 3'] : ['key 1'];
    for (const [i, phrase] of keys.entries()) {
      const { findings } = await lookAt(await copyOf(transform, each, 5_000, phrase, i));
      expect([phrase, findings]).toEqual([phrase, []]);
    }
  });
});

it.each(tested)('finds one cell in a thousand that $name let through', async ({ transform, inputs }) => {
  const [each] = inputs.cases;
  const small = await copyOf(transform, each, 20_000, 'key 1', 42);
  const rows = rowsToTell(await lookAt(small));
  const copied = rows > 20_000 ? await copyOf(transform, each, rows, 'key 1', 42) : small;
  const { findings } = await lookAt(letThrough(copied));
  const places = findings.map(({ severity, where }) => [severity, where.table, where.column]);
  expect(places).toContainEqual(['error', 'person', 'value']);
});
