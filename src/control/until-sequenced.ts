// What was told waits in the outbox until the sequencer has signed it: whoever needs its place in the log waits for that.
import { setTimeout as sleep } from 'node:timers/promises';

import { toError } from '../kernel/errors.js';
import type { Metadata, Transaction } from '../systems/metadata/metadata.js';

const SHORTEST_MS = 4;
const LONGEST_MS = 200;

/** What the sequencer makes of what it was given. Throws LOG_NOT_SEQUENCED. */
export async function untilSequenced<T>(
  metadata: Metadata,
  workspaceId: string,
  find: (transaction: Transaction) => Promise<T | undefined>,
  patienceMs: number,
): Promise<T> {
  const startedAt = performance.now();
  for (let wait = SHORTEST_MS; ; wait = Math.min(wait * 1.5, LONGEST_MS)) {
    const found = await metadata.within(workspaceId, find);
    if (found !== undefined) return found;
    if (performance.now() - startedAt > patienceMs)
      throw toError('LOG_NOT_SEQUENCED', { stage: 'audit', amount: `${patienceMs / 1000} s` });
    await sleep(wait);
  }
}
