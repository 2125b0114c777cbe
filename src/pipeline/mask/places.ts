// Real places, so that the parts of an address fit each other: country, region, city and the first digits of the postcode come from one
// row of words/places.txt. The draw of an address: bytes 0 to 3 the place, 4 to 7 the street, 8 to 11 the house number, 12 to 15 the rest of
// the postcode. One domain (`pii.address`) for all parts, and they agree; so no part may choose among fewer places than another.
import type { DataType } from '../catalogue.js';
import type { Law } from '../law.js';
import { toRoom } from './dressed-token.js';
import type { Params, WordTable } from './transform.js';
import { toLongest } from './word-pick.js';
import { loadWords, toWordTable } from './words.js';

export type PlaceColumn = 'code' | 'country' | 'region' | 'regionCode' | 'city' | 'postcode';

const columns: readonly PlaceColumn[] = ['code', 'country', 'region', 'regionCode', 'city', 'postcode'];

export const countryParam = {
  schema: { enum: ['any', 'CA', 'DE', 'ES', 'FR', 'GB', 'IT', 'NL', 'PL', 'SE', 'US'] },
  default: 'any',
  doc: 'Stay in one country. MUST be the same for all parts of an address.',
} as const;

export const formParam = {
  schema: { enum: ['auto', 'name', 'code'] },
  default: 'auto',
  doc: 'The name, the code, or whichever a column of this width is made for (code: up to 3 characters).',
} as const;

/** The places of the parameter `country`: one list of texts per column. */
export function toPlaces(words: (name: string) => WordTable, params: Params): Readonly<Record<PlaceColumn, readonly string[]>> {
  const { bytes, offsets, count } = words('places');
  const rows: string[][] = [];
  for (let i = 0; i < count; i++) {
    const row = new TextDecoder().decode(bytes.subarray(offsets[i], offsets[i + 1])).split('|');
    if (params['country'] === 'any' || params['country'] === row[0]) rows.push(row);
  }
  return Object.fromEntries(columns.map((name, i) => [name, rows.map((row) => row[i] as string)])) as Record<PlaceColumn, string[]>;
}

export function toTable(texts: readonly string[]): WordTable {
  return toWordTable(Buffer.from(texts.map((text) => `${text}\n`).join('')), 'places');
}

/** Whether a column of this type takes the code or the name, by the parameter `form`. */
export function isCode(type: DataType, params: Params): boolean {
  return params['form'] === 'code' || (params['form'] === 'auto' && toRoom(type) <= 3);
}

/** A sentence when not every place fits the type, or when some place has no such text. */
export function toPlaceMisfit(texts: readonly string[], type: DataType, noun: string): string | undefined {
  if (texts.some((text) => text === '')) return `not every country has a ${noun}; name one with \`country\``;
  const longest = toLongest(toTable(texts));
  return longest > toRoom(type) ? `a ${noun} takes ${longest} characters, more than ${type.display} holds; name a \`country\`` : undefined;
}

/** Every text with the chance of a place that has it; the same text may stand in the list more than once. */
export function toChances(texts: readonly string[]): readonly (readonly [string, number])[] {
  return texts.map((text) => [text, 1 / texts.length] as const);
}

/** What the parts of one address agree on. */
export function toPlaceLabel(params: Params): string {
  return `place of ${params['country'] as string}`;
}

/** One of the places' texts, and the same place as the other parts of the address. */
export function toPlaceLaws(params: Params, column: PlaceColumn): readonly Law[] {
  const texts = toPlaces(loadWords, params)[column];
  const phrases = texts.map((text) => [column === 'postcode' ? { shape: text } : { text }]);
  return [{ law: 'words', phrases, agree: toPlaceLabel(params) }];
}
