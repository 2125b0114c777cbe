// hot path: the masking kernel of this thread: one WebAssembly instance and the memory in which a batch lies from scan to join. Whatever is written for one
// batch is gone with the next. Addresses are absolute, so a column's `bytes` is the whole memory. Slow twins: test/laws/*.reference.ts.
import { loadWasm } from '../../../kernel/wasm.js';
import type { Column } from '../../batch.js';
import type { WordTable } from '../transform.js';
import type { KernelCalls } from './kernel-calls.js';

const page = 65_536;
/** As assembly/masking/room.ts has it: what loops may read or write beyond an end. */
const slack = page;

/** Where starts, ends and bytes of a new column go. */
type To = [starts: number, ends: number, out: number];

class Kernel {
  readonly calls = loadWasm<KernelCalls>('masking');
  private bytesView = new Uint8Array(this.calls.memory.buffer);
  private intsView = new Int32Array(this.calls.memory.buffer);
  /** What is kept for the life of the thread ends here; the batch begins. */
  private floor = this.calls.begin();
  private top = this.floor;
  private readonly kept = new WeakMap<Uint8Array | Int32Array, number>();

  /** The whole memory, as bytes and as words; read them again after anything that may have made it grow. */
  get bytes(): Uint8Array {
    if (this.bytesView.length === 0) this.bytesView = new Uint8Array(this.calls.memory.buffer);
    return this.bytesView;
  }

  get ints(): Int32Array {
    if (this.intsView.length === 0) this.intsView = new Int32Array(this.calls.memory.buffer);
    return this.intsView;
  }

  /** A new batch: what was taken for the one before is free. */
  begin(): void {
    this.top = this.floor;
  }

  /** Room for so many bytes, on an address that 16 divides, until the next batch begins. */
  take(length: number): number {
    const at = this.top;
    this.used(at + length);
    return at;
  }

  /** Where the next room begins: a call that does not know how much it will write begins there, and `used` says where it ended. */
  get open(): number {
    return this.top;
  }

  used(end: number): void {
    this.top = (end + 31) & ~15;
    this.reserve(0);
  }

  /** Makes sure of so many bytes from `open` on. */
  reserve(length: number): void {
    if (this.top + length + slack > this.bytes.length) this.calls.grow(this.top + length);
  }

  /** Where these bytes are, in this memory: copied to it if they are elsewhere. */
  addressOf(array: Uint8Array | Int32Array): number {
    if (array.buffer === this.calls.memory.buffer) return array.byteOffset;
    return array instanceof Int32Array ? this.putInts(array) : this.put(array);
  }

  put(bytes: Uint8Array): number {
    const at = this.take(bytes.length);
    this.bytes.set(bytes, at);
    return at;
  }

  putInts(numbers: ArrayLike<number>): number {
    const at = this.take(4 * numbers.length);
    this.ints.set(numbers, at >> 2);
    return at;
  }

  /** Puts an array that never changes where it stays; MUST NOT be called while a batch is masked. */
  keep(array: Uint8Array | Int32Array): number {
    const found = this.kept.get(array);
    if (found !== undefined) return found;
    this.begin();
    const at = array instanceof Int32Array ? this.putInts(array) : this.put(array);
    this.floor = this.top;
    this.kept.set(array, at);
    return at;
  }

  /** Where the column's values are, in this memory: copied to it if they are elsewhere. */
  toMemory(column: Column): MemoryColumn {
    if (column instanceof MemoryColumn) return column;
    const { rows, bytes, starts, ends } = column;
    const own = bytes.buffer === this.calls.memory.buffer;
    const room = this.takeColumn(rows);
    const startsAt = room.startsAt >> 2;
    this.ints.set(starts.subarray(0, rows), startsAt);
    this.ints.set(ends.subarray(0, rows), startsAt + rows);
    if (own) return room;
    const [first, last] = toExtent(column);
    const at = this.take(last - first);
    this.bytes.set(bytes.subarray(first, last), at);
    this.calls.shiftColumn(room.startsAt, room.endsAt, rows, at - first);
    return room;
  }

  /**
   * The column that a call writes at the open end: it returns where that is afterwards, or −1 − row for a value that it does not take, then `refuse` has the
   * last word. All else that the call needs MUST be in place.
   */
  write<T = never>(rows: number, call: (...to: To) => number, refuse: (row: number) => T): MemoryColumn | T {
    const column = this.takeColumn(rows);
    const end = call(column.startsAt, column.endsAt, this.top);
    if (end < 0) return refuse(-1 - end);
    this.used(end);
    return column;
  }

  /** A column of so many rows, whose starts and ends are still to be written. */
  takeColumn(rows: number): MemoryColumn {
    const startsAt = this.take(8 * rows);
    return new MemoryColumn(rows, startsAt, startsAt + 4 * rows);
  }
}

/** For columns of which some values are for a slower loop: the whole column goes there. */
export function toUndefined(): undefined {
  return undefined;
}

/** The first byte of any value and the one behind the last. */
function toExtent({ rows, starts, ends }: Column): readonly [number, number] {
  let [first, last] = [0x7fffffff, 0];
  for (let row = 0; row < rows; row++) {
    const end = ends[row] as number;
    if (end < 0) continue;
    if (end > last) last = end;
    if ((starts[row] as number) < first) first = starts[row] as number;
  }
  return first < last ? [first, last] : [0, 0];
}

/** A column in the kernel's memory, valid until the next batch begins. Its arrays MUST be read again after the memory may have grown. */
export class MemoryColumn implements Column {
  private startsView: Int32Array | undefined;
  private endsView: Int32Array | undefined;

  constructor(
    readonly rows: number,
    readonly startsAt: number,
    readonly endsAt: number,
  ) {}

  get bytes(): Uint8Array {
    return kernel().bytes;
  }

  get starts(): Int32Array {
    if (this.startsView === undefined || this.startsView.buffer.byteLength === 0) this.startsView = toInts(this.startsAt, this.rows);
    return this.startsView;
  }

  get ends(): Int32Array {
    if (this.endsView === undefined || this.endsView.buffer.byteLength === 0) this.endsView = toInts(this.endsAt, this.rows);
    return this.endsView;
  }
}

export function toInts(at: number, count: number): Int32Array {
  return new Int32Array(kernel().calls.memory.buffer, at, count);
}

/** Whether the kernel stopped because its addresses, of 31 bits, were used up: it traps for nothing else. */
export function isMemoryFull(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError' && error.message === 'unreachable';
}

/** A word table, kept. MUST NOT be called while a batch is masked. */
export function keepWords({ bytes, offsets }: WordTable): { readonly offsets: number; readonly bytes: number } {
  return { offsets: kernel().keep(offsets), bytes: kernel().keep(bytes) };
}

let instance: Kernel | undefined;

export function kernel(): Kernel {
  return (instance ??= new Kernel());
}
