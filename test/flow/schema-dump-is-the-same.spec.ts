import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { type DebianServer, hasDebianServer, startDebianServer } from '../support/debian-server.js';
import { toNastySchema } from '../support/nasty-schema.js';
import { catalogueOf, comparable, createPlainRole, rebuild } from '../support/rebuild.js';

const schemaFile = packageFile('..', 'shared', 'data', 'pagila-schema.sql.gz');

function hasPagila(): boolean {
  if (existsSync(schemaFile)) return true;
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error('the Pagila schema is missing');
  process.stderr.write('SKIPPED: the Pagila schema is missing\n');
  return false;
}

const oracle = hasDebianServer() && hasPagila();

(oracle ? describe : describe.skip)('the schemas of PostgreSQL 15, held against its own pg_dump', () => {
  let server: DebianServer;
  let asOwner: (database: string) => string;
  const options = ['-s', '--no-owner', '--no-privileges'];
  beforeAll(async () => {
    server = await startDebianServer();
    asOwner = await createPlainRole(server, 'builder');
  }, 60_000);
  afterAll(() => server.stop());

  it.each([
    ['Pagila', 'pagila', () => Promise.resolve(server.psql('pagila', gunzipSync(readFileSync(schemaFile))))],
    ['a schema of everything that is hard', 'hard', () => server.sql('hard', toNastySchema(150000))],
  ])('%s comes out of the rebuilt database as the same pg_dump, made by a role that owns it and is no superuser', async (_, name, load) => {
    const copy = `${name}_copy`;
    await server.create(name);
    await load();
    await server.sql('postgres', `CREATE DATABASE ${copy} OWNER builder TEMPLATE template0`);
    const { catalogue, findings } = await catalogueOf(server.url(name));
    expect(findings).toEqual([]);

    await rebuild(asOwner(copy), catalogue);

    expect(server.dump(copy, ...options)).toBe(server.dump(name, ...options));
    expect(comparable((await catalogueOf(asOwner(copy))).catalogue)).toEqual(comparable(catalogue));
  });
});
