import { describe, expect, it } from '@jest/globals';

import { fromLuhn, fromMod97 } from './check-digits.js';
import { isCohortKept, isMoved, isPeriodOf } from './days.js';
import { isBandOf, isMagnitudeKept, isNear } from './numbers.js';
import { isFormKept, isOfNetwork, isSchemeKept, reachesNobody } from './texts.js';
import { findDisagreement, toBindings } from './words.js';

describe('check digits', () => {
  it('are those of numbers that their standards print', () => {
    for (const pan of ['4111 1111 1111 1111', '378282246310005', '5555-5555-5555-4444']) expect(fromLuhn(pan)).toBe(0);
    for (const iban of ['GB82 WEST 1234 5698 7654 32', 'DE89370400440532013000', 'FR1420041010050500013M02606'])
      expect(fromMod97(iban)).toBe(0);
    expect(fromLuhn('4111111111111112')).toBe(1);
    expect(fromMod97('GB83WEST12345698765432')).toBe(1);
    expect([fromLuhn('x'), fromMod97('GB8')]).toEqual([undefined, undefined]);
  });
});

describe('days', () => {
  it('are of one cohort, also before Christ and at the edges of the calendar', () => {
    expect(isCohortKept(5, '1984-12-31', '1980-01-01')).toBe(true);
    expect(isCohortKept(5, '1984-12-31', '1985-01-01')).toBe(false);
    expect(isCohortKept(5, '0001-01-01', '0001-12-31 BC')).toBe(true);
    expect(isCohortKept(5, '0001-12-31 BC', '0002-12-31 BC')).toBe(false);
    expect(isCohortKept(5, '1984-12-31 10:00:00', '1980-01-01 10:00:00')).toBe(false);
    expect([isCohortKept(5, 'infinity', 'infinity'), isCohortKept(5, 'unknown', '1980-01-01')]).toEqual([true, undefined]);
  });

  it('moved as far as they may, and not by none', () => {
    expect(isMoved(7, '2000-02-28 10:00:00.5+00', '2000-03-06 10:00:00.5+00')).toBe(true);
    expect(isMoved(7, '2000-02-28', '2000-03-07')).toBe(false);
    expect(isMoved(7, '2000-02-28', '2000-02-28')).toBe(false);
    expect(isMoved(7, '2000-02-28 10:00:00', '2000-03-01 10:00:01')).toBe(false);
    expect(isMoved(7, '0001-12-31 BC', '0001-01-01')).toBe(true);
  });

  it('begin their period', () => {
    expect(isPeriodOf('quarter', '2021-06-30', '2021-04-01')).toBe(true);
    expect(isPeriodOf('decade', '2021-06-30', '2020-01-01')).toBe(true);
    expect(isPeriodOf('minute', '2021-06-30 10:11:12.5+00', '2021-06-30 10:11:00+00')).toBe(true);
    expect(isPeriodOf('month', '2021-06-30', '2021-06-02')).toBe(false);
    expect(isPeriodOf('day', '2021-06-30 10:11:12', '2021-06-30 10:11:12')).toBe(false);
  });
});

describe('numbers', () => {
  it('keep sign and digits', () => {
    expect([isMagnitudeKept('-0120', '-0987'), isMagnitudeKept('12.00', '34')]).toEqual([true, true]);
    expect([isMagnitudeKept('120', '-120'), isMagnitudeKept('120', '1200'), isMagnitudeKept('120', '020')]).toEqual([false, false, false]);
  });

  it('stay near', () => {
    expect([isNear(0.1, '100', '110', false), isNear(0.1, '0.3', '0.40', false), isNear(0.1, '1e+20', '1.1e+20', false)]).toEqual([
      true,
      true,
      true,
    ]);
    expect([isNear(0.1, '100', '112', false), isNear(0.1, '5', '-5', false), isNear(0.1, '0', '1', false)]).toEqual([false, false, false]);
  });

  it('begin their band', () => {
    expect([isBandOf(10, '-19.5', '-10.00'), isBandOf(10, '-9', '0'), isBandOf(7, '12345678901234567890', '12345678901234567889')]).toEqual(
      [true, true, true],
    );
    expect([isBandOf(10, '19', '19'), isBandOf(10, '3.2e+25', '3e+25'), isBandOf(10, 'NaN', 'NaN')]).toEqual([false, true, true]);
  });
});

describe('texts', () => {
  it('keep the kind of each character', () => {
    const become = [['[0-9]', '[0-9]'], ['[a-z]', '[a-z]']] as const; // prettier-ignore
    expect(isFormKept(become, 'ab-12 é', 'xy-99 é')).toBe(true);
    expect([isFormKept(become, 'ab-1', 'ab-x'), isFormKept(become, 'ab-1', 'ab_1'), isFormKept(become, 'ab', 'abc')]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('lead nowhere', () => {
    for (const text of ['a@example.com', 'A@Sub.Example.Org', 'https://x.test/', 'https://example.invalid/0a'])
      expect([text, reachesNobody(text)]).toEqual([text, true]);
    for (const text of ['a@gmail.com', 'a@notexample.com', 'https://example.com.evil.org/', 'example.com'])
      expect([text, reachesNobody(text)]).toEqual([text, false]);
  });

  it('are passwords in the scheme and with the costs of the original', () => {
    const bcrypt = (cost: string, sign: string): string => `$2b$${cost}$${sign.repeat(53)}`;
    expect(isSchemeKept(bcrypt('12', 'a'), bcrypt('12', 'b'))).toBe(true);
    expect(isSchemeKept(bcrypt('12', 'a'), bcrypt('04', 'b'))).toBe(false);
    expect(isSchemeKept('a'.repeat(32), 'b'.repeat(40))).toBe(false);
    expect(isSchemeKept('!locked', '!')).toBe(true);
  });

  it('are addresses of reserved networks, with the mask', () => {
    const networks = ['198.18.0.0/15', '192.0.2.0/24', '2001:db8::/32'];
    expect(isOfNetwork(networks, '81.2.69.1/24', '198.19.255.1/24', false)).toBe(true);
    expect(isOfNetwork(networks, '2a00::1', '2001:0db8:0:1::9', false)).toBe(true);
    expect(isOfNetwork(networks, '81.2.0.0/16', '192.0.0.0/16', true)).toBe(true);
    for (const [original, output] of [
      ['81.2.69.1', '198.20.0.1'],
      ['81.2.69.1/24', '192.0.2.1'],
      ['81.2.69.1', '2001:db8::1'],
      ['81.2.0.0/16', '192.0.0.0/16'],
    ] as const)
      // prettier-ignore
      expect(isOfNetwork(networks, original, output, false)).toBe(false);
  });
});

describe('words', () => {
  const streets = { words: ['High Street', 'High'], is: 'street' };
  const number = { most: 199, is: 'number' };
  const phrases = [[number, { text: ' ' }, streets], [streets, { text: ' ' }, number], [{ shape: 'A#?' }]]; // prettier-ignore

  it('are told by their phrases, and bound by their labels', () => {
    const bindings = toBindings(phrases, 'place', '12 High Street');
    expect([...(bindings ?? [])].map(([label, words]) => [label, [...words]])).toEqual([['place', ['0']], ['number', ['12']], ['street', ['High Street']]]); // prettier-ignore
    expect([...(toBindings(phrases, 'place', 'A1B')?.get('place') ?? [])]).toEqual(['2']);
    for (const text of ['200 High', '0 High', '12 Low', 'A1b', '12 High ', ''])
      expect([text, toBindings(phrases, 'place', text)]).toEqual([text, undefined]);
  });

  it('of one person agree', () => {
    const one = (label: string, ...words: string[]) => new Map([[label, new Set(words)]]);
    expect(findDisagreement([one('place', '1', '2'), one('place', '2', '3'), one('name', 'a')])).toBeUndefined();
    expect(findDisagreement([one('place', '1'), one('place', '2'), one('name', 'a')])).toBe('place');
  });
});
