// What belongs together agrees: names of one person, parts of one address, dates of one life. Across columns, so no single law sees it.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { packageFile } from '../../src/kernel/package-root.js';
import type { Params, Transform } from '../../src/pipeline/mask/transform.js';
import { city } from '../../src/pipeline/mask/transforms/city.js';
import { country } from '../../src/pipeline/mask/transforms/country.js';
import { dateShift } from '../../src/pipeline/mask/transforms/date-shift.js';
import { firstName } from '../../src/pipeline/mask/transforms/first-name.js';
import { fullName } from '../../src/pipeline/mask/transforms/full-name.js';
import { houseNumber } from '../../src/pipeline/mask/transforms/house-number.js';
import { lastName } from '../../src/pipeline/mask/transforms/last-name.js';
import { postcode } from '../../src/pipeline/mask/transforms/postcode.js';
import { region } from '../../src/pipeline/mask/transforms/region.js';
import { street } from '../../src/pipeline/mask/transforms/street.js';
import { applyTransform, toDataType } from '../support/apply-transform.js';

const key = 'c3'.repeat(32);
const people = Array.from({ length: 2000 }, (_, i) => `person ${i}`);

function of(transform: Transform, type = 'text', params: Params = {}): string[] {
  const values = people.map(() => 'x');
  return applyTransform(transform, values, { key, type: toDataType(type), params, seeds: people }) as string[];
}

describe('what belongs to one person', () => {
  it.each(['western', 'de', 'pl', 'ja'])('is one name, in whichever column it stands (%s)', (locale) => {
    const [first, last] = [of(firstName, 'text', { locale }), of(lastName, 'varchar(30)', { locale })];
    expect(of(fullName, 'varchar(60)', { locale })).toEqual(first.map((name, i) => `${name} ${last[i]}`));
  });

  it.each(['any', 'US', 'GB'])('is one address: the parts are one row of the places (%s)', (where) => {
    const params = { country: where };
    const rows = readFileSync(packageFile('src', 'pipeline', 'mask', 'words', 'places.txt'), 'utf8')
      .trim()
      .split('\n');
    const known = new Set(rows.map((row) => row.split('|')).map(([code, name, area, , town]) => [code, name, area, town].join('|')));
    const patterns = new Map<string, RegExp[]>();
    for (const row of rows) {
      const [code, , , , town, pattern = ''] = row.split('|');
      const shape = new RegExp(`^${pattern.replaceAll('#', '\\d').replaceAll('?', '[A-Z]')}$`);
      patterns.set(`${code}|${town}`, [...(patterns.get(`${code}|${town}`) ?? []), shape]);
    }
    const [codes, names, areas] = [of(country, 'char(2)', params), of(country, 'text', params), of(region, 'text', params)];
    const [towns, postcodes] = [of(city, 'varchar(40)', params), of(postcode, 'varchar(10)', params)];
    codes.forEach((code, i) => {
      expect(known).toContain([code, names[i], areas[i], towns[i]].join('|'));
      expect(patterns.get(`${code}|${towns[i]}`)?.some((shape) => shape.test(postcodes[i] as string))).toBe(true);
    });
  });

  it('is one street and number, written as the country does', () => {
    const whole = of(street, 'text', { country: 'any' });
    const [names, numbers, codes] = [of(street, 'text', { withNumber: false }), of(houseNumber), of(country, 'char(2)')];
    whole.forEach((text, i) => {
      const before = ['US', 'GB', 'CA', 'FR'].includes(codes[i] as string);
      expect(text).toBe(before ? `${numbers[i]} ${names[i]}` : `${names[i]} ${numbers[i]}`);
    });
  });

  it('keeps the distances between dates of one person, and moves each person by its own', () => {
    const days = ['2020-02-28', '2020-03-01', '2021-01-01'].map((day) =>
      applyTransform(
        dateShift,
        people.map(() => day),
        { key, type: toDataType('date'), seeds: people },
      ).map((text) => Date.parse(text as string) / 86_400_000),
    );
    const [a, b, c] = days as [number[], number[], number[]];
    a.forEach((day, i) => expect([b[i]! - day, c[i]! - day]).toEqual([2, 308]));
    const moves = a.map((day) => day - Date.parse('2020-02-28') / 86_400_000);
    expect(moves).not.toContain(0);
    expect([Math.min(...moves), Math.max(...moves)]).toEqual([-182, 182]);
  });
});
