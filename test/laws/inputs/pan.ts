import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const sixteen = fc.stringMatching(/^[3-6][0-9]{15}$/);

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: sixteen },
    { type: 'varchar(19)', value: sixteen.map((pan) => pan.replace(/(.{4})(?=.)/g, '$1 ')) },
    { type: 'text', params: { space: 'format' }, value: fc.stringMatching(/^[0-9]{12,19}$/) },
    { type: 'char(19)', params: { space: 'format' }, value: sixteen.map((pan) => pan.replace(/(.{4})(?=.)/g, '$1-')) },
  ],
  refused: [
    { type: 'text', value: '4111 1111' },
    { type: 'text', value: '4111x11111111111' },
    { type: 'text', value: '41111111111111111111' },
  ],
  misfits: [{ type: 'varchar(10)' }],
};
