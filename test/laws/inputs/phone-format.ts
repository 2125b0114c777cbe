import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const value = fc.oneof(
  fc.stringMatching(/^\+46 7\d \d{3} \d{2} \d{2}$/),
  fc.stringMatching(/^\+1-\d{3}-\d{3}-\d{4}$/),
  fc.stringMatching(/^\(\d{3}\) \d{3}-\d{4} x\d{2,4}$/),
  fc.stringMatching(/^0\d{6,10}$/),
  fc.stringMatching(/^\d{8,40}$/),
);

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value },
    { type: 'varchar(40)', value },
    { type: 'text', value: fc.oneof(value, fc.constantFrom('', '+', '00', '+4', '☎ 112', 'none')) },
  ],
};
