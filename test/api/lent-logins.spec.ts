// Workers of the service whose source login a real Vault lends: one is killed, the next one goes on with a login of its own, and none is left.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { Grants } from '../../src/control/references.js';
import { systemClock } from '../../src/kernel/clock.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type ServiceProcess, begin, end, endAll } from '../support/processes.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { waitFor } from '../support/small-shop.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';
import { type TestVault, findVault, startVault } from '../support/vault.js';

const program = findVault();
const rows = 24_000;

(program === undefined ? describe.skip : describe)('with a real Vault', () => {
  let vault: TestVault;
  let tiny: TinyWorld;
  let world: ServiceWorld;
  let home: string;
  let settings: Record<string, string>;

  beforeAll(async () => {
    tiny = await startTinyWorld();
    vault = await startVault(program!);
    home = mkdtempSync(join(tmpdir(), 'bauta-lent-'));
    const source = new URL(
      await tiny.source(
        'shop',
        `INSERT INTO app.product SELECT 'Q' || i, repeat('a word ', 30) || i, i FROM generate_series(1, ${rows}) i; ANALYZE`,
      ),
    );
    const admin = new URL(tiny.server.url('shop'));
    await vault.ask('POST', 'database/config/shop', {
      ...{
        plugin_name: 'postgresql-database-plugin',
        allowed_roles: '*',
        username: admin.username,
        password: decodeURIComponent(admin.password),
      },
      ...{
        password_authentication: 'scram-sha-256',
        connection_url: `postgresql://{{username}}:{{password}}@${admin.host}/shop?sslmode=disable`,
      },
    });
    const creation = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' BYPASSRLS IN ROLE ${decodeURIComponent(source.username)}`;
    await vault.ask('POST', 'database/roles/bauta-shop', { db_name: 'shop', creation_statements: [creation], default_ttl: '1h' });
    const policy = readFileSync(packageFile('deploy', 'vault', 'database.hcl'), 'utf8');
    const { roleId, secretId } = await vault.appRole('worker', { database: policy });
    const [place, grants] = [`${source.hostname}:${source.port}/shop`, join(home, 'grants.yaml')];
    const references = `['env:BAUTA_CONN_*', 'vault:database/creds/*']`;
    const granted = `workspaces: { default: { references: ${references}, secrets: [{ reference: 'vault:database/creds/bauta-shop', for: '${place}' }] } }`;
    writeFileSync(grants, granted);
    world = await startServiceWorld(tiny.server, systemClock, {}, { grants: Grants.parse(granted, 'grants.yaml') });
    const bob = await world.person('bob', ['policy-admin', 'requester']);
    const connection = `kind: Connection\nname: shop\nhost: ${source.hostname}\nport: ${source.port}\ndatabase: shop\ncredentials: vault:database/creds/bauta-shop\n`;
    const text = [
      pipelineText.replace('env:SOURCE_URL', 'shop').replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET'),
      classificationText,
      connection,
    ].join('---\n');
    const applied = await world.ask('POST', '/v1/apply', { token: bob, text, headers: { 'content-type': 'application/yaml' } });
    expect([applied.status, applied.status === 200 ? '' : applied.body]).toEqual([200, '']);
    expect((await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline: 'tiny' } })).status).toBe(201);
    settings = {
      ...{ PATH: process.env['PATH'] ?? '', BAUTA_HOME: home, BAUTA_THREADS: '0', BAUTA_HOLDER_AFTER_MS: '0', BAUTA_GRANTS: grants },
      ...{
        BAUTA_METADATA: 'env:METADATA',
        METADATA: world.urls.service,
        BAUTA_METADATA_SEQUENCER: 'env:SEQUENCER',
        SEQUENCER: world.urls.sequencer,
      },
      ...{ BAUTA_LOG_KEY: 'env:KEY', BAUTA_SERVER_KEY: 'env:KEY', KEY: randomBytes(32).toString('base64') },
      ...{
        BAUTA_SOURCE_ROWS_PER_SECOND: '4000',
        BAUTA_RANGE_BYTES: '1048576',
        BAUTA_WHOLE_TABLE_BYTES: '1048576',
        BAUTA_SHARE_RANGES: '0',
      },
      ...{ BAUTA_CONN_TARGET: tiny.target('shop_dev'), BAUTA_VAULT: vault.url },
      ...{ BAUTA_VAULT_ROLE_ID: 'env:ROLE', BAUTA_VAULT_SECRET_ID: 'env:SECRET', ROLE: roleId, SECRET: secretId },
    };
  }, 90_000);
  afterEach(endAll, 60_000);
  afterAll(async () => {
    await vault.stop();
    await world.stop().finally(() => tiny.stop());
    rmSync(home, { recursive: true, force: true });
  });

  const roles = async (): Promise<unknown[]> => tiny.server.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'`);
  const lines = async (): Promise<string> => JSON.stringify(await world.sql('SELECT text FROM bauta.run_line ORDER BY at'));

  it('a run goes on where a killed worker was, and gives back its login and the killed one', async () => {
    const first: ServiceProcess = await begin('worker', settings);
    await waitFor(async () => (await lines()).includes('holds the snapshot too'), 30_000);
    expect(await roles()).toHaveLength(1);
    await end(first.child, 'SIGKILL');
    await begin('worker', settings);
    const ended = await waitFor(
      async () => (await world.sql('SELECT state, attempt, summary FROM bauta.run WHERE ended_at IS NOT NULL'))[0],
      60_000,
    );
    expect([ended['state'], ended['attempt'], ended['state'] === 'published' ? '' : await lines()]).toEqual(['published', 2, '']);
    await waitFor(async () => (await roles()).length === 0);
  }, 120_000);
});
