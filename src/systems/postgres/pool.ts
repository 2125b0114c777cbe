// Sessions that are kept and given out again, for a library that wants a pool of `pg`.
import pg from 'pg';

/** Ended by `end()`, which resolves once every session has. A session that is lost is told by the next query that would have used it. */
export function openPool(url: string, sessions: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: sessions });
  const ignore = (): void => undefined;
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
}
