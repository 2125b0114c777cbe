// Keys are destroyed when somebody else agrees: then a worker is asked for it. What needs them is looked at again, there and here.
import { toTimestamp } from '../../kernel/clock.js';
import { toError, toKnownError } from '../../kernel/errors.js';
import type { Consequence } from '../approvals/approvals.js';
import { requestKeyChange } from '../errands/errands.js';
import { hasRight } from '../http/http.js';
import { findEnvironmentsOf, requireUnneeded } from './key-environments.js';

/** What is approved: of these keys, these versions, and the environments that have them. */
export interface Destroying {
  readonly environment: string;
  readonly purpose: 'masking' | 'token' | 'transport';
  readonly upTo: number;
  readonly environments: readonly string[];
  readonly reason: string;
  readonly backups?: string;
}

export const keysConsequence: Consequence = {
  async approved(transaction, { subject, requestedBy, environments: seen }, nowMs) {
    const { environment, purpose, upTo, reason, backups } = subject as Destroying;
    const environments = await findEnvironmentsOf(transaction, environment);
    if (environments.join() !== seen.join()) throw toError('APPROVAL_VOID', { name: 'other environments have these keys now' });
    if (requestedBy === null || !hasRight(await transaction.people.rolesOf(requestedBy), 'keys:destroy', environments))
      throw toError('APPROVAL_VOID', { name: 'who asked for it has the right no more' });
    await requireUnneeded(transaction, environment, upTo, nowMs).catch((error: unknown) => {
      throw toError('APPROVAL_VOID', { name: `${toKnownError(error).where.name ?? 'a document'} needs them now` });
    });
    const wanted = { purpose, upTo, reason, ...(backups === undefined ? {} : { backups }) };
    const { id } = await requestKeyChange(transaction, { kind: 'key-destruction', environment, requestedBy, nowMs, wanted });
    const data = { 'key-destruction': id, environment, purpose, upTo };
    await transaction.audit({ type: 'key-destruction.requested', at: toTimestamp(nowMs), actor: requestedBy, data });
    return 'used';
  },
};
