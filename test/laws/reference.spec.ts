// The loops of the hot path say what their slow twins say.
import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { transforms } from '../../src/pipeline/mask/registry.js';
import { applyTransform, toDataType, toDraws } from '../support/apply-transform.js';
import { isoDay } from './inputs/dates.js';
import { references } from './transforms.reference.js';

const key = createHash('sha256').update('the key of the reference').digest('hex');
const prf = createHmac('sha256', Buffer.from(key, 'hex')).update('prf').digest();
const ascii = fc.stringMatching(/^([A-Za-z]{1,8}|\d{1,5}|[ .,@+-]|\n){0,12}$/);

describe('the hot path', () => {
  it.each(Object.keys(references))('of %s agrees with its slow twin', (name) => {
    const transform = transforms.find((each) => each.name === name);
    if (!transform) throw new Error(`no transform ${name}`);
    const dated = name.startsWith('date-');
    const values = fc.array(fc.tuple(dated ? isoDay : ascii, fc.string()), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(values, (rows) => {
        const inputs = rows.map(([value]) => value);
        const seeds = rows.map(([, seed]) => seed);
        const draws = toDraws(prf, seeds);
        const expected = inputs.map((value, i) => references[name]?.(value, draws.slice(16 * i, 16 * i + 16)));
        expect(applyTransform(transform, inputs, { key, type: toDataType(dated ? 'date' : 'text'), seeds })).toEqual(expected);
      }),
      { numRuns: 5 },
    );
  });
});
