// The login that builds runs somebody else's code. It has to be able to do nothing but that: no right that leads to another version, to another
// role or out of the database, given by whom ever, and nothing kept from run to run.
import { type Finding, toError, toFinding } from '../../../kernel/errors.js';
import { outwardExtensions } from '../catalogue/refused.js';
import type { Session, TargetServer } from '../target/session.js';
import { markerSchema } from '../../../pipeline/marker.js';
import { readVersions, toStanding } from './records.js';

/** The builder's name, from a session of its own. Throws SWAP_BUILDER_ELSEWHERE when that leads to another database than the target. */
export async function readBuilder(session: Session, builder: TargetServer, database: string): Promise<string> {
  const own = await builder.open(database);
  try {
    const [self] = await own.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const [seen] = await session.query<{ name: string }>(
      'SELECT usename AS name FROM pg_stat_activity WHERE pid = $1 AND datname = current_database()',
      [self?.pid ?? 0],
    );
    const [said] = await own.query<{ name: string }>('SELECT session_user AS name');
    if (!seen || seen.name !== said?.name)
      throw toError('SWAP_BUILDER_ELSEWHERE', { stage: 'deliver', connection: builder.connection.name });
    return seen.name;
  } finally {
    await own.end();
  }
}

/** $1 the builder, $2 the schemas of staging, $3 those of markers, $4 extensions that reach out. */
const reaching = `
  WITH b AS (SELECT * FROM pg_roles WHERE rolname = $1),
    n AS (SELECT * FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND nspname <> ALL ($2::text[]))
  SELECT CASE WHEN rolsuper THEN 'it is a superuser' WHEN rolcreatedb THEN 'it has CREATEDB' WHEN rolcreaterole THEN 'it has CREATEROLE'
              WHEN rolreplication THEN 'it has REPLICATION' ELSE 'it has BYPASSRLS' END AS why
    FROM b WHERE rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
  UNION ALL SELECT 'it is the login of the target itself' FROM b WHERE rolname = session_user
  UNION ALL SELECT 'it has the rights of ' || pg_get_userbyid(m.roleid) FROM pg_auth_members m JOIN b ON m.member = b.oid
  UNION ALL SELECT 'it owns the database' FROM pg_database d JOIN b ON d.datdba = b.oid WHERE d.datname = current_database()
  UNION ALL SELECT 'it may create schemas in the database' FROM b WHERE has_database_privilege(b.oid, current_database(), 'CREATE')
  UNION ALL SELECT 'it has rights on the schema ' || n.nspname FROM b, n WHERE n.nspname <> ALL ($3::text[]) AND (has_schema_privilege(b.oid, n.oid, 'CREATE')
      OR has_schema_privilege(b.oid, n.oid, 'USAGE') AND NOT EXISTS (SELECT FROM pg_extension x WHERE x.extnamespace = n.oid))
  UNION ALL SELECT 'it owns ' || n.nspname || '.' || c.relname FROM b, n JOIN pg_class c ON c.relnamespace = n.oid WHERE c.relowner = b.oid
  UNION ALL SELECT 'it may write to ' || n.nspname || '.' || c.relname FROM b, n JOIN pg_class c ON c.relnamespace = n.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_schema_privilege(b.oid, n.oid, 'USAGE')
      AND has_table_privilege(b.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
  UNION ALL SELECT 'it may call ' || n.nspname || '.' || p.proname || ', which has the rights of ' || pg_get_userbyid(p.proowner)
    FROM b, n JOIN pg_proc p ON p.pronamespace = n.oid
    WHERE p.prosecdef AND has_schema_privilege(b.oid, n.oid, 'USAGE') AND has_function_privilege(b.oid, p.oid, 'EXECUTE')
  UNION ALL SELECT 'it reaches out by the extension ' || x.extname FROM b, pg_extension x
    WHERE x.extname = ANY ($4::text[]) AND has_schema_privilege(b.oid, x.extnamespace, 'USAGE')
  UNION ALL SELECT 'it has settings of its own' FROM pg_db_role_setting s JOIN b ON s.setrole = b.oid
  UNION ALL SELECT 'it has default privileges of its own' FROM pg_default_acl d JOIN b ON d.defaclrole = b.oid
  ORDER BY 1 LIMIT 20`;

/** Why this login may not build here, all of it; none: it may. */
export async function findBuilder(session: Session, name: string, target: string, connection: string): Promise<readonly Finding[]> {
  const where = { stage: 'deliver', connection, name };
  const versions = await readVersions(session, target);
  const staging = versions.filter(({ ours }) => ours.state === 'staging').flatMap(toStanding);
  // Everybody may read what a version says of itself.
  const markers = [markerSchema, ...versions.map(({ record }) => record)];
  const [member] = await session.query<{ has: boolean }>(`SELECT pg_has_role($1::name, 'USAGE') AS has`, [name]);
  const found = await session.query<{ why: string }>(reaching, [name, staging, markers, [...outwardExtensions]]);
  return [
    ...(member?.has ? [] : [toFinding('SWAP_BUILDER_NOT_GRANTED', where)]),
    ...found.map(({ why }) => toFinding('SWAP_BUILDER_REACHES', { ...where, expected: why })),
  ];
}

/** Ends the builder's sessions in this database; MUST be called with the target's lock only. */
export async function endBuilderSessions(session: Session, name: string): Promise<void> {
  for (let turn = 0; turn < 250; turn++) {
    const rows = await session.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1 AND pid <> pg_backend_pid()',
      [name],
    );
    if (rows.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
