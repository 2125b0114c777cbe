import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';
import { personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: personalText },
    { type: 'int4', value: fc.integer().map(String) },
    { type: 'jsonb', value: fc.json() },
  ],
};
