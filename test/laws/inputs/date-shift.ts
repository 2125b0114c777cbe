import type { LawInputs } from './law-inputs.js';

import { isoDay, isoTime, isoTimeUtc } from './dates.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'date', value: isoDay },
    { type: 'date', params: { days: 7 }, value: isoDay },
    { type: 'timestamp', value: isoTime },
    { type: 'timestamptz', params: { days: 3650 }, value: isoTimeUtc },
    { type: 'varchar(10)', value: isoDay },
  ],
  refused: [
    { type: 'text', value: '2021-02-29' },
    { type: 'text', value: 'yesterday' },
    { type: 'timestamp', value: '294250-01-01 00:00:00' },
  ],
  misfits: [{ type: 'char(9)' }],
};
