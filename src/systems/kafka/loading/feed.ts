// What one range still has to load: records go in as they come, and who puts them there waits while enough of them are under way.
import type { Masked } from '../../../pipeline/batch.js';

/** Records of a range that wait for its COPY: 2 MB. */
const MOST_WAITING = 8;

export class Feed implements AsyncIterable<Masked> {
  private readonly waiting: Masked[] = [];
  private wake: (() => void) | undefined;
  private ended = false;
  private failure: Error | undefined;

  /** Resolves when there is room for another, or nobody takes any. */
  async push(batch: Masked): Promise<void> {
    if (this.ended) return;
    this.waiting.push(batch);
    this.call();
    while (this.waiting.length >= MOST_WAITING && !this.ended) await this.change();
  }

  end(): void {
    this.ended = true;
    this.call();
  }

  /** What is loaded of it is given up. */
  fail(error: Error): void {
    this.failure ??= error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Masked, void, undefined> {
    try {
      for (;;) {
        if (this.failure) throw this.failure;
        const next = this.waiting.shift();
        this.call();
        if (next) yield next;
        else if (this.ended) return;
        else await this.change();
      }
    } finally {
      this.end();
    }
  }

  /** One waits for room or one for records, never both. */
  private change(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.wake;
      this.wake = () => {
        before?.();
        resolve();
      };
    });
  }

  private call(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }
}
