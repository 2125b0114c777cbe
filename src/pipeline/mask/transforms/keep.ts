// The transform of a column that goes through. The engine copies kept columns as they are; this runs where a path inside a value is kept.
import { defineTransform } from '../transform.js';

export const keep = defineTransform({
  name: 'keep',
  summary: 'The value itself. A tagged column takes a reason and an expiry.',
  accepts: ['any'],
  params: {},
  scopes: ['value'],
  keyed: false,
  uniqueness: 'preserved',
  reveals: ['equality', 'frequency', 'order', 'length', 'prefix', 'band', 'format', 'value'],
  space: () => 0n,
  reversible: false,
  output: 'kept',
  laws: () => [{ law: 'unchanged' }],
  plain: false,
  prepare: () => (column, _context, out) => {
    for (let row = 0; row < column.rows; row++) {
      const end = column.ends[row] as number;
      if (end === -1) out.null(row);
      else out.copy(row, column.bytes, column.starts[row] as number, end);
    }
  },
});
