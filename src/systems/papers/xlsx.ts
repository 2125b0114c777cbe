// A report as a spreadsheet: what page 1 and the sections say on the first sheet, then a sheet for each table, chart and population. Every cell that is
// not a number or a time is typed as text, so that no name becomes a formula.
import { unzipSync, zipSync } from 'fflate';
import writeXlsxFile, { type CellObject, type Sheet } from 'write-excel-file/node';

import { offsetAt } from '../../kernel/zone.js';
import type { Block, Column, ReportDocument } from '../../pipeline/report/report.js';
import { toRanges, toRest } from './marks.js';
import { toShown } from './shown-text.js';
import { findInstant, toShownPeriod, toShownTimes } from './shown-time.js';
import { SheetNames } from './sheet-names.js';
import { listBlocks } from './walk.js';

/** A whole population beside the report's own tables. */
export interface XlsxPopulation {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: Iterable<readonly (string | number | null)[]>;
}

/** Of a sheet: a workbook is made in memory. The CSV of a population has all of it. */
export const SHEET_ROWS = 100_000;
/** What a cell may hold. */
const CELL_CHARACTERS = 32_767;

export async function toXlsx(document: ReportDocument, populations: readonly XlsxPopulation[] = []): Promise<Uint8Array> {
  const names = new SheetNames();
  const writer = new CellWriter(document.period.zone);
  const sheets = [writer.toFirst(document, names.take('Report'))];
  for (const { at, block } of listBlocks(document)) {
    const title = block.kind === 'table' ? (block.title ?? at?.section.title ?? document.title) : block.kind === 'chart' ? block.title : '';
    const name = (): string => names.take([at?.number ?? '', title].filter(Boolean).join(' '));
    if (block.kind === 'table')
      sheets.push(writer.toSheet(name(), title, block.columns, block.rows, toRest(block.rows.length, block.total, block.rest)));
    else if (block.kind === 'chart') sheets.push(writer.toChartSheet(name(), block));
  }
  for (const { name, columns, rows } of populations) sheets.push(writer.toSheet(names.take(name), name, columns, rows, ''));
  return zipAgain(await writeXlsxFile(sheets, { fontFamily: 'Calibri', fontSize: 11 }).toBuffer());
}

/** In one order, with one time: archives say when their files were written, and that would be now. */
function zipAgain(bytes: Uint8Array): Uint8Array {
  const files = Object.entries(unzipSync(bytes)).sort(([a], [b]) => (a < b ? -1 : 1));
  // The format's times have no zone: read as local, this is the first day it knows, everywhere.
  return zipSync(Object.fromEntries(files), { level: 6, mtime: new Date(1980, 0, 1) });
}

class CellWriter {
  constructor(private readonly zone: string) {}

  toFirst(document: ReportDocument, name: string): Sheet<never> {
    const rows: CellObject[][] = [
      [{ ...toText(document.title), fontWeight: 'bold', fontSize: 16 }],
      [toText(document.subtitle)],
      [toText(`${toShownPeriod(document.period)} (${document.period.zone})`)],
      ...(document.running === undefined ? [] : [[toText(document.running)]]),
      [],
      ['Section', 'Kind', 'Name', 'Value', 'Standing', 'Log entries'].map(toHead),
    ];
    for (const { at, block } of listBlocks(document)) {
      const place = at ? `${at.number} ${at.section.title}` : 'Page 1';
      for (const cells of this.toLines(block))
        rows.push([place, ...cells].map((text) => ({ ...toText(text), wrap: true, alignVertical: 'top' })));
    }
    return { sheet: name, data: rows, columns: [28, 11, 30, 80, 12, 18].map((width) => ({ width })) };
  }

  private toLines(block: Block): readonly (readonly string[])[] {
    switch (block.kind) {
      case 'text':
        return [['text', '', toShownTimes(block.text, this.zone)]];
      case 'notice':
        return [[block.tone, '', toShownTimes(block.text, this.zone)]];
      case 'fields':
        return block.fields.map(({ label, value, standing, entries = [] }) => [
          'field',
          label,
          value === null ? 'unknown' : toShownTimes(value, this.zone),
          standing,
          toRanges(entries),
        ]);
      case 'table':
      case 'chart':
        return [];
    }
  }

  toChartSheet(name: string, { title, unit, labels, series }: Extract<Block, { kind: 'chart' }>): Sheet<never> {
    const columns = [{ title: '', kind: 'text' as const }, ...series.map((one) => ({ title: one.name, kind: 'number' as const }))];
    const rows = labels.map((label, i) => [label, ...series.map(({ values }) => values[i] ?? null)]);
    return this.toSheet(name, unit === '' ? title : `${title} (${unit})`, columns, rows, '');
  }

  toSheet(name: string, title: string, columns: readonly Column[], rows: XlsxPopulation['rows'], rest: string): Sheet<never> {
    const head = columns.map((column) => toHead(column.kind === 'time' ? `${column.title} (${this.zone})` : column.title));
    const data: CellObject[][] = [[{ ...toText(title), fontWeight: 'bold', fontSize: 13 }], head];
    const widths = columns.map((column) => Math.max(column.title.length + 2, 10));
    let count = 0;
    for (const row of rows) {
      count += 1;
      if (count > SHEET_ROWS) continue;
      const cells = columns.map(({ kind }, i) => this.toCell(kind, row[i] ?? null));
      cells.forEach(({ value }, i) => (widths[i] = Math.max(widths[i] ?? 0, value instanceof Date ? 19 : String(value).length + 1)));
      data.push(cells);
    }
    if (count === 0) data.push([toText('None in this period.')]);
    const left = count > SHEET_ROWS ? `The first ${SHEET_ROWS} of ${count} rows; the CSV has all of them.` : '';
    for (const text of [rest, left]) if (text !== '') data.push([toText(text)]);
    return { sheet: name, data, columns: widths.map((width) => ({ width: Math.min(width, 60) })), stickyRowsCount: 2 };
  }

  private toCell(kind: Column['kind'], value: string | number | null): CellObject {
    if (value === null) return { ...toText('–'), textColor: '#56606b' };
    // A spreadsheet's numbers have 15 digits; what has more stands as text, whole.
    if (typeof value === 'number') return Math.abs(value) < 1e15 ? { value, type: Number } : toText(String(value));
    const at = kind === 'time' ? findInstant(value) : undefined;
    // Times of a spreadsheet have no zone: the clock of the report's, as its column's head says.
    if (at !== undefined) return { value: new Date(at + offsetAt(this.zone, at)), type: Date, format: 'yyyy-mm-dd hh:mm:ss' };
    return toText(value);
  }
}

const toHead = (title: string): CellObject => ({ ...toText(title), fontWeight: 'bold', bottomBorderStyle: 'thin', wrap: true });

function toText(text: string): CellObject {
  // `_x0041_` is how the format writes a letter by number: a text that says so is not one (ECMA-376, 22.9.2.19).
  const shown = toShown(text).replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_');
  const value =
    shown.length > CELL_CHARACTERS ? `${shown.slice(0, CELL_CHARACTERS - 40).toWellFormed()} … cut: the CSV has all of it` : shown;
  return { value, type: String };
}
