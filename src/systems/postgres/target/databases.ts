// The databases and roles of the target server as they are now, with what they say of themselves.
import type { DatabaseLocale } from '../../../pipeline/catalogue.js';
import type { DatasetVersion } from '../../../pipeline/ports.js';
import { type OwnComment, type RoleComment, parseComment, parseRoleComment } from './own-comment.js';
import { findOwnName } from './names.js';
import type { Session } from './session.js';

export interface Database {
  readonly oid: number;
  readonly name: string;
  readonly owner: string;
  /** Whether our role has the owner's rights. */
  readonly owned: boolean;
  readonly comment: string | null;
  readonly ours: OwnComment | undefined;
  readonly ownerOurs: RoleComment | undefined;
  readonly encoding: string;
  readonly connectionLimit: number;
  readonly locale: DatabaseLocale;
}

interface Row {
  oid: number;
  name: string;
  owner: string;
  owned: boolean;
  comment: string | null;
  ownerComment: string | null;
  encoding: string;
  connectionLimit: number;
  provider: string;
  collate: string;
  ctype: string;
  locale: string | null;
  icuRules: string | null;
}

export async function readDatabases(session: Session): Promise<readonly Database[]> {
  // The columns' names changed with the versions: daticulocale (15, 16), datlocale (17), daticurules (16).
  const rows = await session.query<Row>(
    `SELECT d.oid, d.datname AS name, pg_get_userbyid(d.datdba) AS owner, pg_has_role(d.datdba, 'USAGE') AS owned,
            shobj_description(d.oid, 'pg_database') AS comment, shobj_description(d.datdba, 'pg_authid') AS "ownerComment",
            pg_encoding_to_char(d.encoding) AS encoding, d.datconnlimit AS "connectionLimit", d.datlocprovider AS provider,
            d.datcollate AS collate, d.datctype AS ctype,
            coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale, to_jsonb(d) ->> 'daticurules' AS "icuRules"
       FROM pg_database d ORDER BY d.datname`,
  );
  return rows.map(({ provider, collate, ctype, locale, icuRules, ownerComment, ...row }) => ({
    ...row,
    ours: toOurs(row.name, row.comment),
    ownerOurs: parseRoleComment(ownerComment),
    locale: { provider, collate, ctype, locale, icuRules },
  }));
}

/** A clone belongs to who works in it, who may comment on it and not rename it: what it says of itself counts for nothing. */
function toOurs(name: string, comment: string | null): OwnComment | undefined {
  const ours = parseComment(comment);
  const form = findOwnName(name)?.form;
  return form !== 'clone' && (ours?.state === 'template') === (form === 'template') ? ours : undefined;
}

/** The versions of a target, newest first. A database that only looks like the target's is not one. */
export function toDatasets(databases: readonly Database[], target: string): readonly DatasetVersion[] {
  return databases
    .flatMap(({ ours, name: database }): DatasetVersion[] => {
      if (ours?.target !== target || ours.state === 'template' || (ours.state === 'current') !== (database === target)) return [];
      const { version, state, runId, planDigest = '', publishedAt = null, closed, rolledBack } = ours;
      const more = { ...(closed && { closed: closed.why }), ...(rolledBack && { rolledBack }) };
      return [{ target, version, state, runId, database, planDigest, publishedAt, ...more }];
    })
    .sort((a, b) => b.version - a.version);
}

export interface Role {
  readonly name: string;
  readonly superuser: boolean;
  readonly canLogin: boolean;
  readonly owned: boolean;
  /** Whether it has our role's rights, as a superuser and our role itself have them. */
  readonly hasOurs: boolean;
  readonly ours: RoleComment | undefined;
}

export async function readRoles(session: Session): Promise<readonly Role[]> {
  const rows = await session.query<Omit<Role, 'ours'> & { comment: string | null }>(
    `SELECT rolname AS name, rolsuper AS superuser, rolcanlogin AS "canLogin", pg_has_role(oid, 'USAGE') AS owned,
            pg_has_role(oid, session_user, 'MEMBER') AS "hasOurs", shobj_description(oid, 'pg_authid') AS comment
       FROM pg_roles ORDER BY rolname`,
  );
  return rows.map(({ comment, ...role }) => ({ ...role, ours: parseRoleComment(comment) }));
}
