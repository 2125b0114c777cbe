// object.subset: objects by their members, down; sets by their items; arrays as a stretch; a set within an array.
import { equal, RegoObject, RegoSet, type Value } from '../value.js';
import type { Family } from './builtin.js';
import { isArray, unfit } from './operand.js';

function isSubset(whole: Value, part: Value): boolean | undefined {
  if (whole instanceof RegoObject && part instanceof RegoObject) {
    return part.entries().every(([key, item]) => {
      const other = whole.get(key);
      return other !== undefined && (equal(other, item) || isSubset(other, item) === true);
    });
  }
  if (whole instanceof RegoSet && part instanceof RegoSet) return part.sorted().every((item) => whole.has(item));
  if (isArray(whole) && isArray(part)) return isStretch(whole, part);
  return undefined;
}

function isStretch(whole: readonly Value[], part: readonly Value[]): boolean {
  for (let from = 0; from + part.length <= whole.length; from++) {
    if (part.every((item, at) => equal(whole[from + at] as Value, item))) return true;
  }
  return false;
}

export const objectBuiltins: Family = {
  'object.subset': ([whole = null, part = null]) => {
    if (isArray(whole) && part instanceof RegoSet) {
      const items = new RegoSet(whole);
      return part.sorted().every((item) => items.has(item));
    }
    return isSubset(whole, part) ?? unfit();
  },
};
