// hot path: one small number per row, the one that `street` writes for the same address where both columns have room for it.
import { toRoom } from '../dressed-token.js';
import { toHighest, writeHouseNumber } from '../house-number.js';
import { defineTransform } from '../transform.js';

export const houseNumber = defineTransform({
  name: 'house-number',
  summary: 'A number from 1 to 199.',
  accepts: ['text', 'integer'],
  params: {},
  scopes: ['subject', 'row', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: [],
  space: (_params, type) => BigInt(toHighest(toRoom(type))),
  reversible: false,
  output: 'overlapping',
  fixedPoints: (_params, type) => {
    const highest = toHighest(toRoom(type));
    return Array.from({ length: highest }, (_, i) => [String(i + 1), 1 / highest] as const);
  },
  laws: (_params, type) => {
    const most = toHighest(toRoom(type));
    return [{ law: 'words', phrases: [[{ most, is: `house number to ${most}` }]] }];
  },
  plain: true,
  prepare: ({ type }) => {
    const highest = toHighest(toRoom(type));
    return (column, context, out) => {
      const draw = context.draw();
      for (let row = 0; row < column.rows; row++) {
        if (column.ends[row] === -1) {
          out.null(row);
          continue;
        }
        out.reserve(3);
        out.end(row, writeHouseNumber(out.bytes, out.length, draw, row, highest));
      }
    };
  },
});
