// hot path: every byte of the source goes through here once; one copy, and a count of line ends four bytes at a time.
import { toError } from '../../kernel/errors.js';

const LINE_END = 10;
const LINE_ENDS = 0x0a0a0a0a;
const LOW_BITS = 0x7f7f7f7f;

/** Whole lines in memory of their own, beginning at its first byte, so that a thread can have it. */
export interface Lines {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/**
 * Packs chunks, cut anywhere, into batches of whole lines: as many lines as fit into `batchBytes`; a line longer than that is a batch of its
 * own. The result does not depend on where the chunks are cut. Pulls a chunk only when a batch is asked for. `take` gives memory
 * for a batch, beginning at its buffer's first byte. Throws EXTRACT_LINE_CUT when the last line has no end.
 */
export async function* toBatches(
  chunks: AsyncIterable<Uint8Array>,
  batchBytes: number,
  take: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): AsyncGenerator<Lines, void, undefined> {
  let buffer = take(batchBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      if (buffer.length > batchBytes) {
        // The buffer holds the beginning of one long line and nothing else.
        const end = chunk.indexOf(LINE_END, at);
        const until = end < 0 ? chunk.length : end + 1;
        buffer = grow(buffer, filled, filled + until - at);
        buffer.set(chunk.subarray(at, until), filled);
        filled += until - at;
        at = until;
        if (end < 0) continue;
        yield toLines(buffer, filled);
        buffer = take(batchBytes);
        filled = 0;
        continue;
      }
      const until = Math.min(chunk.length, at + buffer.length - filled);
      buffer.set(chunk.subarray(at, until), filled);
      filled += until - at;
      at = until;
      if (filled < buffer.length) continue;
      const cut = buffer.lastIndexOf(LINE_END) + 1;
      if (cut === 0) {
        buffer = grow(buffer, filled, filled + 1);
        continue;
      }
      const next = take(batchBytes);
      next.set(buffer.subarray(cut, filled));
      yield toLines(buffer, cut);
      buffer = next;
      filled -= cut;
    }
  }
  if (filled === 0) return;
  if (buffer[filled - 1] !== LINE_END) throw toError('EXTRACT_LINE_CUT', { stage: 'extract' });
  yield toLines(buffer, filled);
}

/** How many line ends are among the first `length` bytes. `bytes` MUST begin at the first byte of its ArrayBuffer. */
export function countLines(bytes: Uint8Array, length: number): number {
  const whole = length >>> 2;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, whole);
  let rows = 0;
  for (let i = 0; i < whole;) {
    // Each of the four lanes of `sum` counts one byte position of 255 words at most, so that no lane runs over.
    const stop = Math.min(whole, i + 255);
    let sum = 0;
    for (; i < stop; i++) {
      const word = (words[i] as number) ^ LINE_ENDS;
      // The high bit of a lane is set where its byte is zero, exactly; a plain subtraction would borrow from the next lane.
      sum = (sum + (~(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS) >>> 7)) | 0;
    }
    rows += (sum & 0xff) + ((sum >>> 8) & 0xff) + ((sum >>> 16) & 0xff) + (sum >>> 24);
  }
  for (let i = whole << 2; i < length; i++) if (bytes[i] === LINE_END) rows++;
  return rows;
}

function toLines(buffer: Uint8Array, length: number): Lines {
  return { bytes: buffer.subarray(0, length), rows: countLines(buffer, length) };
}

function grow(buffer: Uint8Array, filled: number, needed: number): Uint8Array {
  if (needed <= buffer.length) return buffer;
  const bigger = new Uint8Array(Math.max(needed, buffer.length * 2));
  bigger.set(buffer.subarray(0, filled));
  return bigger;
}
