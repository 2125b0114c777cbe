import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { Catalogue } from '../../src/pipeline/catalogue.js';
import type { MarkerRow } from '../../src/pipeline/marker.js';
import { ArchiveLoading, VersionDump } from '../../src/systems/postgres/postgres.js';
import { toNastySchema } from '../support/nasty-schema.js';
import { catalogueOf, comparable, createPlainRole } from '../support/rebuild.js';
import { type TestServer, startTestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => (server = await startTestServer()), 60_000);
afterAll(() => server.stop());

const marker: MarkerRow = {
  ...{ version: 1, planDigest: 'sha256:00', logOrigin: 'test-log/2026', logIndex: 3, claim: 'masked copy, not production' },
  ...{ madeAt: '2026-01-01T00:00:00.000Z', expiresAt: '2027-01-01T00:00:00.000Z', manifest: [], note: "a note, 'quoted' \\ and so on\n" },
};

/** What a policy gives to a role it gives to who loads. */
async function portable(url: string): Promise<unknown> {
  const { catalogue } = await catalogueOf(url, { include: [], exclude: ['bauta.*'] });
  const { objects, ...rest } = comparable(catalogue) as Pick<Catalogue, 'objects'>;
  return { ...rest, objects: objects.map((one) => (one.kind === 'policy' ? { ...one, roles: one.roles.length } : one)) };
}

it('carries a schema of everything that is hard, its sequences and its rows, for a role that owns an empty database and may do nothing else', async () => {
  const asOwner = await createPlainRole(server, 'builder');
  await server.create('hard');
  await server.sql('hard', toNastySchema(180_000));
  await server.sql(
    'hard',
    `INSERT INTO app.person (email, boss) VALUES ('a@example.org', NULL); INSERT INTO app.person (email, boss) VALUES ('b@example.org', 10)`,
  );
  await server.sql('postgres', 'CREATE DATABASE hard_copy OWNER builder TEMPLATE template0');
  const dump = await VersionDump.open({ name: 'env:FROM', url: server.url('hard') }, 'hard');
  const loading = await ArchiveLoading.open({ name: 'env:INTO', url: asOwner('hard_copy') }, { encoding: 'UTF8' });
  try {
    const { before, after } = await dump.scripts(marker);
    await loading.begin(before);
    let rows = 0;
    for (const table of dump.tables) rows += await loading.copy(table, dump.lines(table));
    expect(rows).toBeGreaterThan(1);
    await loading.finish(after);
    expect(await loading.reader().marker()).toEqual({ row: marker });
    await loading.commit();
  } finally {
    await Promise.all([dump.close(), loading.close()]);
  }
  expect(await portable(asOwner('hard_copy'))).toEqual(await portable(server.url('hard')));
  const standing = `SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2`;
  expect(await server.sql('hard_copy', standing)).toEqual(await server.sql('hard', standing));
  const people = 'SELECT * FROM app.person ORDER BY id';
  expect(await server.sql('hard_copy', people)).toEqual(await server.sql('hard', people));
});
