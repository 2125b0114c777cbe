import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const int = (min: number, max: number): fc.Arbitrary<string> => fc.integer({ min, max }).map(String);

export const inputs: LawInputs = {
  cases: [
    { type: 'int4', value: int(-(2 ** 31) + 1, 2 ** 31 - 1) },
    { type: 'int2', params: { ratio: 0.5 }, value: int(-(2 ** 15) + 1, 2 ** 15 - 1) },
    { type: 'int8', value: fc.bigInt(-(2n ** 63n) + 1n, 2n ** 63n - 1n).map(String) },
    { type: 'numeric(10,2)', value: int(-9_999_999_999, 9_999_999_999).map((cents) => (Number(cents) / 100).toFixed(2)) },
    { type: 'numeric(4,3)', value: int(0, 9999).map((n) => (Number(n) / 1000).toFixed(3)) },
    { type: 'numeric', value: fc.bigInt(-(10n ** 40n), 10n ** 40n).map((n) => `${n}.25`) },
    { type: 'float8', value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => String(n)) },
    { type: 'float4', value: int(1, 100_000).map((n) => String(Number(n) / 8)) },
  ],
  misfits: [{ type: 'money' }],
};
