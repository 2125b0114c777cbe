// Everything about role and server that stands in the way of reading, all at once. Statements here work on servers older than we support.
import type pg from 'pg';

import { type Finding, type Where, toFinding } from '../../../kernel/errors.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';

export interface PreflightOptions {
  readonly connection: string;
  /** The pipeline's reason for a role that can write, if it gives one. */
  readonly writable: { readonly reason: string } | undefined;
}

export const supportedVersions = { from: 150_000, below: 190_000 } as const;

export function findVersionProblem(version: number, connection: string): Finding | undefined {
  if (version >= supportedVersions.from && version < supportedVersions.below) return undefined;
  return toFinding('SERVER_VERSION_UNSUPPORTED', { connection, amount: String(Math.floor(version / 10_000)) });
}

export async function findAccessProblems(client: pg.Client, catalogue: Catalogue, options: PreflightOptions): Promise<Finding[]> {
  const superuser = await isSuperuser(client);
  const tables = await readTableRights(client, catalogue, superuser);
  return [
    ...(superuser ? [toFinding('SOURCE_ROLE_IS_SUPERUSER', { connection: options.connection }, toSeverity(options))] : []),
    ...toUsageFindings(catalogue, await readUnusableSchemas(client, catalogue), options),
    ...tables.flatMap((table) => toTableFindings(table, options)),
    ...(await readUnreadableSequences(client, catalogue)).map((object) =>
      toFinding('SOURCE_PRIVILEGE_MISSING', {
        connection: options.connection,
        schema: object.schema,
        object: `sequence ${object.schema}.${object.name}`,
        name: 'SELECT',
      }),
    ),
  ];
}

function toSeverity({ writable }: PreflightOptions): Finding['severity'] {
  return writable && writable.reason.trim() !== '' ? 'warning' : 'error';
}

/** A superuser, or a member of one: SET ROLE is all that it would take. */
async function isSuperuser(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ superuser: boolean }>(
    `SELECT pg_catalog.bool_or(rolsuper) AS superuser FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(current_user, oid, 'MEMBER')`,
  );
  return rows[0]?.superuser ?? true;
}

interface TableRights {
  readonly schema: string;
  readonly name: string;
  readonly readable: boolean;
  readonly writes: readonly string[];
  readonly rowsHidden: boolean;
  readonly unloggedOnReplica: boolean;
}

/**
 * Rights of the role and of every role that it may become (NOINHERIT hides a right, SET ROLE finds it again); column grants count as writing.
 * LOCK TABLE looks at the table's own SELECT only, so column grants do not count as reading.
 */
async function readTableRights(client: pg.Client, catalogue: Catalogue, superuser: boolean): Promise<readonly TableRights[]> {
  const roles = superuser ? `SELECT NULL::pg_catalog.oid AS oid WHERE false` : memberRoles;
  const { rows } = await client.query<TableRights>(
    `WITH roles AS (${roles})
     SELECT n.nspname AS schema, c.relname AS name,
       pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
       pg_catalog.array_remove(ARRAY[
         CASE WHEN EXISTS (SELECT FROM roles r WHERE r.oid = c.relowner) THEN 'ownership' END,
         ${['INSERT', 'UPDATE'].map((right) => `CASE WHEN EXISTS (SELECT FROM roles r WHERE pg_catalog.has_any_column_privilege(r.oid, c.oid, '${right}')) THEN '${right}' END`).join(', ')},
         ${['DELETE', 'TRUNCATE'].map((right) => `CASE WHEN EXISTS (SELECT FROM roles r WHERE pg_catalog.has_table_privilege(r.oid, c.oid, '${right}')) THEN '${right}' END`).join(', ')}
       ], NULL) AS writes,
       pg_catalog.row_security_active(c.oid) AS "rowsHidden",
       c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery() AS "unloggedOnReplica"
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = ANY ($1::pg_catalog.oid[])
     ORDER BY 1, 2`,
    [catalogue.tables.map(({ oid }) => oid)],
  );
  return rows;
}

const memberRoles = `SELECT oid FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(current_user, oid, 'MEMBER')`;

function toTableFindings(table: TableRights, options: PreflightOptions): Finding[] {
  const where: Where = { connection: options.connection, schema: table.schema, table: table.name };
  const object = `table ${table.schema}.${table.name}`;
  return [
    ...(table.readable ? [] : [toFinding('SOURCE_PRIVILEGE_MISSING', { ...where, object, name: 'SELECT' })]),
    ...(table.writes.length === 0
      ? []
      : [toFinding('SOURCE_ROLE_CAN_WRITE', { ...where, name: table.writes.join(', ') }, toSeverity(options))]),
    ...(table.rowsHidden ? [toFinding('ROW_SECURITY_HIDES_ROWS', where)] : []),
    ...(table.unloggedOnReplica ? [toFinding('SOURCE_UNLOGGED_ON_REPLICA', where)] : []),
  ];
}

async function readUnusableSchemas(client: pg.Client, catalogue: Catalogue): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT nspname AS name FROM pg_catalog.pg_namespace
     WHERE nspname = ANY ($1::text[]) AND NOT pg_catalog.has_schema_privilege(oid, 'USAGE')`,
    [[...new Set(catalogue.tables.map(({ schema }) => schema))]],
  );
  return new Set(rows.map(({ name }) => name));
}

function toUsageFindings(catalogue: Catalogue, unusable: ReadonlySet<string>, { connection }: PreflightOptions): Finding[] {
  const schemas = [...new Set(catalogue.tables.map(({ schema }) => schema))].filter((schema) => unusable.has(schema));
  return schemas.map((schema) => toFinding('SOURCE_PRIVILEGE_MISSING', { connection, schema, object: `schema ${schema}`, name: 'USAGE' }));
}

/** The sequences that the catalogue lists; a copy needs their values. */
async function readUnreadableSequences(client: pg.Client, catalogue: Catalogue): Promise<readonly { schema: string; name: string }[]> {
  const sequences = catalogue.objects.filter(({ kind, schema }) => kind === 'sequence' && schema !== null);
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       JOIN ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS s(schema, name)
         ON s.schema = n.nspname AND s.name = c.relname
     WHERE CASE WHEN c.relkind = 'S' THEN NOT pg_catalog.has_sequence_privilege(c.oid, 'SELECT') ELSE false END
     ORDER BY 1, 2`,
    [sequences.map(({ schema }) => schema), sequences.map(({ name }) => name)],
  );
  return rows;
}
