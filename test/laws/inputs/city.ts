import type { LawInputs } from './law-inputs.js';
import { narrow, personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: personalText },
    { type: 'varchar(17)', value: narrow(17) },
    { type: 'citext', params: { country: 'DE' }, value: personalText },
    { type: 'varchar(14)', params: { country: 'SE' }, value: narrow(14) },
  ],
  misfits: [{ type: 'varchar(10)' }],
};
