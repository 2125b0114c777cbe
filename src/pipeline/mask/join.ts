// Every byte that leaves is written here, as COPY TO would print it: the kept fields as they stood, the masked ones with their escapes.
import type { Column } from '../batch.js';
import { kernel } from './kernel/kernel.js';
import type { Lines } from './split.js';

const newline = 10;

/** One or more neighbouring output columns: kept ones as the raw bytes of `from` to `to`, or one masked column. */
export type Piece =
  | { readonly kind: 'raw'; readonly from: number; readonly to: number }
  | { readonly kind: 'masked'; readonly field: number; column: Column; readonly plain: boolean };

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
  private readonly table: Int32Array;

  constructor(private readonly pieces: readonly Piece[]) {
    this.table = new Int32Array(4 * pieces.length);
  }

  /** The masked lines: in `into` where they fit, else in a fresh buffer of their own. */
  join(lines: Lines, into?: Uint8Array): Uint8Array {
    // A table may have no column at all: then its lines are empty.
    if (this.pieces.length === 0) return toRoom(lines.rows, into).fill(newline);
    const memory = kernel();
    this.pieces.forEach((piece, i) => this.table.set(toEntry(piece, lines), 4 * i));
    const table = memory.putInts(this.table);
    const begin = memory.open;
    const end = memory.calls.joinLines(table, this.pieces.length, lines.rows, begin);
    if (end === 0) throw new Unwritten((this.pieces[memory.calls.unwrittenIn()] as { field: number }).field, memory.calls.unwrittenAt());
    const out = toRoom(end - begin, into);
    out.set(memory.bytes.subarray(begin, end));
    return out;
  }
}

/** As joinLines has it. */
function toEntry(piece: Piece, { stopsAt, fields }: Lines): readonly [number, number, number, number] {
  if (piece.kind === 'raw') return [stopsAt + 4 * (piece.from - 1), 4 * (piece.to - piece.from + 1), 2, 4 * fields];
  const { startsAt, endsAt } = kernel().toMemory(piece.column);
  return [startsAt, endsAt, piece.plain ? 0 : 1, 0];
}

function toRoom(length: number, into?: Uint8Array): Uint8Array {
  return into && length <= into.length ? into.subarray(0, length) : new Uint8Array(Buffer.allocUnsafeSlow(length).buffer, 0, length);
}
