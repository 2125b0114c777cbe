// A token of the value's format that who may can exchange back: FF1 (NIST SP 800-38G) over the signs of an alphabet, under a key of the hierarchy
// `token`. The only transform that Bauta offers a way back from, which is why an environment has to name the domain and its sources.
import { type TokenForm, TOKEN_ALPHABETS, TOKEN_LUHN_DISTANCE, TokenCodec, toTokenLengths } from '../permutation/token-codec.js';
import { toLuhnDigit } from '../../check-digits.js';
import { defineTransform, type Params } from '../transform.js';
import type { Law } from '../../law.js';
import type { DataType } from '../../catalogue.js';

const forms = Object.keys(TOKEN_ALPHABETS) as TokenForm['form'][];
// Nothing that COPY escapes, no letter and no digit.
const separators = '^[ !-/:-@\\[\\]-`{-~]{0,16}$';
const fixed = '^[ -\\[\\]-~]{0,32}$';

const formOf = (params: Params): TokenForm => params as unknown as TokenForm;

/** Does the value end in the check digit that tells a token? */
function isCardToken(value: Uint8Array, { separators: signs, testPrefix }: TokenForm): boolean {
  const text = Buffer.from(value).toString('latin1');
  const digits = [...text].filter((sign) => !signs.includes(sign));
  const { least, most } = toTokenLengths('card');
  const count = digits.length - testPrefix.length;
  if (!text.startsWith(testPrefix) || count < least || count > most || !digits.every((sign) => /[0-9]/.test(sign))) return false;
  const distance = (Number(digits.at(-1)) + 10 - toLuhnDigit(digits.map(Number), digits.length - 1)) % 10;
  return distance === (testPrefix === '' ? TOKEN_LUHN_DISTANCE : 0);
}

function findMisfit(type: DataType, params: Params): string | undefined {
  const { form, prefix, suffix, testPrefix } = formOf(params);
  const room = type.length ?? Infinity;
  const least = toTokenLengths(form).least + prefix.length + suffix.length + testPrefix.length;
  if (room < least)
    return `a token of form ${form} needs ${least} characters or more, so that there are 10^6 of them; ${type.display} is too short`;
  if (type.base === 'name') return 'the type name is cut at 63 bytes; a token has to come back whole';
  if (type.base === 'citext' && !['card', 'digits', 'lower', 'lower-alphanumeric'].includes(form))
    return `citext does not tell capitals apart; a token of form ${form} would not come back as it was`;
  if (form === 'card' && prefix + suffix !== '') return 'a card number has no prefix and no suffix; see testPrefix';
  return testPrefix !== '' && form !== 'card' ? 'a test prefix is of the form card' : undefined;
}

export const token = defineTransform({
  name: 'token',
  summary:
    'A token of the same format, by FF1 (NIST SP 800-38G), that who may can exchange back. The only transform that there is a way back from.',
  accepts: ['text'],
  params: {
    form: {
      schema: { enum: forms },
      default: 'digits',
      doc: 'The alphabet. `card`: digits with a check digit, which a token has wrong on purpose, or right under `testPrefix`.',
    },
    prefix: { schema: { type: 'string', pattern: fixed }, default: '', doc: 'Every value begins so, and so does its token.' },
    suffix: { schema: { type: 'string', pattern: fixed }, default: '', doc: 'Every value ends so, and so does its token.' },
    separators: { schema: { type: 'string', pattern: separators }, default: ' -', doc: 'Signs that stay where they are.' },
    testPrefix: {
      schema: { type: 'string', pattern: '^(|9[0-9]{0,5}|0[0-9]{0,5}|411111|555555|378282|601111)$' },
      default: '',
      doc: 'Of `card`: digits before those of the token, private (0…, 9…) or for tests; the token is longer by them and Luhn-valid.',
    },
  },
  scopes: ['value'],
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency', 'length', 'format'],
  space: () => 0n,
  reversible: true,
  output: 'disjoint',
  outputWith: (params) => (formOf(params).form === 'card' ? 'disjoint' : 'overlapping'),
  produces: (value, params) => formOf(params).form !== 'card' || isCardToken(value, formOf(params)),
  pattern: (params) => {
    const { separators: signs, testPrefix } = formOf(params);
    // The first is verify's word for digits that are so far from Luhn's.
    if (testPrefix === '') return `\\L${TOKEN_LUHN_DISTANCE}${signs}`;
    return `${testPrefix}[\\d${[...signs].map((sign) => `\\${sign}`).join('')}]{12,}`;
  },
  // A permutation of 10^6 texts or more; of a card number the check digit tells.
  fixedPoints: (params) => (formOf(params).form === 'card' ? 0 : 1e-6),
  laws: (params) => toLaws(formOf(params)),
  misfit: findMisfit,
  plain: true,
  prepare: ({ params, domain, encryptBlocks }) => {
    const codec = new TokenCodec(encryptBlocks, domain, formOf(params));
    return (column, { refuse }, out) => codec.run(column, out, refuse, false);
  },
  reverse: ({ params, domain, encryptBlocks }) => {
    const codec = new TokenCodec(encryptBlocks, domain, formOf(params));
    return (column, { refuse }, out) => codec.run(column, out, refuse, true);
  },
});

function toLaws({ form, testPrefix }: TokenForm): readonly Law[] {
  const sign = `[${form === 'card' ? '0-9' : toClass(form)}]`;
  if (form !== 'card') return [{ law: 'characters', become: [[sign, sign]] }];
  if (testPrefix === '')
    return [
      { law: 'check-digits', of: 'luhn', as: 'token' },
      { law: 'characters', become: [[sign, sign]] },
    ];
  return [
    { law: 'check-digits', of: 'luhn', as: 'valid' },
    { law: 'form', form: `${testPrefix}.*`, what: 'the test prefix that the document names' },
  ];
}

function toClass(form: TokenForm['form']): string {
  const alphabet = TOKEN_ALPHABETS[form];
  return [
    ['0', '0-9'],
    ['A', 'A-Z'],
    ['a', 'a-z'],
  ]
    .flatMap(([sign = '', range = '']) => (alphabet.includes(sign) ? [range] : []))
    .join('');
}
