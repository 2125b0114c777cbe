import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { TableDigest } from './table-digest.js';

const nonce = Uint8Array.from({ length: 16 }, (_, i) => i);

/** The published vectors of SipHash-2-4-128 (key 00…0f, input 00, 01, …) for inputs without the byte 0a, as hex of the 16 output bytes. */
const vectors: readonly [number, string][] = [
  [0, 'a3817f04ba25a8e66df67214c7550293'],
  [1, 'da87c1d86b99af44347659119b22fc45'],
  [2, '8177228da4a45dc7fca38bdef60affe4'],
  [3, '9c70b60c5267a94e5f33b6b02985ed51'],
];

const reversed = (hex: string): string => Buffer.from(hex, 'hex').reverse().toString('hex');
const digestOf = (...chunks: Uint8Array[]): string => {
  const digest = new TableDigest(nonce);
  for (const chunk of chunks) digest.update(chunk);
  return digest.digest();
};

it.each(vectors)('reproduces the published SipHash-128 vector of %i bytes', (length, expected) => {
  expect(digestOf(Buffer.concat([Uint8Array.from({ length }, (_, i) => i), Buffer.from('\n')]))).toBe(reversed(expected));
});

it('does not depend on the order of lines nor on where the stream is cut', () => {
  const line = fc.uint8Array({ maxLength: 90 }).map((bytes) => bytes.filter((byte) => byte !== 10));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), fc.array(fc.nat(400), { maxLength: 6 }), (lines, cuts) => {
      const text = (some: readonly Uint8Array[]): Buffer => Buffer.concat(some.flatMap((l) => [l, Buffer.from('\n')]));
      const whole = text(lines);
      const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
      const pieces = at.slice(1).map((end, i) => whole.subarray(at[i], end));
      expect(digestOf(...pieces)).toBe(digestOf(text([...lines].reverse())));
    }),
  );
});

it('changes when one byte of one line changes, and counts rows', () => {
  const digest = new TableDigest(nonce);
  digest.update(Buffer.from('a\tb\nc\td\n'));
  expect(digest.rows).toBe(2);
  expect(digest.digest()).not.toBe(digestOf(Buffer.from('a\tb\nc\te\n')));
});
