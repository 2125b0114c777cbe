// An installation that has been used is upgraded: what was there stays, under the same rights, and what is new works on it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { prepareDatabase } from '../../src/control/metadata-server.js';
import { verifyChain } from '../../src/pipeline/audit/audit.js';
import { Metadata, migrate } from '../../src/systems/metadata/metadata.js';
import { migrations } from '../../src/systems/metadata/data-source.js';
import { migrateQueue } from '../../src/systems/queue/queue.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { startSequencer } from '../support/service.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** As the release before would have written it: the stores of this one know columns that are not there yet. */
const used = `
  WITH p AS (INSERT INTO bauta.person (workspace_id, name) SELECT id, 'ada' FROM bauta.workspace RETURNING workspace_id, id),
    g AS (INSERT INTO bauta.role_grant (workspace_id, person_id, role) SELECT workspace_id, id, 'policy-admin' FROM p),
    c AS (INSERT INTO bauta.document (workspace_id, kind, name, version, digest, written, author_id)
      SELECT workspace_id, 'Classification', 'shop', 1, 'sha256:0', '{"kind":"Classification","name":"shop","tables":{}}', id FROM p),
    d AS (INSERT INTO bauta.document (workspace_id, kind, name, version, digest, written, author_id)
      SELECT workspace_id, 'Pipeline', 'shop', 1, 'sha256:1', '{"kind":"Pipeline","target":{"environment":"dev"}}', id FROM p)
  INSERT INTO bauta.run (id, workspace_id, pipeline, documents, requested_by)
    SELECT '0000000000000000', workspace_id, 'shop', '[{"kind":"Pipeline","name":"shop","version":1}]', id FROM p`;

it('from a log that was numbered and not signed: it is sequenced anew, in its order, before what waits', async () => {
  const urls = await prepareDatabase({ name: 'metadata', url: server.url('postgres') }, server.port, 'numbered');
  await migrate(urls.owner, { upTo: 2, beside: () => migrateQueue(urls.owner) });
  await server.sql(
    'numbered',
    `INSERT INTO bauta.outbox (workspace_id, event) SELECT id, json_build_object('type', 't', 'at', '', 'data', json_build_object('n', n)) FROM bauta.workspace, generate_series(3, 4) n;
     INSERT INTO bauta.audit_leaf (position, workspace_id, event, digest)
       SELECT n, id, json_build_object('type', 't', 'at', '', 'data', json_build_object('n', n)), 'd' FROM bauta.workspace, generate_series(0, 2) n`,
  );
  await migrate(urls.owner, { beside: () => migrateQueue(urls.owner) });
  const waiting = await server.sql('numbered', `SELECT (event -> 'data' ->> 'n')::int AS n FROM bauta.outbox ORDER BY id`);
  expect(waiting.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4]);
  const home = mkdtempSync(join(tmpdir(), 'bauta-upgraded-'));
  const sequencer = await startSequencer(urls, home);
  for (let i = 0; i < 100 && (await server.sql('numbered', 'SELECT FROM bauta.outbox')).length > 0; i++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await sequencer.stop();
  rmSync(home, { recursive: true });
  const metadata = await Metadata.open(urls.service, 2);
  const workspace = String((await server.sql('numbered', 'SELECT id FROM bauta.workspace'))[0]?.['id']);
  await metadata.within(workspace, async ({ log }) => {
    const verifier = (await log.verifier())!;
    const { findings, checkpoint } = await verifyChain(log.files(), { verifier, known: [] });
    expect([findings, checkpoint?.size]).toEqual([[], 6]);
    const [{ name } = { name: '' }] = await log.logs();
    expect((await log.entries(name, 10)).map(({ event }) => event.data['n'])).toEqual([undefined, 0, 1, 2, 3, 4]);
  });
  await metadata.close();
});

it('from each migration to the last one, with data in place', async () => {
  // Documents and runs are there since the second.
  for (let from = 2; from < migrations.length; from++) {
    const name = `used_${from}`;
    const urls = await prepareDatabase({ name: 'metadata', url: server.url('postgres') }, server.port, name);
    await migrate(urls.owner, { upTo: from, beside: () => migrateQueue(urls.owner) });
    expect(await server.sql(name, 'SELECT FROM bauta.migration')).toHaveLength(from);
    await server.sql(name, used);
    // From the fourth on a run says where it delivers to.
    if (from > 3) await server.sql(name, `UPDATE bauta.run SET environment = 'dev'`);

    await migrate(urls.owner, { beside: () => migrateQueue(urls.owner) });
    const workspace = String((await server.sql(name, 'SELECT id FROM bauta.workspace'))[0]?.['id']);
    const after = await Metadata.open(urls.service, 2);
    const [document, person, run] = await after.within(workspace, async ({ documents, people, runs }) => [
      await documents.find({ kind: 'Classification', name: 'shop' }),
      await people.find('ada'),
      await runs.find('0000000000000000'),
    ]);
    expect([document?.version, document?.author, person?.roles, run?.environment]).toEqual([1, 'ada', ['policy-admin'], 'dev']);
    await after.close();
  }
});
