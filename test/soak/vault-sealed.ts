// A real Vault is sealed for a minute in the middle of a run: node dist-test/test/soak/vault-sealed.js [SECONDS]. The source's login is leased, and
// keys are in transit. Exit code 1: the run did not wait, did not go on, or left a login or a lease behind.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageFile } from '../../src/kernel/package-root.js';
import { pause, startSmallShop, waitFor } from '../support/small-shop.js';
import { findVault, startVault } from '../support/vault.js';

const seconds = Number(process.argv[2] ?? 60);
const program = findVault();
if (program === undefined) process.exit(1);
const [vault, shop] = await Promise.all([startVault(program), startSmallShop()]);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const problems: string[] = [];
const hold = (name: string, isSo: boolean): void => {
  say(`${isSo ? 'holds' : 'BROKEN'}  ${name}`);
  if (!isSo) problems.push(name);
};
try {
  const admin = new URL(shop.source.url('production'));
  await vault.ask('POST', 'database/config/shop', {
    ...{ plugin_name: 'postgresql-database-plugin', allowed_roles: '*', password_authentication: 'scram-sha-256' },
    ...{ username: admin.username, password: decodeURIComponent(admin.password) },
    connection_url: `postgresql://{{username}}:{{password}}@${admin.host}/production?sslmode=disable`,
  });
  const creation = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' BYPASSRLS IN ROLE bauta_source`;
  const ttl = `${seconds * 2}s`;
  await vault.ask('POST', 'database/roles/bauta-shop', {
    db_name: 'shop',
    creation_statements: [creation],
    default_ttl: ttl,
    max_ttl: '1h',
  });
  await vault.ask('POST', 'secret/data/bauta/target', { data: { url: shop.environment['TARGET_URL'] } });
  await vault.ask('POST', 'transit/keys/bauta-masking-default-dev', { type: 'hmac', key_size: 32 });
  const policies = ['masking', 'secrets', 'database'].map((name) => [
    name,
    readFileSync(packageFile('deploy', 'vault', `${name}.hcl`), 'utf8'),
  ]);
  const { roleId, secretId } = await vault.appRole('worker', Object.fromEntries(policies) as Record<string, string>);
  const place = `${admin.hostname}:${admin.port}/production`;
  writeFileSync(
    join(shop.folder, 'grants.yaml'),
    `workspaces: { default: { secrets: [{ reference: 'vault:database/creds/bauta-shop', for: '${place}' }] } }`,
  );
  const documents = readFileSync(shop.pipeline, 'utf8')
    .replace('env:SOURCE_URL', 'shop')
    .replace('env:TARGET_URL', 'vault:secret/data/bauta/target#url');
  const connection = `kind: Connection\nname: shop\nhost: ${admin.hostname}\nport: ${admin.port}\ndatabase: production\ncredentials: vault:database/creds/bauta-shop`;
  writeFileSync(shop.pipeline, `${documents}\n---\n${connection}\n`);
  const login = {
    ...{ BAUTA_VAULT: vault.url, BAUTA_VAULT_ROLE_ID: 'env:ROLE', BAUTA_VAULT_SECRET_ID: 'env:SECRET', ROLE: roleId, SECRET: secretId },
    ...{ BAUTA_KEYS: 'vault', BAUTA_GRANTS: join(shop.folder, 'grants.yaml'), BAUTA_VAULT_WAIT_MS: String(seconds * 2000) },
    ...{ SOURCE_URL: '', TARGET_URL: '' },
  };
  const roles = (): Promise<unknown[]> => shop.source.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'`);

  // A command that begins while Vault is sealed, and a run in whose middle it is: the login is leased, no key is derived yet.
  const blocked = await shop.block('border:source', login);
  await vault.seal();
  const sealedAt = performance.now();
  const waiting = shop.start(['plan', '-f', shop.pipeline], login);
  let waited = true;
  void waiting.ended.then(() => (waited = vaultIsOpen));
  let vaultIsOpen = false;
  process.kill(blocked.pid, 'SIGUSR2');
  await pause(seconds * 1000);
  const before = (await shop.published())?.comment;
  vaultIsOpen = true;
  await vault.unseal();
  const sealed = Math.round((performance.now() - sealedAt) / 1000);
  const [ended, planned] = await Promise.all([blocked.ended, waiting.ended]);
  say(`sealed for ${sealed} s; the run said at its end: ${ended.stdout.trim().split('\n').at(-1) ?? ''}`);
  // What it finds then is that the run has the target; that it looked is what counts.
  const wentOn = planned.code === 0 || planned.stderr.includes('TARGET_BUSY') || planned.stderr.includes('PLAN_REFUSED');
  hold('who needs a key or a login while Vault is sealed waits for it, and goes on', waited && wentOn);
  hold('the run in whose middle it was sealed published a whole copy', ended.stdout.includes('published'));
  const [row] = await shop.target.sql('shop_dev', 'SELECT count(*)::int AS n FROM shop.customer');
  hold('no row is lost', row?.['n'] === 4000);
  hold('nothing was published while Vault was sealed', before === undefined);
  // What could not be given back while Vault was away, the next command of the home gives back.
  await shop.bauta(['plan', '-f', shop.pipeline], login);
  await waitFor(async () => (await roles()).length === 0);
  hold('no login and no record of one is left', readdirSafe(join(shop.home, 'leases')).length === 0);
} finally {
  await shop.stop();
  await vault.stop();
}
process.exitCode = problems.length === 0 ? 0 : 1;

function readdirSafe(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
