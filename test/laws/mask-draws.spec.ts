import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { createMasker, prepareMask, toKeyLabel } from '../../src/pipeline/mask/mask.js';
import { kernel } from '../../src/pipeline/mask/kernel/kernel.js';
import { Cmac } from '../../src/pipeline/mask/prf.js';
import type { Column } from '../../src/pipeline/batch.js';
import type { DataType } from '../../src/pipeline/catalogue.js';
import type { CanonicalForm, HiddenColumn, RulePlan } from '../../src/pipeline/plan.js';
import { createTestKeys, testTransforms, toBatch, toHidden, toPlan, toRule, toType } from '../support/mask-plan.js';
import { toReferenceCmac } from './cmac.reference.js';

const key = Buffer.from('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', 'hex');
const message = Buffer.from(
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
  'hex',
);

function toColumn(values: readonly (Uint8Array | null)[]): Column {
  const bytes = Buffer.concat(values.map((value) => value ?? Buffer.alloc(0)));
  let at = 0;
  const spans = values.map((value): [number, number] => [at, value ? (at += value.length) : -1]);
  return { rows: values.length, bytes, starts: Int32Array.from(spans, ([s]) => s), ends: Int32Array.from(spans, ([, e]) => e) };
}

const draw = (cmac: Cmac, values: readonly (Uint8Array | null)[], row: number): string => {
  const memory = kernel();
  memory.begin();
  const at = cmac.compute(toColumn(values)) + 16 * row;
  return Buffer.from(memory.bytes.subarray(at, at + 16)).toString('hex');
};

describe('AES-256-CMAC of a column', () => {
  it('gives the four examples of NIST SP 800-38B, D.3, in one batch', () => {
    const values = [0, 16, 40, 64].map((length) => message.subarray(0, length));
    const expected = [
      '028962f61b7bf89efc6b551f4667d983',
      '28a7023f452e8f82bd4bf28d8c37c35c',
      'aaf3d8f1de5640c232f5b169b9c911e6',
      'e1992190549f6ed5696a2c056c315410',
    ];
    expected.forEach((tag, row) => expect(draw(new Cmac(key), values, row)).toBe(tag));
  });

  it('agrees with the slow twin on any values in any batch, with and without a prefix', () => {
    const values = fc.array(fc.option(fc.uint8Array({ maxLength: 70 })), { minLength: 1, maxLength: 20 });
    const cmac = new Cmac(key);
    const prefix = Buffer.from('0123456789abcdef0123456789abcdef');
    const prefixed = new Cmac(key, prefix);
    fc.assert(
      fc.property(values, (column) => {
        column.forEach((value, row) => {
          if (!value) return;
          expect(draw(cmac, column, row)).toBe(toReferenceCmac(key, value));
          if (value.length > 0 && column.every((other) => other?.length !== 0)) {
            expect(draw(prefixed, column, row)).toBe(toReferenceCmac(key, Buffer.concat([prefix, value])));
          }
        });
      }),
    );
  });
});

interface Setting {
  readonly hidden?: readonly HiddenColumn[];
  readonly rule?: Partial<RulePlan>;
  readonly type?: DataType;
  readonly column?: string;
  readonly phrase?: string;
}

/** Draws of the first column, row by row. */
async function toDraws(lines: string, { hidden = [], rule = {}, type, column = 'a', phrase }: Setting = {}): Promise<string[]> {
  const plan = toPlan([{ name: column, rule: toRule('draw', rule), ...(type ? { type } : {}) }], hidden);
  const masker = createMasker(await prepareMask(plan, createTestKeys(phrase)), 0, { transforms: testTransforms });
  return Buffer.from(masker.mask(toBatch(lines)).bytes)
    .toString()
    .split('\n')
    .slice(0, -1);
}

describe('what a draw is a function of', () => {
  it('is the value alone in scope value, under the key of the domain', async () => {
    const [first, second, third] = await toDraws('x\ny\nx\n');
    expect(first).toBe(third);
    expect(first).not.toBe(second);
    const derived = await createTestKeys().derive(toKeyLabel({ workspace: 'default', environment: 'ci' }, 'test', 'prf'), 1);
    expect(first).toBe(toReferenceCmac(Buffer.from(derived), Buffer.from('x')));
    expect(await toDraws('x\n', { phrase: 'other' })).not.toContain(first);
    expect(await toDraws('x\n', { rule: { domain: 'other' } })).not.toContain(first);
    expect(await toDraws('x\n', { column: 'b' })).toContain(first);
  });

  it('is the person in scope subject: the value does not enter, whatever the column is called', async () => {
    const setting: Setting = { hidden: [toHidden('subject', 'id')], rule: { scope: 'subject' } };
    const [smith, jones, other] = await toDraws('Smith\t7\nJones\t7\nSmith\t8\n', setting);
    expect(smith).toBe(jones);
    expect(smith).not.toBe(other);
    expect(await toDraws('Anything\t7\n', { ...setting, column: 'b' })).toEqual([smith]);
  });

  it('is the row where nobody is the subject', async () => {
    const hidden = [toHidden('subject', 'person_id'), toHidden('row', 'id')];
    const [person, nobody, nobodyElse] = await toDraws('x\t7\t1\nx\t\\N\t2\nx\t\\N\t3\n', { hidden, rule: { scope: 'subject' } });
    expect(new Set([person, nobody, nobodyElse]).size).toBe(3);
    const [row] = await toDraws('x\t2\n', { hidden: [toHidden('row', 'id')], rule: { scope: 'row' } });
    expect(nobody).toBe(row);
    expect(await toDraws('x\t2\n', { hidden: [toHidden('row', 'id')], rule: { scope: 'subject' } })).toEqual([row]);
  });

  it('is column and row key in scope row, and fields of a key never run into each other', async () => {
    const hidden = [toHidden('row', 'a', 'text'), toHidden('row', 'b', 'text')];
    const draws = await toDraws('x\t12\t3\nx\t1\t23\nx\t\\N\t3\nx\t\t3\n', { hidden, rule: { scope: 'row' } });
    expect(new Set(draws).size).toBe(4);
    expect(await toDraws('x\t12\t3\n', { hidden, rule: { scope: 'row' }, column: 'b' })).not.toContain(draws[0]);
  });

  it('is all fields of a composite subject', async () => {
    const hidden = [toHidden('subject', 'a', 'text'), toHidden('subject', 'b', 'text'), toHidden('row', 'id')];
    const draws = await toDraws('x\t12\t3\t1\nx\t1\t23\t1\nx\t12\t3\t2\n', { hidden, rule: { scope: 'subject' } });
    expect(draws[0]).not.toBe(draws[1]);
    expect(draws[0]).toBe(draws[2]);
  });

  it('stops the run where a row key is needed and the plan gives none', async () => {
    await expect(toDraws('x\n', { rule: { scope: 'row' } })).rejects.toMatchObject({ code: 'MASK_ROW_KEY_MISSING' });
  });

  it.each<[CanonicalForm, string, string, string]>([
    ['numeric', '1.50', '1.5', '1.05'],
    ['numeric', '2.000', '2', '20'],
    ['numeric', '100', '100', '1'],
    ['numeric', '-0.00', '0', '-0.01'],
    ['numeric', 'NaN', 'NaN', 'Infinity'],
    ['float', '-0', '0', '1e-20'],
    ['float', '1.10', '1.1', '1e+10'],
    ['bpchar', 'ab   ', 'ab', ' ab'],
    ['citext', 'Ann@X.Com', 'ann@x.com', 'ann@x.co'],
    ['citext', 'ZOË Ω', 'zoë ω', 'zoe ω'],
    ['citext', 'İ', 'i', 'ı'],
    ['text', 'a', 'a', 'A'],
  ])('is, as %s, the same for %s as for %s and another for %s', async (canonical, one, same, other) => {
    const type = toType(canonical === 'float' ? 'float8' : canonical);
    const draws = await toDraws(`${one}\n${same}\n${other}\n`, { rule: { canonical }, type });
    expect(draws[0]).toBe(draws[1]);
    expect(draws[0]).not.toBe(draws[2]);
  });

  it('does not depend on how lines are cut into batches', async () => {
    const plan = toPlan([{ name: 'a', rule: toRule('draw') }]);
    const prepared = await prepareMask(plan, createTestKeys());
    const value = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 50 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 30 }), fc.nat(30), (values, cut) => {
        const mask = (part: readonly string[]): string => {
          const masker = createMasker(prepared, 0, { transforms: testTransforms });
          return Buffer.from(masker.mask(toBatch(part.map((line) => `${line}\n`).join(''))).bytes).toString();
        };
        expect(mask(values.slice(0, cut)) + mask(values.slice(cut))).toBe(mask(values));
      }),
      { numRuns: 50 },
    );
  });
});
