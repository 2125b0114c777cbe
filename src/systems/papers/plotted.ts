// A chart's values with their inks and axis: what layouts draw from, and what they say in words.
import type { Chart } from '../../pipeline/report/report.js';
import type { Ink } from './drawing.js';
import { type Scale, toScale } from './scale.js';
import { toShown, toShownNumber } from './shown-text.js';

export const LABEL_SIZE = 10.5;
const TINY = 1e-9;

export interface Plotted {
  readonly chart: Chart;
  readonly labels: readonly string[];
  readonly series: readonly { readonly name: string; readonly ink: Ink; readonly values: readonly (number | null)[] }[];
  readonly scale: Scale;
  readonly size: number;
}

export function toPlotted(chart: Chart): Plotted {
  const labels = chart.labels.map(toShown);
  let next = 0;
  const series = chart.series.map(({ name, values }) => ({
    name: toShown(name),
    ink: inkOf(name) ?? (`series-${((next++ % 6) + 1) as 1}` as const),
    values: labels.map((_, i) => toPlace(values[i], chart.shape)),
  }));
  const sums = labels.map((_, i) => series.reduce((sum, { values }) => sum + Math.max(0, values[i] ?? 0), 0));
  const values = chart.shape === 'stacked' ? sums : series.flatMap((one) => one.values.filter((value) => value !== null));
  return { chart, labels, series, scale: toScale(values), size: LABEL_SIZE };
}

/** Null is not known. What is too small to draw is zero, and a stack has no place for less than nothing; the table says what it is. */
function toPlace(value: number | null | undefined, shape: Chart['shape']): number | null {
  if (value === null || value === undefined || !Number.isFinite(value)) return null;
  const place = Math.abs(value) < TINY ? 0 : value;
  return shape === 'stacked' ? Math.max(0, place) : place;
}

/** What should not be has one colour in every chart, and what nobody can tell another. */
function inkOf(name: string): Ink | undefined {
  if (/\b(exceptions?|failed|denied|overdue|late|missed|expired|refused)\b/i.test(name)) return 'alert';
  return /\b(unknown|no evidence|not known|other)\b/i.test(name) ? 'rest' : undefined;
}

export function describe({ chart, labels, series }: Plotted): string {
  if (labels.length === 0) return 'Nothing is known of this in the period.';
  const span = labels.length > 1 ? `${labels.length} values from ${labels[0]} to ${labels.at(-1)}` : `One value, ${labels[0]}`;
  const each = series.map(({ name, values }) => {
    const known = values.flatMap((value, i) => (value === null ? [] : [{ value, label: labels[i] ?? '' }]));
    const [low, high] = [known.reduce(least, known[0]), known.reduce(most, known[0])];
    if (!low || !high) return `${name}: nothing known`;
    const missing = values.length - known.length;
    return `${name}: lowest ${toShownNumber(low.value)} (${low.label}), highest ${toShownNumber(high.value)} (${high.label})${missing ? `, ${missing} not known` : ''}`;
  });
  return `${span}${chart.unit === '' ? '' : `, in ${toShown(chart.unit)}`}. ${each.join('. ')}.`;
}

interface Known {
  readonly value: number;
  readonly label: string;
}
const least = (a: Known | undefined, b: Known): Known => (a && a.value <= b.value ? a : b);
const most = (a: Known | undefined, b: Known): Known => (a && a.value >= b.value ? a : b);
