// A family name out of a table. Agrees with full-name on the same person; see word-pick.ts.
import { toRoom } from '../dressed-token.js';
import { defineTransform } from '../transform.js';
import { localeParam, pickWords, toFitting, toNameLaws, toTableName, toWordChances } from '../word-pick.js';
import { loadWords } from '../words.js';

export const lastName = defineTransform({
  name: 'last-name',
  summary: 'A family name; the same person has the same one everywhere.',
  accepts: ['text'],
  params: { locale: localeParam },
  scopes: ['subject', 'row', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: [],
  space: (params, type) => BigInt(toFitting(loadWords(toTableName('last-names', params)), toRoom(type)).count),
  reversible: false,
  output: 'overlapping',
  fixedPoints: (params, type) => toWordChances(toFitting(loadWords(toTableName('last-names', params)), toRoom(type))),
  misfit: (type, params) =>
    toFitting(loadWords(toTableName('last-names', params)), toRoom(type)).count < 2 ? `no family names fit ${type.display}` : undefined,
  laws: (params, type) => toNameLaws('last-names', params, toFitting(loadWords(toTableName('last-names', params)), toRoom(type))),
  plain: true,
  prepare: ({ params, type, words }) => pickWords(toFitting(words(toTableName('last-names', params)), toRoom(type)), 4),
});
