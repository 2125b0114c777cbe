import type { LawInputs } from './law-inputs.js';
import { narrow, personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: personalText },
    { type: 'varchar(27)', value: narrow(27) },
    { type: 'varchar(20)', value: narrow(20) },
    { type: 'char(9)', value: narrow(9) },
    { type: 'text', params: { locale: 'sv' }, value: personalText },
    { type: 'varchar(10)', params: { locale: 'ja' }, value: narrow(10) },
  ],
  misfits: [{ type: 'varchar(3)' }],
};
