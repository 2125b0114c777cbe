import { expect, it } from '@jest/globals';

import { resolveConnection } from './reference.js';

const secret = 'hunter2canary';
const url = `postgres://app:${secret}@db.example/shop?sslmode=require`;
const noFile = (): Promise<string> => Promise.reject(new Error(`ENOENT ${secret}`));

it('takes the connection string from a variable', async () => {
  expect(await resolveConnection('env:SOURCE_URL', { SOURCE_URL: url }, noFile)).toEqual({ name: 'env:SOURCE_URL', url });
});

it('takes the connection string from a file and trims it', async () => {
  const readFile = (path: string): Promise<string> => Promise.resolve(path === '/run/secrets/source' ? `  ${url}\n` : '');
  expect(await resolveConnection('file:/run/secrets/source', {}, readFile)).toEqual({ name: 'file:/run/secrets/source', url });
});

it.each([
  ['a connection string instead of a reference', url, {}],
  ['a connection string behind env:', `env:${url}`, {}],
  ['a connection string behind file:', `file:${url}`, {}],
  ['a missing variable', 'env:NOT_SET', {}],
  ['an empty variable', 'env:EMPTY', { EMPTY: ' ' }],
  ['a value that is another URL', 'env:OTHER', { OTHER: `mysql://app:${secret}@db/shop` }],
  ['a value that is no URL', 'env:OTHER', { OTHER: `host=db password=${secret}` }],
  ['a URL that cannot be parsed', 'env:OTHER', { OTHER: `postgres://app:${secret}@db:port/shop` }],
  ['a file that cannot be read', 'file:/run/secrets/source', {}],
  ['an unknown kind', `vault:${secret}`, {}],
])('refuses %s and shows nothing of it', async (_, reference, env: Record<string, string>) => {
  const error: unknown = await resolveConnection(reference, env, noFile).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'CONNECTION_REFERENCE_INVALID', class: 'InputError' });
  expect(`${JSON.stringify(error)} ${String(error)} ${(error as Error).stack}`).not.toContain(secret);
});
