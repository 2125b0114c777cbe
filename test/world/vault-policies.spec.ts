// The policies that we ship, on a real Vault: each permits what its process does, and nothing of what the others do.
import { readdirSync, readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { type TestVault, findVault, startVault } from '../support/vault.js';

const program = findVault();
const folder = packageFile('deploy', 'vault');
const purposes = ['masking', 'token', 'transport'];
/** Of `toKeyCheck`: the one label that a custodian needs. */
const keyCheck = Buffer.from('bauta/1\0key check').toString('base64');

/** Everything that any process of Bauta asks of Vault, and what nobody may. */
type Action = readonly [method: string, path: string, body?: object];
const actions: Readonly<Record<string, Action>> = {
  ...Object.fromEntries<Action>(
    purposes.flatMap((purpose): [string, Action][] => {
      const key = `transit/keys/bauta-${purpose}-default-ci`;
      return [
        [`${purpose}: derive`, ['POST', `transit/hmac/bauta-${purpose}-default-ci/sha2-256`, { input: 'YQ==', key_version: 2 }]],
        [`${purpose}: check`, ['POST', `transit/hmac/bauta-${purpose}-default-ci/sha2-256`, { input: keyCheck, key_version: 2 }]],
        [`${purpose}: look`, ['GET', key]],
        [
          `${purpose}: make`,
          [
            'POST',
            `transit/keys/bauta-${purpose}-default-new`,
            { type: 'hmac', key_size: 32, exportable: false, allow_plaintext_backup: false },
          ],
        ],
        [`${purpose}: rotate`, ['POST', `${key}/rotate`, {}]],
        [`${purpose}: destroy`, ['POST', `${key}/config`, { min_decryption_version: 2, min_encryption_version: 2 }]],
        [`${purpose}: trim`, ['POST', `${key}/trim`, { min_available_version: 1 }]],
        [`${purpose}: make readable`, ['POST', `${key}/config`, { exportable: true }]],
        [
          `${purpose}: make one that is readable`,
          ['POST', `transit/keys/bauta-${purpose}-default-open`, { type: 'hmac', key_size: 32, exportable: true }],
        ],
        [`${purpose}: export`, ['GET', `transit/export/hmac-key/bauta-${purpose}-default-ci`]],
        [`${purpose}: back up`, ['GET', `transit/backup/bauta-${purpose}-default-ci`]],
        [`${purpose}: delete`, ['DELETE', key]],
      ];
    }),
  ),
  'secret: read': ['GET', 'secret/data/bauta/shop'],
  'secret: write': ['POST', 'secret/data/bauta/shop', { data: { url: 'x' } }],
  'secret: delete': ['DELETE', 'secret/data/bauta/shop'],
  'secret: list': ['GET', 'secret/metadata/bauta?list=true'],
  'secret: read others': ['GET', 'secret/data/else'],
  'login: lease': ['GET', 'database/creds/bauta-shop'],
  'login: revoke': ['POST', 'sys/leases/revoke/database/creds/bauta-shop/none'],
  'login: lease others': ['GET', 'database/creds/else'],
  'login: revoke others': ['POST', 'sys/leases/revoke/database/creds/else/none'],
  'login: revoke any': ['POST', 'sys/leases/revoke', { lease_id: 'database/creds/else/none' }],
  'vault: mounts': ['GET', 'sys/mounts'],
};

const permitted: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    purposes.flatMap((purpose) => [
      [purpose, ['derive', 'check', 'look'].map((one) => `${purpose}: ${one}`)],
      [`${purpose}-custodian`, ['check', 'look', 'make', 'rotate', 'destroy', 'trim'].map((one) => `${purpose}: ${one}`)],
    ]),
  ),
  secrets: ['secret: read'],
  rotation: ['secret: read', 'secret: write'],
  database: ['login: lease', 'login: revoke'],
};

(program === undefined ? describe.skip : describe)('the policies in deploy/vault', () => {
  let server: TestVault;
  beforeAll(async () => {
    server = await startVault(program!);
    for (const purpose of purposes) {
      const key = `transit/keys/bauta-${purpose}-default-ci`;
      await server.ask('POST', key, { type: 'hmac', key_size: 32 });
      await server.ask('POST', `${key}/rotate`, {});
    }
    for (const path of ['bauta/shop', 'else']) await server.ask('POST', `secret/data/${path}`, { data: { url: 'x' } });
  });
  afterAll(() => server.stop());

  it('are the ones that are told of here', () => {
    expect(
      readdirSync(folder)
        .filter((name) => name.endsWith('.hcl'))
        .sort(),
    ).toEqual(
      Object.keys(permitted)
        .map((name) => `${name}.hcl`)
        .sort(),
    );
  });

  it.each(Object.keys(permitted))('%s permits what its process does, and nothing of what the others do', async (name) => {
    const policy = readFileSync(packageFile('deploy', 'vault', `${name}.hcl`), 'utf8');
    const { roleId, secretId } = await server.appRole(name, { [name]: policy }, { token_no_default_policy: true });
    const login = (await server.ask('POST', 'auth/approle/login', { role_id: roleId, secret_id: secretId })) as {
      auth: { client_token: string };
    };
    const outcomes: string[] = [];
    for (const [action, [method, path, body]] of Object.entries(actions)) {
      const denied = await server.ask(method, path, body, login.auth.client_token).then(
        () => false,
        (error: unknown) => / 403 /.test(String(error)),
      );
      if (!denied) outcomes.push(action);
    }
    expect(outcomes).toEqual(Object.keys(actions).filter((action) => permitted[name]!.includes(action)));
  });
});
