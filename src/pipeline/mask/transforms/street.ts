// A street of the place's country and a house number, in the order in which that country writes them; see places.ts.
import type { DataType } from '../../catalogue.js';
import { toRoom } from '../dressed-token.js';
import { toHighest } from '../house-number.js';
import { keepWords, kernel } from '../kernel/kernel.js';
import { countryParam, toPlaceLabel, toPlaces } from '../places.js';
import { defineTransform, type Params, type WordTable } from '../transform.js';
import { toFitting, toWordChances, toWordList } from '../word-pick.js';
import { loadWords } from '../words.js';
import type { Phrase } from '../../law.js';

const english = ['CA', 'GB', 'US'];
const numberFirst = ['CA', 'FR', 'GB', 'US'];
const highest = toHighest(3);

interface Streets {
  /** Per place: the streets of its country that fit, and whether the number stands before them. */
  readonly tables: readonly WordTable[];
  readonly before: readonly boolean[];
  /** The same, once per language. */
  readonly byLanguage: ReadonlyMap<string, WordTable>;
}

function toStreets(params: Params, type: DataType, words: (name: string) => WordTable): Streets {
  const { code } = toPlaces(words, params);
  const room = toRoom(type) - (params['withNumber'] === true ? 4 : 0);
  const toLanguage = (country: string): string => (english.includes(country) ? 'en' : country.toLowerCase());
  const languages = [...new Set(code.map(toLanguage))];
  const byLanguage = new Map(languages.map((language) => [language, toFitting(words(`streets-${language}`), room)]));
  const tables = code.map((country) => byLanguage.get(toLanguage(country)) as WordTable);
  return { tables, before: code.map((country) => numberFirst.includes(country)), byLanguage };
}

export const street = defineTransform({
  name: 'street',
  summary: 'A street of the right country with a house number, such as 12 Mill Road or Lindenweg 12.',
  accepts: ['text'],
  params: {
    country: countryParam,
    withNumber: { schema: { type: 'boolean' }, default: true, doc: 'False where the house number has a column of its own.' },
  },
  scopes: ['subject', 'row', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: [],
  space: (params, type) => {
    const streets = [...toStreets(params, type, loadWords).byLanguage.values()].reduce((sum, { count }) => sum + BigInt(count), 0n);
    return params['withNumber'] === true ? streets * BigInt(highest) : streets;
  },
  reversible: false,
  output: 'overlapping',
  fixedPoints: (params, type) => {
    const { tables } = toStreets(params, type, loadWords);
    if (params['withNumber'] === true) return 1 / (Math.min(...tables.map(({ count }) => count)) * highest);
    return tables.flatMap((table) => toWordChances(table).map(([text, chance]) => [text, chance / tables.length] as const));
  },
  misfit: (type, params) =>
    [...toStreets(params, type, loadWords).byLanguage.values()].some(({ count }) => count < 2)
      ? `no streets fit ${type.display}`
      : undefined,
  laws: (params, type) => {
    const { tables, before } = toStreets(params, type, loadWords);
    const number = { most: highest, is: `house number to ${highest}` };
    const known = new Map<string, Phrase>();
    const phrases = tables.map((table, i) => {
      const key = `${[...new Set(tables)].indexOf(table)} ${before[i] === true}`;
      const words = { words: toWordList(table), is: `street of ${table.count}` };
      const whole: Phrase = before[i] === true ? [number, { text: ' ' }, words] : [words, { text: ' ' }, number];
      const phrase = known.get(key) ?? (params['withNumber'] === true ? whole : [words]);
      known.set(key, phrase);
      return phrase;
    });
    return [{ law: 'words', phrases, agree: toPlaceLabel(params) }];
  },
  plain: true,
  prepare: ({ params, type, words }) => {
    const { tables, before } = toStreets(params, type, words);
    const withNumber = params['withNumber'] === true;
    const kept = tables.map(keepWords);
    const places = Int32Array.from(
      kept.flatMap(({ offsets, bytes }, i) => [(tables[i] as WordTable).count, offsets, bytes, Number(before[i] as boolean)]),
    );
    return (column, context) => {
      const memory = kernel();
      const { rows, endsAt } = memory.toMemory(column);
      const draws = memory.addressOf(context.draw());
      const placesAt = memory.putInts(places);
      return memory.write(
        rows,
        (...to) => memory.calls.writeStreets(endsAt, rows, draws, placesAt, tables.length, withNumber ? highest : 0, ...to),
        context.refuse,
      );
    };
  },
});
