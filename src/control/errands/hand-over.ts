// What nobody may keep is handed to the worker of an errand: it makes a key pair for this one errand, the request seals for it and forgets, and the
// worker takes what was sealed out of the table as it reads it. The key that opens it is in the worker's memory and nowhere else, so that whoever
// has the table, its backups or its write-ahead log has nothing.
import { setTimeout as sleep } from 'node:timers/promises';

import { toError } from '../../kernel/errors.js';
import type { Metadata } from '../../systems/metadata/metadata.js';
import { makeLink, seal, unseal } from '../links/links.js';
import { endErrand } from './find-errand.js';

/** For so long the request waits for a worker, and the worker for the request. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 50;

/** Seals `text` for the worker that takes this errand. Throws ERRAND_UNCLAIMED when none does; then the errand has ended. */
export async function handOver(metadata: Metadata, workspace: string, id: string, text: string): Promise<void> {
  for (const startedAt = performance.now(); performance.now() - startedAt < PATIENCE_MS; await sleep(LOOK_MS)) {
    const isHanded = await metadata.within(workspace, async ({ errands }) => {
      const recipient = await errands.findRecipient(id);
      return recipient !== undefined && (await errands.hand(id, seal(recipient, id, text)));
    });
    if (isHanded) return;
  }
  const error = toError('ERRAND_UNCLAIMED', { amount: `${PATIENCE_MS / 1000} s` });
  await metadata.within(workspace, async (transaction) => {
    const row = await transaction.errands.find(id);
    if (row) await endErrand(transaction, row, { error });
  });
  throw error;
}

/** What the request hands over; taken once. Throws ERRAND_NOT_HANDED when it does not. */
export async function takeOver(metadata: Metadata, workspace: string, id: string): Promise<string> {
  const { secret, key } = makeLink();
  await metadata.within(workspace, ({ errands }) => errands.offer(id, key));
  for (const startedAt = performance.now(); performance.now() - startedAt < PATIENCE_MS; await sleep(LOOK_MS)) {
    const sealed = await metadata.within(workspace, ({ errands }) => errands.take(id));
    if (sealed !== undefined) return unseal(secret, id, sealed);
  }
  throw toError('ERRAND_NOT_HANDED');
}
