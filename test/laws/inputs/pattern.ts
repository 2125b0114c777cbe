import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: fc.stringMatching(/^[A-Z]{1,3}-[A-Z]{2} [0-9]{2,4}$/) },
    { type: 'char(30)', value: fc.stringMatching(/^[a-zéüа-я]{4,10} [0-9]{3}$/) },
    {
      type: 'text',
      value: fc
        .tuple(fc.stringMatching(/^[0-9]{4}$/), fc.string({ unit: 'binary', maxLength: 60 }))
        .map((parts) => parts.join('').toWellFormed().replaceAll('\0', '')),
    },
  ],
};
