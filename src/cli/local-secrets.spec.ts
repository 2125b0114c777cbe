import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { parseSettings } from '../config/settings.js';
import type { ConnectionDefinition } from '../pipeline/definition.js';
import { resolveSide } from './local-secrets.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-local-'));
  writeFileSync(join(folder, 'password'), 'p@ss/word:canary\n');
  writeFileSync(
    join(folder, 'grants.yaml'),
    `workspaces: { default: { secrets: [{ reference: 'file:${folder}/password', for: 'db.internal:5433/shop' }] } }\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const connection = (more: Partial<ConnectionDefinition> = {}): ConnectionDefinition => ({
  ...{
    kind: 'Connection',
    name: 'shop',
    host: 'db.internal',
    port: 5433,
    database: 'shop',
    user: 'a b',
    password: `file:${folder}/password`,
  },
  ...more,
});
const resolve = (definition: ConnectionDefinition | undefined, grants = 'grants.yaml', reference = 'shop') =>
  resolveSide(reference, definition, {
    environment: { URL: 'postgres://u:p@db/x' },
    settings: parseSettings(grants === '' ? {} : { BAUTA_GRANTS: join(folder, grants) }),
  });

it('a Connection of host and password is the connection string that it stands for', async () => {
  expect(await resolve(connection())).toEqual({ name: 'shop', url: 'postgres://a%20b:p%40ss%2Fword%3Acanary@db.internal:5433/shop' });
  const { url, tls } = await resolve({ kind: 'Connection', name: 'shop', url: 'env:URL', tls: { mode: 'require', reason: 'a reason' } });
  expect([url, tls]).toEqual(['postgres://u:p@db/x', { mode: 'require', reason: 'a reason' }]);
  expect(await resolve(undefined, '', 'env:URL')).toEqual({ name: 'env:URL', url: 'postgres://u:p@db/x' });
});

it('whoever changes the document only cannot send the password elsewhere', async () => {
  for (const more of [{ host: 'evil.example' }, { port: 5432 }, { database: 'other' }])
    await expect(resolve(connection(more))).rejects.toMatchObject({ code: 'SECRET_NOT_GRANTED_FOR' });
  await expect(resolve(connection(), '')).rejects.toMatchObject({ code: 'SECRET_NOT_GRANTED_FOR' });
});
