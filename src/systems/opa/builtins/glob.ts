// glob.quote_meta; glob.match comes with the module.
import type { Family } from './builtin.js';
import { textOf } from './operand.js';

export const globBuiltins: Family = {
  'glob.quote_meta': ([text]) => textOf(text).replace(/[*?\\[\]{}]/g, '\\$&'),
};
