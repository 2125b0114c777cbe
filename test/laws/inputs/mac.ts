import fc from 'fast-check';
import type { LawInputs } from './law-inputs.js';

const octets = (count: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: count, maxLength: count }).map((bytes) =>
    Buffer.from(bytes)
      .toString('hex')
      .replace(/(..)(?=.)/g, '$1:'),
  );

export const inputs: LawInputs = {
  cases: [
    { type: 'macaddr', value: octets(6) },
    { type: 'macaddr8', value: octets(8) },
    { type: 'text', value: octets(6).map((mac) => mac.toUpperCase().replaceAll(':', '-')) },
    { type: 'char(20)', value: octets(6) },
  ],
  refused: [
    { type: 'text', value: '00:11:22:33:44' },
    { type: 'text', value: '00:11:22:33:44:zz' },
  ],
  misfits: [{ type: 'varchar(8)' }],
};
