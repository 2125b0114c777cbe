import type { LawInputs } from './law-inputs.js';
import { narrow, personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: personalText },
    { type: 'varchar(60)', value: narrow(60) },
    { type: 'varchar(25)', value: narrow(25) },
    { type: 'char(8)', value: narrow(8) },
  ],
  misfits: [{ type: 'varchar(1)' }],
};
