import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { noDay, parseDay, toCivil, toDay, writeDay, writeEra } from './civil-date.js';

const parse = (text: string): number => {
  const bytes = Buffer.from(text.replace(' BC', ''));
  return parseDay(bytes, 0, bytes.length, text.endsWith(' BC'));
};
const write = (day: number): string => {
  const bytes = new Uint8Array(32);
  return Buffer.from(bytes.subarray(0, writeEra(bytes, writeDay(bytes, 0, day), day))).toString();
};

describe('civil dates', () => {
  it('agree with the platform over nine thousand years', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719162, max: 2932896 }), (day) => {
        const text = new Date(day * 86_400_000).toISOString().slice(0, 10);
        expect(write(day)).toBe(text);
        expect(parse(text)).toBe(day);
        const civil = toCivil(day);
        expect(toDay(Math.floor(civil / 512), (civil >> 5) & 15, civil & 31)).toBe(day);
      }),
    );
  });

  it('go there and back before Christ and beyond the year 9999', () => {
    fc.assert(fc.property(fc.integer({ min: -2_400_000, max: 106_000_000 }), (day) => expect(parse(write(day))).toBe(day)));
    expect(parse('0001-01-01') - parse('0001-12-31 BC')).toBe(1);
    expect(parse('0001-02-29 BC')).not.toBe(noDay);
  });

  it.each(['2021-02-29', '1900-02-29', '2000-00-01', '2000-13-01', '2000-01-32', '2000-1-1', '0000-01-01', '2000/01/01', '200a-01-01', ''])(
    'refuse %j',
    (text) => expect(parse(text)).toBe(noDay),
  );
});
