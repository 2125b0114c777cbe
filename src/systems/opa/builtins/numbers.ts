// numbers.range_step.
import { Num } from '../value.js';
import { PolicyFailure } from '../policy-failure.js';
import type { Family } from './builtin.js';
import { bigintOf, unfit } from './operand.js';

/** More than any policy means; beyond it the thread would only run out of memory. */
const maxItems = 1_000_000n;

export const numberBuiltins: Family = {
  'numbers.range_step': ([from, to, by]) => {
    const [first, last, step] = [bigintOf(from), bigintOf(to), bigintOf(by)];
    if (step <= 0n) return unfit();
    const [distance, signed] = first <= last ? [last - first, step] : [first - last, -step];
    const count = distance / step + 1n;
    if (count > maxItems) throw new PolicyFailure('too-large');
    return Array.from({ length: Number(count) }, (_, at) => new Num(first + BigInt(at) * signed));
  },
};
