import fc from 'fast-check';
import { toLuhnDigit } from '../../../src/pipeline/check-digits.js';
import type { LawInputs } from './law-inputs.js';

const luhn = (digits: string): string => digits + String(toLuhnDigit([...digits].map(Number), digits.length));
const card = fc.stringMatching(/^[3-6][0-9]{14}$/).map(luhn);
const any = fc.stringMatching(/^[3-6][0-9]{10,17}$/).map(luhn);
const grouped = (text: string): string => text.replace(/(.{4})(?=.)/g, '$1 ');

export const inputs: LawInputs = {
  cases: [
    { type: 'text', params: { form: 'card' }, value: card },
    { type: 'varchar(23)', params: { form: 'card' }, value: any.map(grouped) },
    { type: 'text', params: { form: 'card', testPrefix: '999' }, value: card },
    { type: 'char(30)', params: { form: 'card', testPrefix: '411111' }, value: any.map(grouped) },
    { type: 'text', params: { form: 'digits' }, value: fc.stringMatching(/^[0-9]{6,30}$/) },
    { type: 'citext', params: { form: 'lower-alphanumeric' }, value: fc.stringMatching(/^[a-z0-9]{4,20}$/) },
    {
      type: 'text',
      params: { form: 'upper-alphanumeric', prefix: 'CUST/', suffix: '.x', separators: '-' },
      value: fc.stringMatching(/^CUST\/[A-Z0-9]{4}-[A-Z0-9]{3,8}\.x$/),
    },
    { type: 'char(20)', params: { form: 'alphanumeric' }, value: fc.stringMatching(/^[A-Za-z0-9]{4,16}$/) },
    { type: 'text', params: { form: 'letters' }, value: fc.stringMatching(/^[A-Za-z]{4,18}$/) },
    { type: 'text', params: { form: 'lower' }, value: fc.stringMatching(/^[a-z]{5,22}$/) },
    { type: 'text', params: { form: 'upper' }, value: fc.stringMatching(/^[A-Z]{5,22}$/) },
  ],
  refused: [
    { type: 'text', params: { form: 'digits' }, value: '' },
    { type: 'text', params: { form: 'digits' }, value: '12345' },
    { type: 'text', params: { form: 'digits' }, value: '12345x' },
    { type: 'text', params: { form: 'digits' }, value: '1'.repeat(31) },
    { type: 'text', params: { form: 'digits' }, value: '12345\u0663' },
    { type: 'text', params: { form: 'lower' }, value: 'abcd' },
    { type: 'text', params: { form: 'alphanumeric' }, value: 'abC' },
    { type: 'text', params: { form: 'digits', prefix: 'A-' }, value: '123456' },
    { type: 'text', params: { form: 'digits', suffix: '!' }, value: '123456' },
    { type: 'text', params: { form: 'digits', prefix: '12345678', suffix: '5678' }, value: '12345678' },
    { type: 'text', params: { form: 'card' }, value: '4111111111111112' },
    { type: 'text', params: { form: 'card' }, value: '42' },
  ],
  misfits: [
    { type: 'varchar(5)', params: { form: 'digits' } },
    { type: 'varchar(11)', params: { form: 'card' } },
    { type: 'varchar(14)', params: { form: 'card', testPrefix: '999' } },
    { type: 'citext', params: { form: 'letters' } },
    { type: 'name', params: { form: 'digits' } },
    { type: 'text', params: { form: 'digits', testPrefix: '999' } },
    { type: 'text', params: { form: 'card', prefix: '9' } },
  ],
};
