import { expect, it } from '@jest/globals';

import { binomialTail, poissonTail } from './chance.js';

// By fifty decimal digits of arithmetic.
it.each([
  [1, 0.001, 9.99500166625008e-4],
  [3, 0.5, 1.438767796697068e-2],
  [10, 1, 1.1142547833872068e-7],
  [5, 5, 5.595067149347876e-1],
  [130, 100, 2.2820930544569543e-3],
  [660, 548, 1.911782078764081e-6],
])('the tail of Poisson: %d or more where %d is expected', (count, mean, expected) => {
  expect(poissonTail(count, mean) / expected).toBeCloseTo(1, 8);
});

it.each([
  [1, 10, 0.01, 9.561792499119551e-2],
  [8, 10, 0.5, 5.46875e-2],
  [3, 1000, 0.001, 8.020934284020105e-2],
])('the tail of the binomial: %d or more of %d at %d', (count, trials, chance, expected) => {
  expect(binomialTail(count, trials, chance) / expected).toBeCloseTo(1, 9);
});

it('Poisson says never less than the binomial of the same mean, beyond that mean', () => {
  for (const [trials, chance] of [
    [100, 0.1],
    [1000, 0.005],
    [20_000, 0.01],
  ] as const) {
    for (const times of [1.5, 2, 3]) {
      const count = Math.ceil(trials * chance * times) + 2;
      expect(poissonTail(count, trials * chance)).toBeGreaterThanOrEqual(binomialTail(count, trials, chance));
    }
  }
});
