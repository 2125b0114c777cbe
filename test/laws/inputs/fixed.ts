import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';
import { personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', params: { value: 'a\tb\\N' }, value: personalText },
    { type: 'int4', params: { value: '0' }, value: fc.integer().map(String) },
    { type: 'date', params: { value: '1970-01-01' }, value: fc.constantFrom('1980-05-17', '2001-02-03', '0044-03-15 BC') },
  ],
};
