// What a format of structured text (JSON, array, hstore, composite) knows: how to find its leaves and how to write one back.
import type { ColumnWriter } from '../column-writer.js';
import type { Edits } from './edits.js';
import type { Leaves } from './leaves.js';
import type { Segment } from './path.js';

/** A path that the classification lists: `kept` leaves stay as they are, others are gathered. */
export interface Slot {
  readonly index: number;
  readonly kept: boolean;
  readonly leaves: Leaves;
}

export interface Walk {
  readonly bytes: Uint8Array;
  start: number;
  end: number;
  /** Row of the batch. */
  row: number;
  readonly edits: Edits;
  readonly rest: 'refuse' | 'drop' | 'keep';
  /** The path is not listed and `rest` is `refuse`. */
  unlisted(path: readonly Segment[]): never;
  /** The text is not what the server prints for the type. */
  refuse(): never;
}

export interface Format {
  walk(walk: Walk): void;
  /** Writes the masked leaf at `out.length` onwards and returns where it ends; `start` is -1 for NULL. `at` is where to write. */
  write(out: ColumnWriter, at: number, bytes: Uint8Array, start: number, end: number, style: number): number;
}

/** Left-out members of a comma-separated list: the comma before goes with a member, or the one after where none is kept before it. */
export class Omission {
  private kept = false;
  private pending = -1;
  private comma = -1;
  private last = -1;

  constructor(private readonly edits: Edits) {}

  /** A member begins; `comma` is the position of the comma before it. */
  begin(start: number, comma: number): void {
    if (this.pending !== -1) this.edits.remove(this.pending, start);
    this.pending = -1;
    this.comma = comma;
  }

  keep(): void {
    this.kept = true;
  }

  drop(start: number, end: number): void {
    if (this.kept) this.edits.remove(this.comma, end);
    else this.pending = start;
    this.last = end;
  }

  close(): void {
    if (this.pending !== -1) this.edits.remove(this.pending, this.last);
  }
}
