// Runs whose every secret comes from Vault: the login of the source is leased, the target's is a secret, the keys never leave the transit engine.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { type SmallShop, type Started, pause, startSmallShop, waitFor } from '../support/small-shop.js';
import { type TestVault, findVault, startVault } from '../support/vault.js';

const program = findVault();

(program === undefined ? describe.skip : describe)('with every secret in a real Vault', () => {
  let vault: TestVault;
  let shop: SmallShop;
  let login: Record<string, string>;
  const heard: string[] = [];

  const setTtl = async (seconds: number): Promise<void> => {
    const creation = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' BYPASSRLS IN ROLE bauta_source`;
    await vault.ask('POST', 'database/roles/bauta-shop', {
      ...{ db_name: 'shop', creation_statements: [creation], default_ttl: `${seconds}s`, max_ttl: '1h' },
    });
  };
  const roles = async (): Promise<unknown[]> => shop.source.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'`);
  const records = (): string[] => {
    try {
      return readdirSync(join(shop.home, 'leases'));
    } catch {
      return [];
    }
  };
  const endOf = async ({ ended }: Started): Promise<string> => {
    const { stdout, stderr } = await ended;
    heard.push(stdout, stderr);
    return stdout.trim().split('\n').at(-1) ?? '';
  };
  const goOn = (run: Started): void => void process.kill(run.pid, 'SIGUSR2');

  beforeAll(async () => {
    [vault, shop] = await Promise.all([startVault(program!), startSmallShop()]);
    const admin = new URL(shop.source.url('production'));
    await vault.ask('POST', 'database/config/shop', {
      ...{ plugin_name: 'postgresql-database-plugin', allowed_roles: '*', password_authentication: 'scram-sha-256' },
      ...{ username: admin.username, password: decodeURIComponent(admin.password) },
      connection_url: `postgresql://{{username}}:{{password}}@${admin.host}/production?sslmode=disable`,
    });
    await vault.ask('POST', 'secret/data/bauta/target', { data: { url: shop.environment['TARGET_URL'] } });
    await vault.ask('POST', 'transit/keys/bauta-masking-default-dev', { type: 'hmac', key_size: 32 });
    const policies = ['masking', 'secrets', 'database'].map((name) => [
      name,
      readFileSync(packageFile('deploy', 'vault', `${name}.hcl`), 'utf8'),
    ]);
    const { roleId, secretId } = await vault.appRole('worker', Object.fromEntries(policies) as Record<string, string>);
    login = {
      ...{ BAUTA_VAULT: vault.url, BAUTA_VAULT_ROLE_ID: 'env:ROLE', BAUTA_VAULT_SECRET_ID: 'env:SECRET', ROLE: roleId, SECRET: secretId },
      ...{
        BAUTA_KEYS: 'vault',
        BAUTA_GRANTS: join(shop.folder, 'grants.yaml'),
        BAUTA_VAULT_WAIT_MS: '2000',
        DEBUG: '*',
        SOURCE_URL: '',
        TARGET_URL: '',
      },
    };
    const place = `${admin.hostname}:${admin.port}/production`;
    writeFileSync(
      join(shop.folder, 'grants.yaml'),
      `workspaces: { default: { secrets: [{ reference: 'vault:database/creds/bauta-shop', for: '${place}' }] } }`,
    );
    const text = readFileSync(shop.pipeline, 'utf8');
    const documents = text.replace('env:SOURCE_URL', 'shop').replace('env:TARGET_URL', 'vault:secret/data/bauta/target#url');
    const connection = `kind: Connection\nname: shop\nhost: ${admin.hostname}\nport: ${admin.port}\ndatabase: production\ncredentials: vault:database/creds/bauta-shop`;
    writeFileSync(shop.pipeline, `${documents}\n---\n${connection}\n`);
  }, 60_000);
  beforeEach(() => setTtl(3600));
  afterAll(async () => {
    await shop.stop();
    await vault.stop();
    const secret = new URL(shop.environment['TARGET_URL'] ?? '').password;
    expect(heard.filter((text) => text.includes(login['SECRET'] ?? '') || text.includes(secret) || /hvs\./.test(text))).toEqual([]);
  });

  it('makes a copy, twice the same, and leaves no login, no lease and no record behind', async () => {
    const digests: unknown[] = [];
    for (let n = 0; n < 2; n++) {
      const { code, stdout, stderr } = await shop.bauta(['run', '-f', shop.pipeline], login);
      heard.push(stdout, stderr);
      if (code !== 0) throw new Error(stderr);
      digests.push((await shop.published())?.digest);
    }
    expect(digests[0]).toBeDefined();
    expect(digests[1]).toBe(digests[0]);
    expect([await roles(), records()]).toEqual([[], []]);
    await expect(vault.ask('GET', 'sys/leases/lookup/database/creds/bauta-shop?list=true')).rejects.toThrow('404');
  }, 60_000);

  it('keeps the login alive for as long as the run goes on, through seconds in which Vault is sealed', async () => {
    await setTtl(4);
    const run = await shop.block('border:deliver', login);
    expect(await roles()).toHaveLength(1);
    await pause(5000);
    await vault.seal();
    await pause(1500);
    await vault.unseal();
    await pause(3000);
    expect(await roles()).toHaveLength(1);
    goOn(run);
    expect(await endOf(run)).toBe('published');
    expect([await roles(), records()]).toEqual([[], []]);
  }, 60_000);

  it('publishes nothing when Vault stays sealed beyond the time of the login, and gives the login back when it can', async () => {
    const before = (await shop.published())?.comment;
    await setTtl(3);
    const run = await shop.block('border:deliver', login);
    await vault.seal();
    await pause(5000);
    goOn(run);
    expect(await endOf(run)).toBe('cancelled VAULT_SEALED');
    expect((await shop.published())?.comment).toBe(before);
    expect(records()).toHaveLength(1);
    await vault.unseal();
    await shop.bauta(['plan', '-f', shop.pipeline], login);
    await waitFor(async () => (await roles()).length === 0);
    expect(records()).toEqual([]);
  }, 60_000);

  it('publishes nothing when its token was revoked, and the login with it', async () => {
    const before = (await shop.published())?.comment;
    await setTtl(4);
    const run = await shop.block('border:deliver', login);
    const { data } = (await vault.ask('GET', 'auth/token/accessors?list=true')) as { data: { keys: string[] } };
    for (const accessor of data.keys) {
      const found = (await vault.ask('POST', 'auth/token/lookup-accessor', { accessor })) as { data: { path: string } };
      if (found.data.path.includes('approle')) await vault.ask('POST', 'auth/token/revoke-accessor', { accessor });
    }
    await waitFor(async () => (await roles()).length === 0);
    await pause(3500);
    goOn(run);
    expect(await endOf(run)).toBe('cancelled VAULT_LEASE_LOST');
    expect((await shop.published())?.comment).toBe(before);
  }, 60_000);

  it('gives back the login of a run that was killed when the next command starts', async () => {
    const run = await shop.block('border:deliver', login);
    run.child.kill('SIGKILL');
    await run.ended;
    expect([(await roles()).length, records().length]).toEqual([1, 1]);
    expect(readFileSync(join(shop.home, 'leases', records()[0] ?? ''), 'utf8')).toMatch(
      /^\{"lease":"database\/creds\/bauta-shop\/\w+","host":"[^"]+","pid":\d+\}\n$/,
    );
    await shop.bauta(['plan', '-f', shop.pipeline], login);
    expect([await roles(), records()]).toEqual([[], []]);
  }, 60_000);

  it('shows the login to no other server than the one that it was granted for', async () => {
    const text = readFileSync(shop.pipeline, 'utf8');
    const file = join(shop.folder, 'elsewhere.yaml');
    writeFileSync(file, text.replace('database: production\ncredentials', 'database: other\ncredentials'));
    const { code, stderr } = await shop.bauta(['plan', '-f', file], login);
    expect([code, stderr]).toEqual([3, expect.stringContaining('SECRET_NOT_GRANTED_FOR')]);
    expect(await roles()).toEqual([]);
  }, 60_000);
});
