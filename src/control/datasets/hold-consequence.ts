// A hold is lifted when somebody else agrees: that very one, and only while it stands.
import { toError } from '../../kernel/errors.js';
import type { Consequence } from '../approvals/approvals.js';
import { hasRight } from '../http/http.js';
import { tellMark } from './tell-mark.js';

/** What is approved: this hold of this version ends now. */
export interface Lifting {
  readonly hold: string;
  readonly run: string;
  readonly target: string;
  readonly version: number;
  readonly until: string;
  readonly reason: string;
}

export const holdConsequence: Consequence = {
  async approved(transaction, { id: approval, subject, requestedBy, environments }, nowMs) {
    const { hold, run, until, reason } = subject as Lifting;
    const row = await transaction.datasets.lock(run);
    const standing = await transaction.holds.find(run, new Date(nowMs));
    if (!row || standing?.id !== hold || standing.until.toISOString() !== until)
      throw toError('APPROVAL_VOID', { name: 'that hold does not stand any more as it was' });
    if (requestedBy === null || !hasRight(await transaction.people.rolesOf(requestedBy), 'datasets:hold', environments))
      throw toError('APPROVAL_VOID', { name: 'who asked for it has the right no more' });
    await transaction.holds.lift(hold, requestedBy);
    await tellMark(transaction, row, { type: 'hold.lifted', actor: requestedBy, reason, approval }, nowMs);
    return 'used';
  },
};
