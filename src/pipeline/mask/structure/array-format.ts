// hot path: walks the text of an array (`{a,"b c",NULL}`, nested, with bounds before it) and writes elements back as array_out quotes them.
import type { ColumnWriter } from '../column-writer.js';
import type { Format, Slot, Walk } from './format.js';
import { isSpaceByte, readQuoted, skipQuoted, writeQuoted } from './quoted-text.js';

const open = 123;
const close = 125;
const quote = 34;

export class ArrayFormat implements Format {
  /** No slot: no element is listed. `delimiter`: `,` for every type but box. */
  constructor(
    private readonly slot: Slot | undefined,
    private readonly delimiter: number,
  ) {}

  walk(walk: Walk): void {
    const { bytes, end } = walk;
    let at = walk.start;
    // Bounds other than 1 stand before the text as `[0:2]=`.
    if (bytes[at] === 91) while (at < end && bytes[at] !== open) at++;
    if (bytes[at] !== open || bytes[end - 1] !== close) walk.refuse();
    if (end - at === 2) return;
    if (!this.slot) return this.withoutSlot(walk, at);
    if (this.slot.kept) return;
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte === open || byte === close || byte === this.delimiter) at++;
      else at = this.element(walk, this.slot, at);
    }
  }

  write(out: ColumnWriter, at: number, bytes: Uint8Array, start: number, end: number): number {
    out.reserve(at - out.length + (end - start) * 2 + 4);
    if (start === -1) {
      for (const byte of [78, 85, 76, 76]) out.bytes[at++] = byte;
      return at;
    }
    if (this.needsQuotes(bytes, start, end)) return writeQuoted(bytes, start, end, out.bytes, at, false);
    for (let i = start; i < end; i++) out.bytes[at++] = bytes[i] as number;
    return at;
  }

  private withoutSlot(walk: Walk, brace: number): void {
    if (walk.rest === 'refuse') walk.unlisted([null]);
    if (walk.rest === 'keep') return;
    walk.edits.remove(walk.start, brace);
    walk.edits.remove(brace + 1, walk.end - 1);
  }

  private element(walk: Walk, slot: Slot, start: number): number {
    const { bytes, edits, row, end } = walk;
    const { leaves } = slot;
    if (bytes[start] === quote) {
      const after = skipQuoted(bytes, start, end);
      if (after === -1) walk.refuse();
      const at = leaves.reserve(after - start);
      edits.replace(start, after, slot.index, leaves.add(row, readQuoted(bytes, start, after, leaves.bytes, at)), 0);
      return after;
    }
    let after = start;
    while (after < end && bytes[after] !== this.delimiter && bytes[after] !== close) after++;
    if (isNull(bytes, start, after)) return after;
    const at = leaves.reserve(after - start);
    leaves.bytes.set(bytes.subarray(start, after), at);
    edits.replace(start, after, slot.index, leaves.add(row, at + after - start), 0);
    return after;
  }

  private needsQuotes(bytes: Uint8Array, start: number, end: number): boolean {
    if (start === end || isNull(bytes, start, end)) return true;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === quote || byte === 92 || byte === open || byte === close || byte === this.delimiter || isSpaceByte(byte)) return true;
    }
    return false;
  }
}

/** The word NULL in any case. */
function isNull(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 4) return false;
  const word = [110, 117, 108, 108];
  return word.every((byte, i) => ((bytes[start + i] as number) | 32) === byte);
}
