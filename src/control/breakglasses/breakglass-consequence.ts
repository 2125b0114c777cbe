// A break-glass takes two approvers, neither of whom asked: the first one's yes asks a second, and the second one's issues it.
import { randomUUID } from 'node:crypto';

import { toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { BreakglassScope } from '../../pipeline/breakglass.js';
import type { Transaction } from '../../systems/metadata/metadata.js';
import { type Consequence, openApproval } from '../approvals/approvals.js';
import { type Permission, hasRight } from '../http/http.js';

/** What is approved. A type, not an interface: it is JSON. */
export type Breaking = BreakglassScope & {
  readonly minutes: number;
  readonly reason: string;
  /** Approvals and approvers so far. */
  readonly approvals: readonly string[];
  readonly approvedBy: readonly string[];
};

/** How long it may wait for its two approvers: what was urgent yesterday is asked for again. */
export const waitingHours = 4;

export const breakglassConsequence: Consequence = {
  async approved(transaction, { id, subject, requestedBy, environments }, nowMs, approver) {
    const { approvals, approvedBy, ...wanted } = subject as Breaking;
    await requireStill(transaction, requestedBy, 'breakglasses:ask', environments);
    for (const one of approvedBy) await requireStill(transaction, one, 'breakglasses:approve', environments);
    const agreed: Breaking = { ...wanted, approvals: [...approvals, id], approvedBy: [...approvedBy, approver] };
    if (agreed.approvedBy.length < 2) await askSecond(transaction, agreed, requestedBy!, nowMs);
    else await issue(transaction, agreed, requestedBy!, nowMs);
    return 'used';
  },
};

async function requireStill(
  { people }: Transaction,
  personId: string | null,
  right: Permission,
  environments: readonly string[],
): Promise<void> {
  if (personId === null || !hasRight(await people.rolesOf(personId), right, environments))
    throw toError('APPROVAL_VOID', { name: 'who asked for it or agreed to it has the right no more' });
}

async function askSecond(transaction: Transaction, subject: Breaking, requestedBy: string, nowMs: number): Promise<void> {
  const authorIds = [requestedBy, ...subject.approvedBy];
  const wanted = { kind: 'breakglass' as const, requestedBy, authorIds, environments: [subject.environment], subject };
  await openApproval(transaction, { ...wanted, thing: { ...subject, requestedBy } }, { nowMs, hours: waitingHours });
}

async function issue(transaction: Transaction, of: Breaking, askedBy: string, nowMs: number): Promise<void> {
  const { gate, environment, service, commit, minutes, approvals, approvedBy } = of;
  const [id, key, reason] = [randomUUID(), randomUUID(), await transaction.log.keepText(of.reason)];
  const [issuedAt, expiresAt] = [new Date(nowMs), new Date(nowMs + minutes * 60_000)];
  await transaction.breakglasses.insert({
    ...{ id, key, gate, environment, service, commit, reason, askedBy, approvedBy, issuedAt, expiresAt },
  });
  const at = toTimestamp(nowMs);
  const data = {
    ...{ breakglass: id, gate, environment, service, commit, reason: { committed: reason }, approvals, approvedBy },
    ...{ issuedAt: at, expiresAt: expiresAt.toISOString() },
  };
  await transaction.auditAll([{ event: { type: 'breakglass.issued', at, actor: askedBy, data }, key }]);
  const told = { breakglass: id, gate, environment, service, expiresAt: expiresAt.toISOString() };
  await transaction.notifications.note({ type: 'breakglass.issued', at, data: told });
}
