// hot path: the digest of a table, order-independent over its COPY lines; the sums are made in WebAssembly (kernel/assembly/table-digest.ts).
import { type WasmMemory, loadWasm } from '../../kernel/wasm.js';

interface Kernel {
  readonly memory: WasmMemory;
  start(): void;
  add(at: number, length: number, key0: bigint, key1: bigint, skipped: number): number;
  sumLow(): bigint;
  sumHigh(): bigint;
  count(): bigint;
  bytes(): bigint;
}

/** Bytes of the kernel's own data, left alone at the beginning of its memory. */
const BASE = 4096;

export class TableDigest {
  private readonly kernel: Kernel;
  private readonly key: readonly [bigint, bigint];
  /** Bytes of an unfinished line, standing at BASE. */
  private held = 0;

  /** `nonce`: 16 bytes, public; the key of the PRF. `skipped`: fields at the beginning of each line that are not the table's own. */
  constructor(
    nonce: Uint8Array,
    private readonly skipped = 0,
  ) {
    this.kernel = loadWasm<Kernel>('table-digest');
    const view = new DataView(nonce.buffer, nonce.byteOffset, 16);
    this.key = [view.getBigInt64(0, true), view.getBigInt64(8, true)];
    this.kernel.start();
  }

  /** The next bytes of `COPY … TO STDOUT`; lines may be cut anywhere. */
  update(chunk: Uint8Array): void {
    const { memory } = this.kernel;
    const needed = BASE + this.held + chunk.length + 16;
    if (needed > memory.buffer.byteLength) memory.grow(Math.ceil((needed - memory.buffer.byteLength) / 65536));
    const bytes = new Uint8Array(memory.buffer);
    bytes.set(chunk, BASE + this.held);
    const length = this.held + chunk.length;
    const used = this.kernel.add(BASE, length, this.key[0], this.key[1], this.skipped);
    this.held = length - used;
    bytes.copyWithin(BASE, BASE + used, BASE + length);
  }

  get bytes(): number {
    return Number(this.kernel.bytes());
  }

  get rows(): number {
    return Number(this.kernel.count());
  }

  /** 32 hex digits of the sum modulo 2^128; each line's PRF is read as a little-endian number. */
  digest(): string {
    const hex = (word: bigint): string => BigInt.asUintN(64, word).toString(16).padStart(16, '0');
    return hex(this.kernel.sumHigh()) + hex(this.kernel.sumLow());
  }
}
