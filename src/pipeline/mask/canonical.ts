// hot path: a value as its type compares it, a column at a time; equal values have equal bytes afterwards, and only then enter the PRF.
import type { Column } from '../batch.js';
import type { DataType } from '../catalogue.js';
import type { CanonicalForm } from '../plan.js';
import { ColumnWriter } from './column-writer.js';
import { kernel, MemoryColumn } from './kernel/kernel.js';

const byBase: Readonly<Record<string, CanonicalForm>> = {
  citext: 'citext', bpchar: 'bpchar', numeric: 'numeric', float4: 'float', float8: 'float',
}; // prettier-ignore

/** How values of this type become comparable by their bytes. */
export function toCanonicalForm(type: DataType): CanonicalForm {
  return byBase[type.base] ?? 'text';
}

/** Makes columns canonical; keeps its arrays from batch to batch, so the result is valid until the next call. */
export class Canonicalizer {
  private readonly view = new SpanColumn();
  private readonly writer = new ColumnWriter();

  constructor(private readonly form: CanonicalForm) {}

  apply(column: Column): Column {
    switch (this.form) {
      case 'text':
        return column;
      case 'bpchar':
        return trimSpaces(column);
      case 'numeric':
      case 'float':
        return this.trim(column);
      case 'citext':
        return this.fold(column);
    }
  }

  private trim(column: Column): Column {
    const { view } = this;
    const { bytes } = column;
    view.reset(bytes, column.rows);
    for (let row = 0; row < column.rows; row++) {
      const start = column.starts[row] as number;
      const end = column.ends[row] as number;
      view.starts[row] = start;
      view.ends[row] = end === -1 ? -1 : trimZeros(bytes, start, end);
      // −0 equals 0: leave the sign out.
      if (view.ends[row] === start + 2 && bytes[start] === 45 && bytes[start + 1] === 48) view.starts[row] = start + 1;
    }
    return view;
  }

  private fold(column: Column): Column {
    const { writer } = this;
    writer.reset(column.rows);
    for (let row = 0; row < column.rows; row++) {
      const start = column.starts[row] as number;
      const end = column.ends[row] as number;
      if (end === -1) writer.null(row);
      else if (!foldAscii(writer, row, column.bytes, start, end)) {
        const folded = Buffer.from(
          toLower(Buffer.from(column.bytes.buffer, column.bytes.byteOffset + start, end - start).toString('utf8')),
        );
        writer.copy(row, folded, 0, folded.length);
      }
    }
    return writer;
  }
}

/** False, and nothing written, when a byte is not ASCII. */
function foldAscii(writer: ColumnWriter, row: number, from: Uint8Array, start: number, end: number): boolean {
  writer.reserve(end - start);
  const { bytes } = writer;
  let at = writer.length;
  for (let i = start; i < end; i++) {
    const byte = from[i] as number;
    if (byte > 127) return false;
    bytes[at++] = byte >= 65 && byte <= 90 ? byte | 32 : byte;
  }
  writer.end(row, at);
  return true;
}

/** One character to one character, as `towlower` and Unicode's simple mapping do: no final sigma, and İ becomes i. */
function toLower(text: string): string {
  let lower = '';
  for (const character of text) {
    const [first] = character.toLowerCase();
    lower += first ?? character;
  }
  return lower;
}

function trimSpaces(column: Column): Column {
  const memory = kernel();
  const { rows, startsAt, endsAt } = memory.toMemory(column);
  const trimmed = memory.take(4 * rows);
  memory.calls.trimSpaces(startsAt, endsAt, rows, trimmed);
  return new MemoryColumn(rows, startsAt, trimmed);
}

/** `1.50` → `1.5`, `2.0` → `2`; what has no point or an exponent stays. */
function trimZeros(bytes: Uint8Array, start: number, end: number): number {
  let point = -1;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === 46) point = i;
    else if ((byte < 48 || byte > 57) && byte !== 45) return end;
  }
  if (point === -1) return end;
  while (bytes[end - 1] === 48) end--;
  return end - 1 === point ? point : end;
}

/** Stretches of somebody else's bytes, in arrays that are kept from batch to batch. */
class SpanColumn implements Column {
  rows = 0;
  bytes: Uint8Array = new Uint8Array(0);
  starts: Int32Array = new Int32Array(0);
  ends: Int32Array = new Int32Array(0);

  reset(bytes: Uint8Array, rows: number): void {
    this.bytes = bytes;
    this.rows = rows;
    if (this.starts.length >= rows) return;
    this.starts = new Int32Array(rows * 2);
    this.ends = new Int32Array(rows * 2);
  }
}
