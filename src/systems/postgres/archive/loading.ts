// An archive goes into a database that is there and empty, in one transaction of one session: all of it or nothing, whatever happens to either side.
import pg from 'pg';

import { type BautaError, toError } from '../../../kernel/errors.js';
import { type ConnectionTarget, connect } from '../connection.js';
import { DatasetReader } from '../reader/dataset-reader.js';
import { toServerError } from '../server-error.js';
import { CopyIn } from '../target/copy-in.js';
import { type DumpedTable, scriptEnd, toCopyText } from './dump.js';

interface Seen {
  readonly database: string;
  readonly encoding: string;
  readonly collate: string;
  readonly recovering: boolean;
  readonly objects: number;
  readonly others: number;
}

/** Everything that is nobody's but a user's: `public` without anything in it is as a new database has it. */
const look = `
  SELECT current_database() AS database, pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collate, pg_is_in_recovery() AS recovering,
    (SELECT count(*)::int FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('public', 'information_schema'))
    + (SELECT count(*)::int FROM pg_depend p JOIN pg_namespace n ON n.oid = p.refobjid
        WHERE p.refclassid = 'pg_namespace'::regclass AND n.nspname = 'public' AND p.deptype = 'n')
    + (SELECT count(*)::int FROM pg_extension e WHERE e.extname <> 'plpgsql')
    + (SELECT count(*)::int FROM pg_largeobject_metadata) AS objects,
    (SELECT count(*)::int FROM pg_stat_activity a WHERE a.datid = d.oid AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend') AS others
  FROM pg_database d WHERE d.datname = current_database()`;

/** Databases that every server has, for other purposes. */
const servers: ReadonlySet<string> = new Set(['postgres', 'template0', 'template1']);
const production = /(^|[^a-z])(production|prod|prd|live)([^a-z]|$)/i;

export interface LoadInto {
  /** That the archive's database has. */
  readonly encoding: string;
  /** A database that is called like one in production is meant all the same: its name, once more. */
  readonly confirm?: string | undefined;
}

export class ArchiveLoading {
  private constructor(
    private readonly client: pg.Client,
    private readonly connection: string,
    readonly database: string,
  ) {}

  /** Throws ARCHIVE_TARGET_NOT_EMPTY, ARCHIVE_TARGET_NAME, ARCHIVE_ENCODING_DIFFERS, SERVER_READ_ONLY. */
  static async open(connection: ConnectionTarget, { encoding, confirm }: LoadInto): Promise<ArchiveLoading> {
    const client = await connect(connection, { stage: 'deliver', settings: { synchronous_commit: 'off', jit: 'off' } });
    const where = { connection: connection.name, stage: 'deliver' };
    try {
      const { rows } = await client.query<Seen>(look);
      const [seen] = rows;
      if (!seen) throw toError('DATABASE_MISSING', where);
      const name = seen.database;
      if (seen.recovering) throw toError('SERVER_READ_ONLY', where);
      if (servers.has(name) || (production.test(name) && confirm !== name)) throw toError('ARCHIVE_TARGET_NAME', { ...where, name });
      if (seen.objects > 0) throw toError('ARCHIVE_TARGET_NOT_EMPTY', { ...where, name, amount: String(seen.objects) });
      if (seen.encoding !== encoding) throw toError('ARCHIVE_ENCODING_DIFFERS', { ...where, name, expected: encoding });
      return new ArchiveLoading(client, connection.name, name);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw toServerError(error, where);
    }
  }

  /** The first script, which begins the transaction. */
  async begin(script: string): Promise<void> {
    await this.run(script, 'before the data');
    // For the keys and indexes to come: with less, an index of some million rows is sorted on disk.
    await this.run(`SET LOCAL maintenance_work_mem = '128MB'`, 'before the data');
  }

  /** Its table was made in this transaction, so that rows come in frozen. Resolves with how many the server counted. */
  async copy(table: DumpedTable, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const query = new CopyIn(`${toCopyText(table)} WITH (FREEZE)`);
    (this.client as unknown as { query(submittable: object): unknown }).query(query);
    const { schema, table: name } = table;
    const refused = (error: unknown): never => {
      throw this.toRefusal(error, { schema, table: name });
    };
    for await (const chunk of chunks) await query.write(chunk).catch(refused);
    return query.finish().catch(refused);
  }

  /** The second script, but for its end. */
  async finish(script: string): Promise<void> {
    if (!script.endsWith(`;\n${scriptEnd}`)) throw toError('ARCHIVE_FORM');
    await this.run(script.slice(0, -scriptEnd.length), 'after the data');
  }

  /** What is there now, and nobody else sees yet. */
  reader(): DatasetReader {
    return DatasetReader.on(this.client, this.connection);
  }

  async commit(): Promise<void> {
    await this.run('COMMIT', 'at the end');
    // Without it the first queries are planned blindly. What it could not do the server does by itself, later.
    await this.client.query('ANALYZE').catch(() => undefined);
  }

  /** What was not committed is not there. */
  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }

  private async run(sql: string, name: string): Promise<void> {
    try {
      await this.client.query(sql);
    } catch (error) {
      throw this.toRefusal(error, { name });
    }
  }

  private toRefusal(error: unknown, at: { readonly name?: string; readonly schema?: string; readonly table?: string }): BautaError {
    const known = toServerError(error, { connection: this.connection, stage: 'deliver' });
    const ownWords = !(error instanceof pg.DatabaseError) || /^(08|53|57P|58|25P)/.test(error.code ?? '') || error.code === '42501';
    return ownWords ? known : toError('ARCHIVE_STATEMENT_FAILED', { stage: 'deliver', ...at, sqlState: error.code });
  }
}
