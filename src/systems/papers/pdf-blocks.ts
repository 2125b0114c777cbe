// Blocks of a report on sheets of a PDF.
import type { Block, Chart, Field, Notice, Table } from '../../pipeline/report/report.js';
import { layOutChart } from './chart.js';
import { findMark, noticeTitles, toRanges, toRest } from './marks.js';
import type { Colour } from './palette.js';
import { drawOn } from './pdf-pen.js';
import { type Element, type Face, LEADING, LEFT, type Sheet, WIDTH } from './pdf-sheet.js';
import { drawTable } from './pdf-table.js';
import { toShownTimes } from './shown-time.js';

interface Setting {
  readonly face: Face;
  readonly size: number;
  readonly colour: Colour;
  readonly after: number;
}

const BODY: Setting = { face: 'plain', size: 9, colour: 'text', after: 6 };
const LABEL_WIDTH = 118;
const HOW_WIDTH = 62;
/** More numbers than these stand in the annex. */
const BESIDE = 12;

export class PdfBlocks {
  readonly annexed: { readonly chart: Chart; readonly name: string }[] = [];

  constructor(
    private readonly sheet: Sheet,
    private readonly zone: string,
  ) {}

  draw(parent: Element, block: Block): void {
    switch (block.kind) {
      case 'text':
        for (const paragraph of toShownTimes(block.text, this.zone).split(/\n\s*\n/)) this.paragraph(parent, 'P', paragraph.trim(), BODY);
        break;
      case 'notice':
        this.notice(parent, block);
        break;
      case 'fields':
        for (const field of block.fields) this.field(parent, field);
        if (block.fields.length === 0) this.none(parent, 'Nothing to report here.');
        this.sheet.y += 10;
        break;
      case 'table':
        this.table(parent, block);
        break;
      case 'chart':
        this.chart(parent, block);
    }
  }

  /** What must follow a heading on its sheet: a heading alone at the foot leads nowhere. */
  toStart(block: Block | undefined): number {
    if (block?.kind === 'table' && block.rows.length > 0) return 140;
    if (block?.kind !== 'chart') return 76;
    const { height, width } = layOutChart(block);
    return (height / width) * WIDTH + 40 + (block.labels.length <= BESIDE ? block.labels.length * 14 + 24 : 16);
  }

  none(parent: Element, text: string): void {
    this.paragraph(parent, 'P', text, { ...BODY, colour: 'muted' });
  }

  /** Lines that may go on on the next sheet; each stretch on one sheet is an element of its own. */
  paragraph(parent: Element, type: string, text: string, { face, size, colour, after }: Setting): void {
    const { sheet } = this;
    const height = size * LEADING;
    let lines = sheet.measure[face].toLines(text, size, WIDTH);
    sheet.reserve(Math.min(lines.length, 3) * height);
    while (lines.length > 0) {
      const fitting = lines.slice(0, Math.max(1, Math.floor(sheet.left / height)));
      sheet.tag(parent, type, () => fitting.forEach((line, i) => sheet.line(line, LEFT, sheet.y + i * height, face, size, colour)));
      sheet.y += fitting.length * height;
      lines = lines.slice(fitting.length);
      if (lines.length > 0) sheet.turn();
    }
    sheet.y += after;
  }

  /** `below`: how much of what follows must stand on the same sheet. */
  heading(parent: Element, number: string, title: string, depth: number, anchor: string, below: number): void {
    const { sheet } = this;
    const size = depth === 1 ? 14 : depth === 2 ? 11 : 9.5;
    sheet.reserve((depth === 1 ? 60 : 34) + below);
    if (!sheet.isFresh) sheet.y += depth === 1 ? 22 : 12;
    if (depth === 1) {
      sheet.rule(sheet.y, 'text', 1.2);
      sheet.y += 9;
    }
    sheet.doc.addNamedDestination(`s-${anchor}`, 'XYZ', 0, Math.max(0, sheet.y - 20), 0);
    const indent = number === '' ? 0 : sheet.measure.plain.toWidth(`${number}  `, size) + 4;
    const lines = sheet.measure.bold.toLines(title, size, WIDTH - indent);
    sheet.tag(parent, `H${Math.min(depth + 1, 6)}`, () => {
      if (number !== '') sheet.line(number, LEFT, sheet.y, 'plain', size, 'muted');
      lines.forEach((line, i) => sheet.line(line, LEFT + indent, sheet.y + i * size * LEADING, 'bold', size, 'text'));
    });
    sheet.y += lines.length * size * LEADING + (depth === 1 ? 8 : 5);
  }

  private notice(parent: Element, { tone, text }: Notice): void {
    const { sheet } = this;
    const lines = sheet.measure.plain.toLines(toShownTimes(text, this.zone), 9, WIDTH - 30);
    const height = 9 * LEADING;
    const ground: Colour = tone === 'note' ? 'soft' : tone === 'warning' ? 'warn' : 'broken';
    const ink: Colour = tone === 'note' ? 'muted' : tone === 'warning' ? 'open' : 'bad';
    let rest = lines;
    sheet.reserve(Math.min((lines.length + 1) * height + 20, 200));
    for (let isFirst = true; isFirst || rest.length > 0; isFirst = false) {
      if (!isFirst) sheet.turn();
      const head = isFirst ? height : 0;
      const fitting = rest.slice(0, Math.max(1, Math.floor((sheet.left - head - 18) / height)));
      const box = head + fitting.length * height + 14;
      sheet.fill(LEFT, sheet.y, WIDTH, box, ground);
      sheet.fill(LEFT, sheet.y, tone === 'broken' ? 6 : 3, box, ink);
      const top = sheet.y + 7;
      sheet.tag(parent, 'P', () => {
        if (isFirst) sheet.line(noticeTitles[tone], LEFT + 14, top, 'bold', 9, tone === 'broken' ? 'bad' : 'text');
        fitting.forEach((line, i) => sheet.line(line, LEFT + 14, top + head + i * height, 'plain', 9, 'text'));
      });
      sheet.y += box;
      rest = rest.slice(fitting.length);
    }
    sheet.y += 10;
  }

  private field(parent: Element, { label, value, standing, entries = [] }: Field): void {
    const { sheet } = this;
    const size = 8.6;
    const height = size * LEADING;
    const [x, width] = [LEFT + LABEL_WIDTH + 12, WIDTH - LABEL_WIDTH - HOW_WIDTH - 24];
    const mark = findMark(standing);
    const labels = sheet.measure.plain.toLines(label, size, LABEL_WIDTH);
    const values = sheet.measure.plain.toLines(value === null ? 'unknown' : toShownTimes(value, this.zone), size, width);
    const log = entries.length > 0 ? sheet.measure.plain.toLines(`log ${toRanges(entries)}`, 7.2, width) : [];
    const last = sheet.measure.plain.toWidth(values.at(-1) ?? '', size) + 8;
    const isInline = log.length === 1 && last + sheet.measure.plain.toWidth(log[0] ?? '', 7.2) <= width;
    const lines = [...values.map((text) => ({ text, isLog: false })), ...(isInline ? [] : log.map((text) => ({ text, isLog: true })))];
    let rest = lines;
    for (let isFirst = true; isFirst || rest.length > 0; isFirst = false) {
      if (!isFirst) sheet.turn();
      sheet.reserve(Math.min(Math.max(labels.length, rest.length), 12) * height + 7);
      const fitting = rest.slice(0, Math.max(1, Math.floor((sheet.left - 7) / height)));
      const top = sheet.y + 3.5;
      if (isFirst)
        sheet.tag(parent, 'P', () => labels.forEach((text, i) => sheet.line(text, LEFT, top + i * height, 'plain', size, 'muted')));
      sheet.tag(parent, 'P', () => {
        fitting.forEach(({ text, isLog }, i) =>
          sheet.line(text, x, top + i * height, 'plain', isLog ? 7.2 : size, isLog || value === null ? 'muted' : 'text'),
        );
        const end = top + (fitting.length - 1) * height;
        if (isInline && fitting.length === rest.length) sheet.line(log[0] ?? '', x + last, end + 1.2, 'plain', 7.2, 'muted');
      });
      if (isFirst)
        sheet.tag(parent, 'P', () =>
          sheet.line(mark ? `${mark.sign} ${mark.word}` : standing, LEFT + WIDTH - HOW_WIDTH, top, 'plain', 7.8, mark?.tone ?? 'text'),
        );
      sheet.y += Math.max(fitting.length, isFirst ? labels.length : 0) * height + 7;
      rest = rest.slice(fitting.length);
    }
    sheet.rule(sheet.y, 'line', 0.5);
  }

  private table(parent: Element, { title, columns, rows, total, rest }: Table): void {
    const { sheet } = this;
    sheet.reserve(80);
    if (title !== undefined) this.paragraph(parent, 'P', title, { face: 'bold', size: 8.8, colour: 'text', after: 1 });
    drawTable(sheet, parent, { columns, rows }, this.zone);
    const more = toRest(rows.length, total, rest);
    sheet.y += more === '' ? 12 : 4;
    if (more !== '') this.paragraph(parent, 'P', more, { face: 'plain', size: 7.8, colour: 'muted', after: 10 });
  }

  private chart(parent: Element, chart: Chart): void {
    const { sheet } = this;
    const drawing = layOutChart(chart);
    const height = (drawing.height / drawing.width) * WIDTH;
    const isBeside = chart.labels.length <= BESIDE;
    sheet.reserve(this.toStart(chart));
    this.paragraph(parent, 'P', chart.title, { face: 'bold', size: 9.4, colour: 'text', after: 5 });
    const top = sheet.y;
    sheet.tag(parent, 'Figure', () => drawOn(sheet, drawing, LEFT, top, WIDTH), { alt: `${chart.title}. ${drawing.description}` });
    sheet.y += height + 4;
    if (isBeside && chart.labels.length > 0) drawTable(sheet, parent, toNumbers(chart, 1), this.zone, 7.4);
    else if (!isBeside) {
      const name = `A${this.annexed.length + 1}`;
      this.annexed.push({ chart, name });
      this.paragraph(parent, 'P', `The numbers: table ${name} of the annex.`, { face: 'plain', size: 7.8, colour: 'muted', after: 0 });
    }
    sheet.y += 14;
  }

  drawAnnexed(parent: Element): void {
    for (const { chart, name } of this.annexed) {
      this.sheet.reserve(90);
      this.paragraph(parent, 'P', `${name}  ${chart.title}${chart.unit === '' ? '' : ` (${chart.unit})`}`, {
        face: 'bold',
        size: 8.8,
        colour: 'text',
        after: 1,
      });
      drawTable(this.sheet, parent, toNumbers(chart, Math.max(1, Math.floor(9 / (chart.series.length + 1)))), this.zone, 7.2);
      this.sheet.y += 14;
    }
  }
}

/** A chart's numbers, folded so that `folds` stretches of them stand side by side, each read downwards. */
function toNumbers({ labels, series }: Chart, folds: number): Pick<Table, 'columns' | 'rows'> {
  const count = Math.ceil(labels.length / folds);
  const used = Math.ceil(labels.length / Math.max(1, count));
  const head = [{ title: '', kind: 'text' as const }, ...series.map(({ name }) => ({ title: name, kind: 'number' as const }))];
  const rows = Array.from({ length: count }, (_, row) =>
    Array.from({ length: used }, (__, fold) => {
      const i = fold * count + row;
      const label = labels[i];
      return label === undefined ? ['', ...series.map(() => '')] : [label, ...series.map(({ values }) => values[i] ?? null)];
    }).flat(),
  );
  return { columns: Array.from({ length: used }, () => head).flat(), rows };
}
