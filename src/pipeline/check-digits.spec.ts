import { describe, expect, it } from '@jest/globals';
import { toIbanDigits, toLuhnDigit } from './check-digits.js';

describe('check digits', () => {
  it.each(['4111111111111111', '5555555555554444', '378282246310005', '6011111111111117', '30569309025904'])(
    'the last digit of the card number %s is its Luhn digit',
    (pan) => {
      const digits = Array.from(pan, Number);
      expect(toLuhnDigit(digits, digits.length - 1)).toBe(digits.at(-1));
    },
  );

  it.each([
    'DE89370400440532013000',
    'GB29NWBK60161331926819',
    'NO9386011117947',
    'MT84MALT011000012345MTLCAST001S',
    'FR1420041010050500013M02606',
  ])('the check digits of the IBAN %s are right', (iban) => {
    expect(toIbanDigits(Buffer.from(iban), iban.length)).toBe(Number(iban.slice(2, 4)));
  });
});
