// One city of the table per person. The place is that of the other parts of the address; see places.ts.
import { countryParam, toChances, toPlaceMisfit, toPlaceLaws, toPlaces, toTable } from '../places.js';
import { defineTransform } from '../transform.js';
import { pickWords } from '../word-pick.js';
import { loadWords } from '../words.js';

export const city = defineTransform({
  name: 'city',
  summary: 'A city; fits region, country and postcode of the same address.',
  accepts: ['text'],
  params: { country: countryParam },
  scopes: ['subject', 'row', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: [],
  space: (params) => BigInt(new Set(toPlaces(loadWords, params).city).size),
  reversible: false,
  output: 'overlapping',
  fixedPoints: (params) => toChances(toPlaces(loadWords, params).city),
  misfit: (type, params) => toPlaceMisfit(toPlaces(loadWords, params).city, type, 'city'),
  laws: (params) => toPlaceLaws(params, 'city'),
  plain: true,
  prepare: ({ params, words }) => pickWords(toTable(toPlaces(words, params).city), 0),
});
