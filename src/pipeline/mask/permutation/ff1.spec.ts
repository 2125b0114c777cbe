import { createCipheriv } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { packageFile } from '../../../kernel/package-root.js';
import { decryptFf1, encryptFf1 } from '../../../../test/laws/ff1.reference.js';
import { type EncryptBlocks, Ff1 } from './ff1.js';

interface Sample {
  readonly sample: number;
  readonly key: string;
  readonly radix: number;
  readonly tweak: string;
  readonly plaintext: string;
  readonly ciphertext: string;
}

function toCipher(key: Uint8Array): EncryptBlocks {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  return (blocks) => cipher.update(blocks);
}

const cipher = toCipher(Buffer.alloc(32, 7));

function toHalves(strings: readonly (readonly number[])[], radix: number, u: number): [Float64Array, Float64Array] {
  const number = (numerals: readonly number[]): number => numerals.reduce((sum, numeral) => sum * radix + numeral, 0);
  return [Float64Array.from(strings, (s) => number(s.slice(0, u))), Float64Array.from(strings, (s) => number(s.slice(u)))];
}

function toNumerals(left: number, right: number, radix: number, u: number, v: number): number[] {
  const numerals = (value: number, length: number): number[] =>
    Array.from({ length }, (_, i) => Number((BigInt(value) / BigInt(radix) ** BigInt(length - 1 - i)) % BigInt(radix)));
  return [...numerals(left, u), ...numerals(right, v)];
}

const file = packageFile('..', 'shared', 'data', 'ff1-vectors.json');
const present = existsSync(file);
if (!present && process.env['BAUTA_WORLD'] !== 'required')
  console.warn('SKIPPED: the FF1 samples of NIST are not there (shared/data/ff1-vectors.json)');

describe('FF1', () => {
  (present || process.env['BAUTA_WORLD'] === 'required' ? it : it.skip)(
    'gives the nine samples that NIST publishes, batched and one at a time',
    () => {
      const samples = JSON.parse(readFileSync(file, 'utf8')) as Sample[];
      expect(samples).toHaveLength(9);
      for (const { key, radix, tweak, plaintext, ciphertext } of samples) {
        const blocks = toCipher(Buffer.from(key, 'hex'));
        const numerals = [...plaintext].map((c) => parseInt(c, 36));
        const wanted = [...ciphertext].map((c) => parseInt(c, 36));
        expect(encryptFf1(blocks, radix, numerals, Buffer.from(tweak, 'hex'))).toEqual(wanted);
        const ff1 = new Ff1(blocks, radix, numerals.length, Buffer.from(tweak, 'hex'));
        const [left, right] = toHalves([numerals, numerals], radix, ff1.leftLength);
        ff1.encrypt(left, right, 2);
        for (const i of [0, 1])
          expect(toNumerals(left[i] as number, right[i] as number, radix, ff1.leftLength, ff1.rightLength)).toEqual(wanted);
      }
    },
  );

  it('agrees with the reference for every radix, length and tweak it takes, and decrypts what it encrypted', () => {
    const shape = fc.constantFrom(
      [10, 6],
      [10, 9],
      [10, 16],
      [10, 18],
      [10, 19],
      [10, 30],
      [2, 20],
      [2, 63],
      [2, 64],
      [2, 66],
      [2, 104],
      [36, 4],
      [36, 12],
      [36, 13],
      [36, 20],
    );
    const cases = shape.chain(([radix = 0, length = 0]) =>
      fc.record({
        radix: fc.constant(radix),
        length: fc.constant(length),
        tweak: fc.uint8Array({ maxLength: 40 }),
        strings: fc.array(fc.array(fc.nat(radix - 1), { minLength: length, maxLength: length }), { minLength: 1, maxLength: 6 }),
      }),
    );
    fc.assert(
      fc.property(cases, ({ radix, length, tweak, strings }) => {
        const ff1 = new Ff1(cipher, radix, length, tweak);
        const { leftLength: u, rightLength: v } = ff1;
        const [left, right] = toHalves(strings, radix, u);
        ff1.encrypt(left, right, strings.length);
        strings.forEach((s, i) => {
          const sealed = toNumerals(left[i] as number, right[i] as number, radix, u, v);
          expect(sealed).toEqual(encryptFf1(cipher, radix, s, tweak));
          expect(decryptFf1(cipher, radix, sealed, tweak)).toEqual(s);
        });
        ff1.decrypt(left, right, strings.length);
        strings.forEach((s, i) => expect(toNumerals(left[i] as number, right[i] as number, radix, u, v)).toEqual(s));
      }),
      { numRuns: 150 },
    );
  });

  it('is a bijection: all of 2^20 values come out once', () => {
    const ff1 = new Ff1(cipher, 2, 20);
    const seen = new Uint8Array(1 << 20);
    const left = Float64Array.from({ length: 1 << 20 }, (_, i) => i >>> 10);
    const right = Float64Array.from({ length: 1 << 20 }, (_, i) => i & 1023);
    for (let at = 0; at < 1 << 20; at += 4096) {
      ff1.encrypt(left.subarray(at, at + 4096), right.subarray(at, at + 4096), 4096);
    }
    for (let i = 0; i < 1 << 20; i++) seen[(left[i] as number) * 1024 + (right[i] as number)] = 1;
    expect(seen.every((one) => one === 1)).toBe(true);
  });

  it('refuses a domain below 10^6 and halves that doubles cannot hold', () => {
    expect(() => new Ff1(cipher, 10, 5)).toThrow(RangeError);
    expect(() => new Ff1(cipher, 10, 32)).toThrow(RangeError);
  });
});
