// What of a mean over few rows is certain: a rate of thirty rows is mostly luck, and luck withholds nothing.

/** That the bound is not above the truth. */
const CONFIDENCE = 0.99;

/**
 * The empirical Bernstein bound (Maurer, Pontil 2009: Empirical Bernstein Bounds and Sample Variance Penalization, theorem 4), from below: for independent
 * figures of whatever distribution between two ends that are `range` apart. No figure, or one alone, is certain of nothing.
 */
export function toLowerBound(figures: readonly number[], range: number): number {
  const { length: n } = figures;
  if (n < 2) return -range;
  const mean = figures.reduce((sum, one) => sum + one, 0) / n;
  const variance = figures.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1);
  const doubt = Math.log(2 / (1 - CONFIDENCE));
  return mean - Math.sqrt((2 * variance * doubt) / n) - (7 * range * doubt) / (3 * (n - 1));
}
