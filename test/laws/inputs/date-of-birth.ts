import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

import { edgeDay, isoDay, isoTime, isoTimeUtc } from './dates.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'date', value: isoDay },
    { type: 'date', value: fc.oneof({ weight: 3, arbitrary: isoDay }, edgeDay) },
    { type: 'timestamp', value: isoTime },
    { type: 'timestamptz', value: isoTimeUtc },
    { type: 'text', value: isoDay },
    { type: 'varchar(10)', value: isoDay },
    { type: 'char(12)', value: isoDay.map((text) => `${text}  `) },
  ],
  refused: [
    { type: 'text', value: '1980-02-30' },
    { type: 'text', value: '1900-02-29' },
    { type: 'text', value: '1980-13-01' },
    { type: 'text', value: '1980-00-10' },
    { type: 'text', value: '' },
    { type: 'text', value: '17.5.1980' },
    { type: 'text', value: 'anna@corp.se' },
    { type: 'text', value: '1980-05-17 10:00' },
    { type: 'text', value: 'infinity' },
    { type: 'date', value: '10000-01-01' },
  ],
  misfits: [{ type: 'varchar(8)' }],
};
