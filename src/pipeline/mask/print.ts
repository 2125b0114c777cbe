// hot path: makes a masked value the text that the server would print for it: char(n) padded with spaces, numeric(p, s) with zeros, floats with the
// fewest digits, bytea in hex.
// Without it the digest of a line that we sent would differ from the digest of the line that the server gives back.
import type { Column } from '../batch.js';
import type { DataType } from '../catalogue.js';
import { ColumnWriter } from './column-writer.js';
import { kernel } from './kernel/kernel.js';
import { toFloatText } from '../float-text.js';

export function toPrinter(type: DataType): (column: Column) => Column {
  if (type.kind !== 'base' && type.kind !== 'domain') return (column) => column;
  const { length, scale } = type;
  if (type.base === 'bpchar' && length !== undefined) {
    const pad = toPadder(32, (bytes, start, end) => length - countCharacters(bytes, start, end));
    return (column) => {
      const { rows, startsAt, endsAt } = kernel().toMemory(column);
      return kernel().calls.isShort(startsAt, endsAt, rows, length) === 0 ? column : pad(column);
    };
  }
  if (type.base === 'numeric' && scale !== undefined && scale > 0) {
    return toPadder(48, (bytes, start, end) => toMissingDecimals(bytes, start, end, scale), 46);
  }
  if (type.base === 'float4' || type.base === 'float8') return toRewriter((text) => toFloatText(text, type.base === 'float4'));
  if (type.base === 'bytea')
    return toRewriter((text) => (text.startsWith('\\x') ? text : `\\x${Buffer.from(text, 'latin1').toString('hex')}`));
  return (column) => column;
}

/** Value by value through a string: for types whose masked values are few or dear to make anyway. */
function toRewriter(rewrite: (text: string) => string) {
  const rewritten = new ColumnWriter();
  return (writer: Column): Column => {
    rewritten.reset(writer.rows);
    for (let row = 0; row < writer.rows; row++) {
      const start = writer.starts[row] as number;
      const end = writer.ends[row] as number;
      if (end === -1) rewritten.null(row);
      // A row that nobody wrote stays unwritten, for join to refuse.
      if (end < 0) continue;
      const text = Buffer.from(writer.bytes.buffer, writer.bytes.byteOffset + start, end - start).toString('latin1');
      const bytes = Buffer.from(rewrite(text), 'latin1');
      rewritten.copy(row, bytes, 0, bytes.length);
    }
    return rewritten;
  };
}

/** Appends `filler` as often as `missing` says; a negative number stands for that many and `point` before them. */
function toPadder(filler: number, missing: (bytes: Uint8Array, start: number, end: number) => number, point = 0) {
  const padded = new ColumnWriter();
  return (writer: Column): Column => {
    const { rows, bytes, starts, ends } = writer;
    let needed = 0;
    for (let row = 0; row < rows && needed === 0; row++) {
      const end = ends[row] as number;
      if (end >= 0) needed = missing(bytes, starts[row] as number, end);
    }
    if (needed === 0) return writer;
    padded.reset(writer.rows);
    for (let row = 0; row < writer.rows; row++) {
      const start = writer.starts[row] as number;
      const end = writer.ends[row] as number;
      if (end === -1) padded.null(row);
      // A row that nobody wrote stays unwritten, for join to refuse.
      if (end < 0) continue;
      const count = missing(writer.bytes, start, end);
      padded.copy(row, writer.bytes, start, end);
      padded.reserve(Math.abs(count) + 1);
      let at = padded.length;
      if (count < 0 && point > 0) padded.bytes[at++] = point;
      if (count > 0 || point > 0) for (let i = Math.abs(count); i > 0; i--) padded.bytes[at++] = filler;
      padded.length = padded.starts[row] as number;
      padded.end(row, at);
    }
    return padded;
  };
}

function countCharacters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) count++;
  return count;
}

/** How many decimals are missing; negative when the point is missing too. 0 for NaN and the infinities. */
function toMissingDecimals(bytes: Uint8Array, start: number, end: number, scale: number): number {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === 46) return Math.max(0, scale - (end - i - 1));
    if ((byte < 48 || byte > 57) && byte !== 45) return 0;
  }
  return -scale;
}
