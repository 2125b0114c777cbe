// The pen that draws a chart's marks in PDF, as vectors.
import type { Drawing, DrawingMark, Ink } from './drawing.js';
import { type Colour, palettes } from './palette.js';
import type { Sheet } from './pdf-sheet.js';

const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

function toColour(ink: Ink): Colour {
  if (ink === 'axis') return 'muted';
  if (ink === 'grid') return 'line';
  return ink.startsWith('series-') ? (`s${ink.slice(7)}` as Colour) : (ink as Colour);
}

/** At `x`, `y`, as wide as `width`. */
export function drawOn(sheet: Sheet, drawing: Drawing, x: number, y: number, width: number): void {
  const scale = width / drawing.width;
  sheet.doc.save();
  sheet.doc.translate(x, y).scale(scale);
  for (const mark of drawing.marks) draw(sheet, mark);
  sheet.doc.restore();
}

function draw(sheet: Sheet, mark: DrawingMark): void {
  const { doc } = sheet;
  const colour = palettes.light[toColour(mark.ink)];
  switch (mark.kind) {
    case 'rect':
      doc.rect(mark.x, mark.y, mark.width, mark.height).fill(colour);
      break;
    case 'dot':
      doc.circle(mark.x, mark.y, mark.radius).fill(colour);
      break;
    case 'path': {
      mark.points.forEach(([x, y], i) => (i === 0 ? doc.moveTo(x, y) : doc.lineTo(x, y)));
      doc.lineWidth(mark.width).strokeColor(colour);
      const dash = DASHES[mark.dash] ?? [];
      if (dash.length > 0) doc.dash(dash as unknown as number, {});
      doc.stroke();
      if (dash.length > 0) doc.undash();
      break;
    }
    case 'text': {
      const width = sheet.measure.plain.toWidth(mark.text, mark.size);
      const x = mark.anchor === 'start' ? mark.x : mark.anchor === 'end' ? mark.x - width : mark.x - width / 2;
      sheet.line(mark.text, x, mark.y - mark.size * 1.03, 'plain', mark.size, toColour(mark.ink));
    }
  }
}
