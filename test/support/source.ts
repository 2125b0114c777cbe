// A Postgres source over the small catalogue, as the product composes it, and what tests ask of its sessions.
import { systemClock } from '../../src/kernel/clock.js';
import type { Batch } from '../../src/pipeline/batch.js';
import type { SourceScope } from '../../src/pipeline/ports.js';
import { PostgresSource, type PostgresSourceOptions } from '../../src/systems/postgres/source/source.js';
import { readSequenceValues } from '../../src/systems/postgres/catalogue/catalogue.js';
import type { TestServer } from './server.js';
import { readSmallCatalogue, toSmallDigest } from './small-catalogue.js';

export const everything: SourceScope = { include: [], exclude: [] };

export function openTestSource(url: string, options: Partial<PostgresSourceOptions> = {}): PostgresSource {
  return new PostgresSource({
    target: { name: 'env:SOURCE', url },
    readCatalogue: readSmallCatalogue,
    toCatalogueDigest: toSmallDigest,
    readSequenceValues,
    clock: systemClock,
    ...options,
  });
}

export async function readText(batches: AsyncIterable<Batch>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const { bytes } of batches) parts.push(Buffer.from(bytes));
  return Buffer.concat(parts).toString('utf8');
}

/** Sessions of ours that the server still has in this database. */
export async function countSessions(server: TestServer, database: string): Promise<number> {
  const [row] = await server.sql(
    'postgres',
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'bauta' AND datname = '${database}'`,
  );
  return Number(row?.['n']);
}

/** Resolves when `look` says true; rejects after `withinMs`. */
export async function waitUntil(look: () => Promise<boolean>, withinMs = 5_000): Promise<void> {
  for (let waited = 0; waited < withinMs; waited += 25) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('waited in vain');
}
