// What attest looks through: one read-only session in a published database, wherever that is, and one moment of it.
import type pg from 'pg';

import type { Finding } from '../../../kernel/errors.js';
import type { Definition } from '../../../pipeline/definition-digest.js';
import type { MarkerSeen } from '../../../pipeline/marker.js';
import { type ConnectionTarget, connect } from '../connection.js';
import { copyOutChunks } from '../copy-out.js';
import { readDatabaseRights, readDefinitions } from '../definitions.js';
import { readMarker } from '../marker-table.js';
import { quoteName, quoteQualified } from '../quote.js';
import { toServerError } from '../server-error.js';
import { checkIntegrity } from './integrity.js';

export interface DatasetTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  /** Whether this login sees every row: it may select, and no policy applies to it. */
  readonly readable: boolean;
  /** Of the columns, those that the server computes. */
  readonly generated: readonly string[];
}

/** Tables with rows of their own; those of extensions are the extension's. */
const tables = `
  SELECT n.nspname AS schema, c.relname AS name,
    ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> '') AS generated,
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid) AS readable
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', $1)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1, 2`;

export class DatasetReader {
  private constructor(
    private readonly client: pg.Client,
    private readonly name: string,
  ) {}

  static async open(connection: ConnectionTarget, database?: string): Promise<DatasetReader> {
    const client = await connect(connection, {
      ...(database !== undefined && { database }),
      stage: 'verify',
      settings: { default_transaction_read_only: 'on' },
    });
    const reader = new DatasetReader(client, connection.name);
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY').catch(async (error: unknown) => {
      await reader.close();
      throw error;
    });
    return reader;
  }

  /** On a session that somebody else has opened and ends: what it sees, in its transaction. */
  static on(client: pg.Client, name: string): DatasetReader {
    return new DatasetReader(client, name);
  }

  async marker(): Promise<MarkerSeen> {
    try {
      return await readMarker(this.client);
    } catch (error) {
      throw this.toError(error);
    }
  }

  /** `systemIdentifier` is null where the server does not tell it to this login. */
  async place(): Promise<{ readonly database: string; readonly systemIdentifier: string | null }> {
    const [row] = await this.query<{ database: string; may: boolean }>(
      `SELECT current_database() AS database, has_function_privilege('pg_control_system()', 'EXECUTE') AS may`,
    );
    const [control] = row?.may ? await this.query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()') : [];
    return { database: row?.database ?? '', systemIdentifier: control?.id ?? null };
  }

  /** Roles that may connect, or are connected: how many sessions of each there are beside this one. */
  readers(): Promise<readonly { readonly role: string; readonly sessions: number }[]> {
    return this.query<{ role: string; sessions: number }>(
      `WITH open AS (SELECT usename::text AS role, count(*)::int AS sessions FROM pg_stat_activity
           WHERE datname = current_database() AND usename IS NOT NULL AND pid <> pg_backend_pid() GROUP BY 1),
         may AS (SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END AS role FROM pg_database d,
           aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a WHERE d.datname = current_database() AND a.privilege_type = 'CONNECT')
       SELECT role, coalesce(sessions, 0) AS sessions FROM may FULL JOIN open USING (role) ORDER BY 1`,
    );
  }

  /** Every table but the marker's. */
  tables(schemaOfMarker: string): Promise<readonly DatasetTable[]> {
    return this.query<DatasetTable>(tables, [schemaOfMarker]);
  }

  /** What there is beside rows; of these schemas, or of all of the database. */
  async definitions(schemas: readonly string[] | null): Promise<readonly Definition[]> {
    const query = <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[]> =>
      this.query<Row>(text, values);
    const found = await readDefinitions(query, schemas);
    return schemas === null ? [...found, ...(await readDatabaseRights(query, (await this.place()).database))] : found;
  }

  async count(table: DatasetTable): Promise<number> {
    const [row] = await this.query<{ rows: number }>(`SELECT count(*)::float8 AS rows FROM ONLY ${quoteQualified(table)}`);
    return row?.rows ?? 0;
  }

  /** Rows whose column equals one of these texts. `whole`: with those of partitions and children. */
  async countOf(table: Pick<DatasetTable, 'schema' | 'name'>, column: string, texts: readonly string[], whole: boolean): Promise<number> {
    const from = `${whole ? '' : 'ONLY '}${quoteQualified(table)}`;
    let rows = 0;
    for (const text of texts) {
      const [row] = await this.query<{ rows: number }>(`SELECT count(*)::float8 AS rows FROM ${from} WHERE ${quoteName(column)} = $1`, [
        text,
      ]);
      rows += row?.rows ?? 0;
    }
    return rows;
  }

  /** The lines of `COPY … TO STDOUT` of these columns, as chunks that may cut lines anywhere. */
  async *lines(table: DatasetTable, columns: readonly string[]): AsyncIterable<Uint8Array> {
    const fields = columns.map((column) => `t.${quoteName(column)}`).join(', ');
    try {
      yield* copyOutChunks(this.client, `COPY (SELECT ${fields} FROM ONLY ${quoteQualified(table)} AS t) TO STDOUT`);
    } catch (error) {
      throw this.toError(error);
    }
  }

  /** Broken references, constraints that are not valid, sequences behind their columns. */
  async integrity(): Promise<readonly Finding[]> {
    try {
      return await checkIntegrity(this.client);
    } catch (error) {
      throw this.toError(error);
    }
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }

  private async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      return (await this.client.query<Row>(text, [...values])).rows;
    } catch (error) {
      throw this.toError(error);
    }
  }

  private toError(error: unknown): Error {
    return toServerError(error, { connection: this.name, stage: 'verify' });
  }
}
