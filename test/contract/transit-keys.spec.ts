// The contract of keys on a real Vault, and what only the transit engine has to promise.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import type { KeyHierarchy, KeyProvider } from '../../src/pipeline/ports.js';
import { createVault } from '../../src/control/vaults.js';
import type { Vault } from '../../src/systems/vault/vault.js';
import { describeKeyProvider, hierarchy, label } from '../support/key-provider-contract.js';
import { type TestVault, findVault, startVault } from '../support/vault.js';

const program = findVault();
let server: TestVault;
let token = '';
const opened: Vault[] = [];

beforeAll(async () => {
  if (program === undefined) return;
  server = await startVault(program);
  const { auth } = (await server.ask('POST', 'auth/token/create', { ttl: '1h' })) as { auth: { client_token: string } };
  token = auth.client_token;
});
afterAll(async () => {
  await Promise.all(opened.map((vault) => vault.close()));
  await server?.stop();
});

/** An engine without keys. */
let count = 0;
async function newEngine(): Promise<string> {
  const mount = `transit-${++count}`;
  await server.ask('POST', `sys/mounts/${mount}`, { type: 'transit' });
  return mount;
}
function openAt(mount: string): Vault {
  const settings = { BAUTA_VAULT: server.url, BAUTA_VAULT_AUTH: 'token', BAUTA_VAULT_TOKEN: 'env:TOKEN', BAUTA_VAULT_TRANSIT: mount };
  const vault = createVault(parseSettings({ ...settings, BAUTA_VAULT_WAIT_MS: '1000' }), { TOKEN: token });
  opened.push(vault);
  return vault;
}

(program === undefined ? describe.skip : describe)('on a real Vault', () => {
  describeKeyProvider('the transit engine of Vault', async () => openAt(await newEngine()).openKeys);

  it('computes with a key that nobody can read, and that runs of other processes find again', async () => {
    const mount = await newEngine();
    const [one, other] = [openAt(mount).openKeys(hierarchy), openAt(mount).openKeys(hierarchy)];
    const key = await one.derive(label, await one.currentVersion());
    expect(await other.derive(label, 1)).toEqual(key);
    const name = 'bauta-masking-default-ci';
    const { data } = (await server.ask('GET', `${mount}/keys/${name}`)) as { data: object };
    expect(data).toMatchObject({ type: 'hmac', exportable: false, allow_plaintext_backup: false, deletion_allowed: false });
    for (const way of [`export/hmac-key/${name}`, `backup/${name}`]) await expect(server.ask('GET', `${mount}/${way}`)).rejects.toThrow();
  });

  it.each([{ key_size: 32, exportable: true }, { key_size: 32, allow_plaintext_backup: true }, { type: 'aes256-gcm96' }])(
    'refuses a key with %j',
    async (more) => {
      const mount = await newEngine();
      await server.ask('POST', `${mount}/keys/bauta-masking-default-ci`, { type: 'hmac', ...more });
      const keys = openAt(mount).openKeys(hierarchy);
      for (const use of [() => keys.currentVersion(), () => keys.derive(label, 1), () => keys.rotate(), () => keys.destroyUpTo(1)])
        await expect(use()).rejects.toMatchObject({ code: 'VAULT_KEY_UNSAFE' });
    },
  );

  it('asks Vault once for a label and version, however often a run needs it', async () => {
    const vault = openAt(await newEngine());
    let asked = 0;
    const ask = vault.ask;
    Object.assign(vault, { ask: (one: Parameters<typeof ask>[0]) => ((asked += one.path.includes('/hmac/') ? 1 : 0), ask(one)) });
    const keys = vault.openKeys(hierarchy);
    const version = await keys.currentVersion();
    const derived = await Promise.all(Array.from({ length: 50 }, () => keys.derive(label, version)));
    // Who uses a key may wipe it.
    derived[0]?.fill(0);
    expect(await keys.derive(label, version)).toEqual(derived[1]);
    await keys.derive('other', version);
    expect(asked).toBe(2);
  });

  it('notices that somebody else destroyed a version which it knows', async () => {
    const mount = await newEngine();
    const keys: KeyProvider = openAt(mount).openKeys(hierarchy);
    await keys.currentVersion();
    await keys.rotate();
    await openAt(mount).openKeys(hierarchy).destroyUpTo(1);
    await expect(keys.derive(label, 1)).rejects.toMatchObject({ code: 'KEY_VERSION_DESTROYED' });
  });

  it('has names for all that a hierarchy may be called', async () => {
    const keys = openAt(await newEngine()).openKeys;
    const names: Partial<KeyHierarchy>[] = ['', '_', '-', 'ä', 'A', 'a.b', 'a-b', '_2d', 'x'.repeat(63)].map((environment) => ({
      environment,
    }));
    const derived: string[] = [];
    for (const name of names) {
      const one = keys({ ...hierarchy, ...name });
      derived.push(Buffer.from(await one.derive(label, await one.currentVersion())).toString('hex'));
    }
    expect(new Set(derived).size).toBe(names.length);
  });
});
