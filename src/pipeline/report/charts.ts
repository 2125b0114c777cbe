// Charts of what copies hold and how old they are. Pure: counts out of what was collected.
import { isTagged } from './activities.js';
import type { Collected } from './collect.js';
import type { Chart, Text } from './document.js';
import { text } from './front.js';

/** As many as a chart can name. */
const NAMED = 29;
const DAY_MS = 86_400_000;
/** A year; over a longer time only days that have something. */
const AXIS_DAYS = 366;

/** The days of an axis, from the first of the period or of the log: one on which nothing was stands there, since a gap is what is looked for. `found`: days that have something. */
export function toAxis(
  { period, asOf, oldest }: Pick<Collected, 'period' | 'asOf' | 'oldest'>,
  found: readonly string[],
): readonly string[] {
  const from = oldest !== null && oldest > period.from ? oldest : period.from;
  const [firstMs, lastMs] = [from, asOf].map((at) => Date.parse(at.slice(0, 10))) as [number, number];
  const days = (lastMs - firstMs) / DAY_MS + 1;
  if (found.length === 0 || !(days > 0 && days <= AXIS_DAYS)) return found;
  const all = Array.from({ length: days }, (_, i) => new Date(firstMs + i * DAY_MS).toISOString().slice(0, 10));
  return [...found.filter((one) => !all.includes(one)), ...all];
}

/** Columns and paths that hold something of a person, in the last published plan of each pipeline and environment. */
export function toCoverageChart({ activities }: Pick<Collected, 'activities'>): Chart | null {
  const counts = new Map<string, { masked: number; kept: number }>();
  for (const { tag, transform } of activities.flatMap(({ plan }) => plan?.columns.filter(isTagged) ?? [])) {
    const count = counts.get(tag) ?? { masked: 0, kept: 0 };
    counts.set(tag, count);
    count[transform === 'keep' ? 'kept' : 'masked'] += 1;
  }
  if (counts.size === 0) return null;
  // What is kept is looked for first: it is never among the others that are not named.
  const order = [...counts].sort(
    ([one, a], [other, b]) => b.kept - a.kept || b.masked - a.masked || (one < other ? -1 : one > other ? 1 : 0),
  );
  const rest = order.slice(NAMED);
  const shown = [
    ...order.slice(0, NAMED),
    ...(rest.length === 0
      ? []
      : [
          [
            `${rest.length} other tags`,
            rest.reduce((sum, [, { masked, kept }]) => ({ masked: sum.masked + masked, kept: sum.kept + kept }), { masked: 0, kept: 0 }),
          ] as const,
        ]),
  ];
  return {
    ...{ kind: 'chart', shape: 'stacked', title: 'Columns that hold something of a person, by tag: masked, or kept as they are' },
    ...{ unit: 'columns of the last published plans', labels: shown.map(([tag]) => tag) },
    series: [
      { name: 'masked', values: shown.map(([, { masked }]) => masked) },
      { name: 'kept by an exception with a reason', values: shown.map(([, { kept }]) => kept) },
    ],
  };
}

/** Days from the publication of what is current to the last instant that was read. */
export function toAges({ current, asOf }: Pick<Collected, 'current' | 'asOf'>): Chart | Text | null {
  if (current.length === 0) return null;
  const toDays = (at: string): number => Math.round(((Date.parse(asOf) - Date.parse(at)) / DAY_MS) * 10) / 10;
  const ages = current.map(
    ({ environment, target, version, publishedAt }) =>
      [`${environment ?? 'unknown'}: ${target ?? 'unknown'}, version ${version ?? 'unknown'}`, toDays(publishedAt)] as const,
  );
  const oldest = ages.sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1)).slice(0, NAMED);
  if (oldest.every(([, days]) => days === 0))
    return text(`Age of each environment’s data: every current version was published less than 72 minutes before ${asOf}.`);
  const of = oldest.length < ages.length ? `; the ${oldest.length} oldest of ${ages.length}` : '';
  return {
    ...{ kind: 'chart', shape: 'bars', title: `Age of each environment’s data: days since its current version was published${of}` },
    ...{ unit: 'days', labels: oldest.map(([name]) => name), series: [{ name: 'days', values: oldest.map(([, days]) => days) }] },
  };
}
