// What the format of a number is: country code, punctuation, the zero of a national number, and how many digits there are.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { phoneFormat } from '../../src/pipeline/mask/transforms/phone-format.js';
import { applyTransform, toDataType } from '../support/apply-transform.js';

const masked = (value: string): string =>
  applyTransform(phoneFormat, [value], { key: 'e5'.repeat(32), type: toDataType('text') })[0] as string;

describe('phone-format', () => {
  it.each([
    ['+46 70 123 45 67', /^\+46 [1-9]\d \d{3} \d{2} \d{2}$/],
    ['+1 (212) 555-0123', /^\+1 \([1-9]\d\d\) \d{3}-\d{4}$/],
    ['+1-212-555-0123', /^\+1-[1-9]\d\d-\d{3}-\d{4}$/],
    ['+7 495 1234567', /^\+7 [1-9]\d\d \d{7}$/],
    ['+353 1 234 5678', /^\+353 [1-9] \d{3} \d{4}$/],
    ['0046701234567', /^0046[1-9]\d{8}$/],
    ['+44 (0)20 7946 0018', /^\+44 \(0\)\d\d \d{4} \d{4}$/],
    ['070-123 45 67', /^0\d\d-\d{3} \d{2} \d{2}$/],
    ['555 0123 ext. 12', /^[1-9]\d\d \d{4} xxx\. \d\d$/],
    ['+', /^\+$/],
    ['+4', /^\+4$/],
    ['', /^$/],
  ])('keeps the format of %j', (value, format) => expect(masked(value)).toMatch(format));

  it('keeps the count of characters, and no letter of a remark', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const value = text.replaceAll('\u0000', '');
        expect([...masked(value)].length).toBe([...value].length);
        expect(masked(value)).toMatch(/^[x0-9 ()+\-./#*]*$/);
      }),
    );
  });

  it('draws the digits of even the longest number anew', () => {
    const value = '9'.repeat(60);
    expect(new Set(masked(value)).size).toBe(10);
    expect(masked(`${value}9`)).not.toContain(masked(value).slice(0, 12));
  });
});
