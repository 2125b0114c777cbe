import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

import { narrow, personalText } from './words.js';

const prose = fc
  .array(fc.oneof(fc.stringMatching(/^[A-Za-z]{1,9}[.,!]?$/), fc.nat(9999).map(String), personalText), { minLength: 1, maxLength: 12 })
  .map((words) => words.join(' '));

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: prose },
    { type: 'varchar(9)', value: narrow(9) },
    { type: 'text', value: fc.stringMatching(/^[a-z]{3,6}\t[\d]{3}\n\\[A-Z]{2,9}$/) },
    { type: 'citext', value: prose },
  ],
};
