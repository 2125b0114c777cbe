import { expect, it } from '@jest/globals';

import { toScopeTest } from './scope.js';

it('a star stands for any run of characters, a dot for itself, and exclude wins', () => {
  const test = toScopeTest({ include: ['public.*', 'app.order?'], exclude: ['*.audit_*'] });
  expect(test('public.customer')).toBe('in');
  expect(test('publicXcustomer')).toBe('out');
  expect(test('app.order?')).toBe('in');
  expect(test('app.orders')).toBe('out');
  expect(test('public.audit_log')).toBe('excluded');
  expect(test('app.audit_log')).toBe('excluded');
});

it('no include is everything', () => {
  expect(toScopeTest({ include: [], exclude: ['a.b'] })('x.y')).toBe('in');
});
