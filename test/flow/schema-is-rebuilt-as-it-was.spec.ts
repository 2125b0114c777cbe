import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import type { Catalogue } from '../../src/pipeline/catalogue.js';
import { toCatalogueDigest } from '../../src/systems/postgres/catalogue/catalogue.js';
import { toSchemaStatements } from '../../src/systems/postgres/ddl/ddl.js';
import { toNastySchema } from '../support/nasty-schema.js';
import { catalogueOf, comparable, createPlainRole, rebuild } from '../support/rebuild.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let asOwner: (database: string) => string;
let asReader: (database: string) => string;
let source: Catalogue;

beforeAll(async () => {
  server = await startTestServer();
  asOwner = await createPlainRole(server, 'builder');
  asReader = await createPlainRole(server, 'reader');
  await server.create('source');
  await server.sql('source', toNastySchema(180000));
  source = (await catalogueOf(asReader('source'))).catalogue;
}, 60_000);
afterAll(() => server.stop());

it('a role without any right on the tables sees the same catalogue as a superuser', async () => {
  const { catalogue, findings } = await catalogueOf(server.url('source'));
  expect(findings).toEqual([]);
  expect(comparable(source)).toEqual(comparable(catalogue));
  expect(toCatalogueDigest(source)).toBe(toCatalogueDigest(catalogue));
});

it('a role that only owns the empty database rebuilds everything, and reading it again gives the same catalogue', async () => {
  await server.sql('postgres', 'CREATE DATABASE copy OWNER builder TEMPLATE template0');
  await rebuild(asOwner('copy'), source);
  const { catalogue, findings } = await catalogueOf(asReader('copy'));
  expect(findings).toEqual([]);
  expect(comparable(catalogue)).toEqual(comparable(source));
});

it('every object of the sample is there, so that the comparison compares something', () => {
  const kinds = new Set(source.objects.map((object) => object.kind));
  expect([...kinds].sort()).toEqual(
    [
      'aggregate',
      'cast',
      'collation',
      'composite',
      'domain',
      'enum',
      'extension',
      'function',
      'materialized view',
      'operator',
      'policy',
      'procedure',
      'range',
      'rule',
      'sequence',
      'statistics',
      'text search configuration',
      'text search dictionary',
      'trigger',
      'view',
    ].sort(),
  );
  expect(source.tables.find((table) => table.name === 'wide')?.columns).toHaveLength(200);
  expect(source.tables.find((table) => table.name === 'event_2024')).toMatchObject({
    kind: 'p',
    parents: [{ schema: 'app', name: 'event' }],
  });
});

it('tables exist and materialized views are empty before the data, keys come after it', () => {
  const { preData, postData } = toSchemaStatements(source);
  const before = preData.map(({ sql }) => sql).join('\n');
  expect(before).toContain('CREATE TABLE "app"."person"');
  expect(before).toMatch(/CREATE MATERIALIZED VIEW "app"."z_cities"[^;]* WITH NO DATA/);
  expect(before).not.toMatch(/PRIMARY KEY|FOREIGN KEY|CREATE (UNIQUE )?INDEX|CREATE (CONSTRAINT )?TRIGGER|CREATE POLICY|REFRESH/);
  const refreshed = postData.flat().filter(({ sql }) => sql.startsWith('REFRESH'));
  expect(refreshed.map(({ sql }) => sql)).toEqual([
    'REFRESH MATERIALIZED VIEW "app"."z_cities"',
    'REFRESH MATERIALIZED VIEW "app"."a_big"',
  ]);
});

it('the shop of the examples is rebuilt as it is', async () => {
  await server.create('shop');
  await server.sql('shop', readFileSync(packageFile('examples', 'shop', 'schema.sql'), 'utf8'));
  await server.sql('postgres', 'CREATE DATABASE shop_copy OWNER builder TEMPLATE template0');
  const { catalogue, findings } = await catalogueOf(asReader('shop'));
  expect(findings).toEqual([]);
  await rebuild(asOwner('shop_copy'), catalogue, { role: (name) => name });
  expect(comparable((await catalogueOf(asOwner('shop_copy'))).catalogue)).toEqual(comparable(catalogue));
});

it('rows go in before keys, triggers and materialized views, in any order, and all of them hold afterwards', async () => {
  await server.create('rows');
  const names = Array.from({ length: 12 }, (_, index) => `t${index}`);
  await server.sql(
    'rows',
    `${names.map((name) => `CREATE TABLE ${name} (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, other integer, CHECK (id > 0), CHECK (other > 0))`).join(';')};
     ${names.flatMap((name) => names.map((other) => `ALTER TABLE ${name} ADD FOREIGN KEY (other) REFERENCES ${other} (id)`)).join(';')};
     CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fired'; END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON t0 FOR EACH ROW EXECUTE FUNCTION refuse();
     CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n FROM t0`,
  );
  await server.sql('postgres', 'CREATE DATABASE rows_copy OWNER builder TEMPLATE template0');
  const { catalogue } = await catalogueOf(server.url('rows'));
  const load = names.map(
    (name) => `INSERT INTO public.${name} (id, other) OVERRIDING SYSTEM VALUE SELECT i, 1001 - i FROM generate_series(1, 1000) i`,
  );

  await rebuild(asOwner('rows_copy'), catalogue, {}, load.join(';'));

  expect(await server.sql('rows_copy', 'SELECT n::int FROM total')).toEqual([{ n: 1000 }]);
  const valid = `SELECT count(*)::int AS n FROM pg_constraint WHERE contype = 'f' AND convalidated AND conparentid = 0`;
  expect(await server.sql('rows_copy', valid)).toEqual([{ n: 144 }]);
});
