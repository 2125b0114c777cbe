// Tokens: the slow twin of FF1 says the same, every value comes back exactly, and what is no token is refused.
import { createCipheriv, createHash, createHmac } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { type Params } from '../../src/pipeline/mask/transform.js';
import { token } from '../../src/pipeline/mask/transforms/token.js';
import { Refused, applyTransform, toDataType } from '../support/apply-transform.js';
import { encryptFf1 } from './ff1.reference.js';
import { inputs } from './inputs/token.js';

const key = createHash('sha256').update('the key of tokens').digest('hex');
const cipherKey = createHmac('sha256', Buffer.from(key, 'hex')).update('cipher').digest();
const encrypt = (blocks: Uint8Array): Uint8Array => createCipheriv('aes-256-ecb', cipherKey, null).setAutoPadding(false).update(blocks);
const text = toDataType('text');

const exchange = (values: readonly (string | null)[], params: Params, back = false, domain = 'cards', type = text) =>
  applyTransform(token, values, { key, type, params, domain, back });

const luhnSum = (digits: string): number =>
  [...digits].reverse().reduce((sum, digit, i) => sum + [...String(Number(digit) * (1 + (i % 2)))].reduce((a, b) => a + Number(b), 0), 0);

const alphabets: Readonly<Record<string, string>> = {
  digits: '0123456789',
  lower: 'abcdefghijklmnopqrstuvwxyz',
  'upper-alphanumeric': '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  alphanumeric: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
};

/** By SP 800-38G, one value at a time, in BigInt. */
function slow(value: string, alphabet: string, domain: string): string {
  const numerals = [...value].filter((sign) => sign !== '-').map((sign) => alphabet.indexOf(sign));
  const out = encryptFf1(encrypt, alphabet.length, numerals, Buffer.from(domain)).map((numeral) => alphabet[numeral]);
  return value.replace(/[^-]/g, () => out.shift() as string);
}

describe('a token', () => {
  it.each(Object.entries(alphabets))('of %s is what FF1 of NIST SP 800-38G says, with the domain as tweak', (form, alphabet) => {
    const sign = fc.constantFrom(...alphabet);
    const value = fc
      .tuple(fc.array(sign, { minLength: 3, maxLength: 8 }), fc.constantFrom('', '-'), fc.array(sign, { minLength: 3, maxLength: 8 }))
      .map(([left, between, right]) => left.join('') + between + right.join(''));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), fc.string({ maxLength: 40 }), (values, domain) => {
        expect(exchange(values, { form }, false, domain)).toEqual(values.map((one) => slow(one, alphabet, domain)));
      }),
      { numRuns: 25 },
    );
  });

  it.each(inputs.cases.map((each, i) => ({ each, title: `${i}: ${each.type} ${JSON.stringify(each.params)}` })))(
    'comes back exactly, in case $title',
    ({ each: { type, params = {}, value } }) => {
      fc.assert(
        fc.property(fc.array(fc.option(value, { freq: 8 }), { minLength: 1, maxLength: 40 }), (values) => {
          const tokens = exchange(values, params, false, 'd', toDataType(type));
          expect(exchange(tokens, params, true, 'd', toDataType(type))).toEqual(values);
        }),
        { numRuns: 25 },
      );
    },
  );

  it('of more values than one chunk is theirs and nobody else’s, and all come back', () => {
    const values = Array.from({ length: 5000 }, (_, i) => String(i * 7919 + 10_000_000).slice(0, 6 + (i % 3)));
    const tokens = exchange(values, { form: 'digits' });
    expect(exchange(tokens, { form: 'digits' }, true)).toEqual(values);
    expect(new Set(tokens).size).toBe(new Set(values).size);
  });

  it('is another one in another domain, and does not come back there', () => {
    const values = Array.from({ length: 50 }, (_, i) => String(100_000_000 + i));
    const tokens = exchange(values, { form: 'digits' });
    expect(exchange(values, { form: 'digits' }, false, 'accounts').filter((one, i) => one === tokens[i])).toEqual([]);
    expect(exchange(tokens, { form: 'digits' }, true, 'accounts').filter((one, i) => one === values[i])).toEqual([]);
  });

  it('of a card number is no card number, or one under the prefix that the document names', () => {
    const value = inputs.cases[0].value;
    fc.assert(
      fc.property(value, (card) => {
        const [plain = ''] = exchange([card], { form: 'card' });
        expect([plain?.length, luhnSum(plain ?? '') % 10]).toEqual([16, 5]);
        const [named = ''] = exchange([card], { form: 'card', testPrefix: '999' });
        expect([named?.length, named?.slice(0, 3), luhnSum(named ?? '') % 10]).toEqual([19, '999', 0]);
      }),
    );
  });

  it('is refused, by its row, where no value came out as it: a card number itself, a wrong prefix, another length', () => {
    const refusals: readonly (readonly [string, Params])[] = [
      ['4111111111111111', { form: 'card' }],
      ['3810246922958374', { form: 'card', testPrefix: '999' }],
      ['9993810246922958373', { form: 'card', testPrefix: '999' }],
      ['999', { form: 'card', testPrefix: '999' }],
      ['12345', { form: 'digits' }],
    ];
    for (const [one, params] of refusals) expect(() => exchange([null, one], params, true)).toThrow(new Refused(1));
  });
});
