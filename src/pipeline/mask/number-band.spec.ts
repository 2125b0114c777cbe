import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { writeBand } from './number-band.js';

const band = (text: string, width: number): string | undefined => {
  const from = Buffer.from(text);
  const bytes = new Uint8Array(from.length + 1);
  const stop = writeBand(bytes, 0, from, 0, from.length, width);
  return stop === -1 ? undefined : Buffer.from(bytes.subarray(0, stop)).toString();
};

describe('writeBand', () => {
  it('agrees with BigInt division at any length', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }), fc.integer({ min: 2, max: 1_000_000_000 }), (value, width) => {
        const expected = (value / BigInt(width)) * BigInt(width);
        expect(band(String(value), width)).toBe(String(expected));
      }),
    );
  });

  it('leaves fractions out and names zero once', () => {
    expect(band('-3.99', 10)).toBe('0');
    expect(band('129.50', 25)).toBe('125');
    expect(band('NaN', 10)).toBe('NaN');
    expect(band('-Infinity', 10)).toBe('-Infinity');
    expect(band('-2.5e+30', 10)).toBe('-2e+30');
    expect(band('2.5e-30', 10)).toBe('0');
  });

  it.each(['', '-', 'abc', '1,000', '12.x', '$5'])('refuses %j', (text) => expect(band(text, 10)).toBeUndefined());
});
