import { gunzipSync } from 'node:zlib';

import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { compress } from './compress.js';

const text = fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 40_000 })).map(([one, times]) => Buffer.concat(Array<Uint8Array>(times).fill(one)))); // prettier-ignore

it('whatever was compressed before or beside it, each comes out by itself, in one member', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 12 }), async (texts) => {
      const packed = await Promise.all(texts.map((one) => compress(one)));
      for (const [i, one] of texts.entries()) expect(gunzipSync(packed[i]!).equals(one)).toBe(true);
      // What was handed out stays what it was.
      await Promise.all(texts.map((one) => compress(one)));
      for (const [i, one] of texts.entries()) expect(gunzipSync(packed[i]!).equals(one)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

it('what does not compress, and is larger than the pieces that it comes out in', async () => {
  let seed = 1;
  const noise = Buffer.from(Uint8Array.from({ length: 3_000_000 }, () => (seed = Math.imul(seed, 48_271) & 0x7fffffff) >>> 8));
  expect(gunzipSync(await compress(noise)).equals(noise)).toBe(true);
});
