// Rows per second over all connections together: each batch pays for itself before the next is asked for.
import type { Clock } from '../../../kernel/clock.js';

export class Throttle {
  readonly #rowsPerSecond: number | null;
  readonly #clock: Clock;
  readonly #sleeping = new Set<() => void>();
  #freeAt = 0;
  #open = true;

  constructor(rowsPerSecond: number | null, clock: Clock) {
    this.#rowsPerSecond = rowsPerSecond;
    this.#clock = clock;
  }

  /** Resolves when `rows` more rows are within the rate, or at once after `close`. */
  async take(rows: number): Promise<void> {
    if (!this.#rowsPerSecond || !this.#open) return;
    const now = this.#clock.now();
    this.#freeAt = Math.max(now, this.#freeAt) + (rows * 1000) / this.#rowsPerSecond;
    const waitMs = this.#freeAt - now;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleeping.delete(wake);
        resolve();
      };
      // setTimeout turns more than 2^31 - 1 ms into 1.
      const timer = setTimeout(wake, Math.min(waitMs, 2 ** 31 - 1));
      this.#sleeping.add(wake);
    });
  }

  close(): void {
    this.#open = false;
    for (const wake of [...this.#sleeping]) wake();
  }
}
