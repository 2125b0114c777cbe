// Which roles one person may hold at once, and when another administrator has to agree. A service account's roles are its owner's too.
import { toError } from '../../kernel/errors.js';
import type { Transaction } from '../../systems/metadata/metadata.js';
import { environmentPattern } from '../http/http.js';

/** Roles that may be given for one environment (`requester@dev`), and those that are of the whole workspace. */
const scoped = ['viewer', 'requester', 'approver', 'operator', 'detokeniser'];
const whole = ['policy-admin', 'auditor', 'administrator'];

export const grantPattern = `^((${scoped.join('|')})(@${environmentPattern})?|${whole.join('|')})$`;

/** Throws ROLES_INCOMPATIBLE. MUST be given all that one person has, his service accounts' roles among them. */
export function requireCompatible(grants: readonly string[]): void {
  const refuse = (names: string): never => {
    throw toError('ROLES_INCOMPATIBLE', { name: names });
  };
  const all = grants.map((grant) => grant.split('@') as [string, string?]);
  const has = (role: string): boolean => all.some(([one]) => one === role);
  if (has('administrator') && all.some(([role]) => role !== 'administrator')) refuse('administrator and anything else');
  if (has('detokeniser') && all.some(([role]) => role !== 'detokeniser' && role !== 'viewer'))
    refuse('detokeniser and anything but viewer');
  if (has('policy-admin') && has('approver')) refuse('policy-admin and approver');
  const of = (role: string): readonly (string | undefined)[] => all.filter(([one]) => one === role).map(([, environment]) => environment);
  const meet = of('requester').some((asks) => of('approver').some((says) => asks === undefined || says === undefined || asks === says));
  if (meet) refuse('requester and approver of one environment');
}

/** Throws ROLES_INCOMPATIBLE where these roles do not go with what the same person has otherwise. */
export async function requireGrantable(
  { people }: Transaction,
  personId: string,
  ownerId: string,
  wanted: readonly string[],
): Promise<void> {
  const others = (await people.rolesOfOwner(ownerId)).filter((one) => one.personId !== personId);
  requireCompatible([...wanted, ...others.flatMap(({ roles }) => roles)]);
}

/** With two administrators nobody gains a right by the word of one; nor does one of them rid himself of the other. What only takes rights away is done at once. */
export async function takesAnother({ people }: Transaction, before: readonly string[], wanted: readonly string[]): Promise<boolean> {
  const gains = wanted.some((grant) => !before.includes(grant) && !before.includes(grant.split('@')[0] ?? ''));
  const unseats = before.includes('administrator') && !wanted.includes('administrator');
  return (gains || unseats) && (await people.countOfRole('administrator')) > 1;
}
