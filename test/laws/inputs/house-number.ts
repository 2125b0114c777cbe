import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const text = fc.oneof(fc.nat(999).map(String), fc.stringMatching(/^\d{1,2}[a-f]$/));

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: text },
    { type: 'varchar(2)', value: fc.nat(99).map(String) },
    { type: 'char(1)', value: fc.nat(9).map(String) },
    { type: 'int4', value: fc.nat(99_999).map(String) },
    { type: 'int2', value: fc.nat(999).map(String) },
  ],
};
