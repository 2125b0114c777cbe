// What the plan gives to roles of the environment, as statements. Those on objects run as the run's role, like everything that has a text of the
// source's server in it (a routine's argument types); the environment's owner becomes their grantor with the hand-over.
import type { DefaultGrantPlan, Entry, GrantPlace, GrantPlan, RolesPlan } from '../../../pipeline/catalogue.js';
import { quoteName, quoteQualified } from '../quote.js';
import type { Statement } from './step.js';

/**
 * In phases, each with one statement of an object at most: two at once would meet in its ACL. The owner has everything and is given nothing.
 */
export function toGrantStatements({ grants }: RolesPlan, owner: string): readonly (readonly Statement[])[] {
  const phases: Statement[][] = [];
  const done = new Map<string, number>();
  for (const grant of grants) {
    for (const sql of toStatements(grant, owner)) {
      const phase = done.get(grant.label) ?? 0;
      done.set(grant.label, phase + 1);
      (phases[phase] ??= []).push({ sql, object: `rights on ${grant.label}` });
    }
  }
  return phases;
}

function toStatements(grant: GrantPlan, owner: string): readonly string[] {
  const place = toPlace(grant);
  const columns = grant.column === undefined ? '' : ` (${quoteName(grant.column)})`;
  return [
    ...(grant.closed ? [`REVOKE ALL ON ${place} FROM PUBLIC`] : []),
    ...toGiven(grant.entries, owner).map(
      ({ role, privileges }) => `GRANT ${privileges.map((one) => one + columns).join(', ')} ON ${place} TO ${toRole(role)}`,
    ),
  ];
}

/** For everything that the owner makes later. Names and words only. */
export function toDefaultGrantStatements(defaults: readonly DefaultGrantPlan[], owner: string): readonly string[] {
  return defaults.flatMap(({ schema, on, closed, entries }) => {
    const inSchema = schema === null ? '' : ` IN SCHEMA ${quoteName(schema)}`;
    const later = `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteName(owner)}${inSchema}`;
    return [
      ...(closed ? [`${later} REVOKE ALL ON ${on} FROM PUBLIC`] : []),
      ...toGiven(entries, owner).map(({ role, privileges }) => `${later} GRANT ${privileges.join(', ')} ON ${on} TO ${toRole(role)}`),
    ];
  });
}

function toGiven(entries: readonly Entry[], owner: string): readonly Entry[] {
  return entries.filter(({ role }) => role !== owner);
}

function toPlace({ on, schema, name, signature }: GrantPlace): string {
  const qualified = schema === null ? quoteName(name) : quoteQualified({ schema, name });
  return `${on} ${qualified}${on === 'ROUTINE' ? `(${signature ?? ''})` : ''}`;
}

function toRole(role: string | null): string {
  return role === null ? 'PUBLIC' : quoteName(role);
}
