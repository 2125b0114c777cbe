import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const german = fc.stringMatching(/^DE[0-9]{20}$/);
const british = fc.stringMatching(/^GB[0-9]{2}[A-Z]{4}[0-9]{14}$/);

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: german },
    { type: 'varchar(42)', value: british.map((iban) => iban.replace(/(.{4})(?=.)/g, '$1 ')) },
    { type: 'text', value: fc.stringMatching(/^NO[0-9]{13}$/) },
    { type: 'text', params: { space: 'format' }, value: fc.oneof(german, british) },
  ],
  refused: [
    { type: 'text', value: 'DE00' },
    { type: 'text', value: '1234567890123456789' },
  ],
  misfits: [{ type: 'char(10)' }],
};
