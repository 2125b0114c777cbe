// A review begins with a list of what is held at that instant: each of it is an entry of the log, so that nothing can be left out of it afterwards.
import { randomUUID } from 'node:crypto';

import type { Json } from '../../kernel/canonical-json.js';
import { toTimestamp } from '../../kernel/clock.js';
import type { Holding, Transaction } from '../../systems/metadata/metadata.js';

export const DAY_MS = 86_400_000;

export interface Opening {
  /** A person's id; null: the service itself. */
  readonly openedBy: string | null;
  readonly nowMs: number;
  readonly days: number;
}

/** Undefined: one is open already. */
export async function openReview(transaction: Transaction, { openedBy, nowMs, days }: Opening): Promise<string | undefined> {
  const [openedAt, dueAt, id] = [new Date(nowMs), new Date(nowMs + days * DAY_MS), randomUUID()];
  // What is granted meanwhile is for the next review.
  await transaction.people.lock();
  const held = await transaction.accessReviews.holdings(openedAt);
  if (!(await transaction.accessReviews.open({ id, openedBy, openedAt, dueAt }, held))) return undefined;
  const at = toTimestamp(nowMs);
  const actor = openedBy === null ? {} : { actor: openedBy };
  const opened = { review: id, dueAt: dueAt.toISOString(), items: held.length };
  await transaction.auditAll([
    { event: { type: 'access-review.opened', at, ...actor, data: opened }, key: randomUUID() },
    ...held.map((one, i) => ({
      event: { type: 'access-review.listed', at, data: { review: id, item: i + 1, ...toHeld(one) } },
      key: randomUUID(),
    })),
  ]);
  return id;
}

export const toHeld = ({ kind, personId, holds, environment, since, lastUsedAt }: Holding): Record<string, Json> => ({
  ...{ kind, person: personId, holds, environment },
  ...{ since: since?.toISOString() ?? null, lastUsedAt: lastUsedAt?.toISOString() ?? null },
});
