// Extract: the plan's tables as streams of batches under one snapshot, largest table first, several at once, until a budget says stop.
import { toError } from '../../kernel/errors.js';
import type { Batch } from '../batch.js';
import type { Range, Snapshot, SourceUsage } from '../ports.js';

/**
 * Reads every range once, `concurrency` at a time, in the snapshot's order, and hands each stream to `consume`.
 * The first failure (a budget's included) closes the snapshot, waits until every consumer has let go, and is thrown.
 */
export async function extract(
  snapshot: Snapshot,
  concurrency: number,
  consume: (range: Range, batches: AsyncIterable<Batch>) => Promise<void>,
): Promise<SourceUsage> {
  const waiting = [...snapshot.ranges()];
  let failure: { readonly cause: unknown } | undefined;
  let closing: Promise<void> | undefined;
  const fail = (cause: unknown): void => {
    failure ??= { cause };
    // What closing adds to a failure is not news: the failure is thrown.
    closing ??= snapshot.close().catch(() => undefined);
  };
  let over = false;
  snapshot.exceeded.catch((cause: unknown) => {
    if (!over) fail(cause);
  });
  const worker = async (): Promise<void> => {
    for (let range = waiting.shift(); range !== undefined && !failure; range = waiting.shift()) {
      const batches = snapshot.read(range);
      try {
        await consume(
          range,
          stopWhen(batches, () => failure !== undefined),
        );
      } catch (cause) {
        fail(cause);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, worker));
  over = true;
  await closing;
  if (failure) throw failure.cause;
  return snapshot.usage();
}

async function* stopWhen(batches: AsyncIterable<Batch>, stopped: () => boolean): AsyncGenerator<Batch, void, undefined> {
  for await (const batch of batches) {
    if (stopped()) throw toError('EXTRACT_CLOSED', { stage: 'extract' });
    yield batch;
  }
}
