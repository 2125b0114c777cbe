// The same text for every value that is not NULL.
import { defineTransform, toLiteral } from '../transform.js';
import { toTypeFamily } from '../type-family.js';

export const fixed = defineTransform({
  name: 'fixed',
  summary: 'One fixed text for every value; NULL stays NULL.',
  accepts: ['any'],
  params: { value: { schema: { type: 'string' }, doc: 'The text, as the column type reads it.' } },
  scopes: ['value'],
  keyed: false,
  uniqueness: 'lossy',
  reveals: [],
  space: () => 1n,
  reversible: false,
  output: 'disjoint',
  pattern: (params) => toLiteral(params['value'] as string),
  fixedPoints: (params) => [[params['value'] as string, 1]],
  produces: (value, params) => Buffer.compare(value, Buffer.from(params['value'] as string)) === 0,
  laws: (params, type) => (toTypeFamily(type) === 'text' ? [{ law: 'text', text: params['value'] as string }] : []),
  plain: false,
  prepare: ({ params }) => {
    const text = Buffer.from(params['value'] as string);
    return (column, _context, out) => {
      for (let row = 0; row < column.rows; row++) {
        if (column.ends[row] === -1) out.null(row);
        else out.copy(row, text, 0, text.length);
      }
    };
  },
});
