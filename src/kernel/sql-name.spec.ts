import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { findNearest } from './nearest.js';
import { parseNamePattern, parseSqlName, toSqlName } from './sql-name.js';

describe('names as SQL writes them', () => {
  it('come back whole from their own text, whatever they hold', () => {
    const name = fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 3 }), (parts) => {
        expect(parseSqlName(toSqlName(...parts))).toEqual(parts);
        expect(parseNamePattern(toSqlName(...parts))?.matches(...parts)).toBe(true);
      }),
    );
  });

  it('fold to lower case unless they are quoted', () => {
    expect(parseSqlName('Public.Customer')).toEqual(['public', 'customer']);
    expect(parseSqlName('"Mixed Case".table')).toEqual(['Mixed Case', 'table']);
    expect(parseSqlName('"a""b"')).toEqual(['a"b']);
  });

  it('are refused when they are no names', () => {
    for (const text of ['', '.', 'a.', '.a', 'a b', '"a', 'a"b"', '1a', 'a.*', '""']) expect(parseSqlName(text)).toBeUndefined();
  });

  it('match patterns in which a star stands for anything', () => {
    const wild = parseNamePattern('*.created_at');
    expect(wild?.wild).toBe(true);
    expect(wild?.matches('public', 'customer', 'created_at')).toBe(true);
    expect(wild?.matches('public', 'customer', 'recreated_at')).toBe(false);
    expect(parseNamePattern('"Mixed Case".*')?.matches('Mixed Case', 't')).toBe(true);
    expect(parseNamePattern('"customer".*')?.matches('customer', 't')).toBe(true);
    expect(parseNamePattern('"*".t')?.matches('x', 't')).toBe(false);
    expect(parseNamePattern('public.a*b*c')?.matches('public', 'aXbYbZc')).toBe(true);
    expect(parseNamePattern('public.*x')?.matches('public', 'Mixed x')).toBe(true);
    expect(parseNamePattern('public.ab*ba')?.matches('public', 'aba')).toBe(false);
  });
});

describe('the nearest valid word', () => {
  it('is found when a letter is missing, doubled, wrong or swapped, and not when the words have nothing to do with each other', () => {
    const words = ['target', 'source', 'purpose', 'owner'];
    for (const wrong of ['targt', 'targget', 'tarjet', 'tagret']) expect(findNearest(wrong, words)).toBe('target');
    expect(findNearest('zebra', words)).toBeUndefined();
  });
});
