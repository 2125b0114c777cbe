// Bars that stand, bars on bars, and lines: labels run along the foot.
import { type DrawingMark, round, toFitting, toRoughWidth } from './drawing.js';
import type { Plotted } from './plotted.js';
import { toShownNumber } from './shown-text.js';

const TOP = 24;
const HEIGHT = 190;

interface Frame {
  readonly left: number;
  readonly width: number;
  readonly step: number;
  readonly toY: (value: number) => number;
}

export function drawColumns(plotted: Plotted, width: number): { marks: DrawingMark[]; height: number } {
  const { scale, size, chart, labels } = plotted;
  const left = Math.ceil(Math.max(...scale.ticks.map((tick) => toRoughWidth(toShownNumber(tick), size)))) + 8;
  const toY = (value: number): number => round(TOP + HEIGHT * (1 - (value - scale.low) / (scale.high - scale.low)));
  const frame = { left, width: width - left - 4, step: (width - left - 4) / labels.length, toY };
  const body = chart.shape === 'lines' ? drawLines(plotted, frame) : drawBars(plotted, frame);
  return { marks: [...drawGrid(plotted, frame), ...body, ...drawFoot(plotted, frame)], height: TOP + HEIGHT + 20 };
}

function drawGrid({ scale, size }: Plotted, { left, width, toY }: Frame): DrawingMark[] {
  return scale.ticks.flatMap((tick): DrawingMark[] => [
    { kind: 'path', points: [[left, toY(tick)], [round(left + width), toY(tick)]], ink: tick === 0 ? 'axis' : 'grid', width: tick === 0 ? 1 : 0.6, dash: 0 }, // prettier-ignore
    { kind: 'text', x: left - 6, y: round(toY(tick) + 3.6), text: toShownNumber(tick), size, anchor: 'end', ink: 'muted' },
  ]);
}

/** As many labels as fit, evenly. The first is always there. */
function drawFoot({ labels, size }: Plotted, { left, step, width }: Frame): DrawingMark[] {
  const widest = Math.max(...labels.map((label) => toRoughWidth(label, size)));
  const every = Math.max(1, Math.ceil((Math.min(widest, 130) + 10) / step));
  return labels.flatMap((label, i): DrawingMark[] => {
    if (i % every !== 0) return [];
    const text = toFitting(label, size, Math.max(step * every - 4, 24));
    const half = toRoughWidth(text, size) / 2;
    const x = Math.min(Math.max(left + step * (i + 0.5), half), left + width - half + 4);
    return [{ kind: 'text', x: round(x), y: TOP + HEIGHT + 16, text, size, anchor: 'middle', ink: 'muted' }];
  });
}

function drawBars({ chart, series, labels, size, scale }: Plotted, { left, step, toY }: Frame): DrawingMark[] {
  const marks: DrawingMark[] = [];
  const room = Math.min(step * 0.76, 26 * (chart.shape === 'stacked' ? 1 : series.length));
  const one = chart.shape === 'stacked' ? room : room / series.length;
  labels.forEach((_, i) => {
    let x = left + step * i + (step - room) / 2;
    let base = 0;
    for (const { values, ink } of series) {
      const value = values[i] ?? null;
      if (value === null && chart.shape !== 'stacked')
        marks.push({ kind: 'rect', x: round(x), y: TOP, width: round(one), height: HEIGHT, ink: 'gap' });
      if (value !== null && value !== 0) marks.push(toBar(x, one, base, base + value, ink, toY));
      if (value !== null && series.length === 1 && step > toRoughWidth(toShownNumber(value), size) + 4)
        marks.push({
          kind: 'text',
          x: round(x + one / 2),
          y: round(toY(Math.max(0, value)) - 4),
          text: toShownNumber(value),
          size,
          anchor: 'middle',
          ink: 'text',
        });
      if (chart.shape === 'stacked') base += Math.max(0, value ?? 0);
      else x += one;
    }
    // What is known of a stack stands there; above it, that something is not.
    if (chart.shape === 'stacked' && series.some(({ values }) => values[i] === null))
      marks.push({
        kind: 'rect',
        x: round(x),
        y: TOP,
        width: round(room),
        height: round(toY(Math.min(base, scale.high)) - TOP),
        ink: 'gap',
      });
  });
  return marks;
}

function toBar(x: number, width: number, from: number, to: number, ink: DrawingMark['ink'], toY: Frame['toY']): DrawingMark {
  const [top, bottom] = [toY(Math.max(from, to)), toY(Math.min(from, to))];
  // A hair between neighbours; a bar that is there is seen, however small.
  const height = Math.max(bottom - top - (from > 0 ? 0.8 : 0), 1);
  return {
    kind: 'rect',
    x: round(x + 0.4),
    y: round(bottom - (from > 0 ? 0.8 : 0) - height),
    width: round(Math.max(width - 0.8, 0.6)),
    height: round(height),
    ink,
  };
}

function drawLines({ series, labels }: Plotted, { left, step, toY }: Frame): DrawingMark[] {
  const toX = (i: number): number => round(left + step * (i + 0.5));
  const gaps = labels.flatMap((_, i): DrawingMark[] =>
    series.every(({ values }) => values[i] === null)
      ? [{ kind: 'rect', x: round(left + step * i), y: TOP, width: round(step), height: HEIGHT, ink: 'gap' }]
      : [],
  );
  const lines = series.flatMap(({ values, ink }, index): DrawingMark[] =>
    toStretches(values).flatMap((stretch): DrawingMark[] => {
      const points = stretch.map((i) => [toX(i), toY(values[i] ?? 0)] as const);
      const dots = points.map(([x, y]): DrawingMark => ({ kind: 'dot', x, y, radius: stretch.length === 1 ? 3 : 2.2, ink }));
      const line: DrawingMark[] = points.length > 1 ? [{ kind: 'path', points, ink, width: 1.8, dash: index % 4 }] : [];
      return [...line, ...(labels.length <= 32 || points.length === 1 ? dots : [])];
    }),
  );
  return [...gaps, ...lines];
}

/** Runs of known values, as their indexes. */
function toStretches(values: readonly (number | null)[]): readonly (readonly number[])[] {
  const stretches: number[][] = [];
  values.forEach((value, i) => {
    if (value === null) return;
    if (i > 0 && values[i - 1] !== null) stretches.at(-1)?.push(i);
    else stretches.push([i]);
  });
  return stretches;
}
