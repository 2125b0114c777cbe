import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { type DebianServer, hasDebianServer, startDebianServer } from '../support/debian-server.js';
import { catalogueOf, comparable, createPlainRole, rebuild } from '../support/rebuild.js';

const schemaFile = packageFile('..', 'shared', 'data', 'pagila-schema.sql.gz');

function hasPagila(): boolean {
  if (existsSync(schemaFile)) return true;
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error('the Pagila schema is missing');
  process.stderr.write('SKIPPED: the Pagila schema is missing\n');
  return false;
}

const oracle = hasDebianServer() && hasPagila();

(oracle ? describe : describe.skip)('Pagila on PostgreSQL 15', () => {
  let server: DebianServer;
  beforeAll(async () => (server = await startDebianServer()), 60_000);
  afterAll(() => server.stop());

  it('comes out of the rebuilt database as the same pg_dump, made by a role that owns it and is no superuser', async () => {
    await server.create('pagila');
    server.psql('pagila', gunzipSync(readFileSync(schemaFile)));
    const asOwner = await createPlainRole(server, 'builder');
    await server.sql('postgres', 'CREATE DATABASE copy OWNER builder TEMPLATE template0');
    const { catalogue, findings } = await catalogueOf(server.url('pagila'));
    expect(findings).toEqual([]);

    await rebuild(asOwner('copy'), catalogue);

    const options = ['-s', '--no-owner', '--no-privileges'];
    expect(server.dump('copy', ...options)).toBe(server.dump('pagila', ...options));
    expect(comparable((await catalogueOf(asOwner('copy'))).catalogue)).toEqual(comparable(catalogue));
  });
});
