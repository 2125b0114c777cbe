import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { kernel, toInts } from '../../src/pipeline/mask/kernel/kernel.js';
import { Lines } from '../../src/pipeline/mask/split.js';
import { scanSlowly } from './scan-lines.reference.js';

const value = fc.string({ unit: fc.constantFrom('a', 'é', '\\', '\u0008', '\u0089', '\u000b', 'N'), maxLength: 40 });
const wellFormed = fc
  .integer({ min: 1, max: 6 })
  .chain((fields) =>
    fc
      .array(fc.array(value, { minLength: fields, maxLength: fields }), { maxLength: 12 })
      .map((rows) => ({ fields, text: rows.map((row) => `${row.join('\t')}\n`).join('') })),
  );
const anything = fc.record({
  fields: fc.integer({ min: 1, max: 4 }),
  text: fc.string({ unit: fc.constantFrom('a', '\t', '\n', '\\'), maxLength: 60 }).map((text) => `${text}\n`),
});

function compare(bytes: Uint8Array, fields: number): void {
  const slow = scanSlowly(bytes, fields);
  const lines = new Lines();
  const malformed = lines.scan(bytes, fields);
  if ('malformed' in slow) return expect(malformed).toBe(slow.malformed);
  const [before = 0, ...stops] = toInts(lines.stopsAt - 4, lines.rows * fields + 1);
  const found = { rows: lines.rows, stops: stops.map((stop) => stop - before - 1), escaped: [...lines.escaped] };
  expect(found).toEqual({ rows: slow.stops.length / fields, ...slow });
  expect(kernel().calls.countStops(before + 1, bytes.length)).toBe(slow.stops.length);
}

describe('the scan of lines in WebAssembly', () => {
  it.each([1, 2, 3])('finds a backslash far down among lines of %i fields, and a row with one too few', (fields) => {
    const line = `${'\t'.repeat(fields - 1)}\n`;
    compare(Buffer.from(`${line.repeat(100_000)}${line.replace('\n', 'x\\\\\n')}${line}`), fields);
    compare(Buffer.from(`${line.repeat(10_000)}${'\t'.repeat(fields)}\n${line}`), fields);
    if (fields > 1) compare(Buffer.from(`${line.repeat(10_000)}${line.slice(1)}\t${line}`), fields);
  });

  it('finds what the slow twin finds, in batches of any length one after the other', () => {
    fc.assert(
      fc.property(fc.oneof(wellFormed, anything), ({ text, fields }) => {
        compare(Uint8Array.from(Buffer.from(text)), fields);
      }),
      { numRuns: 1000 },
    );
  });
});
