// hot path: bytes on their way from a socket to one consumer, in buffers that are used again; over a number of bytes the socket is asked to pause.

const chunkBytes = 64 * 1024;
const mostBytes = 512 * 1024;

interface Chunk {
  readonly memory: Uint8Array;
  filled: number;
}

export class ChunkQueue implements AsyncIterable<Uint8Array> {
  readonly #chunks: Chunk[] = [];
  readonly #free: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #abandoned = false;
  #outcome: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(private readonly pause: (paused: boolean) => void) {}

  /** A chunk with room for so many bytes more; `grew` MUST be told how many were written behind `filled`. */
  reserve(bytes: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last && last.memory.length - last.filled >= bytes) return last;
    const memory = bytes <= chunkBytes ? (this.#free.pop() ?? new Uint8Array(chunkBytes)) : new Uint8Array(bytes);
    const chunk = { memory, filled: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }

  grew(chunk: Chunk, bytes: number): void {
    // Nobody reads on: what still comes goes by, so that the connection's end is heard.
    if (this.#abandoned) return;
    chunk.filled += bytes;
    this.#bytes += bytes;
    if (this.#bytes > mostBytes) this.#setPaused(true);
    if (bytes > 0) this.#wake?.();
  }

  end(): void {
    this.#outcome ??= {};
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#outcome ??= { error };
    this.#wake?.();
  }

  /** A chunk is the consumer's until it asks for the next. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        while (this.#chunks.length > 1 && this.#chunks[0]?.filled === 0) this.#chunks.shift();
        const chunk = this.#chunks[0];
        if (chunk && chunk.filled > 0) {
          this.#chunks.shift();
          this.#bytes -= chunk.filled;
          if (this.#bytes < mostBytes / 2) this.#setPaused(false);
          yield chunk.memory.subarray(0, chunk.filled);
          if (chunk.memory.length === chunkBytes) this.#free.push(chunk.memory);
          continue;
        }
        if (this.#outcome && 'error' in this.#outcome) throw this.#outcome.error;
        if (this.#outcome) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    } finally {
      this.#abandoned = true;
      this.#setPaused(false);
    }
  }

  #setPaused(paused: boolean): void {
    if (this.#paused === paused) return;
    this.#paused = paused;
    this.pause(paused);
  }
}
