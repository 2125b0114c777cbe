import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const value = fc.emailAddress({ size: 'medium' });

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value, another: (address, i) => address.replace('@', `.${i}@`) },
    { type: 'citext', value },
    { type: 'varchar(18)', value: fc.stringMatching(/^[a-z]{2,7}@[a-z]{2,6}\.se$/) },
    { type: 'char(40)', value: fc.stringMatching(/^[a-z]{2,9}@[a-z]{2,9}\.se$/) },
    { type: 'text', params: { domain: 'qa.test' }, value },
    { type: 'text', value: fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }) },
  ],
  misfits: [{ type: 'varchar(12)' }, { type: 'char(5)' }],
};
