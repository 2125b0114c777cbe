// hot path: walks hstore text (`"key"=>"value", "key2"=>NULL`) and writes values back as hstore_out quotes them.
import type { ColumnWriter } from '../column-writer.js';
import { type Format, Omission, type Slot, type Walk } from './format.js';
import { readQuoted, skipQuoted, writeQuoted } from './quoted-text.js';

const quote = 34;

export class HstoreFormat implements Format {
  constructor(private readonly slots: ReadonlyMap<string, Slot>) {}

  walk(walk: Walk): void {
    const { bytes, end } = walk;
    const omission = new Omission(walk.edits);
    let comma = walk.start;
    for (let at = walk.start; at < end;) {
      omission.begin(at, comma);
      const keyEnd = bytes[at] === quote ? skipQuoted(bytes, at, end) : -1;
      if (keyEnd === -1 || bytes[keyEnd] !== 61 || bytes[keyEnd + 1] !== 62) walk.refuse();
      const value = keyEnd + 2;
      const after = bytes[value] === quote ? skipQuoted(bytes, value, end) : value + 4;
      if (after === -1 || after > end) walk.refuse();
      this.pair(walk, omission, at, keyEnd, after);
      comma = after;
      if (after < end && bytes[after] !== 44) walk.refuse();
      at = after + 2;
    }
    omission.close();
  }

  write(out: ColumnWriter, at: number, bytes: Uint8Array, start: number, end: number): number {
    out.reserve(at - out.length + (end - start) * 2 + 4);
    if (start !== -1) return writeQuoted(bytes, start, end, out.bytes, at, false);
    for (const byte of [78, 85, 76, 76]) out.bytes[at++] = byte;
    return at;
  }

  private pair(walk: Walk, omission: Omission, start: number, keyEnd: number, after: number): void {
    const { bytes, edits, row } = walk;
    const key = Buffer.alloc(keyEnd - start);
    const name = key.toString('utf8', 0, readQuoted(bytes, start, keyEnd, key, 0));
    const slot = this.slots.get(name);
    if (!slot) {
      if (walk.rest === 'refuse') walk.unlisted([name]);
      if (walk.rest === 'keep') omission.keep();
      else omission.drop(start, after);
      return;
    }
    omission.keep();
    const value = keyEnd + 2;
    if (slot.kept || bytes[value] !== quote) return;
    const at = slot.leaves.reserve(after - value);
    edits.replace(value, after, slot.index, slot.leaves.add(row, readQuoted(bytes, value, after, slot.leaves.bytes, at)), 0);
  }
}
