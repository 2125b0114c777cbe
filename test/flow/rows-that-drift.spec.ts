// Somebody writes into a published copy: which tables differ is found without the source, and what can be no fake is counted.
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';

import { systemClock } from '../../src/kernel/clock.js';
import { type DataDrift, lookForDataDrift } from '../../src/pipeline/data-drift.js';
import { findChanged, toChangedText, toDefinitionDigests } from '../../src/pipeline/definition-digest.js';
import { DatasetReader } from '../../src/systems/postgres/postgres.js';
import { type TargetWorld, logSigner, stage, startTargetWorld, toPlan } from '../support/target-world.js';

let world: TargetWorld;
beforeAll(async () => (world = await startTargetWorld()), 60_000);
afterAll(() => world.server.stop());
beforeEach(async () => {
  const target = world.target('shop_dev');
  await (await stage(target, toPlan())).publish();
  await target.close();
});

async function look(): Promise<DataDrift> {
  const reader = await DatasetReader.open({ name: 'copy', url: world.url('shop_dev') });
  try {
    return await lookForDataDrift(reader, { verifiers: [logSigner.verifier], clock: systemClock });
  } finally {
    await reader.close();
  }
}
const sql = (text: string): Promise<unknown> => world.server.sql('shop_dev', text);

it('is as published where nobody wrote', async () => {
  expect(await look()).toMatchObject({ state: 'as published', tables: [], definitions: [], why: null });
});

it('finds a raw row that somebody loaded, says in which table, and counts what can be no fake; the value stands nowhere', async () => {
  await sql(`INSERT INTO person (email, note) VALUES ('ada.lovelace@acme-industries.com', 'card 4929 1234 5678 9015, IBAN DE89 3704 0044 0532 0130 00'),
    ('a@example.com', 'card 4111 1111 1111 1111')`);
  const seen = await look();
  expect(seen).toMatchObject({
    state: 'drifted',
    tables: [{ schema: 'public', table: 'person', state: 'rows differ', rows: 5, published: 3 }],
  });
  expect(seen.tables[0]?.raw.filter(({ column }) => column === 'email')).toEqual([{ column: 'email', kind: 'email', values: 1 }]);
  expect(seen.tables[0]?.raw).toContainEqual({ column: 'note', kind: 'iban', values: 1 });
  expect(JSON.stringify(seen)).not.toMatch(/lovelace|4929|3704/);
});

it('finds an update that keeps the number of rows, and reads no other table for it', async () => {
  await sql(`UPDATE "Sales Dept"."order" SET person_id = 2 WHERE id = 10`);
  expect(await look()).toMatchObject({
    state: 'drifted',
    tables: [{ schema: 'Sales Dept', table: 'order', state: 'content differs', rows: 2, published: 2, raw: [] }],
  });
});

it('finds a column and a table that were not published, and what was loaded there', async () => {
  await sql(`ALTER TABLE person ADD COLUMN contact text; UPDATE person SET contact = 'someone@acme-industries.com' WHERE id = 1;
    CREATE TABLE dump AS SELECT '219-09-9999'::text AS ssn`);
  const { tables } = await look();
  expect(tables.find(({ table }) => table === 'person')).toMatchObject({
    state: 'columns differ',
    raw: expect.arrayContaining([{ column: 'contact', kind: 'email', values: 1 }]),
  });
  expect(tables.find(({ table }) => table === 'dump')).toMatchObject({ state: 'unknown' });
});

/** Each by the one thing that says so; what somebody does by hand often changes more. */
const changes: readonly (readonly [string, string])[] = [
  [`GRANT SELECT ON person TO PUBLIC`, 'rights table public.person changed'],
  [`GRANT UPDATE (email) ON person TO shop_dev_ro`, 'rights table public.person changed'],
  [`GRANT USAGE ON SCHEMA "Sales Dept" TO PUBLIC`, 'rights schema "Sales Dept" changed'],
  [`ALTER TABLE person OWNER TO postgres`, 'rights table public.person changed'],
  [`ALTER DEFAULT PRIVILEGES FOR ROLE shop_dev_owner GRANT SELECT ON TABLES TO PUBLIC`, 'rights what shop_dev_owner makes later changed'],
  [`CREATE FUNCTION spy() RETURNS int LANGUAGE sql AS 'SELECT 1'`, 'function public.spy() added'],
  [`CREATE VIEW everybody AS SELECT * FROM person`, 'view public.everybody added'],
  [`CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER quiet BEFORE INSERT ON person EXECUTE FUNCTION t()`, 'trigger quiet on public.person added'],
  [`CREATE POLICY open ON person USING (true)`, 'policy open on public.person added'],
  [`ALTER TABLE person ENABLE ROW LEVEL SECURITY`, 'table public.person changed'],
  [`CREATE RULE nothing AS ON DELETE TO person DO INSTEAD NOTHING`, 'rule nothing on public.person added'],
  [`ALTER SEQUENCE person_id_seq INCREMENT 7`, 'sequence public.person_id_seq changed'],
  [`CREATE INDEX quick ON person (note)`, 'index public.quick added'],
  [`ALTER TABLE person ADD CONSTRAINT c CHECK (id > 0)`, 'constraint c on public.person added'],
  [`ALTER TABLE person ALTER email DROP NOT NULL`, 'table public.person changed'],
  [`CREATE TYPE mood AS ENUM ('glad')`, 'type public.mood added'],
  [`CREATE EXTENSION pgcrypto`, 'extension pgcrypto added'],
  [`CREATE PUBLICATION out FOR TABLE person`, 'publication "out" added'],
  [`DROP EXTENSION citext CASCADE`, 'extension citext missing'],
]; // prettier-ignore

it('finds by kind and name what somebody changed beside rows, and that everything else is as it was', async () => {
  const missed: string[] = [];
  for (const [statement, wanted] of changes) {
    const found = (await changedBy(statement))?.map(({ kind, name, state }) => `${kind} ${name} ${state}`);
    if (!found?.includes(wanted)) missed.push(`${statement}: ${String(found)}`);
  }
  expect(missed).toEqual([]);
}, 60_000);

/** In a copy of the version, so that each stands for itself. */
async function changedBy(statement: string): Promise<DataDrift['definitions']> {
  await world.server.sql('postgres', 'DROP DATABASE IF EXISTS shop_copy WITH (FORCE)');
  await world.server.sql('postgres', 'CREATE DATABASE shop_copy TEMPLATE shop_dev');
  await world.server.sql('shop_copy', statement);
  const reader = await DatasetReader.open({ name: 'copy', url: world.server.url('shop_copy') });
  try {
    const { definitions } = await lookForDataDrift(reader, { verifiers: [logSigner.verifier], clock: systemClock });
    return definitions;
  } finally {
    await reader.close();
  }
}

it('finds who may do what with the database itself, who owns it and what is set for it, and nothing where nobody did any of it', async () => {
  const found = async (statement: string): Promise<readonly string[]> => {
    await world.server.sql('postgres', statement);
    const { definitions } = await look();
    return (definitions ?? []).map(toChangedText);
  };
  expect(await found('SELECT 1')).toEqual([]);
  expect(await found('GRANT CONNECT ON DATABASE shop_dev TO PUBLIC')).toEqual(['rights on database: changed']);
  expect(await found('REVOKE CONNECT ON DATABASE shop_dev FROM PUBLIC')).toEqual([]);
  expect(await found(`ALTER DATABASE shop_dev SET work_mem = '5MB'`)).toEqual(['rights on settings of the database: changed']);
  expect(await found('ALTER DATABASE shop_dev RESET ALL')).toEqual([]);
  expect(await found(`ALTER ROLE shop_dev_ro IN DATABASE shop_dev SET statement_timeout = '1s'`)).toEqual([
    'rights on settings of the database: changed',
  ]);
  // What is there when the next version is published goes over to it, and is no drift of it.
  await world.server.sql('postgres', 'GRANT TEMPORARY ON DATABASE shop_dev TO PUBLIC');
  const target = world.target('shop_dev');
  await (await stage(target, toPlan())).publish();
  await target.close();
  expect(await look()).toMatchObject({ state: 'as published', definitions: [] });
  // The same of one that is published as a copy of its template.
  const cloned = world.target('shop_dev');
  await (await stage(cloned, toPlan({ clones: { max: 2, hours: 4 } }))).publish();
  await cloned.close();
  expect((await look()).definitions?.map(toChangedText)).toEqual([]);
  await world.server.sql(
    'postgres',
    'ALTER ROLE shop_dev_ro IN DATABASE shop_dev RESET ALL; REVOKE TEMPORARY ON DATABASE shop_dev FROM PUBLIC',
  );
  expect((await look()).definitions?.map(toChangedText)).toEqual([
    'rights on database: changed',
    'rights on settings of the database: changed',
  ]);
});

it('finds a function whose body somebody replaced, a view that gives more, and what is gone', async () => {
  await sql(`CREATE FUNCTION total() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW names AS SELECT id FROM person`);
  const target = world.target('shop_dev');
  const reader = await DatasetReader.open({ name: 'copy', url: world.url('shop_dev') });
  const before = toDefinitionDigests(await reader.definitions(null));
  await reader.close();
  await sql(
    `CREATE OR REPLACE FUNCTION total() RETURNS int LANGUAGE sql AS 'SELECT 2'; CREATE OR REPLACE VIEW names AS SELECT id, email FROM person`,
  );
  await sql('DROP TABLE "Sales Dept"."order"');
  const again = await DatasetReader.open({ name: 'copy', url: world.url('shop_dev') });
  const found = findChanged(before, toDefinitionDigests(await again.definitions(null))).map(toChangedText);
  await again.close();
  await target.close();
  expect(found).toEqual(
    expect.arrayContaining(['function public.total(): changed', 'view public.names: changed', 'table "Sales Dept"."order": missing']),
  );
  expect(found.filter((text) => !text.includes('Sales Dept'))).toEqual(['function public.total(): changed', 'view public.names: changed']);
});

it('says of a version that was published without a record that only its rows are known, and never that it is as published', async () => {
  const target = world.target('shop_dev');
  await (await stage(target, toPlan())).publish({ recorded: false });
  await target.close();
  await sql('GRANT SELECT ON person TO PUBLIC');
  expect(await look()).toMatchObject({
    state: 'unknown',
    version: expect.any(Number),
    tables: [],
    definitions: null,
    why: expect.stringContaining('not recorded'),
  });
});

it('does not know what has no marker of a log that is known here', async () => {
  await sql('DROP SCHEMA bauta CASCADE');
  expect(await look()).toMatchObject({ state: 'unknown', why: 'it has no marker' });
  await world.server.sql('postgres', 'DROP DATABASE shop_dev WITH (FORCE)');
});
