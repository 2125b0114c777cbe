import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { Grants, createReadSecret } from './references.js';

const text = `workspaces:
  default:
    references: ['env:SHOP_*', 'file:shop/*', file:exact]
    secrets:
      - { reference: file:shop/password, for: 'DB.internal:5432/Shop' }
      - { reference: env:SHOP_HOOK, for: 'hooks.example.com:443' }
  other: {}
`;
const grants = Grants.parse(text, 'grants.yaml');
let folder = '';
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'bauta-secrets-')));
  mkdirSync(join(folder, 'shop'));
  writeFileSync(join(folder, 'shop', 'password'), 'canary\n');
  writeFileSync(join(folder, 'shop', 'large'), Buffer.alloc(65 * 1024));
  symlinkSync('/etc/hostname', join(folder, 'shop', 'link'));
  symlinkSync(join(folder, 'shop'), join(folder, 'linked'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('without a file grants the workspace default BAUTA_CONN_… and the secrets folder, and no other workspace anything', () => {
  const usual = (workspace: string, ...references: string[]) => references.map((one) => Grants.usual.isGranted(workspace, one));
  expect(usual('default', 'env:BAUTA_CONN_X', 'file:a', 'file:a/b.url')).toEqual([true, true, true]);
  expect(usual('foreign', 'env:BAUTA_CONN_X', 'file:a', 'file:a/b.url')).toEqual([false, false, false]);
  expect(Grants.usual.isGrantedFor('default', 'file:a', 'db:5432/shop')).toBe(false);
});

it.each([
  ...[
    'env:BAUTA_CONN_',
    'env:BAUTA_METADATA',
    'env:PATH',
    'env:X Y',
    'vault:a#b',
    'vault:secret/data/shop#url',
    'file:',
    'file:/etc/passwd',
    'file:../a',
    'file:a/../b',
  ],
  ...[
    'file:a//b',
    'file:./a',
    'file:.hidden',
    'file:a/.hidden',
    'file:a\0b',
    'file:a\\b',
    'file:%2e%2e/a',
    'file:a..b',
    'postgres://a:b@c/d',
  ],
])('never grants %j by default', (reference) => expect(Grants.usual.isGranted('default', reference)).toBe(false));

it('grants what the file says, by name and by beginning, and nothing beside', () => {
  const granted = ['env:SHOP_A', 'file:shop/a', 'file:shop/a/b', 'file:exact'];
  const refused = ['env:SHOP_', 'env:SHOPPING', 'env:BAUTA_CONN_X', 'file:shop', 'file:shop/../exact', 'file:exactly', 'file:other'];
  expect([...granted, ...refused].filter((one) => grants.isGranted('default', one))).toEqual(granted);
  expect([...granted, ...refused].filter((one) => grants.isGranted('other', one) || grants.isGranted('third', one))).toEqual([]);
});

it('shows a password to the server that it was granted for, and to no other host, port or database', async () => {
  const read = createReadSecret({ environment: { SHOP_HOOK: 'key' }, settings: { BAUTA_SECRETS: folder }, grants, workspace: 'default' });
  expect(await read('file:shop/password', 'db.internal:5432/Shop')).toBe('canary\n');
  expect(await read('env:SHOP_HOOK', 'hooks.example.com:443')).toBe('key');
  for (const place of [
    'evil.example:5432/Shop',
    'db.internal:5433/Shop',
    'db.internal:5432/shop',
    'db.internal:5432',
    'db.internal:5432/Shop/x',
  ])
    await expect(read('file:shop/password', place)).rejects.toMatchObject({ code: 'SECRET_NOT_GRANTED_FOR' });
});

it('reads no link, nothing beyond its limit, and says that something is missing no louder than that', async () => {
  const read = createReadSecret({ environment: {}, settings: { BAUTA_SECRETS: folder }, grants: Grants.usual, workspace: 'default' });
  for (const one of ['file:shop/link', 'file:linked/password', 'file:shop/large', 'file:shop'])
    await expect(read(one)).rejects.toMatchObject({ code: 'REFERENCE_NOT_GRANTED' });
  expect([await read('file:shop/nothing'), await read('env:BAUTA_CONN_NOTHING')]).toEqual([undefined, undefined]);
});

it('reads a Secret as Kubernetes mounts it, through the one link of the folder and no other, and what it holds after a rotation', async () => {
  const mounted = mkdtempSync(join(tmpdir(), 'bauta-mounted-'));
  const write = (version: string, text: string): void => {
    mkdirSync(join(mounted, version));
    writeFileSync(join(mounted, version, 'password'), text);
    rmSync(join(mounted, '..data'), { force: true });
    symlinkSync(version, join(mounted, '..data'));
  };
  write('..2026_11_21', 'first');
  symlinkSync(join('..data', 'password'), join(mounted, 'password'));
  const reading = { environment: {}, grants: Grants.usual, workspace: 'default' };
  const read = createReadSecret({ ...reading, settings: { BAUTA_SECRETS: join(mounted, '..data') } });
  expect(await read('file:password')).toBe('first');
  write('..2026_11_22', 'second');
  expect(await read('file:password')).toBe('second');
  // The folder itself has links only.
  const beside = createReadSecret({ ...reading, settings: { BAUTA_SECRETS: mounted } });
  await expect(beside('file:password')).rejects.toMatchObject({ code: 'REFERENCE_NOT_GRANTED' });
  rmSync(mounted, { recursive: true });
});

it.each([
  'workspaces: { default: { references: ["*"] } }',
  'workspaces: { default: { references: ["env:*"] } }',
  'workspaces: { default: { references: ["aws:*"] } }',
  'workspaces: { default: { references: ["file:../*"] } }',
  'workspaces: { default: { secrets: [{ reference: "env:A", for: "everywhere" }] } }',
  'workspaces: { default: { everything: true } }',
  'a: &a [*a]',
])('refuses a file of grants with %s', (bad) => {
  expect(() => Grants.parse(bad, 'grants.yaml')).toThrow('grants.yaml cannot be used');
});

it('grants secrets of AWS by their name or ARN as it is written, by beginning too', async () => {
  const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop';
  const aws = Grants.parse(
    `workspaces: { default: { references: ['aws:prod/*', 'aws:one#url', 'aws:${arn}/*'], secrets: [{ reference: 'aws:prod/db#password', for: 'db:5432/shop' }] } }`,
    'grants.yaml',
  );
  const granted = ['aws:prod/a', 'aws:prod/a#b', 'aws:one#url', `aws:${arn}/db-AbCdEf#url`];
  const refused = [
    'aws:prod',
    'aws:one',
    'aws:one#urls',
    'aws:other#url',
    `aws:${arn}-AbCdEf`,
    'aws:prod/a b',
    'aws:prod/a#b#c',
    'aws:prod/é',
  ];
  expect([...granted, ...refused].filter((one) => aws.isGranted('default', one))).toEqual(granted);
  expect(Grants.usual.isGranted('default', 'aws:prod/a')).toBe(false);
  const asked: string[] = [];
  const readStored = (reference: string): Promise<string> => Promise.resolve(`${asked.push(reference)}`);
  const options = { environment: {}, settings: { BAUTA_SECRETS: folder }, grants: aws, workspace: 'default' };
  const read = createReadSecret({ ...options, readStored });
  expect(await read('aws:prod/db#password', 'db:5432/shop')).toBe('1');
  await expect(read('aws:prod/db#password', 'db:5432/other')).rejects.toMatchObject({ code: 'SECRET_NOT_GRANTED_FOR' });
  await expect(read('aws:other#password')).rejects.toMatchObject({ code: 'REFERENCE_NOT_GRANTED' });
  expect(asked).toEqual(['aws:prod/db#password']);
  await expect(createReadSecret(options)('aws:prod/db#password', 'db:5432/shop')).rejects.toMatchObject({ code: 'AWS_UNSET' });
});

it('grants secrets of Vault by their path and field, by beginning too, and never what Vault is run by', async () => {
  const vault = Grants.parse(
    `workspaces: { default: { references: ['vault:secret/data/shop/*', 'vault:secret/data/one#url', 'vault:sys/*'], secrets: [{ reference: 'vault:secret/data/shop/db#password', for: 'db:5432/shop' }] } }`,
    'grants.yaml',
  );
  const granted = ['vault:secret/data/shop/a', 'vault:secret/data/shop/a#b', 'vault:secret/data/one#url'];
  const refused = [
    ...['vault:secret/data/shop', 'vault:secret/data/one', 'vault:secret/data/one#urls', 'vault:secret/data/other#url', 'vault:sys/mounts'],
    ...[
      'vault:secret/data/shop/../one#url',
      'vault:secret/data/shop/.x',
      'vault:secret/data/shop//a',
      'vault:secret/data/shop/a?b=c',
      'vault:secret/data/shop/a#b#c',
    ],
  ];
  expect([...granted, ...refused].filter((one) => vault.isGranted('default', one))).toEqual(granted);
  const asked: string[] = [];
  const readStored = (reference: string): Promise<string> => Promise.resolve(`${asked.push(reference)}`);
  const options = { environment: {}, settings: { BAUTA_SECRETS: folder }, grants: vault, workspace: 'default' };
  const read = createReadSecret({ ...options, readStored });
  expect(await read('vault:secret/data/shop/db#password', 'db:5432/shop')).toBe('1');
  await expect(read('vault:secret/data/shop/db#password', 'db:5432/other')).rejects.toMatchObject({ code: 'SECRET_NOT_GRANTED_FOR' });
  await expect(read('vault:secret/data/other#password')).rejects.toMatchObject({ code: 'REFERENCE_NOT_GRANTED' });
  expect(asked).toEqual(['vault:secret/data/shop/db#password']);
  await expect(createReadSecret(options)('vault:secret/data/shop/db#password', 'db:5432/shop')).rejects.toMatchObject({
    code: 'VAULT_UNSET',
  });
});
