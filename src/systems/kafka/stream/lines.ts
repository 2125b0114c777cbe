// hot path: cuts every byte that is delivered into records, and counts its lines
import { toError } from '../../../kernel/errors.js';
import { mostRecordBytes } from '../wire/record.js';

export interface Piece {
  readonly lines: Buffer<ArrayBuffer>;
  readonly rows: number;
}

/** Memory of pieces that is used again: left to the collector, every 64 MB of it are one more collection of the whole heap. */
export class PieceMemory {
  readonly #bytes: number;
  readonly #free: Buffer<ArrayBuffer>[] = [];

  /** `bytes`: of one piece. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Room for a piece, or for one line that is longer; what stood in it before may still be there. */
  take(bytes: number): Buffer<ArrayBuffer> {
    const free = bytes <= this.#bytes ? this.#free.pop() : undefined;
    return free ?? Buffer.allocUnsafeSlow(Math.max(bytes, this.#bytes));
  }

  /** Takes a piece back; MUST be called once, when nobody looks at it any more. */
  give({ buffer }: Buffer<ArrayBuffer>): void {
    if (buffer.byteLength === this.#bytes) this.#free.push(Buffer.from(buffer));
  }
}

/**
 * Whole lines, gathered and cut so that each piece holds at most `pieceBytes`, unless one line alone is longer. The last piece may be empty: then the
 * stream has no line at all. A piece is the caller's, who gives it back to `memory`, whose pieces are of `pieceBytes`.
 */
export async function* cutLines(
  chunks: AsyncIterable<Uint8Array>,
  pieceBytes: number,
  memory: PieceMemory,
  where: { readonly schema: string; readonly table: string },
): AsyncGenerator<Piece & { readonly last: boolean }, void, undefined> {
  let pending: Piece | undefined;
  let room: Buffer<ArrayBuffer> | undefined;
  let size = 0;
  const take = (): Piece => {
    const lines = (room ?? memory.take(0)).subarray(0, size);
    room = undefined;
    size = 0;
    return { lines, rows: countLines(lines) };
  };
  for await (const chunk of chunks) {
    let from = 0;
    while (from < chunk.length) {
      const to = findCut(chunk, from, pieceBytes - size, size > 0);
      if (to > from) {
        if (to - from > mostRecordBytes)
          throw toError('STREAM_LINE_TOO_LONG', { stage: 'deliver', ...where, amount: `${Math.ceil((to - from) / (1 << 20))} MB` });
        // Whoever made the chunk may give its memory back before the piece is taken.
        room ??= memory.take(to - from);
        room.set(chunk.subarray(from, to), size);
        size += to - from;
        from = to;
      }
      if (from < chunk.length) {
        if (pending) yield { ...pending, last: false };
        pending = take();
      }
    }
  }
  if (size > 0 || !pending) {
    if (pending) yield { ...pending, last: false };
    pending = take();
  }
  yield { ...pending, last: true };
}

/** End of the lines from `from` that fit into `room`; of one line where none does, unless something is gathered already. */
function findCut(chunk: Uint8Array, from: number, room: number, gathered: boolean): number {
  if (chunk.length - from <= room) return chunk.length;
  const fitting = room > 0 ? chunk.lastIndexOf(10, from + room - 1) : -1;
  if (fitting >= from) return fitting + 1;
  if (gathered) return from;
  const next = chunk.indexOf(10, from);
  return next < 0 ? chunk.length : next + 1;
}

/** A line feed stands at the end of a row and nowhere else in COPY text. */
function countLines(lines: Uint8Array): number {
  let rows = 0;
  for (let at = lines.indexOf(10); at >= 0; at = lines.indexOf(10, at + 1)) rows += 1;
  return rows;
}
