// What chance alone would give: tails of the Poisson and the binomial distribution, exact, no approximation by the normal one.

/** A finding is what chance gives less often than once in a million. */
export const unlikely = 1e-6;

/** P(X ≥ count) for X Poisson with this mean. Not smaller than the tail of any sum of independent chances of that mean, for count > mean + 1. */
export function poissonTail(count: number, mean: number): number {
  if (count <= 0) return 1;
  if (mean <= 0) return 0;
  if (count > mean) {
    // From the first term upwards; the terms fall faster than geometrically.
    let term = Math.exp(count * Math.log(mean) - mean - logFactorial(count));
    let sum = term;
    for (let k = count + 1; term > sum * 1e-17 && k < count + 100_000; k++) sum += term *= mean / k;
    return Math.min(1, sum);
  }
  let term = Math.exp((count - 1) * Math.log(mean) - mean - logFactorial(count - 1));
  let sum = term;
  for (let k = count - 1; k > 0 && term > sum * 1e-17; k--) sum += term *= k / mean;
  return Math.max(0, 1 - sum);
}

/** P(X ≥ count) for X binomial: `trials` with this chance each. */
export function binomialTail(count: number, trials: number, chance: number): number {
  if (count <= 0) return 1;
  if (count > trials || chance <= 0) return 0;
  const term = (k: number): number =>
    Math.exp(logFactorial(trials) - logFactorial(k) - logFactorial(trials - k) + k * Math.log(chance) + (trials - k) * Math.log1p(-chance));
  let sum = 0;
  if (count > trials * chance) {
    for (let k = count; k <= trials; k++) {
      const one = term(k);
      sum += one;
      if (one < sum * 1e-17) break;
    }
    return Math.min(1, sum);
  }
  for (let k = count - 1; k >= 0; k--) {
    const one = term(k);
    sum += one;
    if (one < sum * 1e-17) break;
  }
  return Math.max(0, 1 - sum);
}

/** Stirling's series beyond the first few; its error is below 1e-12 there. */
function logFactorial(n: number): number {
  if (n < 32) {
    let product = 1;
    for (let k = 2; k <= n; k++) product *= k;
    return Math.log(product);
  }
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5);
}
