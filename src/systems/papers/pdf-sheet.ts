// Sheets of A4 that are written from the top: a pen, a place, fonts, and what every sheet repeats. Everything drawn is either tagged or an artifact,
// so that the file can be read aloud.
import { createRequire } from 'node:module';

import PDFDocument from 'pdfkit';

import { type Colour, palettes } from './palette.js';
import { FontMeasure } from './pdf-text.js';

export type Face = 'plain' | 'bold' | 'mono';
export type Element = PDFKit.PDFStructureElement;

const require = createRequire(import.meta.url);
const FACES: Readonly<Record<Face, string>> = {
  plain: 'DejaVuSansCondensed.ttf',
  bold: 'DejaVuSansCondensed-Bold.ttf',
  mono: 'DejaVuSansMono.ttf',
};
export const LEFT = 46;
export const WIDTH = 595.28 - 2 * LEFT;
const TOP = 64;
const BOTTOM = 841.89 - 58;
export const LEADING = 1.38;

export interface Printed {
  readonly title: string;
  readonly report: string;
  /** Of the content: the file's date and id come from the document. */
  readonly at: Date;
  readonly digest: string;
}

export class Sheet {
  readonly doc: PDFKit.PDFDocument;
  readonly root: Element;
  readonly measure: Readonly<Record<Face, FontMeasure>>;
  y = TOP;
  pages = 1;

  constructor({ title, report, at, digest }: Printed) {
    const info = {
      Title: title,
      Author: 'Bauta',
      Subject: report,
      Keywords: digest,
      Creator: 'Bauta',
      Producer: 'PDFKit',
      CreationDate: at,
      ModDate: at,
    };
    const margins = { top: 0, bottom: 0, left: 0, right: 0 };
    this.doc = new PDFDocument({ size: 'A4', margins, bufferPages: true, autoFirstPage: false, pdfVersion: '1.7', tagged: true, lang: 'en', displayTitle: true, info }); // prettier-ignore
    for (const [face, file] of Object.entries(FACES)) this.doc.registerFont(face, require.resolve(`dejavu-fonts-ttf/ttf/${file}`));
    this.doc.addPage();
    const toMeasure = (face: Face): FontMeasure => new FontMeasure(this.doc, face);
    this.measure = { plain: toMeasure('plain'), bold: toMeasure('bold'), mono: toMeasure('mono') };
    this.root = this.doc.struct('Document');
    this.doc.addStructure(this.root);
  }

  get left(): number {
    return BOTTOM - this.y;
  }

  get isFresh(): boolean {
    return this.y === TOP;
  }

  readonly whole = BOTTOM - TOP;

  turn(): void {
    this.doc.addPage();
    this.pages += 1;
    this.y = TOP;
  }

  /** Turns the sheet where less than this is left of it; says so. */
  reserve(height: number): boolean {
    if (this.left >= Math.min(height, this.whole) || this.isFresh) return false;
    this.turn();
    return true;
  }

  /** One element with text or marks of its own, drawn at once, on this sheet. */
  tag(parent: Element, type: string, draw: () => void, options: { alt?: string; scope?: 'Column' | 'Row' } = {}): void {
    parent.add(this.doc.struct(type, options, [draw]));
  }

  group(parent: Element, type: string): Element {
    const element = this.doc.struct(type);
    parent.add(element);
    return element;
  }

  artifact(draw: () => void, type: 'Layout' | 'Pagination' = 'Layout'): void {
    this.doc.markContent('Artifact', { type });
    draw();
    this.doc.endMarkedContent();
  }

  /** One line, without breaking it; `y` is the top of the line. */
  line(text: string, x: number, y: number, face: Face, size: number, colour: Colour): void {
    this.doc.font(face, size).fillColor(palettes.light[colour]);
    this.doc.text(this.measure[face].toDrawn(text), x, y + (size * (LEADING - 1.17)) / 2, { lineBreak: false });
  }

  rule(y: number, colour: Colour, width: number, from = LEFT, to = LEFT + WIDTH): void {
    this.artifact(() => void this.doc.moveTo(from, y).lineTo(to, y).lineWidth(width).strokeColor(palettes.light[colour]).stroke());
  }

  fill(x: number, y: number, width: number, height: number, colour: Colour): void {
    this.artifact(() => void this.doc.rect(x, y, width, height).fill(palettes.light[colour]));
  }

  /** Running heads and feet of all sheets, now that it is known how many there are. */
  finish(head: readonly [string, string], foot: string): void {
    for (let page = 0; page < this.pages; page++) {
      this.doc.switchToPage(page);
      const number = `Page ${page + 1} of ${this.pages}`;
      this.artifact(() => {
        if (page > 0) {
          const right = this.measure.plain.toWidth(head[1], 7.5);
          this.line(this.measure.plain.toFitting(head[0], 7.5, WIDTH - right - 24), LEFT, 34, 'plain', 7.5, 'muted');
          this.line(head[1], LEFT + WIDTH - right, 34, 'plain', 7.5, 'muted');
        }
        const width = this.measure.plain.toWidth(number, 7.5);
        this.line(this.measure.plain.toFitting(foot, 7.5, WIDTH - width - 24), LEFT, 803, 'plain', 7.5, 'muted');
        this.line(number, LEFT + WIDTH - width, 803, 'plain', 7.5, 'muted');
      }, 'Pagination');
      if (page > 0) this.rule(47, 'line', 0.6);
    }
  }

  async toBytes(): Promise<Uint8Array> {
    const pieces: Buffer[] = [];
    this.root.end();
    this.doc.end();
    for await (const piece of this.doc) pieces.push(piece as Buffer);
    return Buffer.concat(pieces);
  }
}
