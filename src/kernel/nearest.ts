// The nearest valid word, for messages: by edit distance (insertions, deletions, replacements, neighbours swapped).

/** The candidate nearest to the word, if one is near enough to be what was meant (a third of its letters may differ). */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = toEditDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance || (distance === bestDistance && best !== undefined && candidate < best)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * The same of names of words joined by `_`, which all begin with one word that says nothing (BAUTA_PORT): the distance is that of what comes after it. Else
 * the shortest name that ends in it (BAUTA_HTTP_PORT), where it is the only one so short.
 */
export function findNearestName(name: string, candidates: readonly string[]): string | undefined {
  const toRest = (one: string): string => one.slice(one.indexOf('_') + 1);
  const rests = new Map(candidates.map((one) => [toRest(one), one]));
  const near = findNearest(toRest(name), rests.keys());
  if (near !== undefined) return rests.get(near);
  const ending = candidates.filter((one) => one.endsWith(`_${toRest(name).toUpperCase()}`));
  const least = Math.min(...ending.map(({ length }) => length));
  const [only, ...more] = ending.filter(({ length }) => length === least);
  return more.length === 0 ? only : undefined;
}

export function toEditDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      next.push(cost);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
