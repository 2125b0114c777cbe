import type { LawInputs } from './law-inputs.js';
import { narrow, personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: personalText },
    { type: 'varchar(8)', value: narrow(8) },
    { type: 'char(5)', params: { country: 'US' }, value: narrow(5) },
    { type: 'varchar(10)', params: { country: 'GB' }, value: narrow(10) },
  ],
  misfits: [{ type: 'varchar(5)' }],
};
