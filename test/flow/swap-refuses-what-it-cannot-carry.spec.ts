// Each refusal of a swap of schemas, by plans on a real server: before a row is read, and by name.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type PlanWorld, type Planned, startPlanWorld } from '../support/planned.js';
import type { Prepared } from '../../src/pipeline/prepare.js';

let world: PlanWorld;
beforeAll(async () => (world = await startPlanWorld(undefined, true)), 60_000);
afterAll(() => world.stop());

const sql = `CREATE SCHEMA app; CREATE TABLE app.city (id int PRIMARY KEY, title text NOT NULL); INSERT INTO app.city VALUES (1, 'x'), (2, 'y'); ANALYZE;`;
const tables = `{ app.city: { keep: [{ columns: [id, title], reason: a public list of cities }] } }`;
const plain = { sql, tables };
const more = (text: string): Planned => ({ sql: `${sql} ${text}`, tables });

const said = ({ findings }: Prepared): string[] =>
  findings
    .filter(({ code, severity }) => severity === 'error' || code.startsWith('SWAP'))
    .map(({ severity, code, where }) =>
      [severity, code, where.object ?? where.column ?? where.name, where.schema].filter(Boolean).join(' '),
    )
    .filter((text) => !text.startsWith('warning SWAP_CHOSEN'));
const reasons = ({ findings }: Prepared): (string | undefined)[] =>
  findings.filter(({ code }) => code === 'SWAP_BUILDER_REACHES').map(({ where }) => where.expected);

it('says that versions are schemas, and nothing stands against what it can carry', async () => {
  const prepared = await world.plan(plain);
  expect(said(prepared)).toEqual([]);
  expect(prepared.findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(['warning SWAP_CHOSEN']);
  expect(prepared.decision?.allow).toBe(true);
});

const naming = `
  CREATE SEQUENCE app.numbers;
  CREATE FUNCTION app.look() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM APP.city';
  CREATE FUNCTION app.path() RETURNS int LANGUAGE sql SET search_path = app AS 'SELECT 1';
  CREATE FUNCTION app.bound() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM app.city; END;
  ALTER TABLE app.city ADD COLUMN a bigint DEFAULT nextval('app.numbers'::regclass), ADD COLUMN b bigint DEFAULT nextval('app.numbers'::text::regclass);
  ALTER TABLE app.city ADD CHECK (title <> 'application'), ADD CONSTRAINT known CHECK (to_regclass('app.city') IS NOT NULL);
  ALTER TABLE app.city ENABLE ROW LEVEL SECURITY;
  CREATE POLICY mine ON app.city USING (current_schema() = 'app');
  CREATE VIEW app.seen AS SELECT id FROM app.city;`;

it('refuses bodies that are text, literals and search paths that name a swapped schema, and no name that the server maps', async () => {
  const columns = tables.replace('[id, title]', '[id, title, a, b]');
  const prepared = await world.plan({ sql: `${sql}${naming}`, tables: columns });
  const wanted = ['constraint app.city.known', 'default app.city.b', 'function app.look()', 'function app.path()', 'policy app.city.mine'];
  expect(said(prepared).sort()).toEqual(wanted.map((object) => `error SWAP_TEXT_NAMES_SCHEMA ${object} app`));
  const kept = wanted.map(
    (object) => `{ object: '${object}', action: ${/^(policy|constraint)/.test(object) ? 'drop' : 'keep'}, reason: looked at by hand }`,
  );
  const accepted = await world.run({ sql: `${sql}${naming}`, tables: columns, pipeline: `schemaTexts: [${kept.join(', ')}]` });
  expect([
    accepted.summary.state,
    accepted.summary.findings.filter(({ code }) => code === 'SWAP_TEXT_NAMES_SCHEMA').map(({ severity }) => severity),
  ]).toEqual(['published', ['warning', 'warning', 'warning']]);
  // What was kept means the current version now that it is the current one.
  expect(await accepted.copy('SELECT app.look()::int AS text, app.bound()::int AS bound')).toEqual([{ text: 2, bound: 2 }]);
});

it('refuses columns whose values are objects, in arrays, domains and composites too', async () => {
  const prepared = await world.plan({
    sql: `${sql} CREATE DOMAIN app.named AS regtype; CREATE TYPE app.pair AS (a int, b regproc);
      CREATE TABLE app.odd (c regclass, d regclass[], e app.named, f app.pair, g oid, h regrole);`,
    tables: tables
      .replace('} }', `}, app.odd: { keep: [{ columns: [c, d, e, f, g, h], reason: no person is an object }] } }`)
      .replace('] } }, app.odd', '] }, app.odd'),
  });
  expect(said(prepared).filter((text) => text.includes('SWAP'))).toEqual(
    ['c', 'd', 'e', 'f'].map((name) => `error SWAP_COLUMN_TYPE ${name} app`),
  );
});

it('refuses extensions among the tables, and those that the target has not where the source has them', async () => {
  expect(said(await world.plan(more('CREATE EXTENSION citext SCHEMA app')))).toEqual([
    'error SWAP_EXTENSION_INSIDE extension citext app',
    'error SWAP_EXTENSION_MISSING citext app',
  ]);
  const elsewhere = more('CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext');
  expect(said(await world.plan(elsewhere))).toEqual(['error SWAP_EXTENSION_MISSING citext ext']);
  const closed = { ...elsewhere, there: 'CREATE SCHEMA ext; ALTER EXTENSION citext SET SCHEMA ext' };
  expect(said(await world.plan(closed))).toEqual(['error SWAP_EXTENSION_CLOSED citext ext']);
});

it('refuses what a document may not ask for with it, and roles that nobody made', async () => {
  expect(said(await world.plan({ ...plain, after: 'SELECT 1' }))).toEqual(['error SWAP_NOT_WITH after']);
  const mapped = await world.plan({
    ...more('CREATE ROLE swap_app; GRANT SELECT ON app.city TO swap_app'),
    target: 'roles: { map: { swap_app: tester } }',
  });
  expect(said(mapped)).toEqual(['error SWAP_NOT_WITH target.roles.map']);
  expect(said(await world.plan({ ...plain, target: 'roles: { readOnly: nobody_made_me }' }))).toEqual([
    'error SWAP_ROLE_MISSING nobody_made_me',
  ]);
});

it('refuses to replace what is not its own, and takes it over with a reason only', async () => {
  const there = `CREATE SCHEMA app AUTHORIZATION bauta_target; CREATE TABLE app.theirs AS SELECT 1 AS a; ALTER TABLE app.theirs OWNER TO bauta_target`;
  const refused = await world.plan({ ...plain, there });
  expect(refused.findings.filter(({ severity }) => severity === 'error').map(({ code, where }) => `${code} ${where.expected}`)).toEqual([
    'TARGET_NOT_OURS its schema app is in use',
  ]);
  const adopted = await world.run({ ...plain, there, target: 'adopt: it is ours since long' });
  expect(adopted.summary.state).toBe('published');
  expect(await adopted.copy('SELECT id FROM app.city ORDER BY 1')).toEqual([{ id: 1 }, { id: 2 }]);
  expect(
    await adopted.copy(
      `SELECT n.nspname ~ '^app_bauta_' AS kept FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relname = 'theirs'`,
    ),
  ).toEqual([{ kept: true }]);
  // A schema with nothing in it is nobody's.
  expect((await world.run({ ...plain, there: 'CREATE SCHEMA app AUTHORIZATION bauta_target' })).summary.state).toBe('published');
});

it('refuses what it could not lock, what would be left hanging, the marker in other hands, and a database that is a version itself', async () => {
  const own = `CREATE SCHEMA app AUTHORIZATION bauta_target; CREATE TABLE app.theirs (a int); ALTER TABLE app.theirs OWNER TO bauta_target;`;
  const target = 'adopt: it is ours since long';
  const ask = async (there: string): Promise<string[]> => said(await world.plan({ ...plain, there, target }));
  expect(await ask(`${own} CREATE TABLE app.foreign (a int)`)).toEqual(['error SWAP_NOT_OWNED app."foreign"']);
  expect(await ask(`${own} CREATE SCHEMA other; CREATE VIEW other.hanging AS SELECT a FROM app.theirs`)).toEqual([
    'error SWAP_HANGS rule "_RETURN" on other.hanging',
  ]);
  expect(await ask(`${own} CREATE PUBLICATION p FOR TABLES IN SCHEMA app`)).toEqual([
    'error SWAP_HANGS publication namespace app in publication p',
  ]);
  expect(await ask(`${own} ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC`)).toEqual([
    'error SWAP_HANGS default acl for role postgres in schema app on tables',
  ]);
  expect(await ask('CREATE SCHEMA bauta')).toEqual(['error MARKER_SCHEMA_TAKEN bauta']);
  const comment = `'{"bauta":1,"target":"x","version":1,"state":"current","runId":"0123456789abcdef"}'`;
  expect((await ask(`DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS %L', current_database(), ${comment}); END $$`)).join()).toMatch(
    /^error SWAP_OTHER_WAY /,
  );
});

it.each([
  [
    'may create schemas in the database',
    `DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO bauta_builder', current_database()); END $$`,
    '',
  ],
  ['has rights on the schema open', 'CREATE SCHEMA open; GRANT USAGE ON SCHEMA open TO PUBLIC', ''],
  ['may write to public.held', 'CREATE TABLE public.held (a int); GRANT INSERT ON public.held TO PUBLIC', ''],
  [
    'may call public.strong, which has the rights of postgres',
    `CREATE FUNCTION public.strong() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'`,
    '',
  ],
  ['has the rights of pg_monitor', 'GRANT pg_monitor TO bauta_builder', 'REVOKE pg_monitor FROM bauta_builder'],
  ['has CREATEDB', 'ALTER ROLE bauta_builder CREATEDB', 'ALTER ROLE bauta_builder NOCREATEDB'],
  ['has settings of its own', `ALTER ROLE bauta_builder SET work_mem = '8MB'`, 'ALTER ROLE bauta_builder RESET ALL'],
  ['has default privileges of its own', 'ALTER DEFAULT PRIVILEGES FOR ROLE bauta_builder GRANT SELECT ON TABLES TO PUBLIC', ''],
  ['reaches out by the extension dblink', 'CREATE EXTENSION dblink', ''],
])('refuses a builder that %s', async (why, there, undo) => {
  const prepared = await world.plan({ ...plain, there });
  if (undo !== '') await world.server.sql('postgres', undo);
  expect(reasons(prepared)).toContain(`it ${why}`);
});

it('what the server cannot make is heard before a row is read, under the name that the author knows', async () => {
  const cast = `CREATE FUNCTION app.odd(text) RETURNS macaddr LANGUAGE sql IMMUTABLE AS 'SELECT NULL::macaddr'; CREATE CAST (text AS macaddr) WITH FUNCTION app.odd(text)`;
  const prepared = await world.plan(more(cast));
  expect(
    prepared.findings.filter(({ severity }) => severity === 'error').map(({ code, where }) => [code, where.object, where.sqlState]),
  ).toEqual([['DELIVER_OBJECT_FAILED', 'cast (text AS macaddr)', '42501']]);
});
