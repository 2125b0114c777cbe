import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const int = (min: number, max: number): fc.Arbitrary<string> => fc.integer({ min, max }).map(String);

export const inputs: LawInputs = {
  cases: [
    { type: 'int4', value: fc.oneof(int(-(2 ** 31), 2 ** 31 - 1), int(1, 99_999)) },
    { type: 'int2', value: int(-(2 ** 15), 2 ** 15 - 1) },
    { type: 'int8', value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String) },
    { type: 'int8', params: { narrowest: 'int4' }, value: int(1, 2 ** 31 - 1) },
    { type: 'oid', value: int(0, 2 ** 32 - 1) },
    {
      type: 'numeric',
      value: fc.oneof(
        int(100, 9_999_999),
        int(100, 9_999_999).map((whole) => `${whole}.00`),
      ),
    },
    { type: 'numeric(30,0)', value: fc.bigInt(-(10n ** 30n) + 1n, 10n ** 30n - 1n).map(String) },
    { type: 'varchar(12)', value: fc.stringMatching(/^-?[0-9]{3,11}$/) },
    { type: 'char(9)', value: fc.stringMatching(/^[0-9]{4,9}$/) },
  ],
  refused: [
    { type: 'text', value: '12a' },
    { type: 'text', value: '' },
    { type: 'text', value: '-' },
    { type: 'numeric', value: '1.5' },
    { type: 'int8', params: { narrowest: 'int4' }, value: '2147483648' },
    { type: 'int8', params: { narrowest: 'int2' }, value: '100000' },
  ],
  misfits: [{ type: 'float8' }, { type: 'numeric(10,2)' }, { type: 'money' }],
};
