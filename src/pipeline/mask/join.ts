// hot path: every byte that leaves is written here, as COPY TO would print it; one scratch buffer, no object per line or value.
import type { ColumnWriter } from './column-writer.js';
import { escapes } from './copy-text.js';
import type { Lines } from './split.js';

/** One or more neighbouring output columns: kept ones as the raw bytes of `from` to `to`, or one masked column. */
export type Piece =
  | { readonly kind: 'raw'; readonly from: number; readonly to: number }
  | { readonly kind: 'masked'; readonly field: number; writer: ColumnWriter; readonly plain: boolean };

/** Thrown with the piece and row that nobody wrote. */
export class Unwritten extends Error {
  constructor(
    readonly field: number,
    readonly row: number,
  ) {
    super('a row was not written');
  }
}

export class Joiner {
  private scratch = new Uint8Array(1 << 16);

  constructor(private readonly pieces: readonly Piece[]) {}

  /** The masked lines in a fresh buffer of their own. */
  join(lines: Lines): Uint8Array<ArrayBuffer> {
    const { pieces } = this;
    this.reserve(lines);
    let at = 0;
    for (let row = 0; row < lines.rows; row++) {
      for (let i = 0; i < pieces.length; i++) {
        const piece = pieces[i] as Piece;
        if (piece.kind === 'raw') at = this.copyRaw(lines, row, piece.from, piece.to, at);
        else at = this.writeMasked(piece.writer, piece.plain, piece.field, row, at);
        this.scratch[at++] = 9;
      }
      // A table may have no column at all: then the line is empty.
      if (pieces.length > 0) at--;
      this.scratch[at++] = 10;
    }
    const out = new Uint8Array(Buffer.allocUnsafeSlow(at).buffer, 0, at);
    out.set(this.scratch.subarray(0, at));
    return out;
  }

  private copyRaw(lines: Lines, row: number, from: number, to: number, at: number): number {
    const { stops, bytes } = lines;
    const stop = row * lines.fields + from;
    const start = stop === 0 ? 0 : (stops[stop - 1] as number) + 1;
    const end = stops[stop + to - from] as number;
    return this.copy(bytes, start, end, at);
  }

  private writeMasked(writer: ColumnWriter, plain: boolean, field: number, row: number, at: number): number {
    const start = writer.starts[row] as number;
    const end = writer.ends[row] as number;
    if (end < 0) {
      if (end !== -1) throw new Unwritten(field, row);
      this.scratch[at++] = 92;
      this.scratch[at++] = 78;
      return at;
    }
    return plain ? this.copy(writer.bytes, start, end, at) : this.escape(writer.bytes, start, end, at);
  }

  private copy(bytes: Uint8Array, start: number, end: number, at: number): number {
    const { scratch } = this;
    if (end - start > 64) {
      scratch.set(bytes.subarray(start, end), at);
      return at + end - start;
    }
    for (let i = start; i < end; i++) scratch[at++] = bytes[i] as number;
    return at;
  }

  private escape(bytes: Uint8Array, start: number, end: number, at: number): number {
    const { scratch } = this;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      const letter = escapes[byte] as number;
      if (letter === 0) scratch[at++] = byte;
      else {
        scratch[at++] = 92;
        scratch[at++] = letter;
      }
    }
    return at;
  }

  /** Room for the longest result: all raw bytes, and every masked value with every byte escaped. */
  private reserve(lines: Lines): void {
    let needed = lines.bytes.length + lines.rows * (this.pieces.length * 3 + 1);
    for (const piece of this.pieces) {
      if (piece.kind === 'masked') needed += toLongest(piece.writer, lines.rows) * (piece.plain ? 1 : 2);
    }
    if (this.scratch.length < needed) this.scratch = new Uint8Array(needed + (needed >> 2));
  }
}

/** Sum of the lengths; values MAY share bytes, so the writer's length says nothing. */
function toLongest(writer: ColumnWriter, rows: number): number {
  const { starts, ends } = writer;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const length = (ends[row] as number) - (starts[row] as number);
    if (length > 0) sum += length;
  }
  return sum;
}
