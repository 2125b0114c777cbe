import { expect, it } from '@jest/globals';

import { findVersionProblem } from './preflight.js';

it.each([
  [140_019, '14'],
  [190_000, '19'],
])('refuses version %i by its major number', (version, amount) => {
  expect(findVersionProblem(version, 'env:SOURCE')).toMatchObject({
    code: 'SERVER_VERSION_UNSUPPORTED',
    severity: 'error',
    where: { amount },
  });
});

it.each([150_000, 180_004])('takes version %i', (version) => expect(findVersionProblem(version, 'env:SOURCE')).toBeUndefined());
