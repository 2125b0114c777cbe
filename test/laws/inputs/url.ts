import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const value = fc.webUrl({ withQueryParameters: true, withFragments: true });

export const inputs: LawInputs = {
  cases: [
    { type: 'text', value, another: (address, i) => `${address}-${i}` },
    { type: 'varchar(255)', value },
    { type: 'varchar(28)', value: fc.stringMatching(/^https:\/\/[a-z]{3,12}\.se\/$/) },
    { type: 'text', params: { domain: 'shop.test' }, value },
  ],
  misfits: [{ type: 'varchar(20)' }],
};
