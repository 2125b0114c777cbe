// What an archive is made of: one moment of a version, read by a session that only reads. Its schema comes from what is there, so that what the
// pipeline's own files did is in it, and its statements are those from which staging is built.
import type pg from 'pg';

import { toError } from '../../../kernel/errors.js';
import type { ArchiveTable } from '../../../pipeline/archive.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import { type MarkerRow, markerSchema } from '../../../pipeline/marker.js';
import { readCatalogue, readSequenceValues, toSequenceStatements } from '../catalogue/catalogue.js';
import { type ConnectionTarget, connect } from '../connection.js';
import { copyOutChunks } from '../copy-out.js';
import { schemaSession, toSchemaStatements } from '../ddl/ddl.js';
import { quoteLiteral, quoteName, quoteQualified } from '../quote.js';
import { toServerError } from '../server-error.js';
import { toMarkerStatements } from '../target/write-marker.js';

export type DumpedTable = Pick<ArchiveTable, 'schema' | 'table' | 'columns'>;

/** As COPY text was written, and no time-out of somebody's role: settings of the one transaction in which an archive is restored. */
const scriptSettings: Readonly<Record<string, string>> = {
  ...schemaSession,
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  xmloption: 'content',
  statement_timeout: '0',
  lock_timeout: '0',
};

export class VersionDump {
  private constructor(
    private readonly client: pg.Client,
    private readonly connection: string,
    private readonly catalogue: Catalogue,
  ) {}

  /** Throws ARCHIVE_SCHEMA_REFUSED where something is there that no statement of ours makes. */
  static async open(connection: ConnectionTarget, database: string): Promise<VersionDump> {
    const settings = { default_transaction_read_only: 'on', statement_timeout: '0' };
    const client = await connect(connection, { database, stage: 'deliver', settings });
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const { catalogue, findings } = await readCatalogue(client, { include: [], exclude: [`${markerSchema}.*`] }, connection.name);
      const refused = findings.filter(({ severity }) => severity === 'error');
      if (refused.length > 0) throw toError('ARCHIVE_SCHEMA_REFUSED', { stage: 'deliver', amount: String(refused.length) }, refused);
      return new VersionDump(client, connection.name, catalogue);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw toServerError(error, { connection: connection.name, stage: 'deliver' });
    }
  }

  get server(): Catalogue['server'] {
    return this.catalogue.server;
  }

  get tables(): readonly DumpedTable[] {
    return this.catalogue.tables
      .filter(({ kind }) => kind === 'r')
      .map(({ schema, name, columns }) => ({
        schema,
        table: name,
        columns: columns.filter(({ generated }) => generated === '').map((column) => column.name),
      }));
  }

  /** Two scripts in one transaction: up to the data, and everything after it, the marker last. */
  async scripts(marker: MarkerRow): Promise<{ readonly before: string; readonly after: string }> {
    const { preData, postData } = toSchemaStatements(this.catalogue, { role: 'current user' });
    const settings = Object.entries(scriptSettings).map(([name, value]) => `SET LOCAL ${name} = ${quoteLiteral(value)}`);
    const sequences = toSequenceStatements(await readSequenceValues(this.client, this.catalogue, this.connection));
    const after = [...[...postData.flat(), ...sequences].map(({ sql }) => sql), ...toMarkerStatements(marker)];
    return {
      before: toScript(['BEGIN', ...settings, ...preData.map(({ sql }) => sql)]),
      after: toScript(after) + scriptEnd,
    };
  }

  /** The lines of `COPY … TO STDOUT`. */
  async *lines({ schema, table, columns }: DumpedTable, only: readonly string[] = columns): AsyncGenerator<Uint8Array, void, undefined> {
    const fields = only.map((column) => `t.${quoteName(column)}`).join(', ');
    try {
      yield* copyOutChunks(this.client, `COPY (SELECT ${fields} FROM ONLY ${quoteQualified({ schema, name: table })} AS t) TO STDOUT`);
    } catch (error) {
      throw toServerError(error, { connection: this.connection, stage: 'deliver', schema, table });
    }
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** How the second script ends; without it nothing was done. */
export const scriptEnd = 'COMMIT;\n';

/** What psql is given before the lines of a table. */
export function toCopyHead(table: DumpedTable): string {
  return `${toCopyText(table)};\n`;
}

export function toCopyText({ schema, table, columns }: DumpedTable): string {
  const list = columns.length === 0 ? '' : ` (${columns.map(quoteName).join(', ')})`;
  return `COPY ${quoteQualified({ schema, name: table })}${list} FROM STDIN`;
}

/** A statement's last line may be a comment. */
function toScript(statements: readonly string[]): string {
  return statements.map((sql) => `${sql}\n;\n`).join('');
}
