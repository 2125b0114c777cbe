import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

import { isoDay, isoTimeUtc } from './dates.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'int4', value: fc.integer().map(String) },
    { type: 'int2', params: { width: 7 }, value: fc.integer({ min: -32768, max: 32767 }).map(String) },
    { type: 'int8', params: { width: 1_000_000 }, value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) },
    { type: 'numeric(12,2)', params: { width: 100 }, value: fc.integer().map((cents) => (cents / 100).toFixed(2)) },
    { type: 'float8', value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => String(Object.is(x, -0) ? 0 : x)) },
    { type: 'date', params: { unit: 'decade' }, value: isoDay },
    { type: 'timestamptz', params: { unit: 'month' }, value: isoTimeUtc },
  ],
  misfits: [{ type: 'money' }],
};
