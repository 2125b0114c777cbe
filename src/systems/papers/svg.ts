// The pen that draws in SVG. Inks are classes, so that the page's colours, light or dark, are the chart's.
import type { Drawing, DrawingMark } from './drawing.js';
import { escapeMarkup } from './shown-text.js';

/** `id` MUST be of our own making: letters, digits and hyphens. */
export function toSvg(drawing: Drawing, title: string, id: string): string {
  const { width, height, marks, description } = drawing;
  return (
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">` +
    `<title id="${id}-t">${escapeMarkup(title)}</title><desc id="${id}-d">${escapeMarkup(description)}</desc>` +
    `${marks.map(draw).join('')}</svg>`
  );
}

const DASHES = ['', '7 3', '2 3', '9 3 2 3'];

function draw(mark: DrawingMark): string {
  switch (mark.kind) {
    case 'rect':
      return `<rect class="fill-${mark.ink}" x="${mark.x}" y="${mark.y}" width="${mark.width}" height="${mark.height}"/>`;
    case 'dot':
      return `<circle class="fill-${mark.ink}" cx="${mark.x}" cy="${mark.y}" r="${mark.radius}"/>`;
    case 'path': {
      const points = mark.points.map((point) => point.join(',')).join(' ');
      const dash = DASHES[mark.dash] ? ` stroke-dasharray="${DASHES[mark.dash]}"` : '';
      return `<polyline class="line-${mark.ink}" points="${points}" fill="none" stroke-width="${mark.width}"${dash}/>`;
    }
    case 'text':
      return `<text class="fill-${mark.ink}" x="${mark.x}" y="${mark.y}" font-size="${mark.size}" text-anchor="${mark.anchor}">${escapeMarkup(mark.text)}</text>`;
  }
}
