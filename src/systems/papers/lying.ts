// Bars that lie: names on the left, as long as they are, and each bar's number at its end.
import { type DrawingMark, round, toFitting, toRoughWidth } from './drawing.js';
import type { Plotted } from './plotted.js';
import { toShownNumber } from './shown-text.js';

const TOP = 24;
const THICK = 13;
const AIR = 9;

export function drawLying(plotted: Plotted, width: number): { marks: DrawingMark[]; height: number } {
  const { chart, labels, series, scale, size } = plotted;
  const left = Math.min(Math.max(...labels.map((label) => toRoughWidth(label, size))), width * 0.38) + 10;
  const right = Math.max(...scale.ticks.map((tick) => toRoughWidth(toShownNumber(tick), size))) + 14;
  const toX = (value: number): number => round(left + ((value - scale.low) / (scale.high - scale.low)) * (width - left - right));
  const each = THICK * (chart.shape === 'stacked' ? 1 : series.length) + AIR;
  const bottom = round(TOP + each * labels.length);
  const grid = scale.ticks.flatMap((tick): DrawingMark[] => [
    { kind: 'path', points: [[toX(tick), TOP - 4], [toX(tick), bottom]], ink: tick === 0 ? 'axis' : 'grid', width: tick === 0 ? 1 : 0.6, dash: 0 }, // prettier-ignore
    { kind: 'text', x: toX(tick), y: bottom + 14, text: toShownNumber(tick), size, anchor: 'middle', ink: 'muted' },
  ]);
  const rows = labels.flatMap((label, i): DrawingMark[] => {
    const top = TOP + each * i + AIR / 2;
    const middle = top + (each - AIR) / 2;
    const name = toFitting(label, size, left - 10);
    return [
      { kind: 'text', x: round(left - 8), y: round(middle + 3.6), text: name, size, anchor: 'end', ink: 'text' },
      ...drawRow(plotted, i, top, toX, width - right),
    ];
  });
  return { marks: [...grid, ...rows], height: bottom + 20 };
}

function drawRow({ chart, series, size }: Plotted, i: number, top: number, toX: (value: number) => number, end: number): DrawingMark[] {
  const marks: DrawingMark[] = [];
  const stacked = chart.shape === 'stacked';
  let base = 0;
  series.forEach(({ values, ink }, index) => {
    const value = values[i] ?? null;
    const y = round(top + (stacked ? 0 : THICK * index) + 0.5);
    if (value === null) {
      if (!stacked) marks.push({ kind: 'rect', x: toX(0), y, width: round(end - toX(0)), height: THICK - 1, ink: 'gap' });
      return;
    }
    const [from, to] = [toX(Math.min(base, base + value)), toX(Math.max(base, base + value))];
    if (value !== 0)
      marks.push({
        kind: 'rect',
        x: round(from + (base > 0 ? 0.8 : 0)),
        y,
        width: round(Math.max(to - from - (base > 0 ? 0.8 : 0), 1)),
        height: THICK - 1,
        ink,
      });
    if (stacked) base += Math.max(0, value);
    else
      marks.push({
        kind: 'text',
        x: round(to + 5),
        y: round(y + THICK / 2 + 3.2),
        text: toShownNumber(value),
        size: size - 0.5,
        anchor: 'start',
        ink: 'text',
      });
  });
  if (!stacked) return marks;
  const unknown = series.some(({ values }) => values[i] === null);
  if (unknown)
    marks.push({ kind: 'rect', x: toX(base), y: round(top + 0.5), width: round(end - toX(base)), height: THICK - 1, ink: 'gap' });
  else
    marks.push({
      kind: 'text',
      x: round(toX(base) + 5),
      y: round(top + THICK / 2 + 3.7),
      text: toShownNumber(base),
      size: size - 0.5,
      anchor: 'start',
      ink: 'text',
    });
  return marks;
}
