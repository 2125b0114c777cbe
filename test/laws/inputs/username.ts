import type { LawInputs } from './law-inputs.js';
import { narrow, personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: personalText },
    { type: 'varchar(14)', value: narrow(14) },
    { type: 'varchar(8)', value: narrow(8) },
    { type: 'citext', value: personalText },
    { type: 'name', value: personalText },
  ],
};
