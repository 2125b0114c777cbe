import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const name = fc.stringMatching(/^[A-Z][a-z]{3,8}$/);
const note = fc.tuple(fc.lorem({ maxCount: 4 }), fc.emailAddress(), fc.stringMatching(/^\+46 [0-9]{2} [0-9]{7}$/));

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value: note.map(([words, mail, phone]) => `${words}; mail ${mail} or call ${phone}`) },
    {
      type: 'text',
      value: fc.tuple(name, note).map(([first, [words, mail]]) => `${first} said: ${words} (${mail})`),
      companions: (value) => [{ tag: 'pii.first-name', original: value.split(' ')[0] ?? null, masked: 'Mira' }],
    },
  ],
  misfits: [{ type: 'varchar(200)' }],
};
