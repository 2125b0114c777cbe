// pg_class.relacl and its like: everybody may read them. An ACL that was never touched is what the server says it stands for.
import { type DefaultGrant, type Entry, type Grant, type Privilege, privileges, sortPrivileges } from '../../../pipeline/catalogue.js';
import { type ClassName, groupRows, type Reading, readRows, toAddress, toUserSchema } from './reading.js';

type Entries = readonly { readonly role: string | null; readonly privilege: string }[];

interface GrantRow extends Pick<Grant, 'on' | 'schema' | 'name' | 'owner'> {
  class: ClassName;
  oid: number;
  signature: string | null;
  column: string | null;
  entries: Entries | null;
}

const entriesOf = (acl: string): string =>
  `(SELECT json_agg(json_build_object('role', CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END, 'privilege', a.privilege_type))
      FROM aclexplode(${acl}) a)`;

export async function readGrants(reading: Reading): Promise<readonly Grant[]> {
  const rows = await readRows<GrantRow>(
    reading.client,
    `SELECT o.class, o.oid, o.on, o.schema, o.name, o.signature, o.column, pg_get_userbyid(o.owner) AS owner,
       ${entriesOf('coalesce(o.acl, acldefault(o.kind, o.owner))')} AS entries
     FROM (
       SELECT 'schema' AS class, n.oid, 'SCHEMA' AS on, NULL AS schema, n.nspname AS name, NULL AS signature, NULL AS column, n.nspowner AS owner,
         n.nspacl AS acl, 'n'::"char" AS kind FROM pg_namespace n WHERE ${toUserSchema('n')}
       UNION ALL SELECT 'relation', c.oid, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname, NULL, NULL, c.relowner,
         c.relacl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char"
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND ${toUserSchema('n')}
       UNION ALL SELECT 'relation', c.oid, 'TABLE', n.nspname, c.relname, NULL, t.attname, c.relowner, t.attacl, 'c'
         FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE t.attacl IS NOT NULL AND t.attnum > 0 AND NOT t.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm') AND ${toUserSchema('n')}
       UNION ALL SELECT 'function', p.oid, 'ROUTINE', n.nspname, p.proname, oidvectortypes(p.proargtypes), NULL, p.proowner, p.proacl, 'f'
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${toUserSchema('n')}
       UNION ALL SELECT 'type', t.oid, 'TYPE', n.nspname, t.typname, NULL, NULL, t.typowner, t.typacl, 'T'
         FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
         WHERE (t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c') AND ${toUserSchema('n')}
     ) o`,
  );
  return rows
    .flatMap(({ class: className, oid, signature, column, entries, ...row }): Grant[] => {
      const label = reading.addresses.get(toAddress(className, oid));
      // A member of an extension is made with it, and has the rights that it gives.
      if (label === undefined || label.startsWith('extension ')) return [];
      const more = { ...(signature !== null && { signature }), ...(column !== null && { column }) };
      return [{ label, ...row, ...more, entries: toEntries(entries) }];
    })
    .sort((a, b) => compare(a.label, b.label) || compare(a.column ?? '', b.column ?? ''));
}

export async function readDefaultGrants(reading: Reading): Promise<readonly DefaultGrant[]> {
  const rows = await readRows<Omit<DefaultGrant, 'entries'> & { entries: Entries | null }>(
    reading.client,
    `SELECT pg_get_userbyid(d.defaclrole) AS owner, n.nspname AS schema, ${entriesOf('d.defaclacl')} AS entries,
       CASE d.defaclobjtype WHEN 'n' THEN 'SCHEMAS' WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' ELSE 'TYPES' END AS on
     FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace WHERE d.defaclobjtype IN ('n', 'r', 'S', 'f', 'T')
     ORDER BY pg_get_userbyid(d.defaclrole) COLLATE "C", n.nspname COLLATE "C" NULLS FIRST, d.defaclobjtype`,
  );
  return rows.map(({ entries, ...row }) => ({ ...row, entries: toEntries(entries) }));
}

/** One per role. A privilege that we do not know is given to nobody. */
function toEntries(rows: Entries | null): readonly Entry[] {
  const known = (word: string): word is Privilege => (privileges as readonly string[]).includes(word);
  return [...groupRows(rows ?? [], ({ role }) => role)]
    .map(([role, found]) => ({ role, privileges: sortPrivileges(found.map(({ privilege }) => privilege).filter(known)) }))
    .filter((entry) => entry.privileges.length > 0)
    .sort((a, b) => compare(a.role ?? '', b.role ?? ''));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
