// In what two copies of one source on one server differ: rows as text, materialized views, sequences, the catalogue, rights, roles, settings, and with
// the pg_dump that fits the server the whole schema as that writes it. Markers, which name their run, are left out.
import { digestOf, relationsOf, toSql } from './compare.js';
import { catalogueOf, comparable } from './rebuild.js';
import type { TestServer } from './server.js';

/** A server's own pg_dump, where there is one. */
type Dumping = TestServer & { dump?(database: string, ...options: string[]): string };

/** Roles are named after their database, and stand in what is compared. */
const withoutName = (text: string, database: string): string => text.replaceAll(database, 'COPY');

/** Empty: they are the same. */
export async function findWhatDiffers(server: Dumping, one: string, other: string): Promise<string[]> {
  const [before, after] = [await describe(server, one), await describe(server, other)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [left, right] = [before.get(name) ?? 'nothing', after.get(name) ?? 'nothing'];
    return left === right ? [] : [`${name}: ${firstDifference(left, right)}`];
  });
}

function firstDifference(left: string, right: string): string {
  const [lines, others] = [left.split('\n'), right.split('\n')];
  const at = lines.findIndex((line, i) => line !== others[i]);
  return `${lines[at] ?? 'ends'} | ${others[at] ?? 'ends'}`;
}

async function describe(server: Dumping, database: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const tell = (name: string, text: string): void => void found.set(name, withoutName(text, database));
  for (const table of await relationsOf(server, database, 'rm'))
    tell(`rows of ${toSql(table)}`, await digestOf(server, database, table, table.columns));
  for (const [name, text] of Object.entries(queries(database))) {
    const rows = await server.sql(database, text);
    tell(name, rows.map((row) => JSON.stringify(row)).join('\n'));
  }
  const { catalogue } = await catalogueOf(server.url(database));
  tell('catalogue', JSON.stringify(comparable(catalogue), undefined, 1));
  // Owners, rights and comments are in it.
  if (server.dump) tell('pg_dump -s', server.dump(database, '-s'));
  return found;
}

const queries = (database: string): Readonly<Record<string, string>> => ({
  sequences: `SELECT schemaname, sequencename, last_value::text FROM pg_sequences WHERE schemaname <> 'bauta' ORDER BY 1, 2`,
  comments: `SELECT classoid::regclass::text AS class, pg_describe_object(classoid, objoid, objsubid) AS object, description FROM pg_description
    WHERE objoid >= 16384 AND classoid <> 'pg_namespace'::regclass ORDER BY 1, 2, 3`,
  database: `SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding, datcollate, datctype, datconnlimit, datallowconn,
    (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a) AS rights FROM pg_database WHERE datname = '${database}'`,
  settings: `SELECT coalesce(pg_get_userbyid(nullif(setrole, 0)), '') AS role, setconfig FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = '${database}') ORDER BY 1`,
  roles: `SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.rolconfig,
    (SELECT string_agg(pg_get_userbyid(m.roleid) || ' ' || m.admin_option, ',' ORDER BY 1) FROM pg_auth_members m WHERE m.member = r.oid) AS member_of
    FROM pg_roles r WHERE starts_with(r.rolname, '${database}_') ORDER BY 1`,
});
