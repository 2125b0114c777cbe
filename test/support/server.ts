// One embedded Postgres per spec file, and databases cloned from templates in milliseconds.
import pg from 'pg';

import { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from '../../src/systems/postgres/embedded.js';

export interface TestServer extends EmbeddedServer {
  /** Runs SQL (several statements allowed) in a database, as superuser; rows of the last statement. */
  sql(database: string, text: string): Promise<Record<string, unknown>[]>;
  create(database: string, template?: string): Promise<string>;
}

/** MUST be stopped in afterAll: a spec that leaves its server behind leaves a process behind. */
export async function startTestServer(options?: EmbeddedOptions): Promise<TestServer> {
  const server = await startEmbedded(options);
  const sql = async (database: string, text: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: server.url(database) });
    // A server that goes while nobody waits for an answer is no failure of the test.
    client.on('error', () => undefined);
    await client.connect();
    try {
      const result: unknown = await client.query(text);
      const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: Record<string, unknown>[] };
      return last.rows;
    } finally {
      await client.end();
    }
  };
  return {
    ...server,
    sql,
    create: async (database, template) => {
      await sql('postgres', `CREATE DATABASE "${database}"${template ? ` TEMPLATE "${template}"` : ''}`);
      return server.url(database);
    },
  };
}
