// The measure behind the laws of `reveals`: it must bite where something is let through, and stay quiet where nothing is.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LawCase } from './inputs/law-inputs.js';
import { type Trait, dependence } from './sample.js';

const traits: readonly Trait[] = ['order', 'length', 'prefix', 'format', 'substring'];
const each: LawCase = { type: 'text', value: fc.stringMatching(/^[a-z]{2,4}\d{2,5}[A-Z]{0,4}$/) };
const inputs = [...new Set(fc.sample(each.value, { seed: 7, numRuns: 3000 }))];
const strangers = [...new Set(fc.sample(each.value, { seed: 8, numRuns: 3200 }))].slice(0, inputs.length);

describe('dependence', () => {
  it.each(traits)('finds the %s of a value that goes through', (trait) => {
    expect(dependence({ inputs, outputs: inputs }, trait, each)).toBeGreaterThan(7);
  });

  it.each(traits)('finds no %s between strangers', (trait) => {
    expect(dependence({ inputs, outputs: strangers }, trait, each)).toBeLessThan(7);
  });

  it('finds one value in ten that goes through', () => {
    const outputs = strangers.map((stranger, i) => (i % 10 === 0 ? (inputs[i] as string) : stranger));
    expect(dependence({ inputs, outputs }, 'prefix', each)).toBeGreaterThan(7);
    expect(dependence({ inputs, outputs }, 'substring', each)).toBeGreaterThan(7);
  });
});
