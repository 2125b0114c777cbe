// Which server and database this is.
import type pg from 'pg';

import type { ServerFacts } from '../../../pipeline/catalogue.js';
import { readRows } from './reading.js';

/** `known` is false where the role may not ask for the system identifier; the facts then have none. */
export async function readServerFacts(client: pg.Client): Promise<{ readonly facts: ServerFacts; readonly known: boolean }> {
  const [row] = await readRows<ServerFacts & { may: boolean }>(
    client,
    `SELECT current_setting('server_version_num')::int AS version, d.datname AS database, d.oid AS "databaseOid",
       pg_encoding_to_char(d.encoding) AS encoding, pg_is_in_recovery() AS "inRecovery",
       has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS may
     FROM pg_database d WHERE d.datname = current_database()`,
  );
  if (!row) throw new Error('no row for the current database');
  const { may, ...facts } = row;
  if (!may) return { facts: { ...facts, systemIdentifier: '' }, known: false };
  const [identity] = await readRows<{ id: string }>(client, 'SELECT system_identifier::text AS id FROM pg_control_system()');
  return { facts: { ...facts, systemIdentifier: identity?.id ?? '' }, known: identity !== undefined };
}
