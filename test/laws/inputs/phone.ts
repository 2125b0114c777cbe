import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const value = fc.oneof(
  fc.stringMatching(/^\+46 7\d \d{3} \d{2} \d{2}$/),
  fc.stringMatching(/^\(\d{3}\) \d{3}-\d{4}$/),
  fc.stringMatching(/^0\d{6,10}$/),
  fc.constantFrom('', 'none', 'ext. 12', '☎ 112'),
);
const digits = fc.bigInt({ min: 1_000_000n, max: 99_999_999_999n }).map(String);

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value },
    { type: 'varchar(20)', value },
    { type: 'varchar(12)', value: digits },
    { type: 'char(10)', value: digits.map((text) => text.slice(0, 10)) },
    { type: 'int8', value: digits },
  ],
  misfits: [{ type: 'varchar(9)' }, { type: 'int4' }],
};
