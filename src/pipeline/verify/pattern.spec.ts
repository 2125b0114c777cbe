import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { fromLuhn } from './laws/check-digits.js';
import { toAutomaton } from './pattern.js';
import { SearchKernel } from './search-kernel.js';

const kernel = new SearchKernel(4, 4, 1n);
const space = kernel.allot(1 << 16);
const accepts = (pattern: string, text: string): boolean => {
  kernel.put(space, toAutomaton(pattern));
  return kernel.accepts(space, text);
};

const patterns = [
  '[a-p][a-z2-7]{0,13}@example\\.com',
  '(\\+?1[-. ]?)?\\(?[2-9]\\d\\d\\)?[-. ]{0,2}555[-. ]?01\\d\\d',
  '.*[^\\d -].*|[ -]*(\\d[ -]*){0,8}|[ -]*(\\d[ -]*){10,}',
  '',
  '(a|bc)+d?',
  'x{2,3}(yz){2}',
];

it.each(patterns)('takes the texts that a regular expression takes: %s', (pattern) => {
  const regular = new RegExp(`^(${pattern})$`, 's');
  // What fast-check cannot make texts of is tried with digits and signs.
  const near = /^$|\[\^/.test(pattern)
    ? fc.string({ unit: fc.constantFrom(...'0123456789 -'), maxLength: 14 })
    : fc.stringMatching(regular);
  const other = fc.string({ unit: fc.constantFrom(...'abcdxyz0156 -.@+é'), maxLength: 14 });
  const cut = fc.tuple(near, fc.nat(30)).map(([text, at]) => text.slice(0, at) + text.slice(at + 1));
  fc.assert(
    fc.property(fc.oneof(near, cut, other), (text) => {
      // Bytes, not characters: what is not ASCII is compared as it stands in memory.
      const bytes = Buffer.from(text).toString('latin1');
      expect(accepts(pattern, text)).toBe(regular.test(bytes));
    }),
    { numRuns: 400 },
  );
});

it('takes the digits that are as far from Luhn’s as it says, and no others', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9 -]{2,24}$/), fc.nat(9), (text, distance) => {
      expect(accepts(`\\L${distance} -`, text)).toBe((fromLuhn(text) ?? Number(text.replace(/\D/g, ''))) === distance);
    }),
    { numRuns: 400 },
  );
  expect([accepts('\\L0 -', '4111 1111 1111 1111'), accepts('\\L5 -', '4111 1111 1111 1116')]).toEqual([true, true]);
  expect([accepts('\\L0 -', '4111.1111.1111.1111'), accepts('\\L0 -', 'x4111111111111111')]).toEqual([false, false]);
});

it('refuses what is no pattern', () => {
  for (const pattern of ['(a', 'a)', '[a']) expect(() => toAutomaton(pattern)).toThrow(SyntaxError);
});
