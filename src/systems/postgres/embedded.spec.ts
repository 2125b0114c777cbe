import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { startTestServer, type TestServer } from '../../../test/support/server.js';

let server: TestServer;
beforeAll(async () => (server = await startTestServer()), 60_000);
afterAll(() => server.stop());

it('starts a real Postgres 18 with a password and no other address than the loopback', async () => {
  const [row] = await server.sql(
    'postgres',
    `SELECT current_setting('server_version_num')::int AS version, current_setting('listen_addresses') AS listen`,
  );
  expect(row).toEqual({ version: expect.any(Number), listen: '127.0.0.1' });
  expect(Number(row?.['version'])).toBeGreaterThanOrEqual(180000);
});

it('clones a database from a template', async () => {
  await server.create('first');
  await server.sql('first', 'CREATE TABLE t AS SELECT 1 AS a');
  await server.create('second', 'first');
  expect(await server.sql('second', 'SELECT a FROM t')).toEqual([{ a: 1 }]);
});
