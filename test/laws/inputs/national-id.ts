import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const ssn = fc.stringMatching(/^[1-5][0-9]{2}-[0-9]{2}-[0-9]{4}$/);

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: ssn },
    { type: 'char(9)', params: { area: '666' }, value: fc.stringMatching(/^[0-9]{9}$/) },
    { type: 'varchar(11)', params: { space: 'format' }, value: ssn },
    { type: 'text', params: { space: 'format' }, value: fc.stringMatching(/^[A-Z]{2}[0-9]{6}[A-D]$/) },
    { type: 'text', value: fc.stringMatching(/^[A-Z]{2}[0-9]{6}[A-D]$/) },
  ],
};
