// The freeze of an incident is lifted by two: one who closed it and says why, and another who agrees, in whichever order.
import { toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { IncidentRow, Transaction } from '../../systems/metadata/metadata.js';
import type { Consequence } from '../approvals/approvals.js';

/** What is approved. A type, so that it is JSON. */
export type LiftingFreeze = {
  readonly incident: string;
  readonly rule: string;
  readonly environment: string;
  readonly dataset: string;
};

export const incidentConsequence: Consequence = {
  async approved(transaction, { id: approval, subject }, nowMs, approver) {
    const { incident: id } = subject as LiftingFreeze;
    const incident = await transaction.incidents.find(id, 'FOR UPDATE');
    if (!incident || incident.liftedAt !== null) throw toError('APPROVAL_VOID', { name: 'the freeze does not stand any more' });
    if (incident.closedBy !== null && (await isSame(transaction, incident.closedBy, approver))) throw toError('APPROVAL_OF_OWN');
    await transaction.incidents.approveLift(id, approver);
    if (incident.closedBy !== null) await lift(transaction, { ...incident, liftApprovedBy: approver }, { nowMs, approval });
    return 'used';
  },
};

/** MUST be given one that is closed and agreed to by somebody else. */
export async function lift(
  transaction: Transaction,
  { id, rule, environment, pipeline, closedBy, liftApprovedBy }: IncidentRow,
  { nowMs, approval }: { readonly nowMs: number; readonly approval?: string },
): Promise<void> {
  await transaction.incidents.lift(id, new Date(nowMs));
  const data = {
    ...{ incident: id, rule, environment, dataset: pipeline, closedBy, approvedBy: liftApprovedBy },
    ...(approval === undefined ? {} : { approval }),
  };
  const at = toTimestamp(nowMs);
  await transaction.audit({ type: 'incident.lifted', at, data });
  await transaction.notifications.note({ type: 'incident.lifted', at, data: { incident: id, rule, environment, pipeline } });
}

/** Persons are compared with whom they stand for, as everywhere. */
export async function isSame({ people }: Transaction, one: string, other: string): Promise<boolean> {
  const [mine, theirs] = [await people.ownersOf([one]), await people.ownersOf([other])];
  return [...mine].some((owner) => theirs.has(owner));
}
