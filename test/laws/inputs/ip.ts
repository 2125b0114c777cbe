import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const four = fc.ipV4();
const six = fc.ipV6().filter((address) => !address.includes('.'));

export const inputs: LawInputs = {
  cases: [
    { type: 'inet', value: four },
    {
      type: 'inet',
      value: fc.oneof(
        four,
        fc.tuple(four, fc.nat(32)).map(([address, bits]) => `${address}/${bits}`),
      ),
    },
    { type: 'text', params: { space: 'documentation' }, value: four },
    { type: 'varchar(15)', params: { space: 'private10' }, value: four },
    { type: 'inet', value: six },
  ],
  refused: [
    { type: 'text', value: 'host.example' },
    { type: 'text', value: '10.0.0.1/40' },
    { type: 'text', value: '10.0.0.256' },
    { type: 'varchar(15)', value: '::1' },
  ],
  misfits: [{ type: 'char(8)' }],
};
