// What a reviewer decided of one thing that somebody holds. Revoked is by the same means as otherwise: roles are taken, a key works no more, a clone is
// given back; nothing here can give anybody anything.
import { toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { AccessEffect, AccessReviewItem, Transaction } from '../../systems/metadata/metadata.js';
import { askForRoles, takesAnother } from '../access/access.js';
import type { ApprovalTerm } from '../approvals/approvals.js';
import { giveBack } from '../environments/environments.js';
import type { Caller } from '../http/http.js';

export interface Deciding {
  readonly review: string;
  readonly item: number;
  readonly decision: 'keep' | 'revoke';
  readonly reason: string;
}

/** Throws RESOURCE_UNKNOWN, ACCESS_REVIEW_CLOSED, ACCESS_REVIEW_DECIDED, ACCESS_REVIEW_OWN. */
export async function decideItem(transaction: Transaction, caller: Caller, wanted: Deciding, term: ApprovalTerm): Promise<void> {
  const { accessReviews, people, log } = transaction;
  const { review, item, decision } = wanted;
  await people.lock();
  const row = await accessReviews.lock(review);
  const found = row && (await accessReviews.findItem(review, item));
  if (!row || !found) throw toError('RESOURCE_UNKNOWN', { type: 'item' });
  if (row.closedAt !== null) throw toError('ACCESS_REVIEW_CLOSED');
  if (found.decision !== null) throw toError('ACCESS_REVIEW_DECIDED', { name: found.decision });
  const [owners, mine] = [await people.ownersOf([found.personId]), await people.ownersOf([caller.personId])];
  if ([...owners].some((owner) => mine.has(owner))) throw toError('ACCESS_REVIEW_OWN');
  const reason = await log.keepText(wanted.reason);
  const effect = decision === 'keep' ? 'done' : await revoke(transaction, caller, found, review, term);
  const [at, nowAt] = [toTimestamp(term.nowMs), new Date(term.nowMs)];
  await accessReviews.decide(review, item, { decision, personId: caller.personId, at: nowAt, reason, effect });
  const data = { review, item, decision, effect, reason: { committed: reason } };
  await transaction.audit({ type: 'access-review.decided', at, actor: caller.personId, data });
  const { items, kept, revoked } = (await accessReviews.find(review))!;
  if (kept + revoked < items) return;
  await accessReviews.close(review, nowAt);
  const closed = { review, items, kept, revoked, late: row.dueAt.getTime() < term.nowMs };
  await transaction.audit({ type: 'access-review.completed', at, actor: caller.personId, data: closed });
}

function revoke(
  transaction: Transaction,
  caller: Caller,
  item: AccessReviewItem,
  review: string,
  term: ApprovalTerm,
): Promise<AccessEffect> {
  if (item.kind === 'role') return takeRole(transaction, caller, item, review, term);
  return item.kind === 'apikey' ? endKey(transaction, caller, item, review, term) : dropClone(transaction, caller, item, term);
}

async function takeRole(
  transaction: Transaction,
  caller: Caller,
  { personId, holds }: AccessReviewItem,
  review: string,
  term: ApprovalTerm,
): Promise<AccessEffect> {
  const person = await transaction.people.findById(personId);
  if (!person?.roles.includes(holds)) return 'gone';
  const roles = person.roles.filter((one) => one !== holds);
  // None of two administrators rids himself of the other: that takes a third one’s yes, or his own.
  if (await takesAnother(transaction, person.roles, roles)) {
    await askForRoles(transaction, caller, { person, roles }, term);
    return 'waits';
  }
  await transaction.people.setRoles(personId, roles, caller.personId);
  const data = { person: personId, roles, review };
  await transaction.audit({ type: 'roles.granted', at: toTimestamp(term.nowMs), actor: caller.personId, data });
  return 'done';
}

async function endKey(
  transaction: Transaction,
  caller: Caller,
  { holds }: AccessReviewItem,
  review: string,
  { nowMs }: ApprovalTerm,
): Promise<AccessEffect> {
  if (!(await transaction.people.revokeToken(holds, new Date(nowMs)))) return 'gone';
  await transaction.audit({ type: 'apikey.revoked', at: toTimestamp(nowMs), actor: caller.personId, data: { token: holds, review } });
  return 'done';
}

async function dropClone(
  transaction: Transaction,
  caller: Caller,
  { holds }: AccessReviewItem,
  { nowMs }: ApprovalTerm,
): Promise<AccessEffect> {
  const row = await transaction.clones.find(holds, 'FOR UPDATE');
  if (!row || (row.state !== 'making' && row.state !== 'ready')) return 'gone';
  await giveBack(transaction, row, { nowMs, why: 'asked', actor: caller.personId });
  return 'done';
}
