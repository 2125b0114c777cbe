// What each role of the metadata database cannot do: service changes no table and reads no log, nobody changes a leaf, no workspace sees another.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { connect } from '../../src/systems/postgres/postgres.js';
import { Metadata, migrate } from '../../src/systems/metadata/metadata.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { prepareMetadata } from '../support/service.js';

let server: TestServer;
let urls: Awaited<ReturnType<typeof prepareMetadata>>;
let [home, foreign] = ['', ''];
beforeAll(async () => {
  server = await startTestServer();
  urls = await prepareMetadata(server, 'metadata');
  const rows = await server.sql('metadata', `INSERT INTO bauta.workspace (name) VALUES ('foreign') RETURNING id`);
  foreign = String(rows[0]?.['id']);
  home = String((await server.sql('metadata', `SELECT id FROM bauta.workspace WHERE name = 'default'`))[0]?.['id']);
  for (const id of [home, foreign])
    await server.sql(
      'metadata',
      `WITH p AS (INSERT INTO bauta.person (workspace_id, name) VALUES ('${id}', 'ada') RETURNING id)
       INSERT INTO bauta.document (workspace_id, kind, name, version, digest, written, author_id) SELECT '${id}', 'Pipeline', 'shop', 1, 'd', '{}', id FROM p;
       INSERT INTO bauta.outbox (workspace_id, event) VALUES ('${id}', '{}');
       INSERT INTO bauta.audit_leaf (workspace_id, log, position, type, event, digest) VALUES ('${id}', '2026', 0, 't', '{}', sha256('d'));
       INSERT INTO bauta.audit_note (id, workspace_id, text) VALUES (gen_random_uuid(), '${id}', 't');
       INSERT INTO bauta.erasable_text (workspace_id, commitment, salt, text) VALUES ('${id}', 'c', 's', 't')`,
    );
});
afterAll(() => server.stop());

/** SQLSTATE of a statement as a role, or the number of rows that it gave. */
async function as(role: 'owner' | 'service' | 'sequencer', text: string, workspace?: string): Promise<string | number> {
  const client = await connect({ name: 'metadata', url: urls[role] }, { settings: { row_security: 'on' } });
  try {
    if (workspace !== undefined) await client.query(`SELECT set_config('bauta.workspace', $1, false)`, [workspace]);
    return (await client.query(text)).rowCount ?? 0;
  } catch (error) {
    return String((error as { code?: unknown }).code);
  } finally {
    await client.end();
  }
}

const DENIED = '42501';
const tables = [
  'person',
  'role_grant',
  'token',
  'first_token',
  'document',
  'idempotency',
  'outbox',
  'audit_leaf',
  'run',
  'run_event',
  'approval',
  'run_line',
  'audit_tile',
  'audit_checkpoint',
  'audit_key',
  'audit_note',
  'erasable_text',
  'audit_standing',
];

describe('the service role', () => {
  it.each([
    'CREATE TABLE bauta.mine (id int)',
    'CREATE TABLE public.mine (id int)',
    'CREATE SCHEMA mine',
    'CREATE TEMP TABLE mine (id int)',
    'ALTER TABLE bauta.person ADD COLUMN mine int',
    'ALTER TABLE bauta.person DISABLE ROW LEVEL SECURITY',
    'DROP TABLE bauta.document',
    'TRUNCATE bauta.document',
    'CREATE ROLE mine',
    'ALTER ROLE bauta_service BYPASSRLS',
    'SET ROLE bauta_owner',
    'SET ROLE bauta_sequencer',
    'SELECT * FROM bauta.outbox',
    'SELECT * FROM bauta.used_identity',
    'DELETE FROM bauta.used_identity',
    `INSERT INTO bauta.used_identity (digest, ends_at) VALUES ('x', now())`,
    'DELETE FROM bauta.outbox',
    `UPDATE bauta.outbox SET event = '{}'`,
    `INSERT INTO bauta.audit_leaf (workspace_id, log, position, type, event, digest) SELECT id, '2026', 9, 't', '{}', 'd' FROM bauta.workspace LIMIT 1`,
    `UPDATE bauta.audit_leaf SET event = '{}'`,
    'DELETE FROM bauta.audit_leaf',
    `INSERT INTO bauta.audit_checkpoint (workspace_id, log, size, root, note) SELECT id, '2026', 9, 'r', 'n' FROM bauta.workspace LIMIT 1`,
    'DELETE FROM bauta.audit_checkpoint',
    'DELETE FROM bauta.audit_cosigned',
    'DELETE FROM bauta.audit_anchor',
    `UPDATE bauta.audit_anchor SET place = 'mine'`,
    `INSERT INTO bauta.audit_key (workspace_id, verifier) SELECT id, 'k' FROM bauta.workspace LIMIT 1`,
    `UPDATE bauta.audit_note SET note = 'signed'`,
    'DELETE FROM bauta.incident_file',
    `UPDATE bauta.incident_file SET digest = ''`,
    'DELETE FROM bauta.anomaly',
    'UPDATE bauta.anomaly SET amount = 0',
    'DELETE FROM bauta.audit_standing',
    'UPDATE bauta.audit_standing SET position = 0',
    `UPDATE bauta.document SET written = '{}'`,
    'DELETE FROM bauta.document',
    'DELETE FROM bauta.person',
    `UPDATE bauta.token SET expires_at = 'infinity'`,
    `UPDATE bauta.token SET digest = ''`,
    'DELETE FROM bauta.token',
    'SELECT * FROM bauta.first_token',
    'DELETE FROM bauta.run',
    `UPDATE bauta.run SET pipeline = 'mine'`,
    `UPDATE bauta.run_event SET state = 'published'`,
    'DELETE FROM bauta.run_event',
    'DELETE FROM bauta.approval',
    `UPDATE bauta.approval SET digest = 'mine'`,
    `UPDATE bauta.approval SET subject = '{}'`,
    `UPDATE bauta.person SET owner_id = NULL`,
    `UPDATE bauta.person SET name = 'mine'`,
    `SELECT bauta.without('{}', 'x', 'x')`,
    `UPDATE bauta.run_line SET text = 'mine'`,
    'DELETE FROM bauta.run_line',
    'DELETE FROM bauta.source_seen',
    'DELETE FROM bauta.dataset_version',
    `UPDATE bauta.dataset_version SET run_id = 'mine'`,
    `INSERT INTO bauta.workspace (name) VALUES ('mine')`,
    `INSERT INTO graphile_worker.migrations (id) VALUES (999)`,
    `COPY bauta.person TO PROGRAM 'cat'`,
  ])('cannot %s', async (text) => expect(await as('service', text, home)).toBe(DENIED));

  it('has none of the attributes that would let it', async () => {
    const rows = await server.sql(
      'metadata',
      `SELECT rolname FROM pg_roles WHERE rolname LIKE 'bauta\\_%' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)`,
    );
    expect(rows).toEqual([]);
  });

  it('puts an event into the outbox of the workspace that it is in, and of no other', async () => {
    const insert = (id: string): string => `INSERT INTO bauta.outbox (workspace_id, event) VALUES ('${id}', '{}')`;
    expect([
      await as('service', insert(home), home),
      await as('service', insert(foreign), home),
      await as('service', insert(home)),
    ]).toEqual([1, DENIED, DENIED]);
  });

  it('sees rows of the workspace that it says it is in, and none when it says nothing', async () => {
    for (const table of ['document', 'audit_leaf', 'audit_note', 'erasable_text']) {
      const select = `SELECT * FROM bauta.${table}`;
      expect([table, await as('service', select, home), await as('service', select, foreign), await as('service', select)]).toEqual([
        ...[table, 1, 1, 0],
      ]);
    }
  });
});

describe('the sequencer role', () => {
  it.each([
    'SELECT * FROM bauta.document',
    'SELECT * FROM bauta.token',
    `INSERT INTO bauta.outbox (workspace_id, event) SELECT id, '{}' FROM bauta.workspace LIMIT 1`,
    `UPDATE bauta.audit_leaf SET event = '{}'`,
    'DELETE FROM bauta.audit_leaf',
    'TRUNCATE bauta.audit_leaf',
    `UPDATE bauta.audit_checkpoint SET note = ''`,
    'DELETE FROM bauta.audit_checkpoint',
    `UPDATE bauta.audit_key SET verifier = ''`,
    `UPDATE bauta.audit_note SET text = ''`,
    'SELECT * FROM bauta.erasable_text',
    'CREATE TABLE bauta.mine (id int)',
    'SELECT * FROM graphile_worker._private_jobs',
    `SELECT bauta.find_token('x')`,
  ])('cannot %s', async (text) => expect(await as('sequencer', text)).toBe(DENIED));

  it('reads outbox and leaves of every workspace', async () => {
    expect(await as('sequencer', 'SELECT * FROM bauta.audit_leaf')).toBe(2);
    expect(await as('sequencer', 'SELECT * FROM bauta.outbox')).toBeGreaterThanOrEqual(2);
  });
});

it('has row-level security on every table that belongs to a workspace', async () => {
  const rows = await server.sql(
    'metadata',
    `SELECT c.relname AS name, c.relrowsecurity AS on FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'bauta'::regnamespace AND c.relkind IN ('r', 'p') AND a.attname = 'workspace_id' ORDER BY 1`,
  );
  expect(rows.filter(({ on }) => on !== true)).toEqual([]);
  for (const table of tables) expect(rows.map(({ name }) => name)).toContain(table);
});

it('lets nobody but the three roles connect', async () => {
  await server.sql('postgres', `CREATE ROLE stranger LOGIN PASSWORD 'stranger'`);
  const stranger = { name: 'metadata', url: `postgres://stranger:stranger@127.0.0.1:${server.port}/metadata` };
  await expect(connect(stranger)).rejects.toMatchObject({ code: 'PRIVILEGE_MISSING' });
});

it('migrates once, however many start at the same time', async () => {
  const admin = { name: 'metadata', url: server.url('postgres') };
  const { prepareDatabase } = await import('../../src/control/metadata-server.js');
  const fresh = await prepareDatabase(admin, server.port, 'fresh');
  await Promise.all(Array.from({ length: 5 }, () => migrate(fresh.owner)));
  const { migrations } = await import('../../src/systems/metadata/data-source.js');
  expect(await server.sql('fresh', 'SELECT name FROM bauta.migration ORDER BY id')).toEqual(migrations.map(({ name }) => ({ name })));
  const metadata = await Metadata.open(fresh.service, 2);
  expect(await metadata.query('SELECT name FROM bauta.workspace')).toEqual([{ name: 'default' }]);
  await metadata.close();
});
