// Which columns of a plan still tell something of a person.
import type { ColumnPlan, Reveal } from './plan.js';

/**
 * Of personal columns those whose values are still about the person: kept, generalised, truncated, shifted or noised. A pseudonym in the form of its original
 * says nothing beyond its form, a text that was redacted is a text, and what stands in documents is not one value.
 */
export function isTelling({ tag, rule }: ColumnPlan): boolean {
  return (
    tag !== 'none' &&
    rule.paths === undefined &&
    rule.transform !== 'redact' &&
    (['value', 'order'].some((one) => rule.reveals.includes(one as Reveal)) ||
      (rule.reveals.includes('band') && !rule.reveals.includes('equality')))
  );
}
