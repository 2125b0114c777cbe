// hot path: every byte that leaves is written here, as COPY TO would print it; one scratch buffer, no object per line or value.
import type { ColumnWriter } from './column-writer.js';
import { escapes, findSpecial } from './copy-text.js';
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

/** A piece with where its bytes are in this batch. */
interface Column {
  readonly view: DataView;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Longer stretches go through the engine's own copy, whose call costs as much as this many bytes. */
const longest = 192;

export class Joiner {
  private scratch = new Uint8Array(1 << 16);
  private to = new DataView(this.scratch.buffer);

  constructor(private readonly pieces: readonly Piece[]) {}

  /** The masked lines in a fresh buffer of their own. */
  join(lines: Lines): Uint8Array<ArrayBuffer> {
    const { pieces } = this;
    this.reserve(lines);
    const columns = pieces.map((piece) => toColumn(piece, lines));
    let at = 0;
    for (let row = 0; row < lines.rows; row++) {
      for (let i = 0; i < pieces.length; i++) {
        const piece = pieces[i] as Piece;
        const column = columns[i] as Column;
        if (piece.kind === 'raw') at = this.copyRaw(lines, row, piece.from, piece.to, column.view, at);
        else at = this.writeMasked(column, piece.plain, piece.field, row, at);
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

  private copyRaw(lines: Lines, row: number, from: number, to: number, view: DataView, at: number): number {
    const { stops } = lines;
    const stop = row * lines.fields + from;
    const start = stop === 0 ? 0 : (stops[stop - 1] as number) + 1;
    return this.copy(view, start, stops[stop + to - from] as number, at);
  }

  private writeMasked(column: Column, plain: boolean, field: number, row: number, at: number): number {
    const start = column.starts[row] as number;
    const end = column.ends[row] as number;
    if (end < 0) {
      if (end !== -1) throw new Unwritten(field, row);
      this.scratch[at++] = 92;
      this.scratch[at++] = 78;
      return at;
    }
    return plain ? this.copy(column.view, start, end, at) : this.escape(column.view, start, end, at);
  }

  /** Four bytes at a time; what is copied beyond the end is overwritten by the next piece, and `reserve` left room for it. */
  private copy(view: DataView, start: number, end: number, at: number): number {
    const { to } = this;
    const count = end - start;
    if (count > longest || end + 3 > view.byteLength) {
      this.scratch.set(new Uint8Array(view.buffer, view.byteOffset + start, count), at);
      return at + count;
    }
    for (let i = 0; i < count; i += 4) to.setInt32(at + i, view.getInt32(start + i, true), true);
    return at + count;
  }

  private escape(view: DataView, start: number, end: number, at: number): number {
    const { to } = this;
    const lastWord = view.byteLength - 4;
    let from = start;
    while (from < end) {
      if (from <= lastWord) {
        const word = view.getInt32(from, true);
        const ordinary = findSpecial(word);
        to.setInt32(at, word, true);
        if (from + ordinary >= end) return at + end - from;
        at += ordinary;
        from += ordinary;
        if (ordinary === 4) continue;
      }
      at = this.escapeByte(view.getUint8(from++), at);
    }
    return at;
  }

  private escapeByte(byte: number, at: number): number {
    const letter = escapes[byte] as number;
    if (letter === 0) {
      this.scratch[at++] = byte;
      return at;
    }
    this.scratch[at++] = 92;
    this.scratch[at++] = letter;
    return at;
  }

  /** Room for the longest result: all raw bytes, and every masked value with every byte escaped; and for what `copy` writes beyond. */
  private reserve(lines: Lines): void {
    let needed = lines.bytes.length + lines.rows * (this.pieces.length * 3 + 1) + 4;
    for (const piece of this.pieces) {
      if (piece.kind === 'masked') needed += toLongest(piece.writer, lines.rows) * (piece.plain ? 1 : 2);
    }
    if (this.scratch.length >= needed) return;
    this.scratch = new Uint8Array(needed + (needed >> 2));
    this.to = new DataView(this.scratch.buffer);
  }
}

const none = new Int32Array(0);

function toColumn(piece: Piece, lines: Lines): Column {
  const { bytes } = piece.kind === 'raw' ? lines : piece.writer;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return piece.kind === 'raw' ? { view, starts: none, ends: none } : { view, starts: piece.writer.starts, ends: piece.writer.ends };
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
