// Migrations run once, however many processes start at the same time: one takes the lock, the others find everything done.
import { createDataSource } from './data-source.js';
import { toMetadataError } from './metadata-error.js';

const LOCK = 'bauta migrate';

/**
 * Brings the metadata database up to date as the owner role; `upTo` stops after so many migrations, for tests of upgrades.
 * `beside` migrates what else lives in that database, under the same lock. Gives the names of the migrations that were still to be run.
 */
export async function migrate(
  url: string,
  options: { readonly upTo?: number; readonly beside?: () => Promise<void> } = {},
): Promise<readonly string[]> {
  const source = createDataSource(url, { connections: 2, ...options });
  try {
    await source.initialize();
    const lock = source.createQueryRunner();
    try {
      await lock.query('SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended($1, 0))', [LOCK]);
      await lock.query('CREATE SCHEMA IF NOT EXISTS bauta');
      const run = await source.runMigrations();
      await options.beside?.();
      return run.map(({ name }) => name);
    } finally {
      // The session's end frees the lock too, should this fail.
      await lock.query('SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtextextended($1, 0))', [LOCK]).catch(() => undefined);
      await lock.release();
    }
  } catch (error) {
    throw toMetadataError(error);
  } finally {
    if (source.isInitialized) await source.destroy();
  }
}
