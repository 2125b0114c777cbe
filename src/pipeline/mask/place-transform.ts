// What country and region are: a text per person, or its code, of the place of the other parts of the address; see places.ts.
import type { DataType } from '../catalogue.js';
import { countryParam, formParam, isCode, toChances, toPlaceLaws, toPlaceMisfit, toPlaces, toTable } from './places.js';
import { type Params, type Transform, defineTransform, type WordTable } from './transform.js';
import { pickWords } from './word-pick.js';
import { loadWords } from './words.js';

export function definePlaceTransform(name: 'country' | 'region', codes: 'code' | 'regionCode'): Transform {
  const toColumn = (type: DataType, params: Params): typeof name | typeof codes => (isCode(type, params) ? codes : name);
  const toTexts = (params: Params, type: DataType, words: (name: string) => WordTable): readonly string[] =>
    toPlaces(words, params)[toColumn(type, params)];
  return defineTransform({
    name,
    summary: `A ${name} by name or code; fits the other parts of the same address.`,
    accepts: ['text'],
    params: { country: countryParam, form: formParam },
    scopes: ['subject', 'row', 'value'],
    uniqueness: 'not-guaranteed',
    reveals: [],
    space: (params, type) => BigInt(new Set(toTexts(params, type, loadWords)).size),
    reversible: false,
    output: 'overlapping',
    fixedPoints: (params, type) => toChances(toTexts(params, type, loadWords)),
    misfit: (type, params) => toPlaceMisfit(toTexts(params, type, loadWords), type, name),
    laws: (params, type) => toPlaceLaws(params, toColumn(type, params)),
    plain: true,
    prepare: ({ params, type, words }) => pickWords(toTable(toTexts(params, type, words)), 0),
  });
}
