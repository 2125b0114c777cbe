// A chart laid out once, for every pen. Nothing known is a shaded gap, never a zero; the numbers stand beside it as a table.
import type { Chart } from '../../pipeline/report/report.js';
import { drawColumns } from './columns.js';
import { CHART_WIDTH, type Drawing, type DrawingMark, type Ink, round, toRoughWidth } from './drawing.js';
import { drawLying } from './lying.js';
import { describe, LABEL_SIZE as SIZE, type Plotted, toPlotted } from './plotted.js';
import { toShown } from './shown-text.js';

/** MUST give the same marks for the same chart everywhere: it knows no font of the machine. */
export function layOutChart(chart: Chart): Drawing {
  const plotted = toPlotted(chart);
  const known = plotted.series.some(({ values }) => values.some((value) => value !== null));
  const plot = !known ? drawNothing() : isLying(plotted) ? drawLying(plotted, CHART_WIDTH) : drawColumns(plotted, CHART_WIDTH);
  const legend = known ? drawLegend(plotted, plot.height + 6) : { marks: [], height: 0 };
  const unit = chart.unit === '' ? [] : [toText(0, 11, toShown(chart.unit), 'muted')];
  return {
    width: CHART_WIDTH,
    height: round(plot.height + legend.height + 4),
    marks: [...unit, ...plot.marks, ...legend.marks],
    description: describe(plotted),
  };
}

const toText = (x: number, y: number, text: string, ink: Ink): DrawingMark => ({
  kind: 'text',
  x: round(x),
  y: round(y),
  text,
  size: SIZE,
  anchor: 'start',
  ink,
});

/** Bars lie where their names are too long to stand under them. */
function isLying({ chart, labels, size }: Plotted): boolean {
  if (chart.shape === 'lines' || labels.length > 30) return false;
  return labels.some((label) => toRoughWidth(label, size) > Math.max(34, 600 / labels.length - 6));
}

const drawNothing = (): { marks: DrawingMark[]; height: number } => ({
  marks: [
    { kind: 'rect', x: 0, y: 18, width: CHART_WIDTH, height: 56, ink: 'gap' },
    {
      kind: 'text',
      x: CHART_WIDTH / 2,
      y: 50,
      text: 'Nothing is known of this in the period.',
      size: SIZE,
      anchor: 'middle',
      ink: 'muted',
    },
  ],
  height: 80,
});

/** Names of the series where there are several, and what the shading says where there is some. */
function drawLegend({ chart, series }: Plotted, top: number): { marks: DrawingMark[]; height: number } {
  const gap = series.some(({ values }) => values.includes(null));
  const entries = [...(series.length > 1 ? series : []), ...(gap ? [{ name: 'nothing known', ink: 'gap' as const }] : [])];
  const marks: DrawingMark[] = [];
  let [x, y] = [0, top + 12];
  for (const [index, { name, ink }] of entries.entries()) {
    const width = 18 + toRoughWidth(name, SIZE) + 18;
    if (x > 0 && x + width > CHART_WIDTH) [x, y] = [0, y + 17];
    if (chart.shape === 'lines' && ink !== 'gap')
      marks.push({ kind: 'path', points: [[x, round(y - 3.5)], [x + 13, round(y - 3.5)]], ink, width: 2, dash: index % 4 }); // prettier-ignore
    else marks.push({ kind: 'rect', x: round(x), y: round(y - 9), width: 11, height: 11, ink });
    marks.push(toText(x + 18, y, name, 'text'));
    x += width;
  }
  return { marks, height: entries.length > 0 ? y - top + 4 : 0 };
}
