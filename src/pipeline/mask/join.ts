// hot path: every byte that leaves is written here, as COPY TO would print it; one scratch buffer, one column after the
// other, no object per line or value.
import { ColumnWriter } from './column-writer.js';
import { escapes, findSpecial } from './copy-text.js';
import { FieldColumn, type Lines } from './split.js';

const tab = 9;
const newline = 10;

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
interface Source {
  readonly view: DataView;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Longer stretches go through the engine's own copy, whose call costs as much as this many bytes. */
const longest = 192;
/** How many bytes `write` may write beyond a value. */
const overrun = 3;

export class Joiner {
  private scratch = new Uint8Array(1 << 16);
  private to = new DataView(this.scratch.buffer);
  /** Where the next piece of each row goes. */
  private cursors = new Int32Array(1 << 8);
  /** Arrays of raw pieces, and the escaped text of masked ones, by piece. */
  private readonly raw: FieldColumn[];
  private readonly escaped: ColumnWriter[];

  constructor(private readonly pieces: readonly Piece[]) {
    this.raw = pieces.map(() => new FieldColumn());
    this.escaped = pieces.map(() => new ColumnWriter());
  }

  /** The masked lines in a fresh buffer of their own. One column after the other is written to its places in the lines. */
  join(lines: Lines): Uint8Array<ArrayBuffer> {
    const { rows } = lines;
    const sources = this.pieces.map((piece, i) => this.toSource(piece, lines, i));
    const length = this.place(sources, rows);
    sources.forEach((source, i) => {
      const after = sources.length - i;
      // So many delimiters at least stand between the end of this value and the next line, which is there already.
      if (after >= overrun) this.write(source, rows);
      else this.writeExactly(source, rows, after === 1 ? newline : tab);
    });
    const out = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer, 0, length);
    // A table may have no column at all: then its lines are empty.
    if (sources.length === 0) out.fill(newline);
    else out.set(this.scratch.subarray(0, length));
    return out;
  }

  private toSource(piece: Piece, lines: Lines, index: number): Source {
    if (piece.kind === 'raw') return toView(toRaw(piece, lines, this.raw[index] as FieldColumn));
    if (piece.plain || !holdsSpecial(piece.writer)) return toView(piece.writer);
    const escaped = this.escaped[index] as ColumnWriter;
    escapeColumn(piece.writer, escaped);
    return toView(escaped);
  }

  /** Sets the cursors to where each line begins, makes room, and returns the length of all lines. */
  private place(sources: readonly Source[], rows: number): number {
    if (this.cursors.length < rows) this.cursors = new Int32Array(rows * 2);
    const { cursors } = this;
    // One delimiter per piece; a line without pieces still has its newline.
    cursors.fill(Math.max(1, sources.length), 0, rows);
    sources.forEach(({ starts, ends }, i) => {
      for (let row = 0; row < rows; row++) {
        const end = ends[row] as number;
        if (end < -1) throw new Unwritten((this.pieces[i] as { field: number }).field, row);
        (cursors[row] as number) += end === -1 ? 2 : end - (starts[row] as number);
      }
    });
    let at = 0;
    for (let row = 0; row < rows; row++) {
      const length = cursors[row] as number;
      cursors[row] = at;
      at += length;
    }
    if (this.scratch.length < at + overrun) {
      this.scratch = new Uint8Array(at + (at >> 2) + overrun);
      this.to = new DataView(this.scratch.buffer);
    }
    return at;
  }

  /** Four bytes at a time: what is copied beyond the end of a value is overwritten by the delimiter and the pieces to the right of it. */
  private write({ view, starts, ends }: Source, rows: number): void {
    const { to, scratch, cursors } = this;
    const room = view.byteLength - 3;
    for (let row = 0; row < rows; row++) {
      const start = starts[row] as number;
      const end = ends[row] as number;
      let at = cursors[row] as number;
      if (end === -1) at = writeNull(scratch, at);
      else {
        const count = end - start;
        if (count > longest || end > room) scratch.set(new Uint8Array(view.buffer, view.byteOffset + start, count), at);
        else for (let i = 0; i < count; i += 4) to.setInt32(at + i, view.getInt32(start + i, true), true);
        at += count;
      }
      scratch[at] = tab;
      cursors[row] = at + 1;
    }
  }

  /** No byte beyond the value and its delimiter: for the last columns, behind which the next line may stand at once. */
  private writeExactly({ view, starts, ends }: Source, rows: number, delimiter: number): void {
    const { to, scratch, cursors } = this;
    for (let row = 0; row < rows; row++) {
      const start = starts[row] as number;
      const end = ends[row] as number;
      let at = cursors[row] as number;
      if (end === -1) at = writeNull(scratch, at);
      else if (end - start > longest) {
        scratch.set(new Uint8Array(view.buffer, view.byteOffset + start, end - start), at);
        at += end - start;
      } else {
        let from = start;
        for (; from + 4 <= end; from += 4, at += 4) to.setInt32(at, view.getInt32(from, true), true);
        while (from < end) scratch[at++] = view.getUint8(from++);
      }
      scratch[at] = delimiter;
      cursors[row] = at + 1;
    }
  }
}

function writeNull(scratch: Uint8Array, at: number): number {
  scratch[at] = 92;
  scratch[at + 1] = 78;
  return at + 2;
}

/** Neighbouring kept columns as one: from the first's start to the last's end, the tabs between them included. */
function toRaw({ from, to }: Extract<Piece, { kind: 'raw' }>, lines: Lines, into: FieldColumn): FieldColumn {
  const { stops, fields, rows, bytes } = lines;
  into.reset(bytes, rows);
  const { starts, ends } = into;
  for (let row = 0, stop = from; row < rows; row++, stop += fields) {
    starts[row] = stop === 0 ? 0 : (stops[stop - 1] as number) + 1;
    ends[row] = stops[stop + to - from] as number;
  }
  return into;
}

function toView({ bytes, starts, ends }: FieldColumn | ColumnWriter): Source {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), starts, ends };
}

/** Whether any byte from the first value to the last needs an escape. Stops at the first one, so it costs little where there are many. */
function holdsSpecial({ rows, bytes, starts, ends }: ColumnWriter): boolean {
  let first = bytes.length;
  let last = 0;
  for (let row = 0; row < rows; row++) {
    const end = ends[row] as number;
    if (end <= 0) continue;
    if (end > last) last = end;
    if ((starts[row] as number) < first) first = starts[row] as number;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = first;
  for (; at + 4 <= last; at += 4) if (findSpecial(view.getInt32(at, true)) !== 4) return true;
  for (; at < last; at++) if (escapes[bytes[at] as number] !== 0) return true;
  return false;
}

/** The values as COPY text. */
function escapeColumn(from: ColumnWriter, into: ColumnWriter): void {
  into.reset(from.rows);
  // Every byte may become two, and four are written at a time.
  into.reserve(sumLengths(from) * 2 + 4);
  const view = new DataView(from.bytes.buffer, from.bytes.byteOffset, from.bytes.byteLength);
  const to = new DataView(into.bytes.buffer, into.bytes.byteOffset, into.bytes.byteLength);
  for (let row = 0; row < from.rows; row++) {
    const start = from.starts[row] as number;
    const end = from.ends[row] as number;
    if (end === -1) into.null(row);
    // A row that nobody wrote stays unwritten.
    else if (end >= 0) into.end(row, escape(view, start, end, to, into.length));
  }
}

/** Copies up to the next byte that may need an escape, four at a time; needs room for 4 bytes more than the result. */
function escape(view: DataView, start: number, end: number, to: DataView, at: number): number {
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
    const byte = view.getUint8(from++);
    const letter = escapes[byte] as number;
    if (letter !== 0) to.setUint8(at++, 92);
    to.setUint8(at++, letter === 0 ? byte : letter);
  }
  return at;
}

/** Values MAY share bytes, so the writer's length says nothing. */
function sumLengths({ rows, starts, ends }: ColumnWriter): number {
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const length = (ends[row] as number) - (starts[row] as number);
    if (length > 0) sum += length;
  }
  return sum;
}
