// A million cells of every transform that claims enough, with one in a thousand let through: withheld, or the test fails. The list is made of what the
// transforms declare, so that a new one is in it by itself; the suites share it, so that they run side by side.
import { describe, expect, it } from '@jest/globals';

import { type Transform, transforms } from '../../src/pipeline/mask/mask.js';
import type { LawInputs } from '../laws/inputs/law-inputs.js';
import { copyOf, letThrough, lookAt, toChance } from './mutants.js';

const ROWS = 1_000_000;

export interface Claiming {
  readonly name: string;
  readonly transform: Transform;
  readonly inputs: LawInputs;
}

/** Those whose originals come out as they were in at most one case of a hundred, and the others. */
export async function splitByClaim(): Promise<{ readonly claiming: readonly Claiming[]; readonly others: readonly Claiming[] }> {
  const all: Claiming[] = [];
  for (const transform of transforms) {
    const { inputs } = (await import(`../laws/inputs/${transform.name}.js`)) as { inputs: LawInputs };
    all.push({ name: transform.name, transform, inputs });
  }
  const claims = ({ transform, inputs }: Claiming): boolean => (toChance(transform, inputs.cases[0]) ?? 1) <= 0.01;
  return { claiming: all.filter(claims), others: all.filter((one) => !claims(one)) };
}

/** Every `parts`-th of them, from `part` on. */
export async function describeMillions(part: number, parts: number): Promise<void> {
  const { claiming } = await splitByClaim();
  describe(`of a million cells, part ${part + 1} of ${parts}`, () => {
    it.each(claiming.filter((_, i) => i % parts === part))(
      'one in a thousand that $name let through is withheld',
      async ({ transform, inputs }) => {
        const copied = await copyOf(transform, inputs.cases[0], ROWS, 'key 1', 42);
        const mutant = letThrough(copied);
        expect(mutant.output).toHaveLength(ROWS);
        expect(mutant.output.filter((value, row) => value === copied.source[row] && row % 1000 === 7)).toHaveLength(ROWS / 1000);
        const { findings } = await lookAt(mutant);
        const places = findings.map(({ severity, where }) => [severity, where.table, where.column]);
        expect(places).toContainEqual(['error', 'person', 'value']);
      },
      600_000,
    );
  });
}
