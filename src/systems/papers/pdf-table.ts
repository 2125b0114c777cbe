// Tables of a PDF: as wide as the page, cells wrapped, the head again on every sheet, a row on one sheet wherever it fits on one.
import type { Column, Table } from '../../pipeline/report/report.js';
import { findMark } from './marks.js';
import type { Colour } from './palette.js';
import { type PrintedCell, type PrintedColumn, toWidths } from './pdf-columns.js';
import { type Element, type Face, LEADING, LEFT, type Sheet, WIDTH } from './pdf-sheet.js';
import { toShownNumber } from './shown-text.js';
import { toShownTimes } from './shown-time.js';

const PAD = 3.2;
const GAP = 10;

export function toPrinted(kind: Column['kind'], value: string | number | null, zone: string): PrintedCell {
  if (value === null) return { text: '–', face: 'plain', colour: 'muted' };
  if (typeof value === 'number') return { text: toShownNumber(value), face: 'plain', colour: 'text' };
  const mark = kind === 'conclusion' || kind === 'standing' ? findMark(value) : undefined;
  if (mark) return { text: `${mark.sign} ${mark.word}`, face: mark.tone === 'bad' ? 'bold' : 'plain', colour: mark.tone };
  return { text: kind === 'time' ? toShownTimes(value, zone) : value, face: kind === 'id' ? 'mono' : 'plain', colour: 'text' };
}

export function drawTable(
  sheet: Sheet,
  parent: Element,
  { columns, rows }: Pick<Table, 'columns' | 'rows'>,
  zone: string,
  size = 7.6,
): void {
  const printed = columns.map(({ title, kind }): PrintedColumn => ({ head: title, isRight: kind === 'number', kind }));
  const cells = rows.map((row) => columns.map(({ kind }, i) => toPrinted(kind, row[i] ?? null, zone)));
  const widths = toWidths(sheet.measure, printed, cells, size, WIDTH, GAP);
  new TableDrawing(sheet, parent, printed, widths, size).draw(cells);
}

class TableDrawing {
  private readonly table: Element;
  private readonly lineHeight: number;
  private readonly heads: readonly (readonly string[])[];

  constructor(
    private readonly sheet: Sheet,
    parent: Element,
    private readonly columns: readonly PrintedColumn[],
    private readonly widths: readonly number[],
    private readonly size: number,
  ) {
    this.table = sheet.group(parent, 'Table');
    this.lineHeight = size * LEADING;
    this.heads = columns.map(({ head }, i) => sheet.measure.bold.toLines(head, size, widths[i] ?? 0));
  }

  draw(rows: readonly (readonly PrintedCell[])[]): void {
    const first = rows[0] ? this.toHeight(this.wrap(rows[0])) : 0;
    // A head without a row below it says nothing.
    this.sheet.reserve(this.toHeight(this.heads) + Math.min(first, this.sheet.whole / 3) + 4);
    this.drawHead('tagged');
    for (const row of rows) this.drawRow(row);
    if (rows.length === 0) this.drawNone();
    this.table.end();
  }

  private wrap(row: readonly PrintedCell[]): readonly (readonly string[])[] {
    return row.map(({ text, face }, i) => this.sheet.measure[face].toLines(text, this.size, this.widths[i] ?? 0));
  }

  private readonly toHeight = (cells: readonly (readonly string[])[]): number =>
    Math.max(1, ...cells.map(({ length }) => length)) * this.lineHeight + 2 * PAD;

  private drawHead(how: 'tagged' | 'again'): void {
    const height = this.toHeight(this.heads);
    const draw = (lines: readonly string[], i: number): void => {
      const top = this.sheet.y + height - PAD - lines.length * this.lineHeight;
      this.drawLines(lines, i, top, 'bold', 'text');
    };
    if (how === 'again') this.sheet.artifact(() => this.heads.forEach(draw), 'Pagination');
    else {
      const row = this.sheet.group(this.table, 'TR');
      this.heads.forEach((lines, i) => this.sheet.tag(row, 'TH', () => draw(lines, i), { scope: 'Column' }));
      row.end();
    }
    this.sheet.y += height;
    this.sheet.rule(this.sheet.y, 'text', 0.9);
  }

  private drawRow(cells: readonly PrintedCell[]): void {
    let wrapped = this.wrap(cells);
    // Nearly always one turn; a row that is taller than a sheet goes on on the next.
    for (;;) {
      const height = this.toHeight(wrapped);
      const isTaller = height > this.sheet.whole - this.toHeight(this.heads);
      if (!isTaller && height > this.sheet.left) this.turn();
      const room = Math.max(1, Math.floor((this.sheet.left - 2 * PAD) / this.lineHeight));
      const isWhole = height <= this.sheet.left;
      this.drawPart(cells, isWhole ? wrapped : wrapped.map((lines) => lines.slice(0, room)));
      if (isWhole) return;
      wrapped = wrapped.map((lines) => lines.slice(room));
      this.turn();
    }
  }

  private turn(): void {
    this.sheet.turn();
    this.drawHead('again');
  }

  private drawPart(cells: readonly PrintedCell[], wrapped: readonly (readonly string[])[]): void {
    const row = this.sheet.group(this.table, 'TR');
    const top = this.sheet.y + PAD;
    cells.forEach(({ face, colour }, i) => this.sheet.tag(row, 'TD', () => this.drawLines(wrapped[i] ?? [], i, top, face, colour)));
    row.end();
    this.sheet.y += this.toHeight(wrapped);
    this.sheet.rule(this.sheet.y, 'line', 0.5);
  }

  private drawNone(): void {
    const row = this.sheet.group(this.table, 'TR');
    this.sheet.tag(row, 'TD', () => this.sheet.line('None in this period.', LEFT, this.sheet.y + PAD, 'plain', this.size, 'muted'));
    row.end();
    this.sheet.y += this.lineHeight + 2 * PAD;
    this.sheet.rule(this.sheet.y, 'line', 0.5);
  }

  private drawLines(lines: readonly string[], column: number, top: number, face: Face, colour: Colour): void {
    const left = LEFT + this.widths.slice(0, column).reduce((sum, width) => sum + width + GAP, 0);
    const width = this.widths[column] ?? 0;
    lines.forEach((line, i) => {
      const x = this.columns[column]?.isRight ? left + width - this.sheet.measure[face].toWidth(line, this.size) : left;
      if (line !== '') this.sheet.line(line, x, top + i * this.lineHeight, face, this.size, colour);
    });
  }
}
