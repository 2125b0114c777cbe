import type { LawInputs } from './law-inputs.js';
import { narrow, personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: personalText },
    { type: 'varchar(50)', value: narrow(50) },
    { type: 'varchar(20)', params: { country: 'SE' }, value: narrow(20) },
    { type: 'text', params: { withNumber: false }, value: personalText },
    { type: 'char(30)', params: { country: 'US' }, value: narrow(30) },
  ],
  misfits: [{ type: 'varchar(6)' }],
};
