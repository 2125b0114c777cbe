// Something that the service will say, once: whoever waits for it hears it, or why it will not come.
import type { BautaError } from '../kernel/errors.js';

export class Word<T> {
  private said: T | undefined;
  private failure: BautaError | undefined;
  private wake: (() => void) | undefined;

  get isSaid(): boolean {
    return this.said !== undefined;
  }

  say(value: T): void {
    this.said ??= value;
    this.wake?.();
  }

  fail(error: BautaError): void {
    this.failure ??= error;
    this.wake?.();
  }

  async heard(): Promise<T> {
    while (this.said === undefined || this.failure) {
      if (this.failure) throw this.failure;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    return this.said;
  }
}
