// A letter and 65 bits in base32: what no person chose and every system takes.
import { dressedToken } from '../dressed-token.js';
import { defineTransform } from '../transform.js';

export const username = defineTransform({
  name: 'username',
  summary: 'A name of 14 random lower-case letters and digits, a letter first.',
  accepts: ['text'],
  params: {},
  scopes: ['value', 'subject', 'row'],
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency'],
  reversible: false,
  output: 'disjoint',
  pattern: () => '[a-p][a-z2-7]{0,13}',
  fixedPoints: (params, type) => 1 / Number(username.space(params, type)),
  laws: () => [{ law: 'form', form: '[a-p][a-z2-7]{0,13}', what: 'a letter and 13 letters or digits at most' }],
  plain: true,
  ...dressedToken('a user name', () => ({ before: '', after: '' })),
});
