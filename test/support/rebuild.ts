// Rebuilds the schema of one database in another as a role that owns it and may do nothing else.
import pg from 'pg';

import type { Finding } from '../../src/kernel/errors.js';
import type { Catalogue } from '../../src/pipeline/catalogue.js';
import type { SourceScope } from '../../src/pipeline/ports.js';
import { readCatalogue } from '../../src/systems/postgres/catalogue/catalogue.js';
import { type SchemaOptions, schemaSession, toSchemaStatements } from '../../src/systems/postgres/ddl/ddl.js';
import type { TestServer } from './server.js';

export const everything: SourceScope = { include: [], exclude: [] };

export async function withClient<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
  settings: Record<string, string> = {},
): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const [name, value] of Object.entries(settings)) await client.query('SELECT set_config($1, $2, false)', [name, value]);
    return await work(client);
  } finally {
    await client.end();
  }
}

export function catalogueOf(url: string, scope = everything): Promise<{ catalogue: Catalogue; findings: readonly Finding[] }> {
  return withClient(url, (client) => readCatalogue(client, scope));
}

/** A role that may log in and nothing more, with the connection string of a database for it. */
export async function createPlainRole(server: TestServer, role: string): Promise<(database: string) => string> {
  await server.sql('postgres', `CREATE ROLE "${role}" LOGIN PASSWORD 'plain' NOSUPERUSER NOCREATEDB NOCREATEROLE`);
  return (database) => {
    const url = new URL(server.url(database));
    url.username = role;
    url.password = 'plain';
    return url.toString();
  };
}

/** `load` is SQL that puts rows in between. The statement at which it failed is named; the schema is the test's own, so its text may be shown. */
export async function rebuild(url: string, catalogue: Catalogue, options: SchemaOptions = {}, load?: string): Promise<void> {
  const { preData, postData } = toSchemaStatements(catalogue, options);
  const run = async (client: pg.Client, statement: { sql: string; object: string }): Promise<void> => {
    try {
      await client.query(statement.sql);
    } catch (cause) {
      throw new Error(`${statement.object}: ${statement.sql}\n${String(cause)}`, { cause });
    }
  };
  const clients = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      for (const [name, value] of Object.entries(schemaSession)) await client.query('SELECT set_config($1, $2, false)', [name, value]);
      return client;
    }),
  );
  try {
    for (const statement of preData) await run(clients[0] as pg.Client, statement);
    if (load !== undefined) await run(clients[0] as pg.Client, { sql: load, object: 'rows' });
    for (const phase of postData) {
      const queue = [...phase];
      await Promise.all(
        clients.map(async (client) => {
          for (let next = queue.shift(); next; next = queue.shift()) await run(client, next);
        }),
      );
    }
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

/** What must be equal in source and copy: everything but oids, sizes, estimates, statistics and which database it is. */
export function comparable(catalogue: Catalogue): unknown {
  return {
    schemas: catalogue.schemas,
    objects: catalogue.objects,
    dependencies: catalogue.dependencies,
    tables: catalogue.tables.map(({ oid: _oid, estimatedRows: _rows, bytes: _bytes, pages: _pages, columns, ...table }) => ({
      ...table,
      columns: columns.map(({ attnum: _attnum, statistics: _statistics, ...column }) => column),
    })),
  };
}
