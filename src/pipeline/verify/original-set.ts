// hot path: the originals of the columns under test, as fingerprints in WebAssembly; memory is fixed, more originals than fit are more passes.
import { type WasmMemory, loadWasm } from '../../kernel/wasm.js';

interface Kernel {
  readonly memory: WasmMemory;
  reset(at: number, log2: number): void;
  size(): number;
  overflow(): bigint;
  collect(at: number, length: number, flags: number, part: number, parts: number, seed: bigint): number;
  check(at: number, length: number, flags: number, part: number, parts: number, seed: bigint, hits: number, room: number): number;
  found(): number;
}

/** A value of the output that may be an original: its column under test and its COPY text (escaped). */
export interface Hit {
  readonly column: number;
  readonly value: Uint8Array;
}

const FLAGS = 4096;
const MAX_FIELDS = 1 << 12;
const HITS = FLAGS + MAX_FIELDS * 4;
const HIT_ROOM = 4096;
const TABLE = HITS + HIT_ROOM * 12;

export class OriginalSet {
  private readonly kernel: Kernel;
  /** Lines stand after the table, so that a long line can make the memory grow. */
  private readonly input: number;
  private held = 0;
  private part = 0;
  private parts = 1;

  /** `slotsLog2`: 2^n slots of 4 bytes, three quarters of them usable. `seed`: any 64 bits, the same for all passes of a run. */
  constructor(
    private readonly slotsLog2: number,
    private readonly seed: bigint,
  ) {
    this.kernel = loadWasm<Kernel>('original-set');
    this.input = TABLE + 4 * 2 ** slotsLog2;
    this.reserve(1 << 17);
  }

  /** Empties the set; from now on it holds the originals of part `part` of `parts` (a split by hash). */
  begin(part: number, parts: number): void {
    this.kernel.reset(TABLE, this.slotsLog2);
    this.part = part;
    this.parts = parts;
  }

  /** Number of fingerprints held. */
  get size(): number {
    return this.kernel.size();
  }

  /** True when originals found no room: the pass says nothing and has to be made again in more parts. */
  get overflowed(): boolean {
    return this.kernel.overflow() > 0n;
  }

  /** Starts a stream of lines. `flags[f]` is the number (from 1) of the column under test that field f belongs to, or 0. */
  stream(flags: readonly number[]): void {
    if (flags.length > MAX_FIELDS) throw new RangeError('too many fields');
    const words = new Uint32Array(this.kernel.memory.buffer, FLAGS, MAX_FIELDS).fill(0);
    words.set(flags);
    this.held = 0;
  }

  collect(chunk: Uint8Array): void {
    this.feed(chunk, (length) => this.kernel.collect(this.input, length, FLAGS, this.part, this.parts, this.seed));
  }

  /** Probes the lines of a chunk; hands every hit on. */
  check(chunk: Uint8Array, onHit: (hit: Hit) => void): void {
    this.feed(chunk, (length) => {
      const used = this.kernel.check(this.input, length, FLAGS, this.part, this.parts, this.seed, HITS, HIT_ROOM);
      const { buffer } = this.kernel.memory;
      const hits = new Uint32Array(buffer, HITS, HIT_ROOM * 3);
      const found = Math.min(this.kernel.found(), HIT_ROOM);
      for (let i = 0; i < found; i++) {
        const [start, end, column] = [hits[i * 3] as number, hits[i * 3 + 1] as number, hits[i * 3 + 2] as number];
        onHit({ column, value: new Uint8Array(buffer, this.input + start, end - start).slice() });
      }
      return used;
    });
  }

  private feed(chunk: Uint8Array, use: (length: number) => number): void {
    const length = this.held + chunk.length;
    this.reserve(length);
    const bytes = new Uint8Array(this.kernel.memory.buffer, this.input, length);
    bytes.set(chunk, this.held);
    const used = use(length);
    bytes.copyWithin(0, used, length);
    this.held = length - used;
  }

  private reserve(bytes: number): void {
    // 16 more: the kernel reads whole vectors.
    const missing = this.input + bytes + 16 - this.kernel.memory.buffer.byteLength;
    if (missing > 0) this.kernel.memory.grow(Math.ceil(missing / 65536));
  }
}
