// hot path: walks the text of a composite value (`(a,"b c",)`) and writes attributes back as record_out quotes them.
import type { ColumnWriter } from '../column-writer.js';
import type { Format, Slot, Walk } from './format.js';
import { isSpaceByte, readQuoted, skipQuoted, writeQuoted } from './quoted-text.js';

const quote = 34;
const comma = 44;

export interface Attribute {
  readonly name: string;
  /** Absent: the attribute is not listed. */
  readonly slot: Slot | undefined;
}

export class CompositeFormat implements Format {
  constructor(private readonly attributes: readonly Attribute[]) {}

  walk(walk: Walk): void {
    const { bytes, end } = walk;
    if (bytes[walk.start] !== 40 || bytes[end - 1] !== 41) walk.refuse();
    let at = walk.start + 1;
    for (let i = 0; i < this.attributes.length; i++) {
      let after = at;
      if (bytes[at] === quote) after = skipQuoted(bytes, at, end);
      else while (after < end - 1 && bytes[after] !== comma) after++;
      const last = i === this.attributes.length - 1;
      if (after === -1 || bytes[after] !== (last ? 41 : comma) || (last && after !== end - 1)) walk.refuse();
      // Nothing at all between two commas is NULL.
      if (after > at) this.attribute(walk, this.attributes[i] as Attribute, at, after);
      at = after + 1;
    }
  }

  write(out: ColumnWriter, at: number, bytes: Uint8Array, start: number, end: number): number {
    if (start === -1) return at;
    out.reserve(at - out.length + (end - start) * 2 + 2);
    if (needsQuotes(bytes, start, end)) return writeQuoted(bytes, start, end, out.bytes, at, true);
    for (let i = start; i < end; i++) out.bytes[at++] = bytes[i] as number;
    return at;
  }

  private attribute(walk: Walk, { name, slot }: Attribute, start: number, after: number): void {
    const { bytes, edits, row } = walk;
    if (!slot) {
      if (walk.rest === 'refuse') walk.unlisted([name]);
      // An attribute cannot be left out of its type; it becomes NULL.
      if (walk.rest === 'drop') edits.remove(start, after);
      return;
    }
    if (slot.kept) return;
    const { leaves } = slot;
    const at = leaves.reserve(after - start);
    if (bytes[start] === quote) {
      edits.replace(start, after, slot.index, leaves.add(row, readQuoted(bytes, start, after, leaves.bytes, at)), 0);
      return;
    }
    leaves.bytes.set(bytes.subarray(start, after), at);
    edits.replace(start, after, slot.index, leaves.add(row, at + after - start), 0);
  }
}

function needsQuotes(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === quote || byte === 92 || byte === 40 || byte === 41 || byte === comma || isSpaceByte(byte)) return true;
  }
  return false;
}
