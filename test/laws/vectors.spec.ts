// Stable across releases: every frozen output is what the transform still says.
import { describe, expect, it } from '@jest/globals';
import { transforms } from '../../src/pipeline/mask/registry.js';
import { loadVectors, toFilledRow } from '../support/vectors.js';

describe('the vectors', () => {
  it.each(transforms.map(({ name }) => name))('of %s give the outputs that were frozen', (name) => {
    const transform = transforms.find((each) => each.name === name);
    const all = loadVectors(name);
    expect(all.length).toBeGreaterThan(0);
    for (const vectors of all) {
      if (!transform || vectors.transform !== name) throw new Error(`vectors of no transform: ${vectors.transform}`);
      expect(vectors.rows.length).toBeGreaterThan(0);
      for (const row of vectors.rows) {
        expect(row.out !== undefined || row.refuses).toBe(true);
        expect(toFilledRow(transform, vectors, row)).toEqual(row);
      }
    }
  });
});
