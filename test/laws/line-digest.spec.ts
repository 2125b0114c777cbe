import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { packageFile } from '../../src/kernel/package-root.js';
import { LineDigest, sumReceipts, toDigestText } from '../../src/pipeline/deliver/deliver.js';
import type { Receipt } from '../../src/pipeline/ports.js';
import { TableDigest } from '../../src/pipeline/verify/table-digest.js';
import { sipHash128, sumOfLines } from '../support/line-digest.reference.js';

interface Vectors {
  readonly key: string;
  readonly outputs: readonly string[];
}
const vectors = JSON.parse(readFileSync(packageFile('test', 'laws', 'siphash-128.json'), 'utf8')) as Vectors;
const key = Buffer.from(vectors.key, 'hex');
const toNumber = (hex: string): bigint => BigInt(`0x${Buffer.from(hex, 'hex').reverse().toString('hex')}`);
const join = (lines: readonly Uint8Array[]): Buffer => Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));

const byteOfLine = fc.integer({ min: 0, max: 255 }).map((byte) => (byte === 10 ? 11 : byte));
const anyLine = fc.array(byteOfLine, { maxLength: 300 }).map((bytes) => Uint8Array.from(bytes));
const anyNonce = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe('the digest of a table', () => {
  it.each(vectors.outputs.map((output, length) => ({ length, output })))(
    'is SipHash-2-4-128 as published, for a line of $length bytes',
    ({ length, output }) => {
      const line = Uint8Array.from({ length }, (_, i) => i);
      expect(sipHash128(key, line)).toBe(toNumber(output));
      // A line holds no newline, so the kernel is held to the lengths whose bytes have none; the property below covers the rest.
      if (length > 10) return;
      const digest = new LineDigest(key);
      digest.add(join([line]));
      expect(digest.sum).toBe(toNumber(output));
    },
  );

  it('agrees with its slow twin on any lines, however they are cut into batches and ordered', () => {
    fc.assert(
      fc.property(anyNonce, fc.array(anyLine, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), (nonce, lines, size) => {
        const digest = new LineDigest(nonce);
        const backwards = [...lines].reverse();
        for (let at = 0; at < backwards.length; at += size) digest.add(join(backwards.slice(at, at + size)));
        expect(digest.sum).toBe(sumOfLines(nonce, lines));
        expect(digest.rows).toBe(lines.length);
      }),
      { numRuns: 200 },
    );
  });

  it('is the same in the eyes of the verifier, who shares no code with the writer', () => {
    fc.assert(
      fc.property(anyNonce, fc.array(anyLine, { maxLength: 30 }), (nonce, lines) => {
        const [writer, verifier] = [new LineDigest(nonce), new TableDigest(nonce)];
        writer.add(join(lines));
        verifier.update(join(lines));
        expect(verifier.digest()).toBe(toDigestText(writer.sum));
      }),
      { numRuns: 100 },
    );
  });

  it('reads batches and single lines that are larger than its window', () => {
    const lines = [
      Buffer.alloc(3_000_001, 'a'),
      Buffer.from('b'),
      Buffer.alloc(1_048_576, 'c'),
      Buffer.alloc(1_048_575, 'd'),
      Buffer.alloc(0),
    ];
    const [whole, cut] = [new LineDigest(key), new LineDigest(key)];
    whole.add(join(lines));
    for (const line of lines) cut.add(join([line]));
    expect(whole.sum).toBe(cut.sum);
    expect([whole.rows, cut.rows]).toEqual([5, 5]);
    const short = new LineDigest(key);
    short.add(join([Buffer.from('b')]));
    expect(short.sum).toBe(sumOfLines(key, [Buffer.from('b')]));
  });

  it('is another under another nonce, with a line changed, lost or doubled', () => {
    const of = (nonce: Uint8Array, text: string): bigint => {
      const digest = new LineDigest(nonce);
      digest.add(Buffer.from(text));
      return digest.sum;
    };
    const other = Buffer.alloc(16, 7);
    const sums = [
      of(key, '1\ta\n2\tb\n'),
      of(other, '1\ta\n2\tb\n'),
      of(key, '1\ta\n2\tc\n'),
      of(key, '1\ta\n'),
      of(key, '1\ta\n2\tb\n2\tb\n'),
    ];
    expect(new Set(sums).size).toBe(sums.length);
  });

  it('refuses a batch that does not end with a whole line, and a nonce of another length', () => {
    const digest = new LineDigest(key);
    expect(() => digest.add(Buffer.from('1\ta\n2'))).toThrow(expect.objectContaining({ code: 'LINE_INCOMPLETE' }));
    expect(() => new LineDigest(Buffer.alloc(15))).toThrow(expect.objectContaining({ code: 'NONCE_INVALID' }));
  });

  it('of several streams of one table is the sum of theirs', () => {
    const receipt = (rows: number, digest: bigint): Receipt => ({
      schema: 's',
      table: 't',
      rows,
      bytes: rows * 10,
      digest: toDigestText(digest),
    });
    const high = (1n << 128n) - 1n;
    expect(sumReceipts([receipt(2, high), receipt(3, 2n)])).toEqual(receipt(5, 1n));
  });
});
