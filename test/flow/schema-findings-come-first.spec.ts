import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { BautaError } from '../../src/kernel/errors.js';
import { type Catalogue, toObjectLabel } from '../../src/pipeline/catalogue.js';
import {
  readSequenceValues,
  schemaTexts,
  toCatalogueDigest,
  toSequenceStatements,
} from '../../src/systems/postgres/catalogue/catalogue.js';
import type { SourceScope } from '../../src/pipeline/ports.js';
import { toSchemaStatements } from '../../src/systems/postgres/ddl/ddl.js';
import { catalogueOf, createPlainRole, everything, rebuild, withClient } from '../support/rebuild.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let asOwner: (database: string) => string;
let number = 0;

beforeAll(async () => {
  server = await startTestServer();
  asOwner = await createPlainRole(server, 'builder');
}, 60_000);
afterAll(() => server.stop());

async function databaseWith(sql: string): Promise<string> {
  const name = `d${(number += 1)}`;
  await server.create(name);
  await server.sql(name, sql);
  return name;
}

async function findingsOf(sql: string, scope: Partial<SourceScope> = {}): Promise<string[]> {
  const { findings } = await catalogueOf(server.url(await databaseWith(sql)), { ...everything, ...scope });
  return findings.map((finding) => `${finding.severity} ${finding.code} ${finding.where.object ?? ''} / ${finding.where.name ?? ''}`);
}

const refusalOf = (work: () => unknown): string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof BautaError) return error.findings.map((f) => `${f.code} ${f.where.object ?? ''} / ${f.where.name ?? ''}`);
    throw error;
  }
  return [];
};

it('what reaches out is an error where something in scope needs it, and left behind with a warning where nothing does', async () => {
  const findings = await findingsOf(`
    CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw; CREATE EXTENSION pg_stat_statements;
    CREATE TABLE t (a integer);
    CREATE VIEW away AS SELECT * FROM dblink('host=x', 'SELECT 1') AS r(a integer);
    CREATE FUNCTION call_out() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM public.dblink_exec('x', 'y'); END $$;
    CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE far (a integer) SERVER other;
    CREATE USER MAPPING FOR postgres SERVER other; CREATE PUBLICATION p FOR TABLE t;
    CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION on_ddl();`);
  expect(findings).toEqual(
    expect.arrayContaining([
      'error SCHEMA_REACHES_OUT view public.away / extension dblink',
      'error SCHEMA_REACHES_OUT function public.call_out() / function dblink_exec of extension dblink',
      'error SCHEMA_REACHES_OUT foreign table public.far / it leads to another server',
      'warning SCHEMA_NOT_CARRIED publication p / it leads to other servers',
      'warning SCHEMA_NOT_CARRIED event trigger ev / only a superuser can make it',
      'warning SCHEMA_NOT_CARRIED user mapping on other / it leads to another server',
      'warning SCHEMA_NOT_CARRIED extension pg_stat_statements / nothing in scope needs it, and it is not trusted',
    ]),
  );
});

it('what only a superuser could make is an error', async () => {
  const findings = await findingsOf(`
    CREATE FUNCTION c(cstring) RETURNS integer LANGUAGE internal STRICT AS 'int4in';
    CREATE FUNCTION tight(integer) RETURNS integer LANGUAGE sql LEAKPROOF AS 'SELECT 1';
    CREATE FUNCTION as_somebody() RETURNS integer LANGUAGE sql SET role = 'postgres' AS 'SELECT 1';
    CREATE TYPE pair AS (a integer); CREATE TYPE other AS (a integer); CREATE CAST (pair AS text) WITH INOUT;
    CREATE OPERATOR CLASS mine FOR TYPE integer USING btree AS OPERATOR 1 <, FUNCTION 1 btint4cmp(integer, integer);`);
  expect(findings.sort()).toEqual(
    [
      'error SCHEMA_UNSUPPORTED operator class public.mine / only a superuser can make it',
      'error SCHEMA_UNSUPPORTED operator family public.mine / only a superuser can make it',
      'error SCHEMA_UNSUPPORTED function public.as_somebody() / SET role',
      'error SCHEMA_UNSUPPORTED function public.c(cstring) / language internal',
      'error SCHEMA_UNSUPPORTED function public.tight(integer) / LEAKPROOF',
    ].sort(),
  );
});

it('the scope takes what matches and what that needs, and names each table that is needed and out of it', async () => {
  const sql = `
    CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c;
    CREATE TYPE b.colour AS ENUM ('red'); CREATE TYPE b.unused AS ENUM ('x');
    CREATE TABLE b.owner (id integer PRIMARY KEY);
    CREATE TABLE a.thing (id integer PRIMARY KEY, colour b.colour, owner integer CONSTRAINT owned REFERENCES b.owner);
    CREATE TABLE c.other (id serial); CREATE VIEW a.seen AS SELECT * FROM c.other;`;
  const { catalogue, findings } = await catalogueOf(server.url(await databaseWith(sql)), { include: ['a.*'], exclude: [] });
  expect(catalogue.tables.map((table) => table.name)).toEqual(['thing']);
  expect(catalogue.objects.map(toObjectLabel)).toEqual(['enum b.colour', 'view a.seen']);
  expect(findings.map((f) => `${f.where.object} needs ${f.where.name}`).sort()).toEqual(
    ['constraint a.thing.owned needs table b.owner', 'view a.seen needs table c.other'].sort(),
  );
});

it('what the plan drops is not made, and what needs it must be dropped as well', async () => {
  const sql = `CREATE TABLE t (a integer, b text DEFAULT 'anna'); COMMENT ON TABLE t IS 'ask anna';
    CREATE FUNCTION total() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE VIEW v AS SELECT total() AS n;`;
  const { catalogue } = await catalogueOf(server.url(await databaseWith(sql)));
  const drop = ['function public.total', 'default public.t.b', 'comment on table public.t'];
  expect(refusalOf(() => toSchemaStatements(catalogue, { drop }))).toEqual([
    'SCHEMA_NEEDS_DROPPED view public.v / function public.total()',
  ]);
  expect(refusalOf(() => toSchemaStatements(catalogue, { drop: ['function public.nothing', 'table public.t'] }))).toEqual([
    'SCHEMA_DROP_UNKNOWN function public.nothing / ',
    'SCHEMA_DROP_UNKNOWN table public.t / ',
  ]);
  const { preData, postData } = toSchemaStatements(catalogue, { drop: [...drop, 'view public.v'] });
  const text = JSON.stringify([preData, postData]);
  expect(text).toContain('CREATE TABLE');
  expect(text).not.toMatch(/total|anna|VIEW/);
});

it('a policy for a role without a counterpart is refused, with one it is made for the counterpart', async () => {
  await server.sql('postgres', 'CREATE ROLE clerk');
  const sql = `CREATE TABLE t (a integer); CREATE POLICY p ON t TO clerk USING (a > 0);`;
  const { catalogue } = await catalogueOf(server.url(await databaseWith(sql)));
  expect(refusalOf(() => toSchemaStatements(catalogue))).toEqual(['SCHEMA_ROLE_UNMAPPED policy public.t.p / clerk']);
  const made = toSchemaStatements(catalogue, { role: () => 'tester' }).postData.flat();
  expect(made.map(({ sql: text }) => text)).toContainEqual(expect.stringContaining('TO "tester" USING'));
});

it('a view and a function that need one another are both made', async () => {
  const sql = `CREATE TABLE t (a integer); CREATE VIEW v AS SELECT a FROM t;
    CREATE FUNCTION f(v) RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE OR REPLACE VIEW v AS SELECT a FROM t WHERE f(NULL) = 1;`;
  const { catalogue } = await catalogueOf(server.url(await databaseWith(sql)));
  await server.sql('postgres', 'CREATE DATABASE cycle OWNER builder TEMPLATE template0');
  await rebuild(asOwner('cycle'), catalogue);
  expect((await catalogueOf(asOwner('cycle'))).catalogue.objects).toEqual(catalogue.objects);
});

it('sequences go on where the source stood, called or not', async () => {
  const sql = `CREATE SEQUENCE "My Seq"; SELECT nextval('"My Seq"'), nextval('"My Seq"'); CREATE SEQUENCE fresh START 7; CREATE TABLE t (id serial);`;
  const name = await databaseWith(sql);
  const { catalogue } = await catalogueOf(server.url(name));
  const read = (url: string): ReturnType<typeof readSequenceValues> => withClient(url, (client) => readSequenceValues(client, catalogue));
  const values = await read(server.url(name));
  expect(values).toContainEqual({ schema: 'public', name: 'My Seq', lastValue: '2', isCalled: true });
  expect(values).toContainEqual({ schema: 'public', name: 'fresh', lastValue: '7', isCalled: false });
  await server.sql('postgres', 'CREATE DATABASE counted OWNER builder TEMPLATE template0');
  await rebuild(asOwner('counted'), catalogue);
  for (const statement of toSequenceStatements(values)) await server.sql('counted', statement.sql);
  expect(await read(server.url('counted'))).toEqual(values);
});

it('the digest changes with every change of the schema, and not with rows, sizes or statistics', async () => {
  const name = await databaseWith('CREATE TABLE t (a text, b text); CREATE VIEW v AS SELECT a FROM t');
  const digest = async (): Promise<string> => toCatalogueDigest((await catalogueOf(server.url(name))).catalogue);
  const seen = [await digest()];
  await server.sql(name, `INSERT INTO t SELECT 'x', 'y' FROM generate_series(1, 2000); ANALYZE t`);
  expect(await digest()).toBe(seen[0]);
  for (const change of [
    'ALTER TABLE t RENAME a TO c; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME c TO b',
    'ALTER TABLE t ADD CHECK (length(a) < 9)',
    'ALTER TABLE t ALTER b TYPE varchar(20) USING b',
    `COMMENT ON COLUMN t.b IS 'bauta: pii.email'`,
    'CREATE INDEX ON t (b)',
    'DROP VIEW v; ALTER TABLE t RENAME TO u; CREATE VIEW t AS SELECT * FROM u',
  ]) {
    if (change.includes('varchar')) await server.sql(name, 'DROP VIEW v');
    await server.sql(name, change.replace('DROP VIEW v; ', ''));
    const now = await digest();
    expect(seen).not.toContain(now);
    seen.push(now);
  }
});

it('every text in which a person could stand is listed with the object that holds it', async () => {
  const sql = `CREATE TYPE e AS ENUM ('anna-1'); CREATE DOMAIN d AS text CHECK (VALUE <> 'anna-2');
    CREATE TABLE "anna-3" (id integer, a text DEFAULT 'anna-4' CHECK (a <> 'anna-5'), "anna-6" integer) PARTITION BY LIST (a);
    CREATE TABLE part PARTITION OF "anna-3" FOR VALUES IN ('anna-7'); CREATE INDEX i ON part (id) WHERE a = 'anna-8';
    CREATE POLICY p ON part USING (a = 'anna-9'); COMMENT ON COLUMN part.id IS 'anna-10';
    CREATE VIEW v AS SELECT 'anna-11'::text AS x; CREATE FUNCTION f(t text DEFAULT 'anna-12') RETURNS text LANGUAGE sql AS $$ SELECT 'anna-13' $$;
    CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER tr BEFORE INSERT ON part FOR EACH ROW WHEN (NEW.a = 'anna-14') EXECUTE FUNCTION g('anna-15');
    CREATE RULE r AS ON UPDATE TO v DO INSTEAD SELECT 'anna-16'; COMMENT ON TYPE e IS 'anna-17';
    CREATE TABLE gen (a text, b text GENERATED ALWAYS AS (a || 'anna-18') STORED);`;
  const { catalogue } = await catalogueOf(server.url(await databaseWith(sql)));
  const texts = schemaTexts(catalogue);
  const where = (canary: number): string[] =>
    texts.filter(({ text }) => new RegExp(`anna-${canary}(?!\\d)`).test(text)).map(({ part, object }) => `${part} of ${object}`);
  expect(where(1)).toEqual(['enum of enum public.e']);
  expect(where(4)).toContain('default of default public."anna-3".a');
  expect(where(7)).toEqual(['bound of table public.part']);
  expect(where(8)).toEqual(['index of index public.i']);
  expect(where(9)).toEqual(['policy of policy public.part.p']);
  expect(where(10)).toEqual(['comment of comment on column public.part.id']);
  for (let canary = 1; canary <= 18; canary += 1) expect([canary, where(canary).length > 0]).toEqual([canary, true]);
});

it('types are spelled out: domains followed, arrays opened, lengths and scales given', async () => {
  const sql = `CREATE DOMAIN word AS varchar(30); CREATE TYPE pair AS (a numeric(5,-2), b char(3)); CREATE TYPE e AS ENUM ('x');
    CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE t (a varchar(50)[], b word, c pair, d e[], f numeric(12,3), g text COLLATE folding, h bit(4), i word[], j int4multirange);`;
  const catalogue: Catalogue = (await catalogueOf(server.url(await databaseWith(sql)))).catalogue;
  const types = Object.fromEntries((catalogue.tables[0]?.columns ?? []).map((column) => [column.name, column.type]));
  expect(types['a']).toMatchObject({
    kind: 'array',
    base: 'varchar',
    display: 'character varying(50)[]',
    element: { display: 'character varying(50)', length: 50 },
  });
  expect(types['b']).toMatchObject({ kind: 'domain', base: 'varchar', length: 30, domain: 'public.word', display: 'public.word' });
  expect(types['c']).toMatchObject({
    kind: 'composite',
    base: 'pair',
    attributes: [
      { name: 'a', type: { base: 'numeric', precision: 5, scale: -2 } },
      { name: 'b', type: { base: 'bpchar', length: 3 } },
    ],
  });
  expect(types['d']).toMatchObject({ kind: 'array', element: { kind: 'enum', labels: ['x'] } });
  expect(types['f']).toMatchObject({ base: 'numeric', precision: 12, scale: 3 });
  expect(types['g']?.deterministicCollation).toBe(false);
  expect(types['h']).toMatchObject({ base: 'bit', length: 4 });
  expect(types['i']).toMatchObject({ kind: 'array', base: 'varchar', element: { kind: 'domain', length: 30 } });
  expect(types['j']).toMatchObject({ kind: 'multirange', base: 'int4multirange' });
});

it('an extension that is not trusted comes along where something needs it, after the extension that it needs, and with a warning', async () => {
  const sql = `CREATE EXTENSION cube; CREATE EXTENSION earthdistance; CREATE TABLE t (at earth);`;
  const { catalogue, findings } = await catalogueOf(server.url(await databaseWith(sql)));
  expect(catalogue.objects.map(toObjectLabel)).toEqual(['extension cube', 'extension earthdistance']);
  expect(catalogue.dependencies?.['extension earthdistance']).toContain('extension cube');
  expect(findings.map((finding) => [finding.severity, finding.code, finding.where.object])).toEqual([
    ['warning', 'SCHEMA_EXTENSION_UNTRUSTED', 'extension earthdistance'],
  ]);
});
