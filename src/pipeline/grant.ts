// Who may do what: as the source's ACLs have it, and as a plan gives it to roles of the environment.

export const privileges = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'TRUNCATE',
  'REFERENCES',
  'TRIGGER',
  'MAINTAIN',
  'USAGE',
  'CREATE',
  'EXECUTE',
] as const;
export type Privilege = (typeof privileges)[number];

/** `null` is PUBLIC. Privileges in the order of the list above. */
export interface Entry {
  readonly role: string | null;
  readonly privileges: readonly Privilege[];
}

/** What something is for GRANT; a view is a table, and functions, procedures and aggregates are routines. */
export type Grantable = 'SCHEMA' | 'TABLE' | 'SEQUENCE' | 'ROUTINE' | 'TYPE';

/** An object, or one column of it. */
export interface GrantPlace {
  /** Label of the object in the catalogue; of a column, that of its table. */
  readonly label: string;
  readonly on: Grantable;
  /** null for a schema itself. */
  readonly schema: string | null;
  readonly name: string;
  /** Types of a routine's arguments, as the server prints them. */
  readonly signature?: string;
  readonly column?: string;
}

/** The ACL of an object of the source; without GRANT OPTION, which is not carried. */
export interface Grant extends GrantPlace {
  readonly owner: string;
  /** One per role, the owner and PUBLIC included where they have something. */
  readonly entries: readonly Entry[];
}

export type GrantableLater = 'SCHEMAS' | 'TABLES' | 'SEQUENCES' | 'ROUTINES' | 'TYPES';

/** ALTER DEFAULT PRIVILEGES: what others get of what `owner` makes later. */
export interface DefaultGrant {
  readonly owner: string;
  /** null: everywhere; then PUBLIC is among the entries if it keeps what it has without any ALTER. */
  readonly schema: string | null;
  readonly on: GrantableLater;
  readonly entries: readonly Entry[];
}

export interface GrantPlan extends GrantPlace {
  /** What PUBLIC has from the beginning is taken from it first. */
  readonly closed: boolean;
  /** Roles of the target, sorted, PUBLIC first. */
  readonly entries: readonly Entry[];
}

/** Of what the environment's owner makes later. */
export type DefaultGrantPlan = Pick<DefaultGrant, 'schema' | 'on' | 'entries'> & { readonly closed: boolean };

/** What `target.roles.map` comes to: the only rights in the copy beside the owner's. */
export interface RolesPlan {
  readonly grants: readonly GrantPlan[];
  readonly defaults: readonly DefaultGrantPlan[];
}

/** What PUBLIC has of a new object without anybody's doing (acldefault); a new database's schema `public` has USAGE. */
export function toPublicDefault(on: Grantable | GrantableLater, name = ''): readonly Privilege[] {
  if (on === 'ROUTINE' || on === 'ROUTINES') return ['EXECUTE'];
  if (on === 'TYPE' || on === 'TYPES') return ['USAGE'];
  return on === 'SCHEMA' && name === 'public' ? ['USAGE'] : [];
}

export function sortPrivileges(given: Iterable<Privilege>): readonly Privilege[] {
  const all = new Set(given);
  return privileges.filter((privilege) => all.has(privilege));
}
