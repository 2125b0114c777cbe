// How much of a table of the metadata database a piece of work read, by the server's own count.
import type { Metadata } from '../../src/systems/metadata/metadata.js';
import type { TestServer } from './server.js';

/** Rows, and entries of indexes. MUST be the database `metadata`, and a door of one session, which is asked what it read. */
export async function countRowsRead(
  { server, metadata }: { readonly server: TestServer; readonly metadata: Metadata },
  table: string,
  work: () => Promise<unknown>,
): Promise<number> {
  const read = async (): Promise<number> => {
    await metadata.query('SELECT pg_catalog.pg_stat_force_next_flush()');
    const [row] = await server.sql(
      'metadata',
      `SELECT (SELECT seq_tup_read FROM pg_stat_user_tables WHERE schemaname = 'bauta' AND relname = '${table}')
         + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = 'bauta' AND relname = '${table}') AS n`,
    );
    return Number(row?.['n']);
  };
  const before = await read();
  await work();
  return (await read()) - before;
}
