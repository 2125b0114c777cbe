// hot path: finds the fields of a batch's lines in WebAssembly, which looks at 16 bytes at a time; the copy into its memory is part of the price, and
// bench/kernel.ts has it. One per thread: it stands for nothing between two batches. Its slow twin is test/laws/scan-lines.reference.ts.
import { loadWasm, type WasmMemory } from '../../kernel/wasm.js';

interface Kernel {
  readonly memory: WasmMemory;
  /** Where the caller's memory begins. */
  begin(): number;
  scanLines(at: number, length: number, fields: number, stops: number, flags: number): number;
}

/** Postgres has at most 1,600 columns in a table; hidden columns come on top. */
const flagBytes = 8192;
const page = 65_536;

export interface Scanned {
  /** The rows, or −1 − row for a row that has not this many fields. */
  readonly rows: number;
  /** Position of the delimiter after field f of row r, at `r * fields + f`. Valid until the next call. */
  readonly stops: Int32Array;
  /** 1 for a field that holds a backslash in some row. Valid until the next call. */
  readonly escaped: Uint8Array;
}

class LineScanner {
  private readonly kernel = loadWasm<Kernel>('scan-lines');
  private readonly flagsAt = this.kernel.begin();
  private readonly textAt = this.flagsAt + flagBytes;
  private bytes = new Uint8Array(this.kernel.memory.buffer);

  scan(text: Uint8Array, fields: number): Scanned {
    const { flagsAt, textAt } = this;
    const stopsAt = (textAt + text.length + 32) & ~15;
    // Every byte may be a delimiter.
    this.reserve(stopsAt + 4 * text.length);
    const { bytes } = this;
    bytes.fill(0, flagsAt, flagsAt + fields);
    bytes.set(text, textAt);
    const rows = this.kernel.scanLines(textAt, text.length, fields, stopsAt, flagsAt);
    return {
      rows,
      stops: new Int32Array(bytes.buffer, stopsAt, Math.max(0, rows) * fields),
      escaped: bytes.subarray(flagsAt, flagsAt + fields),
    };
  }

  private reserve(length: number): void {
    if (length <= this.bytes.length) return;
    this.kernel.memory.grow(Math.ceil((length - this.bytes.length) / page));
    this.bytes = new Uint8Array(this.kernel.memory.buffer);
  }
}

let scanner: LineScanner | undefined;

/** The text MUST end in a newline; `fields` MUST be at least 1. */
export function scanLines(text: Uint8Array, fields: number): Scanned {
  return (scanner ??= new LineScanner()).scan(text, fields);
}
