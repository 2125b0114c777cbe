// hot path: one structured column of a batch: walk every value, run each path's rule over its leaves, write the values anew.
import type { Column } from '../../batch.js';
import type { ColumnRunner } from '../column-runner.js';
import { ColumnWriter } from '../column-writer.js';
import type { Place } from '../place.js';
import { Edits } from './edits.js';
import type { Format, Slot, Walk } from './format.js';
import { type Segment, type ShowKey, showPath } from './path.js';

export class StructuredRunner implements ColumnRunner {
  readonly plain = false;
  private readonly edits = new Edits();
  private readonly writer = new ColumnWriter();
  /** Where the edits of each row begin; one more at the end. */
  private firsts = new Int32Array(1 << 8);
  private readonly masked: (Column | undefined)[];
  /** The column's bytes and the writer's, for four bytes at a time. */
  private from = new DataView(this.writer.bytes.buffer);
  private to = this.from;

  constructor(
    private readonly format: Format,
    private readonly slots: readonly { readonly slot: Slot; readonly runner: ColumnRunner }[],
    private readonly rest: Walk['rest'],
    private readonly above: readonly Segment[],
    private readonly showKey: ShowKey,
  ) {
    this.masked = slots.map(() => undefined);
  }

  run(column: Column, place: Place): Column {
    this.edits.reset();
    for (const { slot } of this.slots) slot.leaves.reset();
    this.walk(column, place);
    for (const { slot, runner } of this.slots) {
      const { leaves, index } = slot;
      if (leaves.rows === 0) continue;
      this.masked[index] = runner.run(leaves, { ...place, rows: leaves.rowOf, ordinals: leaves.ordinals });
    }
    return this.render(column, place);
  }

  private walk(column: Column, place: Place): void {
    const { edits } = this;
    if (this.firsts.length <= column.rows) this.firsts = new Int32Array(column.rows * 2);
    // One object for all values: it is read during the call only.
    const walk: Walk = {
      bytes: column.bytes,
      start: 0,
      end: 0,
      row: 0,
      edits,
      rest: this.rest,
      unlisted: (path) => place.fail('MASK_PATH_UNLISTED', walk.row, showPath([...this.above, ...path], this.showKey)),
      refuse: () => place.fail('MASK_VALUE_REFUSED', walk.row, showPath(this.above, this.showKey)),
    };
    for (let i = 0; i < column.rows; i++) {
      this.firsts[i] = edits.count;
      const end = column.ends[i] as number;
      if (end === -1) continue;
      walk.start = column.starts[i] as number;
      walk.end = end;
      walk.row = place.rows ? (place.rows[i] as number) : i;
      this.format.walk(walk);
    }
    this.firsts[column.rows] = edits.count;
  }

  private render(column: Column, place: Place): ColumnWriter {
    const { writer, firsts } = this;
    writer.reset(column.rows);
    this.from = new DataView(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength);
    this.to = new DataView(writer.bytes.buffer);
    for (let row = 0; row < column.rows; row++) {
      const end = column.ends[row] as number;
      if (end === -1) writer.null(row);
      else {
        const stop = this.value(column.bytes, column.starts[row] as number, end, firsts[row] as number, firsts[row + 1] as number);
        if (stop === -1)
          place.fail('MASK_OUTPUT_INCOMPLETE', place.rows ? (place.rows[row] as number) : row, showPath(this.above, this.showKey));
        writer.end(row, stop);
      }
    }
    return writer;
  }

  /** Copies the value with its edits; returns where it ends in the writer, or -1 when nobody wrote one of its leaves. */
  private value(bytes: Uint8Array, start: number, end: number, first: number, last: number): number {
    const { edits } = this;
    let at = this.writer.length;
    let from = start;
    for (let edit = first; edit < last; edit++) {
      at = this.copy(bytes, from, edits.starts[edit] as number, at);
      from = edits.ends[edit] as number;
      at = this.leaf(edit, at);
      if (at === -1) return -1;
    }
    return this.copy(bytes, from, end, at);
  }

  private leaf(edit: number, at: number): number {
    const { edits, writer, format } = this;
    const slot = edits.slots[edit] as number;
    if (slot === -1) return at;
    const masked = this.masked[slot];
    const leaf = edits.leaves[edit] as number;
    const style = edits.styles[edit] as number;
    const end = masked ? (masked.ends[leaf] as number) : -1;
    if (end < -1) return -1;
    if (!masked || end === -1) return format.write(writer, at, writer.bytes, -1, -1, style);
    return format.write(writer, at, masked.bytes, masked.starts[leaf] as number, end, style);
  }

  /** Four bytes at a time: up to three beyond the stretch are written too, and then overwritten by what follows. */
  private copy(bytes: Uint8Array, start: number, end: number, at: number): number {
    const { writer, from } = this;
    writer.reserve(at - writer.length + end - start + 3);
    if (this.to.buffer !== writer.bytes.buffer) this.to = new DataView(writer.bytes.buffer);
    const { to } = this;
    if (end - start > 128 || end + 3 > from.byteLength) writer.bytes.set(bytes.subarray(start, end), at);
    else for (let i = start, k = at; i < end; i += 4, k += 4) to.setInt32(k, from.getInt32(i, true), true);
    return at + end - start;
  }
}
