// What follows when another administrator agrees: roles are given, a token may be fetched by who asked for it.
import { toTimestamp } from '../../kernel/clock.js';
import { BautaError, toError } from '../../kernel/errors.js';
import type { PersonView, Transaction } from '../../systems/metadata/metadata.js';
import { type ApprovalTerm, type Consequence, type Pending, openApproval } from '../approvals/approvals.js';
import { type Caller, hasRight } from '../http/http.js';
import { requireGrantable } from './grants.js';

export interface WantedRoles {
  readonly person: string;
  readonly personId: string;
  readonly ownerId: string;
  /** What he had when it was asked for: with anything else it is another change. */
  readonly before: readonly string[];
  readonly roles: readonly string[];
}

/** They wait for another administrator. */
export async function askForRoles(
  transaction: Transaction,
  caller: Caller,
  { person, roles }: { readonly person: PersonView; readonly roles: readonly string[] },
  term: ApprovalTerm,
): Promise<Pending> {
  const { id: personId, name, roles: before } = person;
  const [ownerId = personId] = await transaction.people.ownersOf([personId]);
  const subject: WantedRoles = { person: name, personId, ownerId, before, roles };
  // Nobody has a part in what he gains himself; to lose a role he may agree.
  const authorIds = roles.length > 0 ? [personId] : [];
  const thing = { roles: [...roles], personId, before: [...before] };
  return openApproval(transaction, { kind: 'roles', subject, environments: [], requestedBy: caller.personId, authorIds, thing }, term);
}

/** Throws APPROVAL_VOID: who asked is no administrator any more. */
export async function requireStillAdministrator({ people }: Transaction, requestedBy: string | null): Promise<void> {
  if (!hasRight(await people.rolesOf(requestedBy ?? ''), 'people:write', []))
    throw toError('APPROVAL_VOID', { name: 'who asked for it is no administrator any more' });
}

export const rolesConsequence: Consequence = {
  async approved(transaction, { id, subject, requestedBy, digest }, nowMs) {
    const { personId, ownerId, before, roles } = subject as WantedRoles;
    await transaction.people.lock();
    await requireStillAdministrator(transaction, requestedBy);
    const now = await transaction.people.rolesOf(personId);
    if (now.length !== before.length || now.some((role) => !before.includes(role)))
      throw toError('APPROVAL_VOID', { name: 'the person has other roles now' });
    try {
      await requireGrantable(transaction, personId, ownerId, roles);
    } catch (error) {
      if (error instanceof BautaError && error.code === 'ROLES_INCOMPATIBLE')
        throw toError('APPROVAL_VOID', { name: 'the roles do not go together any more' });
      throw error;
    }
    await transaction.people.setRoles(personId, roles, requestedBy);
    await transaction.audit({
      ...{ type: 'roles.granted', at: toTimestamp(nowMs), ...(requestedBy === null ? {} : { actor: requestedBy }) },
      data: { person: personId, roles: [...roles], approval: id, digest },
    });
    return 'used';
  },
};

/** The secret is shown to nobody but who asked for it: he asks again, and has it then. */
export const tokenConsequence: Consequence = {
  approved: async (transaction, { requestedBy }) => {
    await requireStillAdministrator(transaction, requestedBy);
    return 'approved';
  },
};
