// Logins of connections are rotated by a worker of the service, with a real Vault: one at a time, told in the log, and never such that none works.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { ErrandClock } from '../../src/control/errands/errands.js';
import { Grants } from '../../src/control/references.js';
import { closeVaults } from '../../src/control/vaults.js';
import { systemClock } from '../../src/kernel/clock.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { canLogIn } from '../../src/systems/postgres/postgres.js';
import { type Answer, type ServiceWorld, startErrandWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, bauta, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';
import { type TestVault, findVault, startVault } from '../support/vault.js';

const program = findVault();
const secretPath = 'secret/data/bauta/shop';

(program === undefined ? describe.skip : describe)('rotations at the service', () => {
  let vault: TestVault;
  let tiny: TinyWorld;
  let world: ServiceWorld;
  let home: string;
  let source: URL;
  let workerLogin: Record<string, string>;
  let start: () => ReturnType<typeof startErrandWorker>;
  let errands: Awaited<ReturnType<typeof startErrandWorker>> | undefined;
  const tokens: Record<string, string> = {};

  beforeAll(async () => {
    [tiny, vault] = await Promise.all([startTinyWorld(), startVault(program!)]);
    home = mkdtempSync(join(tmpdir(), 'bauta-rotations-'));
    source = new URL(await tiny.source('shop'));
    for (const role of ['shop_a', 'shop_b'])
      await tiny.server.sql('postgres', `CREATE ROLE ${role} LOGIN BYPASSRLS IN ROLE ${decodeURIComponent(source.username)}`);
    const policy = readFileSync(packageFile('deploy', 'vault', 'rotation.hcl'), 'utf8');
    const { roleId, secretId } = await vault.appRole('worker', { rotation: policy });
    const place = `${source.hostname}:${source.port}/shop`;
    const references = `['env:BAUTA_CONN_*', 'vault:secret/data/bauta/*']`;
    const granted = `workspaces: { default: { references: ${references}, secrets: [{ reference: 'vault:${secretPath}', for: '${place}' }] } }`;
    writeFileSync(join(home, 'grants.yaml'), granted);
    world = await startServiceWorld(tiny.server, systemClock, {}, { grants: Grants.parse(granted, 'grants.yaml') });
    for (const [name, role] of Object.entries({
      author: 'policy-admin',
      operator: 'operator',
      viewer: 'viewer',
      somewhere: 'operator@dev',
    }))
      tokens[name] = await world.person(`${name}-person`, [role]);
    const connection = `kind: Connection\nname: shop\nhost: ${source.hostname}\nport: ${source.port}\ndatabase: shop\ncredentials: vault:${secretPath}\n`;
    const plain = 'kind: Connection\nname: plain\nurl: env:BAUTA_CONN_TARGET\n';
    const pipeline = pipelineText.replace('env:SOURCE_URL', 'shop').replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET');
    const text = [pipeline, classificationText, connection, plain].join('---\n');
    const applied = await world.ask('POST', '/v1/apply', {
      token: tokens['author']!,
      text,
      headers: { 'content-type': 'application/yaml' },
    });
    expect([applied.status, applied.status === 200 ? '' : applied.body]).toEqual([200, '']);
    await world.startSequencer();
    const settings = { BAUTA_GRANTS: join(home, 'grants.yaml'), BAUTA_VAULT: vault.url };
    const login = { BAUTA_VAULT_ROLE_ID: 'env:ROLE', BAUTA_VAULT_SECRET_ID: 'env:SECRET' };
    workerLogin = { BAUTA_VAULT: vault.url, ...login, ROLE: roleId, SECRET: secretId };
    start = () => startErrandWorker(world, home, { ROLE: roleId, SECRET: secretId }, { ...settings, ...login });
    errands = await start();
  }, 90_000);
  beforeEach(async () => {
    for (const role of ['shop_a', 'shop_b']) await tiny.server.sql('postgres', `ALTER ROLE ${role} PASSWORD 'first of ${role}'`);
    const pair = { username: 'shop_a', password: 'first of shop_a', other_username: 'shop_b', other_password: 'first of shop_b' };
    await vault.ask('POST', secretPath, { data: pair });
  });
  afterAll(async () => {
    await errands?.stop();
    await closeVaults();
    await vault?.stop();
    await world?.stop().finally(() => tiny.stop());
    rmSync(home, { recursive: true, force: true });
  });

  const ask = (method: string, path: string, who: string, json?: object): Promise<Answer> =>
    world.ask(method, path, { token: tokens[who]!, ...(json === undefined ? {} : { json }) });
  const rotate = (who = 'operator', connection = 'shop'): Promise<Answer> => ask('POST', '/v1/rotations', who, { connection });
  const works = (username: string, password: string): Promise<boolean> =>
    canLogIn({ name: 'shop', url: `postgres://${username}:${encodeURIComponent(password)}@${source.host}/shop` });
  const pair = async (): Promise<Record<string, string>> => {
    const { data } = (await vault.ask('GET', secretPath)) as { data: { data: Record<string, string> } };
    return data.data;
  };
  const allWork = async (): Promise<unknown> => {
    const { username = '', password = '', other_username: other = '', other_password: rest = '', next_password: next } = await pair();
    return [await works(username, password), await works(other, rest), next];
  };
  async function untilEnded(id: unknown): Promise<Record<string, unknown>> {
    for (;;) {
      const { body } = await ask('GET', `/v1/rotations/${String(id)}`, 'viewer');
      if (body['endedAt'] !== null) return body;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('a worker gives both roles new passwords, the log tells it, and metrics how long ago', async () => {
    const metrics = async (): Promise<string> =>
      (await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${tokens['viewer']!}` } })).text();
    expect(await metrics()).not.toMatch(/^bauta_secret_age_seconds\{/m);
    const asked = await rotate();
    expect([asked.status, asked.headers.get('location')]).toEqual([202, `/v1/rotations/${String(asked.body['id'])}`]);
    const ended = await untilEnded(asked.body['id']);
    expect([ended['error'], ended['result']]).toEqual([null, { connection: 'shop', from: 'shop_a', to: 'shop_b' }]);
    expect(await allWork()).toEqual([true, true, undefined]);
    for (const role of ['shop_a', 'shop_b']) expect(await works(role, `first of ${role}`)).toBe(false);
    const told = await world.told(
      ...['secret-rotation.requested', 'secret.rotation-begun', 'secret.rotated', 'secret-rotation.done', 'secret.rotation-failed'],
    );
    expect(told.map(({ type, data }) => [type, data['connection']])).toEqual(
      ['secret-rotation.requested', 'secret.rotation-begun', 'secret.rotated', 'secret-rotation.done'].map((type) => [type, 'shop']),
    );
    expect(await metrics()).toMatch(/^bauta_secret_age_seconds\{connection="shop"\} \d+(\.\d+)?$/m);
    const { password = '', other_password: rest = '' } = await pair();
    const kept = JSON.stringify([
      ended,
      told,
      await world.sql('SELECT * FROM bauta.errand'),
      await world.sql('SELECT * FROM bauta.run_line'),
    ]);
    for (const secret of [password, rest]) expect(kept).not.toContain(secret);
  }, 30_000);

  it('the command asks a worker for it and tells the same as on this machine', async () => {
    const said = await bauta(['secrets', 'rotate', 'shop', '--server', world.url, '--token', 'env:T'], { env: { T: tokens['operator']! } });
    expect([said.exitCode, said.stderr, said.stdout]).toEqual([0, '', expect.stringContaining('shop_b is in use')]);
    expect(await allWork()).toEqual([true, true, undefined]);
    const refused = await bauta(['secrets', 'rotate', 'plain', '--server', world.url, '--token', 'env:T'], {
      env: { T: tokens['operator']! },
    });
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining('SECRET_NOT_ROTATABLE')]);
  }, 30_000);

  it('leaves the old login in use when the new one does not work, and says so', async () => {
    await tiny.server.sql('postgres', 'ALTER ROLE shop_b NOLOGIN');
    try {
      const ended = await untilEnded((await rotate()).body['id']);
      expect([ended['result'], typeof (ended['error'] as { code?: string }).code]).toEqual([null, 'string']);
      const now = await pair();
      expect([now['username'], now['password'], now['next_password']]).toEqual(['shop_a', 'first of shop_a', undefined]);
      expect(await works('shop_a', 'first of shop_a')).toBe(true);
      const [failed] = (await world.told('secret.rotation-failed')).slice(-1);
      expect(failed?.data).toMatchObject({ connection: 'shop', code: (ended['error'] as { code: string }).code });
      expect(await world.told('secret-rotation.failed')).toHaveLength(1);
    } finally {
      await tiny.server.sql('postgres', 'ALTER ROLE shop_b LOGIN');
    }
    expect((await untilEnded((await rotate()).body['id']))['error']).toBeNull();
  }, 30_000);

  it('is for who may everywhere, and for a connection that stands in a secret of Vault', async () => {
    expect([(await rotate('somewhere')).status, (await rotate('viewer')).status]).toEqual([403, 403]);
    expect([(await rotate('operator', 'nobody')).status, (await rotate('operator', 'plain')).body['code']]).toEqual([
      404,
      'SECRET_NOT_ROTATABLE',
    ]);
  });

  it('happens once at a time; after a worker that is gone, the next one goes on where it was', async () => {
    await errands?.stop();
    errands = undefined;
    const both = await Promise.all([rotate(), rotate()]);
    expect(both.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect(both.find(({ status }) => status === 409)?.body['code']).toBe('ROTATION_UNDER_WAY');
    const { id } = both.find(({ status }) => status === 202)!.body as { id: string };
    // Its worker wrote down the new password, set it, and died.
    const next = 'a password on its way';
    await vault.ask('POST', secretPath, { data: { ...(await pair()), next_password: next } });
    await tiny.server.sql('postgres', `ALTER ROLE shop_b PASSWORD '${next}'`);
    await world.sql(
      `UPDATE bauta.errand SET started_at = now() - interval '2 min', heard_at = now() - interval '2 min' WHERE id = '${id}'`,
    );
    const again = await rotate();
    expect(again.status).toBe(202);
    expect((await ask('GET', `/v1/rotations/${id}`, 'viewer')).body).toMatchObject({ error: { code: 'ERRAND_ABANDONED' } });
    errands = await start();
    expect((await untilEnded(again.body['id']))['result']).toEqual({ connection: 'shop', from: 'shop_a', to: 'shop_b' });
    expect((await pair())['password']).toBe(next);
    expect(await allWork()).toEqual([true, true, undefined]);
    expect(await works('shop_a', 'first of shop_a')).toBe(false);
  }, 40_000);

  it('one whose worker was killed with kill -9 in the middle is finished by the next start, and nobody has to ask again', async () => {
    await errands?.stop();
    errands = undefined;
    const { id } = (await rotate()).body as { id: string };
    const definition = { kind: 'Connection', name: 'shop', host: source.hostname, port: Number(source.port), database: 'shop' };
    const document = JSON.stringify({ ...definition, credentials: `vault:${secretPath}` });
    const child = fileURLToPath(new URL('../fault/rotating.child.js', import.meta.url));
    const signal = await new Promise((resolve) => {
      const env = { PATH: process.env['PATH'], ...workerLogin };
      execFile(process.execPath, [child, 'revoke', document, id], { env }, (error) => resolve(error?.signal));
    });
    expect([signal, await works('shop_a', 'first of shop_a')]).toEqual(['SIGKILL', true]);
    await world.sql(
      `UPDATE bauta.errand SET started_at = now() - interval '2 min', heard_at = now() - interval '2 min' WHERE id = '${id}'`,
    );
    // That somebody looks meanwhile, and is told that its worker is gone, changes nothing.
    expect((await ask('GET', `/v1/rotations/${id}`, 'viewer')).body).toMatchObject({ error: { code: 'ERRAND_ABANDONED' } });
    errands = await start();
    const clock = new ErrandClock({ metadata: world.metadata, clock: systemClock, failed: (error) => expect(error).toBeUndefined() });
    await clock.stop();
    const isLost = async (): Promise<boolean> => {
      await clock.look();
      return (await untilEnded(id))['result'] === null;
    };
    // One at a time for a connection: what an earlier test left is settled first.
    while (await isLost()) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await untilEnded(id)).toMatchObject({ error: null, result: { connection: 'shop', from: 'shop_a', to: 'shop_b' } });
    expect([await allWork(), await works('shop_a', 'first of shop_a')]).toEqual([[true, true, undefined], false]);
    const told = await world.told('secret-rotation.failed', 'secret-rotation.resumed', 'secret.rotated', 'secret-rotation.done');
    const mine = told.filter(({ runId, data }) => runId === id || data['secret-rotation'] === id);
    expect(mine.map(({ type }) => type)).toEqual([
      ...['secret-rotation.failed', 'secret-rotation.resumed', 'secret.rotated', 'secret-rotation.done'],
    ]);
    const before = await world.told('secret-rotation.resumed');
    await clock.look();
    expect(await world.told('secret-rotation.resumed')).toEqual(before);
  }, 40_000);
});
