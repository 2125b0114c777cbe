// hot path: up to three words per row: two family names and a legal form. A narrow column gets one name, then no form.
import type { DataType } from '../../catalogue.js';
import { toRoom } from '../dressed-token.js';
import { toIndex } from '../draw.js';
import { defineTransform, type WordTable } from '../transform.js';
import { toFitting, toLongest, toWordList, writeWord } from '../word-pick.js';
import { loadWords } from '../words.js';

interface Parts {
  readonly names: WordTable;
  readonly suffixes: WordTable;
  /** How many family names, and whether a legal form follows. */
  readonly count: 1 | 2;
  readonly suffixed: boolean;
}

function toParts(type: DataType, words: (name: string) => WordTable): Parts {
  const names = words('last-names');
  const suffixes = words('company-suffixes');
  const one = toLongest(names);
  const suffix = 1 + toLongest(suffixes);
  const room = toRoom(type);
  if (room >= 2 * one + 3 + suffix) return { names, suffixes, count: 2, suffixed: true };
  if (room >= 8 + suffix) return { names: toFitting(names, room - suffix), suffixes, count: 1, suffixed: true };
  return { names: toFitting(names, room), suffixes, count: 1, suffixed: false };
}

export const company = defineTransform({
  name: 'company',
  summary: 'Two family names and a legal form, such as Larsen & Moreau SA.',
  accepts: ['text'],
  params: {},
  scopes: ['subject', 'row', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: [],
  space: (_params, type) => {
    const { names, suffixes, count, suffixed } = toParts(type, loadWords);
    return BigInt(names.count) ** BigInt(count) * (suffixed ? BigInt(suffixes.count) : 1n);
  },
  reversible: false,
  output: 'overlapping',
  fixedPoints: (params, type) => 1 / Number(company.space(params, type)),
  misfit: (type) => (toParts(type, loadWords).names.count < 2 ? `no company names fit ${type.display}` : undefined),
  laws: (_params, type) => {
    const { names, suffixes, count, suffixed } = toParts(type, loadWords);
    const name = { words: toWordList(names) };
    const phrase = [
      name,
      ...(count === 2 ? [{ text: ' & ' }, name] : []),
      ...(suffixed ? [{ text: ' ' }, { words: toWordList(suffixes) }] : []),
    ];
    return [{ law: 'words', phrases: [phrase] }];
  },
  plain: true,
  prepare: ({ type, words }) => {
    const { names, suffixes, count, suffixed } = toParts(type, words);
    return (column, context, out) => {
      const draw = context.draw();
      for (let row = 0; row < column.rows; row++) {
        if (column.ends[row] === -1) {
          out.null(row);
          continue;
        }
        out.reserve(256);
        const { bytes } = out;
        let at = writeWord(bytes, out.length, names, toIndex(draw, row, 0, names.count));
        if (count === 2) {
          bytes[at++] = 0x20;
          bytes[at++] = 0x26;
          bytes[at++] = 0x20;
          at = writeWord(bytes, at, names, toIndex(draw, row, 4, names.count));
        }
        if (suffixed) {
          bytes[at++] = 0x20;
          at = writeWord(bytes, at, suffixes, toIndex(draw, row, 8, suffixes.count));
        }
        out.end(row, at);
      }
    };
  },
});
