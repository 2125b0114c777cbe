import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const value = fc.string({ minLength: 1, maxLength: 40, unit: 'binary' });

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value },
    { type: 'varchar(16)', params: { length: 16 }, value: fc.stringMatching(/^[a-z0-9]{5,16}$/) },
    { type: 'text', params: { encoding: 'base32', length: 25 }, value },
  ],
  misfits: [{ type: 'varchar(20)' }, { type: 'text', params: { encoding: 'base32', length: 32 } }],
};
