// hot path: one json or jsonb column of a batch, in the kernel: walk every value along the trie of the listed paths, run each path's rule over its leaves,
// write the values anew. What is not masked or left out stays byte for byte.
import type { Column } from '../../batch.js';
import type { ColumnRunner } from '../column-runner.js';
import { kernel, type MemoryColumn, toInts } from '../kernel/kernel.js';
import type { Place } from '../place.js';
import type { JsonPath } from './json-trie.js';
import { toJsonTrie } from './json-trie.js';
import { type Segment, type ShowKey, showPath } from './path.js';

const rests = ['refuse', 'drop', 'keep'] as const;

export interface JsonSetting {
  readonly rest: (typeof rests)[number];
  readonly above: readonly Segment[];
  readonly showKey: ShowKey;
}

/** The leaves at one path: where they stand, and which row of the batch and which number in it each has. */
interface PathLeaves {
  readonly column: MemoryColumn;
  readonly rowsAt: number;
  readonly ordinalsAt: number;
}

export class JsonRunner implements ColumnRunner {
  readonly plain = false;
  private readonly trie: Uint8Array;
  private readonly rest: number;

  constructor(
    paths: readonly JsonPath[],
    private readonly runners: readonly ColumnRunner[],
    private readonly setting: JsonSetting,
  ) {
    this.trie = toJsonTrie(paths);
    this.rest = rests.indexOf(setting.rest);
  }

  run(column: Column, place: Place): Column {
    const memory = kernel();
    const { rows, startsAt, endsAt } = memory.toMemory(column);
    const trie = memory.put(this.trie);
    const firsts = memory.take(4 * rows + 4);
    const edits = memory.open;
    const stop = memory.calls.walkJson(startsAt, endsAt, rows, trie, this.rest, firsts, edits);
    if (stop === 0) this.fail(place);
    memory.used(stop);
    const leaves = this.toLeaves(edits, stop, firsts, rows, place);
    const masked = leaves.flatMap((each, slot) => this.mask(each, slot, place));
    const table = memory.putInts(masked);
    const written = memory.takeColumn(rows);
    const begin = memory.open;
    const end = memory.calls.renderJson(startsAt, endsAt, rows, edits, firsts, table, written.startsAt, written.endsAt, begin);
    if (end < 0) place.fail('MASK_OUTPUT_INCOMPLETE', toBatchRow(place, -1 - end), this.show([]));
    memory.used(end);
    return written;
  }

  private toLeaves(edits: number, stop: number, firsts: number, rows: number, place: Place): PathLeaves[] {
    const memory = kernel();
    const slots = this.runners.length;
    const countsAt = memory.putInts(new Int32Array(slots));
    memory.calls.countLeaves(edits, stop, countsAt);
    const leaves = Array.from(toInts(countsAt, slots), (count) => ({
      column: memory.takeColumn(count),
      rowsAt: memory.take(4 * count),
      ordinalsAt: memory.take(4 * count),
    }));
    const table = leaves.flatMap(({ column, rowsAt, ordinalsAt }) => [column.startsAt, column.endsAt, rowsAt, ordinalsAt, 0]);
    memory.calls.placeLeaves(edits, firsts, rows, place.rows ? memory.addressOf(place.rows) : 0, memory.putInts(table));
    return leaves;
  }

  /** Where the masked leaves start and end. */
  private mask({ column, rowsAt, ordinalsAt }: PathLeaves, slot: number, place: Place): [number, number] {
    if (column.rows === 0) return [0, 0];
    const { subjects, rowKeys, companions } = place;
    const masked = (this.runners[slot] as ColumnRunner).run(column, {
      subjects,
      rowKeys,
      companions,
      fail: (code, row, path) => place.fail(code, row, path),
      // Read anew each time: the memory may grow.
      get rows() {
        return toInts(rowsAt, column.rows);
      },
      get ordinals() {
        return toInts(ordinalsAt, column.rows);
      },
    });
    const { startsAt, endsAt } = kernel().toMemory(masked);
    return [startsAt, endsAt];
  }

  private fail(place: Place): never {
    const memory = kernel();
    const { calls } = memory;
    const row = toBatchRow(place, calls.jsonFailedRow());
    if (calls.jsonFailure() === 1) place.fail('MASK_VALUE_REFUSED', row, this.show([]));
    const keys = Array.from({ length: calls.jsonFailedDepth() }, (_, depth): Segment => {
      const [start = 0, end = 0] = toInts(calls.jsonKeys() + 8 * depth, 2);
      return start === 0 ? null : Buffer.from(memory.bytes.subarray(start, end)).toString('utf8');
    });
    place.fail('MASK_PATH_UNLISTED', row, this.show(keys));
  }

  private show(path: readonly Segment[]): string {
    return showPath([...this.setting.above, ...path], this.setting.showKey);
  }
}

function toBatchRow({ rows }: Place, value: number): number {
  return rows ? (rows[value] as number) : value;
}
