// Who may approve: somebody with the right, in each environment concerned, who neither wrote it nor asked for it. Persons are compared, not tokens.
import type { Schema } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import { digestJson } from '../../kernel/digest.js';
import { type BautaError, toError } from '../../kernel/errors.js';
import type { ApprovalKind, ApprovalRow, NewApproval, Transaction } from '../../systems/metadata/metadata.js';
import { type Permission, hasRight, rightsOf } from '../http/http.js';

/** For how long something waits, and for how long an approval holds. */
export interface ApprovalTerm {
  readonly nowMs: number;
  readonly hours: number;
}

const rights: Readonly<Record<ApprovalKind, Permission>> = {
  run: 'runs:approve',
  documents: 'documents:approve',
  roles: 'grants:approve',
  token: 'grants:approve',
  trust: 'grants:approve',
  keys: 'keys:approve',
  hold: 'holds:approve',
  waiver: 'waivers:approve',
  breakglass: 'breakglasses:approve',
  incident: 'incidents:approve',
};

/** What it takes to say yes to it. */
export const rightFor = (kind: ApprovalKind): Permission => rights[kind];

export const kindsFor = (permission: 'grants' | 'work'): readonly ApprovalKind[] =>
  (Object.keys(rights) as ApprovalKind[]).filter((kind) => (rights[kind] === 'grants:approve') === (permission === 'grants'));

export function toExpiry({ nowMs, hours }: ApprovalTerm): Date {
  return new Date(nowMs + hours * 3_600_000);
}

/** What whoever asked is told. */
export interface Pending {
  readonly id: string;
  readonly expiresAt: string;
}

export const pendingSchema: Schema = {
  type: 'object',
  required: ['id', 'expiresAt'],
  properties: { id: { type: 'string', format: 'uuid' }, expiresAt: { type: 'string', format: 'date-time' } },
  description: 'see /v1/approvals',
};

/** Waits from now on, or goes on waiting. The digest is of all that is said here to be the thing that is approved. */
export async function openApproval(
  transaction: Transaction,
  wanted: Omit<NewApproval, 'digest' | 'expiresAt'> & { readonly thing: Json },
  term: ApprovalTerm,
): Promise<Pending> {
  const { thing, ...rest } = wanted;
  const digest = digestJson(thing);
  const open = await transaction.approvals.lockOpen({ kind: wanted.kind, digest });
  const waiting = open.find(
    (one) => one.state === 'waiting' && one.requestedBy === wanted.requestedBy && one.expiresAt.getTime() > term.nowMs,
  );
  if (waiting) return { id: waiting.id, expiresAt: waiting.expiresAt.toISOString() };
  const expiresAt = toExpiry(term);
  return { id: await transaction.approvals.insert({ ...rest, digest, expiresAt }), expiresAt: expiresAt.toISOString() };
}

/** Why this person cannot approve of it now, or could not if asked again; undefined: he can. */
export async function objectionTo(
  transaction: Transaction,
  { kind, environments, authorIds, requestedBy, expiresAt }: ApprovalRow,
  personId: string,
  nowMs: number,
): Promise<BautaError | undefined> {
  if (expiresAt.getTime() <= nowMs) return toError('APPROVAL_EXPIRED');
  const { people } = transaction;
  const right = rights[kind];
  if (!hasRight(await people.rolesOf(personId), right, environments))
    return toError('ACCESS_DENIED', { name: right, expected: rightsOf(right).join(', ') });
  const involved = await people.ownersOf([...authorIds, ...(requestedBy === null ? [] : [requestedBy])]);
  const mine = await people.ownersOf([personId]);
  return [...mine].some((owner) => involved.has(owner)) ? toError('APPROVAL_OF_OWN') : undefined;
}
