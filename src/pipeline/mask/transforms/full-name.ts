// hot path: two words per row. The words are those of first-name and last-name for the same person; see word-pick.ts.
import type { DataType } from '../../catalogue.js';
import { toRoom } from '../dressed-token.js';
import { toIndex } from '../draw.js';
import { defineTransform, type Params, type WordTable } from '../transform.js';
import { localeParam, toFitting, toLongest, toNamePart, toTableName, writeWord } from '../word-pick.js';
import { loadWords } from '../words.js';

/** Both tables, cut to what fits together: the family names first, then both. */
function toTables(params: Params, type: DataType, words: (name: string) => WordTable): readonly [WordTable, WordTable] {
  const first = words(toTableName('first-names', params));
  const last = words(toTableName('last-names', params));
  const room = toRoom(type) - 1;
  const forLast = room - toLongest(first);
  if (forLast >= 6) return [first, toFitting(last, forLast)];
  const half = Math.floor(room / 2);
  return [toFitting(first, half), toFitting(last, room - half)];
}

export const fullName = defineTransform({
  name: 'full-name',
  summary: 'Given and family name with a space between; the same person has the same ones everywhere.',
  accepts: ['text'],
  params: { locale: localeParam },
  scopes: ['subject', 'row', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: [],
  space: (params, type) => toTables(params, type, loadWords).reduce((space, { count }) => space * BigInt(count), 1n),
  reversible: false,
  output: 'overlapping',
  fixedPoints: (params, type) => 1 / Number(fullName.space(params, type)),
  misfit: (type, params) =>
    toTables(params, type, loadWords).some(({ count }) => count < 2) ? `no full names fit ${type.display}` : undefined,
  laws: (params, type) => {
    const [first, last] = toTables(params, type, loadWords);
    return [{ law: 'words', phrases: [[toNamePart('first-names', params, first), { text: ' ' }, toNamePart('last-names', params, last)]] }];
  },
  plain: true,
  prepare: ({ params, type, words }) => {
    const [first, last] = toTables(params, type, words);
    return (column, context, out) => {
      const draw = context.draw();
      for (let row = 0; row < column.rows; row++) {
        if (column.ends[row] === -1) {
          out.null(row);
          continue;
        }
        out.reserve(256);
        const { bytes } = out;
        let at = writeWord(bytes, out.length, first, toIndex(draw, row, 0, first.count));
        bytes[at++] = 0x20;
        at = writeWord(bytes, at, last, toIndex(draw, row, 4, last.count));
        out.end(row, at);
      }
    };
  },
});
