import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CharacterPermutation } from './character-permutation.js';
import { toAlphabet, toAlphabetSize, toLength } from './character-class.js';
import type { EncryptBlocks } from './ff1.js';
import { IntegerPermutation } from './integer-permutation.js';

const ecb = createCipheriv('aes-256-ecb', Buffer.alloc(32, 9), null).setAutoPadding(false);
const cipher: EncryptBlocks = (blocks) => ecb.update(blocks);

function permuteTexts(texts: readonly string[]): string[] {
  const parts = texts.map((text) => Buffer.from(text));
  const bytes = Buffer.concat(parts);
  const ends = new Int32Array(texts.length);
  const starts = new Int32Array(texts.length);
  parts.reduce((at, part, i) => (ends[i] = (starts[i] = at) + part.length), 0);
  new CharacterPermutation(cipher).permute(bytes, starts, ends, texts.length);
  return texts.map((_, i) => bytes.subarray(starts[i], ends[i]).toString());
}

describe('a permutation of integers', () => {
  it.each([1n, 2n, 9n, 900n, 90_000n, 131_072n, 150_000n, 900_000n])('of %s numbers hits every number once', (size) => {
    const permutation = new IntegerPermutation(cipher, size);
    const values = Float64Array.from({ length: Number(size) }, (_, i) => i);
    permutation.permute(values, values.length);
    expect(new Set(values).size).toBe(Number(size));
    expect(values.every((value) => value >= 0 && value < Number(size))).toBe(true);
    if (size > 100n) expect(values.filter((value, i) => value === i).length).toBeLessThan(12);
  });

  it('stays inside, and is undone by its inverse, up to 2^104', () => {
    const sized = fc
      .bigInt(1n, 2n ** 104n)
      .chain((size) => fc.tuple(fc.constant(size), fc.array(fc.bigInt(0n, size - 1n), { minLength: 1, maxLength: 5 })));
    fc.assert(
      fc.property(fc.oneof(sized, fc.constant([9_000_000n, [0n, 8_999_999n, 17n]] as [bigint, bigint[]])), ([size, values]) => {
        const permutation = new IntegerPermutation(cipher, size, Uint8Array.of(3));
        const sealed = [...values];
        permutation.permuteBig(sealed, values.length);
        for (const value of sealed) expect(value >= 0n && value < size).toBe(true);
        if (size <= 2n ** 53n) {
          const doubles = Float64Array.from(values, Number);
          permutation.permute(doubles, values.length);
          expect([...doubles].map(BigInt)).toEqual(sealed);
        }
        permutation.permuteBig(sealed, values.length, true);
        expect(sealed).toEqual(values);
      }),
      { numRuns: 40 },
    );
  });

  it('tells tweaks apart', () => {
    const of = (tweak: number): string => {
      const values = Float64Array.from({ length: 900 }, (_, i) => i);
      new IntegerPermutation(cipher, 900n, Uint8Array.of(tweak)).permute(values, 900);
      return values.join();
    };
    expect(of(1)).not.toBe(of(2));
  });
});

describe('a permutation of texts', () => {
  it('hits each of 26·10^4 short and of 10^6 long texts once', () => {
    const short = Array.from(
      { length: 260_000 },
      (_, i) => `${String.fromCharCode(97 + (i % 26))}-${String(Math.floor(i / 26)).padStart(4, '0')}`,
    );
    const out = permuteTexts(short);
    expect(new Set(out).size).toBe(260_000);
    expect(out.every((text) => /^[a-z]-\d{4}$/.test(text))).toBe(true);
    const long = Array.from({ length: 1_000_000 }, (_, i) => String(i).padStart(6, '0'));
    const sealed = new Set(permuteTexts(long));
    expect(sealed.size).toBe(1_000_000);
    expect([...sealed].every((text) => /^\d{6}$/.test(text))).toBe(true);
  });

  it('keeps the pattern of any text, is the same however texts are batched, and keeps distinct texts distinct', () => {
    const pattern = (text: string): string => Array.from(text, (c) => toAlphabet(c.codePointAt(0) as number)).join();
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.toWellFormed()),
          { maxLength: 20 },
        ),
        (texts) => {
          const out = permuteTexts(texts);
          expect(out.map(pattern)).toEqual(texts.map(pattern));
          expect(new Set(out).size).toBe(texts.length);
          expect(texts.map((text) => permuteTexts([text])[0])).toEqual(out);
        },
      ),
    );
  });

  it('knows alphabets that part the code points and keep the length', () => {
    for (let code = 0; code <= 0x10ffff; code++) {
      const first = toAlphabet(code);
      if (first < 0 || (code >= 0xd800 && code < 0xe000)) continue;
      const last = first + toAlphabetSize(first) - 1;
      if (toAlphabet(first) !== first || code > last || toAlphabet(last) !== first || toLength(first) !== toLength(last))
        throw new Error(code.toString(16));
    }
  });

  it('leaves no letter, no number and nothing of private use as it was, but ordinals, raised ones, fractions and seven signs of science', () => {
    const left = [0xaa, 0xb2, 0xb3, 0xb5, 0xb9, 0xba, 0xbc, 0xbd, 0xbe, 0x2102, 0x2107, 0x2115, 0x2124, 0x2126, 0x2128, 0x214e];
    for (let code = 0; code <= 0x10ffff; code++) {
      const isWritten = /[\p{L}\p{N}\p{Co}]|(?=\p{So})\p{Alphabetic}/u.test(String.fromCodePoint(code));
      if (isWritten && toAlphabet(code) < 0 && !left.includes(code)) throw new Error(code.toString(16));
    }
  });
});
