import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

export const inputs: LawInputs = {
  cases: [
    { type: 'uuid', value: fc.uuid() },
    { type: 'uuid', params: { version: 'keep' }, value: fc.uuid({ version: [1, 7] }) },
    {
      type: 'text',
      value: fc.oneof(
        fc.uuid().map((id) => id.toUpperCase()),
        fc.uuid().map((id) => id.replaceAll('-', '')),
        fc.uuid().map((id) => `{${id}}`),
      ),
    },
    { type: 'char(40)', value: fc.uuid() },
  ],
  refused: [
    { type: 'text', value: 'not a uuid' },
    { type: 'text', value: '0193b7d2-7b6c-7f3a-9d1e-2f3a4b5c6d7' },
  ],
  misfits: [{ type: 'varchar(30)' }],
};
