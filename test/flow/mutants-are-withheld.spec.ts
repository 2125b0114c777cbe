// For every transform of the registry: honest output raises no alarm; and where an original may come out as it was in at most one case of a hundred,
// mutants-of-a-million-*.spec.ts let one cell in a thousand through and have it found.
import { describe, expect, it } from '@jest/globals';

import { copyOf, lookAt } from '../support/mutants.js';
import { splitByClaim } from '../support/mutants-of-a-million.js';

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

const { claiming: tested, others } = await splitByClaim();
const all = [...tested, ...others];

it('has a mutant of every transform that claims enough, and a reason for every other one', () => {
  expect(tested.length).toBeGreaterThan(25);
  expect(others.map(({ name }) => name)).toEqual(Object.keys(leftOut));
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
