// A given name out of a table. Agrees with full-name on the same person; see word-pick.ts.
import { toRoom } from '../dressed-token.js';
import { defineTransform } from '../transform.js';
import { localeParam, pickWords, toFitting, toNameLaws, toTableName, toWordChances } from '../word-pick.js';
import { loadWords } from '../words.js';

export const firstName = defineTransform({
  name: 'first-name',
  summary: 'A given name; the same person has the same one everywhere.',
  accepts: ['text'],
  params: { locale: localeParam },
  scopes: ['subject', 'row', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: [],
  space: (params, type) => BigInt(toFitting(loadWords(toTableName('first-names', params)), toRoom(type)).count),
  reversible: false,
  output: 'overlapping',
  fixedPoints: (params, type) => toWordChances(toFitting(loadWords(toTableName('first-names', params)), toRoom(type))),
  misfit: (type, params) =>
    toFitting(loadWords(toTableName('first-names', params)), toRoom(type)).count < 2 ? `no given names fit ${type.display}` : undefined,
  laws: (params, type) => toNameLaws('first-names', params, toFitting(loadWords(toTableName('first-names', params)), toRoom(type))),
  plain: true,
  prepare: ({ params, type, words }) => pickWords(toFitting(words(toTableName('first-names', params)), toRoom(type)), 0),
});
