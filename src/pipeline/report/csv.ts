// A population as a file of comma-separated values, RFC 4180: a value stands as it is. Null is an empty field, empty text is `""`.
import type { Cell, Item, Population } from './populations/population.js';

export const toCsvLine = (cells: readonly Cell[]): string => `${cells.map(toCsvCell).join(',')}\r\n`;

function toCsvCell(cell: Cell): string {
  if (cell === null) return '';
  const text = String(cell);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const toHeadLine = ({ columns }: Population): string => toCsvLine(['at', 'entries', ...columns.map(({ name }) => name)]);

export const toItemLine = ({ at, entries, cells }: Item): string => toCsvLine([at, entries.join(' '), ...cells]);
