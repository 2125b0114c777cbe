// What a process does again and again beside its requests: looks whether something is due. A round that takes longer than the interval is not overtaken,
// and whoever stops waits for the one that is under way.
import type { Clock } from '../kernel/clock.js';
import type { Metadata } from '../systems/metadata/metadata.js';

export interface LookingOptions {
  readonly metadata: Metadata;
  readonly clock: Clock;
  /** Told of every failure; the next look tries again. */
  readonly failed: (error: unknown) => void;
}

export class Rounds {
  private readonly timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  /** `everyMs` 0: only when `run` is called. `failed` is told of every failure; the next round tries again. */
  constructor(
    private readonly round: () => Promise<void>,
    everyMs: number,
    private readonly failed: (error: unknown) => void,
  ) {
    if (everyMs > 0) this.timer = setInterval(() => void this.run(), everyMs);
  }

  /** A round now, or the one that is under way. Never throws. */
  run(): Promise<void> {
    this.running ??= this.round()
      .catch(this.failed)
      .finally(() => (this.running = undefined));
    return this.running;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }
}

/** One after the other. What goes wrong with one holds up none of the others: each may be of another workspace. Never rejects. */
export async function forEach<T>(found: Iterable<T>, failed: (error: unknown) => void, work: (one: T) => Promise<unknown>): Promise<void> {
  for (const one of found) {
    try {
      await work(one);
    } catch (error) {
      failed(error);
    }
  }
}
