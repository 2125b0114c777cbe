// No value at all.
import { defineTransform } from '../transform.js';

export const nullTransform = defineTransform({
  name: 'null',
  summary: 'NULL for every value.',
  accepts: ['any'],
  params: {},
  scopes: ['value'],
  keyed: false,
  uniqueness: 'lossy',
  reveals: [],
  space: () => 1n,
  reversible: false,
  output: 'disjoint',
  pattern: () => '',
  fixedPoints: () => 0,
  // No value is in the output space, so that any value that stands in the output is a finding.
  produces: () => false,
  laws: () => [{ law: 'null' }],
  plain: true,
  prepare: () => (column, _context, out) => {
    for (let row = 0; row < column.rows; row++) out.null(row);
  },
});
