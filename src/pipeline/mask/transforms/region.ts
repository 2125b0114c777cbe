// One region per person. The place is that of the other parts of the address; see places.ts.
import type { DataType } from '../../catalogue.js';
import { countryParam, formParam, isCode, toChances, toPlaceMisfit, toPlaceLaws, toPlaces, toTable } from '../places.js';
import { defineTransform, type Params, type WordTable } from '../transform.js';
import { pickWords } from '../word-pick.js';
import { loadWords } from '../words.js';

function toTexts(params: Params, type: DataType, words: (name: string) => WordTable): readonly string[] {
  const places = toPlaces(words, params);
  return isCode(type, params) ? places.regionCode : places.region;
}

export const region = defineTransform({
  name: 'region',
  summary: 'A region by name or code; fits the other parts of the same address.',
  accepts: ['text'],
  params: { country: countryParam, form: formParam },
  scopes: ['subject', 'row', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: [],
  space: (params, type) => BigInt(new Set(toTexts(params, type, loadWords)).size),
  reversible: false,
  output: 'overlapping',
  fixedPoints: (params, type) => toChances(toTexts(params, type, loadWords)),
  misfit: (type, params) => toPlaceMisfit(toTexts(params, type, loadWords), type, 'region'),
  laws: (params, type) => toPlaceLaws(params, isCode(type, params) ? 'regionCode' : 'region'),
  plain: true,
  prepare: ({ params, type, words }) => pickWords(toTable(toTexts(params, type, words)), 0),
});
