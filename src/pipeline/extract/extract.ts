// Extract: the plan's tables as streams of batches under one snapshot, largest table first, several at once, until a budget says stop.
import { setTimeout as sleep } from 'node:timers/promises';

import { toError } from '../../kernel/errors.js';
import type { Batch } from '../batch.js';
import type { LoadInto, Ranges, Receipt, Snapshot, SourceUsage } from '../ports.js';

const BUSY_MS = 100;

export interface Extraction {
  /** Ranges read at once. */
  readonly concurrency: number;
  /** Puts the rows of a range where it is shown. */
  readonly consume: (at: number, batches: AsyncIterable<Batch>, into: LoadInto) => Promise<Receipt>;
  /** Told of a range once it is in. */
  readonly loaded?: (at: number, receipt: Receipt) => Promise<void>;
  /** What others have is waited for: somebody who is gone gives it back. Absent: it is theirs. */
  readonly patient?: boolean;
}

/**
 * Reads every range that nobody else does, `concurrency` at a time, in their order, and hands each stream to `consume`.
 * The first failure (a budget's included) closes the snapshot, waits until every consumer has let go, and is thrown.
 */
export async function extract(
  snapshot: Snapshot,
  ranges: Ranges,
  { concurrency, consume, loaded, patient = false }: Extraction,
): Promise<SourceUsage> {
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
    while (!failure) {
      let range: { at: number; receipt: Receipt } | undefined;
      const load = async (at: number, into: LoadInto): Promise<Receipt> => {
        const batches = stopWhen(snapshot.read(ranges.all[at]!), () => failure !== undefined);
        const receipt = await consume(at, batches, into);
        range = { at, receipt };
        return receipt;
      };
      try {
        const state = await ranges.loadNext(load);
        if (state === 'done' || (state === 'busy' && !patient)) return;
        if (state === 'busy') await sleep(BUSY_MS);
        else if (range) await loaded?.(range.at, range.receipt);
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
