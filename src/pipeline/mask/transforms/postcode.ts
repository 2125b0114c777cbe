// hot path: the pattern of the place, its free characters filled from bytes 12 to 15 of the draw; see places.ts.
import { toIndex, toWord } from '../draw.js';
import { countryParam, toPlaceMisfit, toPlaceLaws, toPlaces, toTable } from '../places.js';
import { defineTransform } from '../transform.js';
import { loadWords } from '../words.js';

const digit = 0x23;
const letter = 0x3f;

/** The likeliest postcode: patterns of equal form may give the same one. */
function toPatternChance(patterns: readonly string[]): number {
  const forms = new Map<string, number>();
  for (const pattern of patterns) {
    const chance = 10 ** -(pattern.split('#').length - 1) * 26 ** -(pattern.split('?').length - 1);
    const start = pattern.search(/[#?]/);
    const key = pattern.slice(0, Math.min(2, start < 0 ? 2 : start));
    forms.set(key, (forms.get(key) ?? 0) + chance / patterns.length);
  }
  return Math.max(...forms.values());
}

export const postcode = defineTransform({
  name: 'postcode',
  summary: 'A postcode in the form of its country; its first digits fit the city of the same address.',
  accepts: ['text'],
  params: { country: countryParam },
  scopes: ['subject', 'row', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: [],
  space: (params) => {
    const patterns = new Set(toPlaces(loadWords, params).postcode);
    return [...patterns].reduce(
      (sum, text) => sum + 10n ** BigInt(text.split('#').length - 1) * 26n ** BigInt(text.split('?').length - 1),
      0n,
    );
  },
  reversible: false,
  output: 'overlapping',
  fixedPoints: (params) => toPatternChance(toPlaces(loadWords, params).postcode),
  misfit: (type, params) => toPlaceMisfit(toPlaces(loadWords, params).postcode, type, 'postcode'),
  laws: (params) => toPlaceLaws(params, 'postcode'),
  plain: true,
  prepare: ({ params, words }) => {
    const patterns = toTable(toPlaces(words, params).postcode);
    return (column, context, out) => {
      const draw = context.draw();
      for (let row = 0; row < column.rows; row++) {
        if (column.ends[row] === -1) {
          out.null(row);
          continue;
        }
        const place = toIndex(draw, row, 0, patterns.count);
        let left = toWord(draw, row, 12);
        out.reserve(32);
        const { bytes } = out;
        let at = out.length;
        const end = patterns.offsets[place + 1] as number;
        for (let i = patterns.offsets[place] as number; i < end; i++) {
          const byte = patterns.bytes[i] as number;
          const base = byte === digit ? 10 : byte === letter ? 26 : 1;
          bytes[at++] = base === 1 ? byte : (base === 10 ? 0x30 : 0x41) + (left % base);
          left = Math.floor(left / base);
        }
        out.end(row, at);
      }
    };
  },
});
