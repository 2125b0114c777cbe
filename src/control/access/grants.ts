// Which roles one person may hold at once. Persons are compared, never tokens: all tokens of a person have the same roles.
import { toError } from '../../kernel/errors.js';
import type { Role } from '../http/http.js';

const apart: readonly (readonly [Role, Role])[] = [
  ['policy-admin', 'approver'],
  ['requester', 'approver'],
];

/** Throws ROLES_INCOMPATIBLE. */
export function requireCompatible(roles: readonly Role[]): void {
  const has = (role: Role): boolean => roles.includes(role);
  const refuse = (names: readonly string[]): never => {
    throw toError('ROLES_INCOMPATIBLE', { name: names.join(' and ') });
  };
  if (has('administrator') && roles.length > 1) refuse(['administrator', 'anything else']);
  if (has('detokeniser') && roles.some((role) => role !== 'detokeniser' && role !== 'viewer'))
    refuse(['detokeniser', 'anything but viewer']);
  for (const pair of apart) if (pair.every(has)) refuse(pair);
}
