// A real Vault on this machine, in memory: started, initialised, unsealed; its root token is the test's. MUST be stopped in afterAll.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { packageFile } from '../../src/kernel/package-root.js';

const sources = ['main.go', 'go.mod', 'go.sum'];

/** Where test/support/vault/build puts it; undefined, said loudly, where it was not built; an error instead when BAUTA_WORLD=required. */
export function findVault(): string | undefined {
  const digest = createHash('sha256');
  for (const file of sources) digest.update(readFileSync(packageFile('test', 'support', 'vault', file)));
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bauta-ci');
  const program = join(folder, `vault-test-server-${digest.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  const text = 'no Vault was built for the tests: test/support/vault/build does, with Go';
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error(text);
  process.stderr.write(`SKIPPED: ${text}\n`);
  return undefined;
}

export interface TestVault {
  readonly url: string;
  readonly child: ChildProcess;
  /** As root, or with another token; rejects with the status of anything but success. `path` without /v1/. */
  ask(method: string, path: string, body?: object, token?: string): Promise<Record<string, unknown>>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  /** A role of AppRole with these policies (name to text); `more` as Vault's API has it. */
  appRole(
    name: string,
    policies: Readonly<Record<string, string>>,
    more?: object,
  ): Promise<{ readonly roleId: string; readonly secretId: string }>;
  stop(): Promise<void>;
}

/** As it comes: nobody has initialised it. The child MUST be ended. */
export async function spawnVault(program: string): Promise<Pick<TestVault, 'url' | 'child'>> {
  const child = spawn(program, [], { stdio: ['ignore', 'pipe', 'inherit'] });
  const address = await new Promise<string>((resolve, reject) => {
    let words = '';
    child.stdout.on('data', (chunk: Buffer) => {
      words += chunk.toString();
      if (words.includes('\n')) resolve(words.trim());
    });
    child.once('error', reject).once('exit', () => reject(new Error('Vault ended')));
  });
  return { url: `http://${address}`, child };
}

export async function startVault(program: string): Promise<TestVault> {
  const { url, child } = await spawnVault(program);
  let root = '';
  let key = '';
  const ask: TestVault['ask'] = async (method, path, body, token = root) => {
    const answer = await fetch(`${url}/v1/${path}`, {
      method,
      headers: { ...(token === '' ? {} : { 'X-Vault-Token': token }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  };
  const unseal = async (): Promise<void> => void (await ask('PUT', 'sys/unseal', { key }));
  const begun = (await ask('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 })) as { keys: string[]; root_token: string };
  [key = ''] = begun.keys;
  root = begun.root_token;
  await unseal();
  // Unsealed is not active yet.
  while (!(await fetch(`${url}/v1/sys/health`)).ok) await new Promise((done) => setTimeout(done, 20));
  await ask('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await ask('POST', 'sys/mounts/transit', { type: 'transit' });
  await ask('POST', 'sys/mounts/database', { type: 'database' });
  await ask('POST', 'sys/auth/approle', { type: 'approle' });
  // The engine makes itself ready for a moment after it was mounted.
  for (;;) {
    const made = await ask('POST', 'secret/data/ready', { data: { yes: 'yes' } }).catch(() => undefined);
    if (made) break;
    await new Promise((done) => setTimeout(done, 50));
  }
  return {
    ...{ url, child, ask, unseal },
    seal: async () => void (await ask('PUT', 'sys/seal')),
    appRole: async (name, policies, more = {}) => {
      for (const [policy, text] of Object.entries(policies)) await ask('PUT', `sys/policies/acl/${policy}`, { policy: text });
      await ask('POST', `auth/approle/role/${name}`, { token_policies: Object.keys(policies), ...more });
      const { data: role } = (await ask('GET', `auth/approle/role/${name}/role-id`)) as { data: { role_id: string } };
      const { data: secret } = (await ask('POST', `auth/approle/role/${name}/secret-id`)) as { data: { secret_id: string } };
      return { roleId: role.role_id, secretId: secret.secret_id };
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}
