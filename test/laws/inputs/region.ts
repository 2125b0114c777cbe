import type { LawInputs } from './law-inputs.js';
import { narrow, personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: personalText },
    { type: 'varchar(30)', value: narrow(30) },
    { type: 'char(2)', params: { country: 'US' }, value: narrow(2) },
    { type: 'text', params: { country: 'CA', form: 'code' }, value: personalText },
  ],
  misfits: [{ type: 'char(2)' }, { type: 'varchar(10)', params: { country: 'FR' } }],
};
