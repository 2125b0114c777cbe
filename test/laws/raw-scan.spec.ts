// What no fake of ours looks like is found wherever it stands in a table's lines, counted once a value and kind, and nothing else is.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { isIban, isPan } from '../../src/pipeline/classify/classify.js';
import { isReservedDomain } from '../../src/pipeline/mask/mask.js';
import { RawScan } from '../../src/pipeline/raw-scan.js';
import type { RawKind } from '../../src/pipeline/raw-value.js';

/** Value by value, in the plainest words: as the scan says that it does for whole chunks of bytes. */
function kindsOf(value: string): ReadonlySet<RawKind> {
  const kinds = new Set<RawKind>();
  for (const [at, char] of [...value].entries()) {
    if (char !== '@' || !/[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]$/.test([...value].slice(0, at).join(''))) continue;
    const [name] = /^[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/.exec([...value].slice(at + 1).join('')) ?? [];
    if (name !== undefined && !isReservedDomain(name)) kinds.add('email');
  }
  for (const [one] of value.matchAll(/(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])/g))
    if (isPan(one) && !/^(411111|555555|378282|601111|999999)/.test(one.replace(/[ -]/g, ''))) kinds.add('pan');
  for (const [one] of value.matchAll(/(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])/g))
    if (isIban(one) && !/^[A-Z]{2}\d{2}(00|TEST)/.test(one.replaceAll(' ', ''))) kinds.add('iban');
  if (/(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/.test(value)) kinds.add('ssn');
  return kinds;
}

/** Neither is anybody's: made by their check digits for this test. */
const iban = 'DE89370400440532013000';
const pan = '4012888888881881';
const piece = fc.oneof(
  fc.constantFrom('@', '.', '-', ' ', 'a', 'É', '日本', '4', '0', '1', '\\N', '\\\\', 'example', '.com', '.test', 'DE', 'TEST', '000'),
  fc.constantFrom(iban, 'DE89 3704 0044 0532 0130 00', 'DE02000000000000000000', pan, '4012 8888 8888 1881', '4111111111111111'),
  fc.constantFrom('a@b.co', 'anna@example.com', '123-45-6789', '900-12-3456', 'x@sub.example.net', '555-555-5555-55-4444'),
  fc.string({ maxLength: 4 }).map((text) => text.replace(/[\t\n]/g, '')),
);
const value = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
const table = fc.array(fc.array(value, { minLength: 3, maxLength: 3 }), { maxLength: 12 });

function count(rows: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows)
    for (const [at, text] of row.entries())
      for (const kind of kindsOf(text)) counts.set(`c${at} ${kind}`, (counts.get(`c${at} ${kind}`) ?? 0) + 1);
  return counts;
}

describe('a scan for what is no fake', () => {
  it('counts what a look at each value by itself counts, however the bytes are cut', () => {
    let seen = 0;
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 40 }), (rows, step) => {
        const bytes = Buffer.from(rows.map((row) => `${row.join('\t')}\n`).join(''));
        const scan = new RawScan(['c0', 'c1', 'c2']);
        for (let at = 0; at < bytes.length; at += step) scan.update(bytes.subarray(at, at + step));
        const found = new Map(scan.counts().map(({ column, kind, values }) => [`${column} ${kind}`, values]));
        seen += found.size;
        expect(found).toEqual(count(rows));
      }),
      { numRuns: 1000 },
    );
    expect(seen).toBeGreaterThan(300);
  });

  it('counts a value once for a kind, and each value of a line', () => {
    const scan = new RawScan(['a', 'b']);
    scan.update(Buffer.from(`x@y.co z@y.co\tx@y.co\n${pan}\t${iban} ${pan}\n`));
    expect(scan.counts()).toEqual([
      { column: 'a', kind: 'email', values: 1 },
      { column: 'b', kind: 'email', values: 1 },
      { column: 'a', kind: 'pan', values: 1 },
      { column: 'b', kind: 'pan', values: 1 },
      { column: 'b', kind: 'iban', values: 1 },
    ]);
  });
});
