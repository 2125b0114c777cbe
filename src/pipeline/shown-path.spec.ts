import { expect, it } from '@jest/globals';

import { toError, toFinding } from '../kernel/errors.js';
import { toShownError, toShownFinding, toShownPath } from './shown-path.js';

it.each([
  ['contact.email', 'contact.email'],
  ['items[].name', 'items[].name'],
  ['[][].a', '[][].a'],
  ['', ''],
  ['$', '$'],
  ['order.@id', 'order.@id'],
  ['x:order.#comment', 'x:order.#comment'],
  ['a."anna@example.org".b', 'a.*.b'],
  ['family.Anna', 'family.*'],
  ['by.card_4111111111111111', 'by.*'],
  ['"two words"[].x', '*[].x'],
  ['order.@Anna', 'order.@*'],
  ['a."x.y".b', 'a.*.b'],
])('shows %s as %s', (path, shown) => {
  expect(toShownPath(path)).toBe(shown);
});

it('tells findings and errors anew with a path that may be shown', () => {
  const where = { schema: 's', table: 't', column: 'c', row: 1, batch: 1, range: 1, path: 'Anna.b' };
  expect(JSON.stringify(toShownFinding(toFinding('PLAN_BEST_EFFORT', where)))).not.toContain('Anna');
  const error = toShownError(toError('MASK_PATH_UNLISTED', where)) as Error;
  expect(error).toMatchObject({ code: 'MASK_PATH_UNLISTED', where: { path: '*.b' } });
  expect(`${error.message}${JSON.stringify(error)}`).not.toContain('Anna');
  const other = new Error('other');
  expect(toShownError(other)).toBe(other);
});
