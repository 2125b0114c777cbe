import type { LawInputs } from './law-inputs.js';
import { narrow, personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: personalText },
    { type: 'varchar(40)', value: narrow(40) },
    { type: 'varchar(4)', value: narrow(4) },
    { type: 'char(6)', value: narrow(6) },
    { type: 'citext', value: personalText },
    { type: 'text', params: { locale: 'de' }, value: personalText },
    { type: 'varchar(20)', params: { locale: 'ja' }, value: narrow(20) },
    { type: 'text', params: { locale: 'pl' }, value: personalText },
  ],
  misfits: [{ type: 'varchar(1)' }, { type: 'char(1)' }],
};
