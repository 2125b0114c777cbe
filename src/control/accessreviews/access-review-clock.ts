// A review that nobody opened for longer than the setting says is opened by the service; one that nobody finished in time is told to the log and to channels, once.
// Every process looks; what the database lets in once is done once.
import { toTimestamp } from '../../kernel/clock.js';
import type { Transaction } from '../../systems/metadata/metadata.js';
import { type LookingOptions, Rounds } from '../rounds.js';
import { DAY_MS, openReview } from './open-review.js';

const LOOK_MS = 60_000;
/** What the service opens itself is to be decided within. */
export const REVIEW_DAYS = 14;

export interface AccessReviewClockOptions extends LookingOptions {
  /** 0: only when somebody opens one. */
  readonly everyDays: number;
}

export class AccessReviewClock {
  private readonly rounds: Rounds;

  constructor(private readonly options: AccessReviewClockOptions) {
    this.rounds = new Rounds(() => this.look(), LOOK_MS, options.failed);
  }

  async look(): Promise<void> {
    const { metadata, clock, everyDays, failed } = this.options;
    const nowMs = clock.now();
    if (everyDays > 0) {
      const opened = [new Date(nowMs - everyDays * DAY_MS)];
      const found = await metadata.query<{ workspace_id: string }>('SELECT workspace_id FROM bauta.find_unreviewed_access($1)', opened);
      for (const { workspace_id } of found)
        await metadata
          .within(workspace_id, (transaction) => openReview(transaction, { openedBy: null, nowMs, days: REVIEW_DAYS }))
          .catch(failed);
    }
    const overdue = await metadata.query<{ workspace_id: string; id: string }>(
      'SELECT workspace_id, id FROM bauta.find_overdue_access_reviews($1)',
      [new Date(nowMs)],
    );
    for (const { workspace_id, id } of overdue)
      await metadata.within(workspace_id, (transaction) => tellOverdue(transaction, id, nowMs)).catch(failed);
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }
}

async function tellOverdue(transaction: Transaction, id: string, nowMs: number): Promise<void> {
  if (!(await transaction.accessReviews.tellOverdue(id, new Date(nowMs)))) return;
  const { items, kept, revoked } = (await transaction.accessReviews.find(id))!;
  const at = toTimestamp(nowMs);
  await transaction.audit({ type: 'access-review.overdue', at, data: { review: id, open: items - kept - revoked } });
  await transaction.notifications.note({ type: 'access-review.overdue', at, data: { review: id } });
}
