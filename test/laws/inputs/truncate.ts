import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

import { isoDay, isoTime, isoTimeUtc } from './dates.js';
import { personalText } from './words.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'text', params: { length: 3 }, value: personalText },
    { type: 'varchar(40)', params: { length: 1 }, value: fc.stringMatching(/^[a-zåäö]{1,20}$/) },
    { type: 'date', value: isoDay },
    { type: 'date', params: { unit: 'quarter' }, value: isoDay },
    { type: 'timestamp', params: { unit: 'hour' }, value: isoTime },
    { type: 'timestamptz', params: { unit: 'year' }, value: isoTimeUtc },
    { type: 'timestamptz', params: { unit: 'second' }, value: isoTimeUtc },
  ],
};
