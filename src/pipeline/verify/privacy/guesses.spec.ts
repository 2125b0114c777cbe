// What a frequency attack comes to: never more than chance where nothing leaks, however few rows there are, and what leaks where there are many.
import { createHash } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { ColumnPlan, TablePlan } from '../../plan.js';
import type { Frequencies, GuessFigures } from '../../privacy.js';
import { guess } from './guesses.js';

const column = { name: 'c', type: { base: 'text' } } as ColumnPlan;
const table = { columns: [column] } as unknown as TablePlan;

function toFrequencies(values: readonly string[], toVariance: (rows: number) => number = () => 0): Frequencies {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const top = [...counts].map(([value, rows]) => {
    return { digest: createHash('md5').update(value).digest('hex'), rows, variance: toVariance(rows) };
  });
  return { top: top.sort((a, b) => b.rows - a.rows || (a.digest < b.digest ? -1 : 1)) };
}

/** Rows as they stand at the source and in the copy, all of them tried. */
function attack(originals: readonly string[], copies: readonly string[], toVariance?: (rows: number) => number): GuessFigures {
  const toRows = (values: readonly string[]): string[][] => values.map((value) => [value]);
  const rows = { table, originals: toRows(originals), copies: toRows(copies) };
  return guess(rows, column, toFrequencies(originals, toVariance), toFrequencies(copies, toVariance), toVariance !== undefined);
}

/** Of a value of each frequency its rows. */
const spread = (frequencies: readonly number[]): string[] => frequencies.flatMap((rows, i) => Array<string>(rows).fill(`value ${i}`));
const isPlain = { seed: 7, numRuns: 300 };

describe('a frequency attack', () => {
  it('comes to chance where all values stand in as many rows, whichever pseudonym each of them has', () => {
    const values = fc.tuple(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 8, max: 200 }), fc.string());
    fc.assert(
      fc.property(values, ([count, each, key]) => {
        const originals = spread(Array<number>(count).fill(each));
        const copies = originals.map((value) => createHash('sha256').update(key).update(value).digest('hex'));
        expect(attack(originals, copies)).toMatchObject({ guessed: each, chance: each, beyondChance: 0 });
      }),
      isPlain,
    );
  });

  it('is never beyond chance in small tables whose pseudonyms are drawn row by row', () => {
    const pick = fc.noShrink(fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(3)), { minLength: 30, maxLength: 120 }));
    fc.assert(
      fc.property(pick, fc.integer({ min: 1, max: 3 }), (rows, skew) => {
        const originals = rows.map(([at]) => `value ${Math.floor(4 * at ** skew)}`);
        const copies = rows.map(([, to]) => `fake ${to}`);
        expect(attack(originals, copies).beyondChance).toBeLessThanOrEqual(0.05);
      }),
      isPlain,
    );
  });

  it('is beyond chance in a table of two thousand rows in which frequencies tell the values, whatever the key', () => {
    fc.assert(
      fc.property(fc.string(), fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 4, maxLength: 30 }), (key, shares) => {
        const total = shares.reduce((sum, one) => sum + one, 0);
        const frequencies = shares.map((one) => Math.ceil((2000 * one) / total));
        fc.pre(new Set(frequencies).size === frequencies.length);
        const originals = spread(frequencies);
        const copies = originals.map((value) => createHash('sha256').update(key).update(value).digest('hex'));
        const { rows, guessed, chance, beyondChance } = attack(originals, copies);
        expect(guessed).toBe(rows);
        const gain = (guessed - chance) / rows;
        expect(beyondChance).toBeLessThan(gain);
        expect(beyondChance).toBeGreaterThan(gain - 0.06);
      }),
      { ...isPlain, numRuns: 100 },
    );
  });

  it('takes values for as frequent as each other whose rows in a part of the pages differ by no more than chance has it', () => {
    const originals = spread([520, 500, 480]);
    const copies = originals.map((value) => `pseudonym of ${value}`);
    expect(attack(originals, copies).guessed).toBe(1500);
    expect(attack(originals, copies, (rows) => rows)).toMatchObject({ guessed: 500, beyondChance: 0 });
    // Three standard errors of each other or more: they are told apart.
    const apart = spread([900, 500, 200]);
    expect(attack(apart, apart, (rows) => rows).guessed).toBe(1600);
  });

  it('says nothing of rows without a value, and of one row', () => {
    expect(attack([], [])).toMatchObject({ rows: 0, guessed: 0, beyondChance: 0 });
    expect(attack(['\\N', 'a'], ['b', 'c'])).toMatchObject({ rows: 1, beyondChance: 0 });
  });
});
