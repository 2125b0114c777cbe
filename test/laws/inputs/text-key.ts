import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: fc.stringMatching(/^[A-Z]{2,4}-[0-9]{3,9}$/) },
    { type: 'citext', value: fc.stringMatching(/^[A-Za-z]{3,9}[0-9]{2,6}$/) },
    { type: 'char(12)', value: fc.stringMatching(/^[a-z0-9]{6,12}$/) },
    { type: 'varchar(60)', value: fc.stringMatching(/^[a-f0-9]{30,60}$/) },
    { type: 'text', value: fc.stringMatching(/^[žščéüßабвгдЖЗИ張偉가나مש0-9 ]{6,20}[0-9]{4}$/) },
  ],
  refused: [{ type: 'citext', value: 'Āb' }],
};
