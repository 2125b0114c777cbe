// What a chart comes to before anybody draws it: marks on a plane, in points, with inks by name. Two pens draw it: SVG and PDF.

/** `series-1` … `series-6`; `alert` for what should not be; `rest` for what nobody can tell. */
export type Ink = 'text' | 'muted' | 'axis' | 'grid' | 'gap' | 'alert' | 'rest' | `series-${1 | 2 | 3 | 4 | 5 | 6}`;

export type DrawingMark =
  | { readonly kind: 'rect'; readonly x: number; readonly y: number; readonly width: number; readonly height: number; readonly ink: Ink }
  | {
      readonly kind: 'path';
      readonly points: readonly (readonly [number, number])[];
      readonly ink: Ink;
      readonly width: number;
      readonly dash: number;
    }
  | { readonly kind: 'dot'; readonly x: number; readonly y: number; readonly radius: number; readonly ink: Ink }
  | {
      readonly kind: 'text';
      readonly x: number;
      /** Of the base line. */
      readonly y: number;
      readonly text: string;
      readonly size: number;
      readonly anchor: 'start' | 'middle' | 'end';
      readonly ink: Ink;
    };

/** As wide as the text of an A4 page is at that size of type; both pens scale it. */
export const CHART_WIDTH = 680;

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly marks: readonly DrawingMark[];
  /** What the chart shows, in words. */
  readonly description: string;
}

/** About as wide as DejaVu Sans sets it, which is wider than most: what fits by this fits in a browser's own font, too. */
export function toRoughWidth(text: string, size: number): number {
  let ems = 0;
  for (const character of text) {
    if (/[ .,:;'|!iljtfrI()[\]-]/.test(character)) ems += 0.4;
    else if (/[mwMW@%—…]/.test(character)) ems += 0.98;
    else if (/[A-Z]/.test(character)) ems += 0.72;
    else ems += character.codePointAt(0)! > 0x2e80 ? 1 : 0.635;
  }
  return ems * size;
}

/** Cut with an ellipsis where it is wider. */
export function toFitting(text: string, size: number, width: number): string {
  if (toRoughWidth(text, size) <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && toRoughWidth(`${characters.join('')}…`, size) > width) characters.pop();
  return `${characters.join('')}…`;
}

/** Two digits behind the point are enough for both pens, and the same on every machine. */
export const round = (value: number): number => Math.round(value * 100) / 100;
