// New passwords for a login that is in use: nobody who depends on it notices, and no step that fails leaves a login that does not work.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { type Rotation, type RotationStep, finishLogin, rotateLogin } from '../../src/control/rotate-login.js';
import { createVault } from '../../src/control/vaults.js';
import { systemClock } from '../../src/kernel/clock.js';
import { packageFile } from '../../src/kernel/package-root.js';
import type { ConnectionDefinition } from '../../src/pipeline/definition.js';
import { canLogIn } from '../../src/systems/postgres/postgres.js';
import type { Vault } from '../../src/systems/vault/vault.js';
import { eventsOf } from '../support/log.js';
import { type SmallShop, startSmallShop } from '../support/small-shop.js';
import { type TestVault, findVault, startVault } from '../support/vault.js';

const program = findVault();
const secretPath = 'secret/data/bauta/shop';
const ROLES = 'SELECT rolname FROM pg_roles WHERE rolcanlogin ORDER BY 1';
interface Pair {
  readonly username: string;
  readonly password: string;
  readonly other_username: string;
  readonly other_password: string;
  readonly next_password?: string;
}

(program === undefined ? describe.skip : describe)('rotation of a login that a real Vault keeps', () => {
  let server: TestVault;
  let shop: SmallShop;
  let vault: Vault;
  let login: Record<string, string>;
  let definition: ConnectionDefinition;

  const read = async (): Promise<Pair> => {
    const { data } = (await server.ask('GET', secretPath)) as { data: { data: Pair } };
    return data.data;
  };
  const works = (username: string, password: string): Promise<boolean> => {
    const { host = '', port = 0, database = '' } = definition;
    return canLogIn({ name: 'shop', url: `postgres://${username}:${encodeURIComponent(password)}@${host}:${port}/${database}` });
  };
  const rotate = (more: Partial<Rotation> = {}): ReturnType<typeof rotateLogin> =>
    rotateLogin({ definition, vault, read: (reference) => vault.read(reference), clock: systemClock, id: 'one', ...more });

  beforeAll(async () => {
    [server, shop] = await Promise.all([startVault(program!), startSmallShop()]);
    const { hostname, port } = new URL(shop.source.url('production'));
    for (const role of ['shop_a', 'shop_b']) await shop.source.sql('postgres', `CREATE ROLE ${role} LOGIN BYPASSRLS IN ROLE bauta_source`);
    definition = {
      kind: 'Connection',
      name: 'shop',
      host: hostname,
      port: Number(port),
      database: 'production',
      credentials: `vault:${secretPath}`,
    };
    const policies = { rotation: readFileSync(packageFile('deploy', 'vault', 'rotation.hcl'), 'utf8') };
    const { roleId, secretId } = await server.appRole('rotation', policies);
    login = { BAUTA_VAULT: server.url, BAUTA_VAULT_ROLE_ID: 'env:ROLE', BAUTA_VAULT_SECRET_ID: 'env:SECRET' };
    vault = createVault(parseSettings(login), { ROLE: roleId, SECRET: secretId });
    Object.assign(login, { ROLE: roleId, SECRET: secretId });
    const grants = `workspaces: { default: { secrets: [{ reference: 'vault:${secretPath}', for: '${hostname}:${port}/production' }] } }`;
    writeFileSync(join(shop.folder, 'grants.yaml'), grants);
    const document = `kind: Connection\nname: shop\nhost: ${hostname}\nport: ${port}\ndatabase: production\ncredentials: vault:${secretPath}\n`;
    writeFileSync(shop.pipeline, `${readFileSync(shop.pipeline, 'utf8').replace('env:SOURCE_URL', 'shop')}\n---\n${document}`);
  }, 60_000);
  beforeEach(async () => {
    for (const role of ['shop_a', 'shop_b']) await shop.source.sql('postgres', `ALTER ROLE ${role} PASSWORD 'first of ${role}'`);
    const pair: Pair = { username: 'shop_a', password: 'first of shop_a', other_username: 'shop_b', other_password: 'first of shop_b' };
    await server.ask('POST', secretPath, { data: pair });
  });
  afterAll(async () => {
    await vault.close();
    await shop.stop();
    await server.stop();
  });

  it('puts the other role in use with a new password, and no password from before is valid any more', async () => {
    const steps: string[] = [];
    expect(await rotate({ onStep: (step) => void steps.push(step) })).toEqual({ from: 'shop_a', to: 'shop_b' });
    expect(steps).toEqual(['create', 'set', 'test', 'promote', 'reconnect', 'revoke']);
    const now = await read();
    expect([now.username, now.other_username, now.next_password]).toEqual(['shop_b', 'shop_a', undefined]);
    expect(await Promise.all([works('shop_b', now.password), works('shop_a', now.other_password)])).toEqual([true, true]);
    expect(await Promise.all([works('shop_a', 'first of shop_a'), works('shop_b', 'first of shop_b')])).toEqual([false, false]);
  });

  it.each<RotationStep>(['create', 'set', 'test', 'promote', 'reconnect', 'revoke'])(
    'what is in use works after a crash before %s, and the next rotation goes on from there',
    async (place) => {
      // A crash asks nobody to put anything back: nothing is written any more.
      let gone = false;
      const dying = createVault(
        parseSettings({ ...Object.fromEntries(Object.entries(login).filter(([name]) => name.startsWith('BAUTA'))) }),
        login,
      );
      const ask = dying.ask;
      Object.assign(dying, { ask: (one: Parameters<typeof ask>[0]) => (gone ? Promise.reject(new Error('gone')) : ask(one)) });
      const onStep = (step: RotationStep): void => {
        gone ||= step === place;
        if (gone) throw new Error('gone');
      };
      await expect(rotate({ vault: dying, onStep })).rejects.toThrow('gone');
      const after = await read();
      expect(await works(after.username, after.password)).toBe(true);
      await dying.close();
      await rotate();
      const now = await read();
      expect(await Promise.all([works(now.username, now.password), works(now.other_username, now.other_password)])).toEqual([true, true]);
      expect(now.next_password).toBeUndefined();
      for (const role of ['shop_a', 'shop_b']) expect(await works(role, `first of ${role}`)).toBe(false);
    },
    20_000,
  );

  it.each<RotationStep | 'after revoke'>(['create', 'set', 'test', 'promote', 'reconnect', 'revoke', 'after revoke'])(
    'locks nobody out and leaves no login over when its process is killed with kill -9 at %s, and is brought to its own end',
    async (place) => {
      const before = await shop.source.sql('postgres', ROLES);
      const settings = Object.fromEntries(Object.entries(login).filter(([name]) => name !== 'BAUTA_GRANTS'));
      const child = fileURLToPath(new URL('../fault/rotating.child.js', import.meta.url));
      const signal = await new Promise((resolve) => {
        const env = { PATH: process.env['PATH'], ...settings };
        execFile(process.execPath, [child, place, JSON.stringify(definition)], { env }, (error) => resolve(error?.signal));
      });
      expect([place, signal]).toEqual([place, 'SIGKILL']);
      const after = await read();
      expect([place, await works(after.username, after.password)]).toEqual([place, true]);
      const finish = (id: string): ReturnType<typeof finishLogin> =>
        finishLogin({ definition, vault, read: (reference) => vault.read(reference), clock: systemClock, id });
      expect(await finish('another')).toBeUndefined();
      expect(await read()).toEqual(after);
      // Before anything was written nothing of it stands.
      const end = place === 'create' ? undefined : { from: 'shop_a', to: 'shop_b' };
      expect([await finish('killed'), await finish('killed')]).toEqual([end, end]);
      if (!end) expect(await read()).toEqual(after);
      if (!end) await rotate();
      const now = await read();
      expect(now.username).toBe('shop_b');
      expect(await Promise.all([works(now.username, now.password), works(now.other_username, now.other_password)])).toEqual([true, true]);
      expect([now.next_password, await shop.source.sql('postgres', ROLES)]).toEqual([undefined, before]);
      for (const role of ['shop_a', 'shop_b']) expect([role, await works(role, `first of ${role}`)]).toEqual([role, false]);
    },
    20_000,
  );

  it('leaves the old login in use when the new one does not work', async () => {
    await shop.source.sql('postgres', 'ALTER ROLE shop_b NOLOGIN');
    await expect(rotate()).rejects.toMatchObject({ code: expect.any(String) as unknown });
    const now = await read();
    expect([now.username, now.password, now.next_password]).toEqual(['shop_a', 'first of shop_a', undefined]);
    expect(await works('shop_a', 'first of shop_a')).toBe(true);
    await shop.source.sql('postgres', 'ALTER ROLE shop_b LOGIN');
    expect(await rotate()).toEqual({ from: 'shop_a', to: 'shop_b' });
  });

  it('puts the old login back when dependents cannot use the new one', async () => {
    let asked = 0;
    const refused = (reference: string): Promise<string | undefined> => (asked++ === 0 ? vault.read(reference) : Promise.resolve('{}'));
    await expect(rotate({ read: refused })).rejects.toMatchObject({ code: 'ROTATION_FAILED' });
    const now = await read();
    expect([now.username, now.password]).toEqual(['shop_a', 'first of shop_a']);
    expect(await Promise.all([works('shop_a', now.password), works('shop_b', now.other_password)])).toEqual([true, true]);
  });

  it('loses no row of a run in whose middle it happens, and tells the log', async () => {
    const environment = { ...login, BAUTA_GRANTS: join(shop.folder, 'grants.yaml') };
    const run = await shop.block('border:source', environment);
    const rotated = await shop.bauta(
      ['secrets', 'rotate', 'shop', '-f', shop.pipeline, '--home', join(shop.folder, 'other-home')],
      environment,
    );
    expect(rotated).toMatchObject({ code: 0, stdout: expect.stringContaining('shop_b is in use') as unknown });
    expect(await works('shop_a', 'first of shop_a')).toBe(false);
    process.kill(run.pid, 'SIGUSR2');
    expect((await run.ended).stdout).toContain('published');
    const count = `SELECT (SELECT count(*)::int FROM shop.customer) AS customers, (SELECT count(*)::int FROM shop."order") AS orders`;
    expect(await shop.target.sql('shop_dev', count)).toEqual([{ customers: 4000, orders: 16000 }]);
    const { password, other_password } = await read();
    const types = eventsOf(join(shop.folder, 'other-home')).map(({ type }) => type);
    expect(types.filter((type) => type.startsWith('secret.'))).toEqual(['secret.rotation-begun', 'secret.rotated']);
    const said = [rotated.stdout, rotated.stderr, readFileSync(join(shop.folder, 'other-home', 'log.pub'), 'utf8')].join();
    for (const secret of [password, other_password]) expect(said).not.toContain(secret);
  }, 60_000);

  it('refuses a secret that is no pair of roles', async () => {
    await server.ask('POST', secretPath, { data: { username: 'shop_a', password: 'first of shop_a' } });
    await expect(rotate()).rejects.toMatchObject({ code: 'SECRET_NOT_ROTATABLE' });
  });
});
