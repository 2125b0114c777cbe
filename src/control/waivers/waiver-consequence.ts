// A waiver stands when somebody else agrees, and while its time lasts.
import { toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { WaiverScope } from '../../systems/metadata/metadata.js';
import type { Consequence } from '../approvals/approvals.js';
import { hasRight } from '../http/http.js';

/** What is approved. */
export interface Waiving {
  readonly rule: string;
  readonly fingerprint: string | null;
  readonly scopeKind: WaiverScope | null;
  readonly scope: string | null;
  readonly reason: string;
  readonly until: string;
}

export const waiverConsequence: Consequence = {
  async approved(transaction, { id: approval, subject, requestedBy, environments }, nowMs) {
    const { rule, fingerprint, scopeKind, scope, reason, until } = subject as Waiving;
    if (requestedBy === null || !hasRight(await transaction.people.rolesOf(requestedBy), 'waivers:create', environments))
      throw toError('APPROVAL_VOID', { name: 'who asked for it has the right no more' });
    if (Date.parse(until) <= nowMs) throw toError('APPROVAL_VOID', { name: 'its time is up already' });
    const committed = await transaction.log.keepText(reason);
    const granted = { rule, fingerprint, scopeKind, scope, reason: committed, askedBy: requestedBy, approval, until: new Date(until) };
    const waiver = await transaction.waivers.insert(granted);
    const data = { waiver, rule, fingerprint, scopeKind, scope, reason: { committed }, until, approval };
    await transaction.audit({ type: 'waiver.granted', at: toTimestamp(nowMs), actor: requestedBy, data });
    return 'used';
  },
};
