// What documents said over a period, as one field: the value, and where it changed, from when to when. Between values it is unknown.
import type { InForce } from './context.js';

/** Neighbours that say the same are one; what nothing says is a stretch of null. */
export function toStretches<Value>(
  versions: readonly InForce<Value>[],
  say: (value: Value) => string | null,
): readonly InForce<string | null>[] {
  const stretches: InForce<string | null>[] = [];
  const put = (next: InForce<string | null>): void => {
    const last = stretches.at(-1);
    if (last && last.value === next.value) stretches[stretches.length - 1] = { ...last, to: next.to };
    else stretches.push(next);
  };
  let end: string | null = null;
  for (const { from, to, value } of versions) {
    if (from !== end) put({ from: end, to: from, value: null });
    put({ from, to, value: say(value) || null });
    end = to;
  }
  if (versions.length > 0 && end !== null) put({ from: end, to: null, value: null });
  return stretches;
}

/** ` (from … to …)`; empty where it is the whole period. */
export function toWhen({ from, to }: Pick<InForce<unknown>, 'from' | 'to'>): string {
  const words = [from === null ? '' : `from ${from}`, to === null ? '' : `until ${to}`].filter(Boolean);
  return words.length === 0 ? '' : ` (${words.join(' ')})`;
}

/** Null: nothing said so at any time. */
export function toFieldValue<Value>(versions: readonly InForce<Value>[], say: (value: Value) => string | null): string | null {
  const stretches = toStretches(versions, say);
  if (stretches.every(({ value }) => value === null)) return null;
  return stretches.map((one) => `${one.value ?? 'unknown'}${toWhen(one)}`).join('; ');
}
