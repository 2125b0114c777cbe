import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { Batch, Column, Masked } from '../../src/pipeline/batch.js';
import { kernel } from '../../src/pipeline/mask/kernel/kernel.js';
import { createMasker, prepareMask, transforms } from '../../src/pipeline/mask/mask.js';
import type { Plan } from '../../src/pipeline/plan.js';
import { createTestKeys, createTestTransform, testTransforms, toBatch, toHidden, toPlan, toRule, toType } from '../support/mask-plan.js';
import { formatLines, parseLines } from './copy-text.reference.js';

const field = fc.oneof(
  fc.constant(null),
  fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\\', '\t', '\n', '\r', '\b', '\f', '\v', 'N', '"', '\u0001', ' '), maxLength: 90 }),
);
const fields = 5;
const rows = fc.array(fc.tuple(field, field, field, field, field), { maxLength: 12 });

async function toMasker(plan: Plan, phrase?: string): Promise<(batch: Batch) => Masked> {
  const masker = createMasker(await prepareMask(plan, createTestKeys(phrase)), 0, { transforms: testTransforms });
  return (batch) => masker.mask(batch);
}

const text = (masked: Masked): string => Buffer.from(masked.bytes).toString('utf8');
const names = ['a', 'b', 'c', 'd', 'e'];

describe('lines through the mask stage', () => {
  it('come out byte for byte when every column is kept', async () => {
    const mask = await toMasker(toPlan(names.map((name) => ({ name }))));
    fc.assert(
      fc.property(rows, (values) => {
        const masked = mask(toBatch(formatLines(values)));
        expect(text(masked)).toBe(formatLines(values));
        expect(masked.rows).toBe(values.length);
      }),
    );
  });

  it('are masked as the slow twin masks them, column by column, whatever is kept beside', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.uniqueArray(fc.nat(fields - 1), { minLength: 1 }), async (values, masked) => {
        const mask = await toMasker(toPlan(names.map((name, i) => ({ name, rule: toRule(masked.includes(i) ? 'exclaim' : 'keep') }))));
        const expected = values.map((row) => row.map((value, i) => (value !== null && masked.includes(i) ? `<${value}>` : value)));
        expect(text(mask(toBatch(formatLines(values))))).toBe(formatLines(expected));
      }),
    );
  });

  it('leave the line behind them alone, however short their last columns are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.nat(4), fc.nat(9), async (count, long, length) => {
        const mask = await toMasker(toPlan(names.slice(0, count).map((name) => ({ name, rule: toRule('same') }))));
        const row = names.slice(0, count).map((_, i) => (i === long % count ? 'x'.repeat(length) : ''));
        const values = [row, row.map(() => null), row, row.map(() => 'y')];
        expect(text(mask(toBatch(formatLines(values))))).toBe(formatLines(values));
      }),
      { numRuns: 400 },
    );
  });

  it('understand every escape that the manual lists, octal and hexadecimal too', async () => {
    const mask = await toMasker(toPlan([{ name: 'a', rule: toRule('exclaim') }]));
    const line = 'a\\b\\f\\n\\r\\t\\v\\\\\\101\\7\\x41\\x7z\\q\\N.\n';
    expect(text(mask(toBatch(line)))).toBe(formatLines(parseLines(line).map(([value]) => [`<${value}>`])));
  });

  it('lose their hidden columns', async () => {
    const mask = await toMasker(toPlan([{ name: 'a' }, { name: 'b', rule: toRule('exclaim') }], [toHidden('row', 'id')]));
    expect(text(mask(toBatch('x\ty\t1\nx\t\\N\t2\n')))).toBe('x\t<y>\nx\t\\N\n');
  });

  it('may have no column at all, or be none', async () => {
    const mask = await toMasker(toPlan([{ name: 'a', rule: toRule('exclaim') }]));
    expect(mask(toBatch(''))).toMatchObject({ rows: 0 });
    expect(text(mask(toBatch('\n\n')))).toBe('<>\n<>\n');
    const empty = await toMasker(toPlan([]));
    expect(text(empty(toBatch('\n\n')))).toBe('\n\n');
    expect(() => empty(toBatch('a\n'))).toThrow(expect.objectContaining({ code: 'MASK_LINE_MALFORMED' }));
    expect(text((await toMasker(toPlan([], [toHidden('row', 'ctid', 'tid')])))(toBatch('1\n2\n')))).toBe('\n\n');
  });

  it.each([
    ['too few fields', 'a\tb\na\n', 2],
    ['too many fields', 'a\tb\tc\n', 1],
    ['no end', 'a\tb\na\tb', 2],
  ])('are refused with their position when they have %s', async (_, lines, row) => {
    const mask = await toMasker(toPlan([{ name: 'a' }, { name: 'b' }]));
    expect(() => mask(toBatch(lines, { sequence: 6, range: 2 }))).toThrow(
      expect.objectContaining({
        code: 'MASK_LINE_MALFORMED',
        where: expect.objectContaining({ row, batch: 7, range: 3, table: 'person' }),
      }),
    );
  });

  it('stop at a value that a transform refuses, saying where and never what', async () => {
    const mask = await toMasker(toPlan([{ name: 'a' }, { name: 'b', rule: toRule('exclaim') }]));
    const attempt = (): Masked => mask(toBatch('x\ty\nx\tIMPOSSIBLE\n', { sequence: 3 }));
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'MASK_VALUE_REFUSED',
        class: 'DataError',
        where: { stage: 'mask', schema: 'public', table: 'person', column: 'b', path: undefined, range: 1, batch: 4, row: 2 },
      }),
    );
    expect(attempt).not.toThrow(/IMPOSSIBLE/);
  });

  it('are refused when a transform forgets a row, even if the row before it in the buffer would do', async () => {
    const forgetful = createTestTransform('forgetful', () => null, {
      prepare: () => (column, _, out) => {
        for (let row = 0; row < column.rows; row++) if (row !== 1 || column.rows < 3) out.copy(row, column.bytes, 0, 1);
      },
    });
    const plan = toPlan([{ name: 'a', rule: toRule('forgetful') }]);
    const masker = createMasker(await prepareMask(plan, createTestKeys()), 0, { transforms: [forgetful] });
    masker.mask(toBatch('a\nb\n'));
    expect(() => masker.mask(toBatch('a\nb\nc\n'))).toThrow(
      expect.objectContaining({ code: 'MASK_OUTPUT_INCOMPLETE', where: expect.objectContaining({ column: 'a', row: 2 }) }),
    );
  });

  it('show a transform that looks at the row its tagged columns, original and masked, whatever their order', async () => {
    const seen: string[] = [];
    const redact = createTestTransform('redact', () => null, {
      prepare:
        () =>
        (column, { companions }, out) => {
          const read = ({ bytes, starts, ends }: Column, row: number): string =>
            ends[row] === -1 ? 'NULL' : Buffer.from(bytes.subarray(starts[row], ends[row])).toString();
          for (let row = 0; row < column.rows; row++) {
            for (const { tag, original, masked } of companions) seen.push(`${tag} ${read(original, row)} ${read(masked, row)}`);
            out.null(row);
          }
        },
    });
    const plan = toPlan([
      { name: 'notes', rule: toRule('redact') },
      { name: 'name', rule: toRule('exclaim'), tag: 'pii.name' },
      { name: 'kept' },
      { name: 'mail', rule: toRule('null'), tag: 'pii.email' },
    ]);
    const masker = createMasker(await prepareMask(plan, createTestKeys()), 0, { transforms: [redact, ...testTransforms] });
    expect(text(masker.mask(toBatch('x\tA\\tB\tk\tm\nx\t\\N\tk\tn\n')))).toBe('\\N\t<A\\tB>\tk\t\\N\n\\N\t\\N\tk\t\\N\n');
    expect(seen).toEqual(['pii.name A\tB <A\tB>', 'pii.email m NULL', 'pii.name NULL NULL', 'pii.email n NULL']);
  });

  it('are masked once more by a transform whose values moved while it read them', async () => {
    let moves = 2;
    const reader = createTestTransform('reader', () => null, {
      prepare: () => (column, context, out) => {
        const { bytes, starts, ends } = column;
        if (moves-- > 0) kernel().calls.grow(kernel().bytes.length + (1 << 20));
        for (let row = 0; row < column.rows; row++) {
          if (bytes[starts[row] as number] !== 0x61) context.refuse(row);
          out.copy(row, bytes, starts[row] as number, ends[row] as number);
        }
      },
    });
    const plan = toPlan([{ name: 'a', rule: toRule('reader') }, { name: 'b' }]);
    const masker = createMasker(await prepareMask(plan, createTestKeys()), 0, { transforms: [reader] });
    expect(text(masker.mask(toBatch('abc\tx\nade\ty\n')))).toBe('abc\tx\nade\ty\n');
    expect(() => masker.mask(toBatch('abc\tx\nb\ty\n'))).toThrow(expect.objectContaining({ code: 'MASK_VALUE_REFUSED' }));
  });

  it('may be longer than the memory they lie in, and go where the caller says only if they fit', async () => {
    const plan = toPlan([{ name: 'a', rule: toRule('exclaim') }, { name: 'b', rule: toRule('replace') }, { name: 'c' }]);
    const masker = createMasker(await prepareMask(plan, createTestKeys()), 0, { transforms: [...testTransforms, ...transforms] });
    const into = new Uint8Array(new SharedArrayBuffer(100));
    const long = 'x\\\\'.repeat(3_000_000);
    const masked = masker.mask(toBatch(`${long}\t-\t${long}\nc\t\\N\td\n`), into);
    expect(Buffer.from(masked.bytes).equals(Buffer.from(`<${long}>\t-\t${long}\n<c>\t\\N\td\n`))).toBe(true);
    expect(masked.bytes.buffer).not.toBe(into.buffer);
    const short = masker.mask(toBatch('c\t-\td\n'), into);
    expect(text(short)).toBe('<c>\t-\td\n');
    expect(short.bytes.buffer).toBe(into.buffer);
  });

  it('are refused by name when they need more memory than there can be', async () => {
    const greedy = createTestTransform('greedy', () => null, {
      prepare: () => () => void kernel().take(0x7fff_0000),
    });
    const masker = createMasker(await prepareMask(toPlan([{ name: 'a', rule: toRule('greedy') }]), createTestKeys()), 0, {
      transforms: [greedy],
    });
    expect(() => masker.mask(toBatch('a\n', { sequence: 1 }))).toThrow(
      expect.objectContaining({ code: 'MASK_BATCH_TOO_LARGE', where: expect.objectContaining({ table: 'person', batch: 2 }) }),
    );
    expect(text((await toMasker(toPlan([{ name: 'a', rule: toRule('exclaim') }])))(toBatch('b\n')))).toBe('<b>\n');
  });

  it('tell the place of a defect without its text', async () => {
    const broken = createTestTransform('broken', (value) => {
      throw new TypeError(`cannot read ${value}`);
    });
    const plan = toPlan([{ name: 'a', rule: toRule('broken') }]);
    const masker = createMasker(await prepareMask(plan, createTestKeys()), 0, { transforms: [broken] });
    expect(() => masker.mask(toBatch('anna@x.com\n'))).toThrow(expect.objectContaining({ code: 'MASK_DEFECT' }));
    expect(() => masker.mask(toBatch('anna@x.com\n'))).not.toThrow(/anna/);
  });

  it('end in the padding that the server prints for char(n) and numeric(p, s)', async () => {
    const plan = toPlan([
      { name: 'a', type: toType('bpchar', { length: 6 }), rule: toRule('exclaim', { canonical: 'bpchar' }) },
      { name: 'b', type: toType('numeric', { precision: 9, scale: 3 }), rule: toRule('same', { canonical: 'numeric' }) },
    ]);
    const mask = await toMasker(plan);
    expect(text(mask(toBatch('ab    \t1.500\né     \t12.000\n      \tNaN\n\\N\t0.001\n')))).toBe(
      '<ab>  \t1.500\n<é>   \t12.000\n<>    \tNaN\n\\N\t0.001\n',
    );
  });
});
