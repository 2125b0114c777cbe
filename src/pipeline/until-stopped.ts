// How work ends early: Ctrl-C, the caller's time-out and the source's budgets end a run wherever it is, not only at the next border between stages.
import type { Snapshot } from './ports.js';

export interface Stops {
  readonly signal?: AbortSignal | undefined;
  readonly exceeded?: Snapshot['exceeded'];
}

/** Runs the work; when a stop comes first, `cut` ends what is under way, and the stop's reason is thrown instead of what that broke. */
export async function untilStopped<T>({ signal, exceeded }: Stops, cut: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  let over = false;
  let stopped: { readonly reason: unknown; readonly cutting: Promise<unknown> } | undefined;
  const stop = (reason: unknown): void => {
    // What could not be cut is closed again by whoever opened it, and heard of there.
    if (!over) stopped ??= { reason, cutting: cut().catch(() => undefined) };
  };
  const onAbort = (): void => stop(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  exceeded?.catch(stop);
  try {
    const made = await work();
    if (!stopped) return made;
  } catch (error) {
    if (!stopped) throw error;
  } finally {
    over = true;
    signal?.removeEventListener('abort', onAbort);
  }
  await stopped.cutting;
  throw stopped.reason;
}

/** Closes after the work; that something could not be closed hides no failure of the work. */
export async function closingAfter<T>(close: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  let made: T;
  try {
    made = await work();
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
  await close();
  return made;
}
