// How wide text is in a font of a PDF, and where its lines end. Words break at spaces; what is longer than a line breaks after a sign, or anywhere.
import { toShown } from './shown-text.js';

const UNIT = 1000;
/** Where words that are too long may break: behind these, and behind spaces. */
export const SOFT = /(?<=[ /:_.,@-])/;

export class FontMeasure {
  private readonly words = new Map<string, number>();
  private readonly signs = new Map<number, boolean>();

  constructor(
    private readonly doc: PDFKit.PDFDocument,
    private readonly face: string,
  ) {}

  /** Characters that the font has no picture of are named: an empty box says nothing. */
  toDrawn(text: string): string {
    let drawn = '';
    for (const character of toShown(text).replaceAll('\t', ' ')) {
      const code = character.codePointAt(0) ?? 0;
      drawn += this.has(code) ? character : `[U+${code.toString(16).toUpperCase()}]`;
    }
    return drawn;
  }

  private has(code: number): boolean {
    let has = this.signs.get(code);
    if (has === undefined) {
      this.doc.font(this.face);
      const { _font } = this.doc as unknown as { _font: { font: { hasGlyphForCodePoint(code: number): boolean } } };
      has = _font.font.hasGlyphForCodePoint(code);
      this.signs.set(code, has);
    }
    return has;
  }

  toWidth(text: string, size: number): number {
    let width = 0;
    // As pdfkit draws them: each word with the space behind it.
    for (const word of this.toDrawn(text).split(/(?<= )/)) width += this.measureWord(word);
    return (width * size) / UNIT;
  }

  private measureWord(word: string): number {
    const known = this.words.get(word);
    if (known !== undefined) return known;
    const width = this.doc.font(this.face, UNIT).widthOfString(word);
    if (this.words.size < 50_000) this.words.set(word, width);
    return width;
  }

  toFitting(text: string, size: number, width: number): string {
    if (this.toWidth(text, size) <= width) return text;
    const characters = [...this.toDrawn(text)];
    while (characters.length > 0 && this.toWidth(`${characters.join('')}…`, size) > width) characters.pop();
    return `${characters.join('')}…`;
  }

  /** Lines that are each at most as wide as that. Empty text is one empty line. */
  toLines(text: string, size: number, width: number): readonly string[] {
    return this.toDrawn(text)
      .split('\n')
      .flatMap((paragraph) => this.fillLines(paragraph, size, width));
  }

  private fillLines(paragraph: string, size: number, width: number): readonly string[] {
    const lines: string[] = [];
    let line = '';
    for (const word of paragraph.split(/(?<= )/)) {
      if (this.toWidth((line + word).trimEnd(), size) <= width) {
        line += word;
        continue;
      }
      if (line !== '') lines.push(line.trimEnd());
      line = '';
      const parts = this.toWidth(word.trimEnd(), size) <= width ? [word] : this.breakWord(word, size, width);
      lines.push(...parts.slice(0, -1));
      line = parts.at(-1) ?? '';
    }
    return [...lines, line.trimEnd()];
  }

  private breakWord(word: string, size: number, width: number): readonly string[] {
    const parts: string[] = [];
    let part = '';
    for (const piece of word.split(SOFT).flatMap((one) => (this.toWidth(one, size) <= width ? [one] : [...one]))) {
      if (part !== '' && this.toWidth(part + piece, size) > width) {
        parts.push(part);
        part = '';
      }
      part += piece;
    }
    return [...parts, part];
  }
}
