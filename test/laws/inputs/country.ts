import type { LawInputs } from './law-inputs.js';
import { narrow, personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: personalText },
    { type: 'char(2)', value: narrow(2) },
    { type: 'varchar(14)', value: narrow(14) },
    { type: 'varchar(20)', params: { form: 'code' }, value: narrow(20) },
  ],
  misfits: [{ type: 'varchar(6)' }],
};
