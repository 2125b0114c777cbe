// An installation that has been used is upgraded: what was there stays, under the same rights, and what is new works on it.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { prepareDatabase } from '../../src/control/metadata-server.js';
import { Metadata, migrate } from '../../src/systems/metadata/metadata.js';
import { migrations } from '../../src/systems/metadata/data-source.js';
import { migrateQueue } from '../../src/systems/queue/queue.js';
import { type TestServer, startTestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

it('from the migration before the last one, with data in place', async () => {
  const urls = await prepareDatabase({ name: 'metadata', url: server.url('postgres') }, server.port, 'used');
  await migrate(urls.owner, { upTo: migrations.length - 1, beside: () => migrateQueue(urls.owner) });
  expect(await server.sql('used', 'SELECT FROM bauta.migration')).toHaveLength(migrations.length - 1);
  const workspace = String((await server.sql('used', 'SELECT id FROM bauta.workspace'))[0]?.['id']);
  const before = await Metadata.open(urls.service, 2);
  const written = { kind: 'Classification', name: 'shop', tables: {} };
  const author = await before.within(workspace, async ({ people, documents }) => {
    const id = await people.insert('ada');
    await people.setRoles(id, ['policy-admin'], null);
    await documents.insert({ kind: 'Classification', name: 'shop', version: 1, digest: 'sha256:0', document: written }, id);
    return id;
  });
  await before.close();

  await migrate(urls.owner, { beside: () => migrateQueue(urls.owner) });
  const after = await Metadata.open(urls.service, 2);
  const [document, made] = await after.within(workspace, async ({ documents, runs }) => [
    await documents.find({ kind: 'Classification', name: 'shop' }),
    await runs.insert({ id: '0000000000000001', pipeline: 'shop', documents: [], requestedBy: author, dueAt: null }),
  ]);
  expect([document, made]).toEqual([expect.objectContaining({ version: 1, author: 'ada', document: written }), true]);
  await after.close();
});
