// Batches of lines on their way from a socket to one consumer; over a number of bytes the socket is asked to pause.

/** Whole lines. Whoever takes them from the queue owns the bytes. */
export interface Lines {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

export class LineQueue implements AsyncIterable<Lines> {
  /** Nobody reads on. */
  abandoned = false;
  readonly #waiting: Lines[] = [];
  readonly #mostBytes: number;
  #bytes = 0;
  #paused = false;
  #outcome: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** One batch waits, and another is being filled. */
  constructor(
    batchBytes: number,
    private readonly pause: (paused: boolean) => void,
  ) {
    this.#mostBytes = batchBytes;
  }

  add(lines: Lines): void {
    this.#waiting.push(lines);
    this.#bytes += lines.bytes.length;
    this.#setPaused(this.#bytes > this.#mostBytes);
    this.#wake?.();
  }

  end(): void {
    this.#outcome ??= {};
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#outcome ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Lines, void, undefined> {
    try {
      for (;;) {
        const lines = this.#waiting.shift();
        if (lines) {
          this.#bytes -= lines.bytes.length;
          this.#setPaused(this.#bytes > this.#mostBytes);
          yield lines;
          continue;
        }
        if (this.#outcome && 'error' in this.#outcome) throw this.#outcome.error;
        if (this.#outcome) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    } finally {
      this.abandoned = true;
      this.#setPaused(false);
    }
  }

  #setPaused(paused: boolean): void {
    if (this.#paused === paused) return;
    this.#paused = paused;
    this.pause(paused);
  }
}
