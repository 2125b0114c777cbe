// A table's digest, as it stands in receipts: independent of the order of lines and of how they were cut into batches and streams.
// The kernel is WebAssembly (kernel/assembly/line-digest.ts); this file feeds it.
import { toError } from '../../kernel/errors.js';
import { type WasmMemory, loadWasm } from '../../kernel/wasm.js';

interface Kernel {
  readonly memory: WasmMemory;
  inputAt(): number;
  reserve(bytes: number): void;
  begin(): void;
  add(length: number): number;
  low(): bigint;
  high(): bigint;
  count(): bigint;
}

/** What is copied into the kernel at once; a longer line makes the memory grow to its size. */
const windowBytes = 1 << 20;

/**
 * Sum modulo 2^128 of SipHash-2-4-128 over each line without its `\n`; the key is the run's nonce (16 bytes), the 16 bytes of output are
 * read as a little-endian number, the sum is printed as 32 hex digits, highest first. One instance serves one stream.
 */
export class LineDigest {
  readonly #kernel: Kernel;
  readonly #inputAt: number;

  constructor(nonce: Uint8Array) {
    if (nonce.length !== 16) throw toError('NONCE_INVALID', { amount: `${nonce.length} bytes` });
    this.#kernel = loadWasm<Kernel>('line-digest');
    this.#inputAt = this.#kernel.inputAt();
    this.#kernel.reserve(windowBytes);
    this.#write(nonce);
    this.#kernel.begin();
  }

  /** Adds whole lines. Throws LINE_INCOMPLETE when the last byte is no `\n`. The bytes stay the caller's. */
  add(lines: Uint8Array): void {
    for (let from = 0; from < lines.length;) {
      const to = this.#cut(lines, from);
      const part = lines.subarray(from, to);
      this.#kernel.reserve(part.length);
      this.#write(part);
      if (this.#kernel.add(part.length) !== 0) throw toError('LINE_INCOMPLETE');
      from = to;
    }
  }

  get rows(): number {
    return Number(this.#kernel.count());
  }

  /** The sum so far, as a number below 2^128. */
  get sum(): bigint {
    return (BigInt.asUintN(64, this.#kernel.high()) << 64n) | BigInt.asUintN(64, this.#kernel.low());
  }

  /** End of the largest part that fits the window and ends with a line; of one line where that is longer. */
  #cut(lines: Uint8Array, from: number): number {
    if (lines.length - from <= windowBytes) return lines.length;
    const fitting = lines.lastIndexOf(10, from + windowBytes - 1);
    if (fitting >= from) return fitting + 1;
    const next = lines.indexOf(10, from + windowBytes);
    return next < 0 ? lines.length : next + 1;
  }

  #write(bytes: Uint8Array): void {
    new Uint8Array(this.#kernel.memory.buffer).set(bytes, this.#inputAt);
  }
}

export function toDigestText(sum: bigint): string {
  return BigInt.asUintN(128, sum).toString(16).padStart(32, '0');
}
