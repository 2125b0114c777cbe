// What the run's role made becomes the environment's: owner changed, rights of the three roles given. Still nobody may connect.
import type { RolesPlan } from '../../../pipeline/catalogue.js';
import type { Database } from './databases.js';
import type { EnvironmentRoles } from './names.js';
import { toDefaultGrantStatements } from '../ddl/ddl.js';
import { markerTable } from '../marker-table.js';
import { quoteName } from '../quote.js';
import type { Session } from './session.js';

/**
 * The owner of everything in a version that is to be cloned: whoever owns the database is a member of this role there, and nowhere else. So a
 * copy of its files belongs to the copy's owner, and nothing in it has to be changed (decision 0062).
 */
export const databaseOwner = 'pg_database_owner';

/**
 * MUST be given a session of the provisioning role in the staging database. One transaction; doing it twice changes nothing.
 * The owner may connect to what it owns, so CONNECT is taken from it until publication; the provisioning role keeps it for itself.
 */
export async function handOver(
  session: Session,
  staging: string,
  roles: EnvironmentRoles,
  objectOwner: string = roles.owner,
): Promise<void> {
  const [database, runRole, owner, objects] = [quoteName(staging), quoteName(staging), quoteName(roles.owner), quoteName(objectOwner)];
  await session.transaction(async () => {
    await session.query(`ALTER ROLE ${runRole} NOLOGIN PASSWORD NULL`);
    // The server reassigns in the order of its catalogue, which is chance, and wants CREATE on the database and the schema: so these come first.
    await session.query(`ALTER DATABASE ${database} OWNER TO ${owner}`);
    if (objects !== owner) await session.query(`GRANT CREATE ON DATABASE ${database} TO ${objects}`);
    const schemas = await session.query<{ name: string }>(
      'SELECT nspname AS name FROM pg_namespace WHERE nspowner = (SELECT oid FROM pg_roles WHERE rolname = $1) ORDER BY 1',
      [staging],
    );
    for (const { name } of schemas) await session.query(`ALTER SCHEMA ${quoteName(name)} OWNER TO ${objects}`);
    await session.query(`REASSIGN OWNED BY ${runRole} TO ${objects}`);
    await session.query(`DROP OWNED BY ${runRole}`);
    if (objects !== owner) await session.query(`REVOKE ALL ON DATABASE ${database} FROM ${objects}`);
    await session.query(`REVOKE ALL ON DATABASE ${database} FROM ${owner}`);
    await session.query(`GRANT CONNECT, CREATE, TEMPORARY ON DATABASE ${database} TO CURRENT_USER`);
  });
}

interface SchemaObjects {
  schema: string;
  tables: string[] | null;
  sequences: string[] | null;
}

/**
 * Rights inside the database: read-write and read-only on everything the owner has, now and later. Where the document maps roles, what is there
 * has its rights since it was made, and what comes later gets them here.
 */
export async function grantRights(
  session: Session,
  roles: EnvironmentRoles,
  mapped?: RolesPlan,
  objectOwner: string = roles.owner,
): Promise<void> {
  if (mapped) {
    const later = toDefaultGrantStatements(mapped.defaults, roles.owner);
    return session.transaction(async () => {
      for (const statement of later) await session.query(statement);
    });
  }
  const [rw, ro, owner] = [quoteName(roles.readWrite), quoteName(roles.readOnly), quoteName(roles.owner)];
  const schemas = await session.query<SchemaObjects>(
    `SELECT n.nspname AS schema,
            array_agg(c.relname::text) FILTER (WHERE c.relkind IN ('r', 'p', 'v', 'm')) AS tables,
            array_agg(c.relname::text) FILTER (WHERE c.relkind = 'S') AS sequences
       FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relowner = $1::regrole
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> $2 AND pg_has_role(n.nspowner, 'USAGE')
      GROUP BY n.nspname ORDER BY n.nspname`,
    [quoteName(objectOwner), markerTable.schema],
  );
  await session.transaction(async () => {
    for (const { schema, tables, sequences } of schemas) {
      const inSchema = (names: string[]): string => names.map((name) => `${quoteName(schema)}.${quoteName(name)}`).join(', ');
      await session.query(`GRANT USAGE ON SCHEMA ${quoteName(schema)} TO ${rw}, ${ro}`);
      if (tables) {
        await session.query(`GRANT SELECT ON TABLE ${inSchema(tables)} TO ${ro}`);
        await session.query(`GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLE ${inSchema(tables)} TO ${rw}`);
      }
      if (sequences) {
        await session.query(`GRANT SELECT ON SEQUENCE ${inSchema(sequences)} TO ${ro}`);
        await session.query(`GRANT SELECT, USAGE, UPDATE ON SEQUENCE ${inSchema(sequences)} TO ${rw}`);
      }
    }
    const later = `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner}`;
    await session.query(`${later} GRANT SELECT ON TABLES TO ${ro}`);
    await session.query(`${later} GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO ${rw}`);
    await session.query(`${later} GRANT SELECT ON SEQUENCES TO ${ro}`);
    await session.query(`${later} GRANT SELECT, USAGE, UPDATE ON SEQUENCES TO ${rw}`);
  });
}

/** Lets the environment in. MUST run in the transaction that publishes. */
export async function openToEnvironment(session: Session, name: string, roles: EnvironmentRoles): Promise<void> {
  const database = quoteName(name);
  await session.query(`REVOKE ALL ON DATABASE ${database} FROM CURRENT_USER`);
  await session.query(`GRANT ALL ON DATABASE ${database} TO ${quoteName(roles.owner)}`);
  await session.query(`GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO ${quoteName(roles.readWrite)}`);
  for (const role of [roles.readOnly, ...roles.mapped]) await session.query(`GRANT CONNECT ON DATABASE ${database} TO ${quoteName(role)}`);
}

/** Settings whose value is a list of names and is stored with its quotes (GUC_LIST_QUOTE): the server must read them, not we. */
const lists = new Set(['search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries', 'createrole_self_grant']);

/** ACL, settings and connection limit of the current database, which a rename would leave behind. MUST run in the publishing transaction. */
export async function carryOver(session: Session, from: Database, to: string): Promise<void> {
  const database = quoteName(to);
  const grants = await session.query<{ grantee: string | null; privilege: string; grantable: boolean }>(
    `SELECT CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END AS grantee, a.privilege_type AS privilege, a.is_grantable AS grantable
       FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
      WHERE d.oid = $1 AND a.grantee <> d.datdba ORDER BY 1, 2`,
    [from.oid],
  );
  for (const { grantee, privilege, grantable } of grants) {
    const to_ = grantee === null ? 'PUBLIC' : quoteName(grantee);
    await session.query(`GRANT ${privilege} ON DATABASE ${database} TO ${to_}${grantable ? ' WITH GRANT OPTION' : ''}`);
  }
  await session.query(`ALTER DATABASE ${database} CONNECTION LIMIT ${from.connectionLimit}`);
  await carrySettings(session, from.oid, to);
}

/** Settings of a database, and where `everybody` only those that are no role's. MUST run in a transaction. */
export async function carrySettings(session: Session, from: number, to: string, everybody = false): Promise<void> {
  const database = quoteName(to);
  const settings = await session.query<{ role: string | null; setting: string }>(
    `SELECT CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END AS role, unnest(setconfig) AS setting
       FROM pg_db_role_setting WHERE setdatabase = $1 AND (setrole = 0 OR NOT $2)`,
    [from, everybody],
  );
  for (const { role, setting } of settings) {
    const place = role === null ? `DATABASE ${database}` : `ROLE ${quoteName(role)} IN DATABASE ${database}`;
    await copySetting(session, place, setting.slice(0, setting.indexOf('=')), setting.slice(setting.indexOf('=') + 1));
  }
}

async function copySetting(session: Session, place: string, name: string, value: string): Promise<void> {
  const quoted = name.split('.').map(quoteName).join('.');
  if (!lists.has(name)) {
    const [literal] = await session.query<{ text: string }>('SELECT quote_literal($1::text) AS text', [value]);
    await session.query(`ALTER ${place} SET ${quoted} = ${literal?.text ?? "''"}`);
    return;
  }
  await session.query('SELECT set_config($1, $2, true)', [name, value]);
  await session.query(`ALTER ${place} SET ${quoted} FROM CURRENT`);
  // Back to what our sessions have; search_path is the only one of these that means something to us.
  await session.query(name === 'search_path' ? `SELECT set_config('search_path', '', true)` : `SET LOCAL ${quoted} TO DEFAULT`);
}
