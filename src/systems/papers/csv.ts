// RFC 4180: UTF-8 without a mark, lines end in CR LF, and a value stands as it is (docs/decisions/0087). Null is an empty field, empty text is `""`.
import type { ReportDocument } from '../../pipeline/report/report.js';
import { toRanges } from './marks.js';
import { listBlocks } from './walk.js';

export type Cell = string | number | null;

const PIECE = 65_536;

/** Streams a population of any size: no more than a piece of it is in memory. Every row MUST have a cell per column. */
export async function* writeCsv(
  columns: readonly string[],
  rows: AsyncIterable<readonly Cell[]> | Iterable<readonly Cell[]>,
): AsyncGenerator<string> {
  let piece = toLine(columns);
  let row = 0;
  for await (const cells of rows) {
    row += 1;
    if (cells.length !== columns.length) throw new TypeError(`row ${row} has ${cells.length} cells for ${columns.length} columns`);
    piece += toLine(cells);
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece) yield piece;
}

/** A whole report as one table: a line for each value, so that a filter on the first columns gives any of its tables. */
export function toCsv(document: ReportDocument): string {
  const lines: (readonly Cell[])[] = [
    ['section', 'section_title', 'block', 'kind', 'title', 'row', 'name', 'value', 'standing', 'log_entries'],
  ];
  const counts = new Map<string, number>();
  for (const { at, block } of listBlocks(document)) {
    const section = at?.anchor ?? 'front';
    const number = (counts.get(section) ?? 0) + 1;
    counts.set(section, number);
    const head = [section, at?.section.title ?? document.title, number, block.kind];
    const add = (title: string, row: Cell, name: string, value: Cell, standing: Cell = null, entries: Cell = null): void =>
      void lines.push([...head, title, row, name, value, standing, entries]);
    switch (block.kind) {
      case 'text':
        add('', null, '', block.text);
        break;
      case 'notice':
        add(block.tone, null, '', block.text);
        break;
      case 'fields':
        for (const { label, value, standing, entries } of block.fields)
          add('', null, label, value, standing, entries ? toRanges(entries) : null);
        break;
      case 'table':
        block.rows.forEach((cells, row) =>
          block.columns.forEach(({ title }, i) => add(block.title ?? '', row + 1, title, cells[i] ?? null)),
        );
        if (block.rest !== undefined) add(block.title ?? '', null, `of ${block.total ?? 'unknown'} rows`, block.rest);
        break;
      case 'chart':
        block.labels.forEach((label, i) => block.series.forEach(({ name, values }) => add(block.title, label, name, values[i] ?? null)));
    }
  }
  return lines.map(toLine).join('');
}

const toLine = (cells: readonly Cell[]): string => `${cells.map(toField).join(',')}\r\n`;

function toField(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  const text = value.toWellFormed();
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
