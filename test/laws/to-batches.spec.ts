import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { countLines, toBatches } from '../../src/pipeline/extract/extract.js';
import { toBatchesSlowly } from './to-batches.reference.js';

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

async function collect(chunks: readonly Uint8Array[], batchBytes: number): Promise<{ bytes: number[]; rows: number }[]> {
  const batches = [];
  for await (const { bytes, rows } of toBatches(each(chunks), batchBytes)) batches.push({ bytes: [...bytes], rows });
  return batches;
}

/** Bytes in which line ends, and the bytes next to them in value, are frequent; cut anywhere. */
const byte = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 9, 10, 11, 0x8a, 0xff) }, { weight: 2, arbitrary: fc.nat(255) });
const chunks = fc
  .array(fc.array(byte, { maxLength: 60 }), { maxLength: 12 })
  .map((list) => [...list, [10]].map((bytes) => Uint8Array.from(bytes)));

it('cuts a stream as its slow twin does: whole lines, none lost, each batch as full as it can be', async () => {
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 64 }), async (list, batchBytes) => {
      expect(await collect(list, batchBytes)).toEqual(toBatchesSlowly(list, batchBytes));
    }),
    { numRuns: 500 },
  );
});

it('counts line ends whatever stands beside them', () => {
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 3000 }), (bytes) => {
      expect(countLines(Uint8Array.from(bytes), bytes.length)).toBe(bytes.filter((value) => value === 10).length);
    }),
  );
  expect(countLines(new Uint8Array(100_003).fill(10), 100_003)).toBe(100_003);
});

it('gives every batch an ArrayBuffer of its own that can be transferred', async () => {
  const seen = new Set<ArrayBufferLike>();
  for await (const { bytes } of toBatches(each([new TextEncoder().encode('a\nbb\nccc\ndddd\n')]), 5)) {
    expect(bytes.byteOffset).toBe(0);
    expect(seen.has(bytes.buffer)).toBe(false);
    seen.add(bytes.buffer);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
  }
  expect(seen.size).toBe(3);
});

it('makes a line that is longer than a batch a batch of its own', async () => {
  const long = `${'x'.repeat(1000)}\n`;
  const list = ['a\n', long.slice(0, 400), long.slice(400), 'b\n'].map((text) => new TextEncoder().encode(text));
  const sizes = (await collect(list, 16)).map(({ bytes }) => bytes.length);
  expect(sizes).toEqual([2, 1001, 2]);
});

it('refuses a stream that ends in the middle of a line', async () => {
  await expect(collect([new TextEncoder().encode('a\nb')], 16)).rejects.toMatchObject({ code: 'EXTRACT_LINE_CUT' });
});
