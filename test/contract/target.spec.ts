import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { DataError, type Finding } from '../../src/kernel/errors.js';
import { deliver, toDigestText } from '../../src/pipeline/deliver/deliver.js';
import type { Plan, TablePlan } from '../../src/pipeline/plan.js';
import { TargetServer, defaultTargetSettings } from '../../src/systems/postgres/target/session.js';
import type { PostgresTarget } from '../../src/systems/postgres/target/target.js';
import { sumOfLines } from '../support/line-digest.reference.js';
import {
  type TargetWorld,
  newRun,
  orderLines,
  person,
  personLines,
  readTraces,
  order,
  smallCatalogue,
  smallSchema,
  stage,
  startTargetWorld,
  toBatches,
  toPlan,
  toUrl,
} from '../support/target-world.js';

let world: TargetWorld;
const open: PostgresTarget[] = [];
const target = (...words: Parameters<TargetWorld['target']>): PostgresTarget => {
  const made = world.target(...words);
  open.push(made);
  return made;
};
const codes = (findings: readonly Finding[], severity: Finding['severity'] = 'error'): string[] =>
  findings.filter((one) => one.severity === severity).map(({ code }) => code);

beforeAll(async () => (world = await startTargetWorld()), 60_000);
afterAll(() => world.server.stop());
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

describe('inspect', () => {
  it('finds nothing for the documented role and a target that does not exist yet, and tells who the server is', async () => {
    const { facts, findings } = await target('fresh').inspect(toPlan(), smallCatalogue);
    const [control] = await world.server.sql('postgres', 'SELECT system_identifier::text AS id FROM pg_control_system()');
    expect(findings).toEqual([]);
    expect(facts).toMatchObject({ systemIdentifier: control?.['id'], databaseOid: null, database: 'fresh' });
    expect(facts.address).toBe(`127.0.0.1:${world.server.port}`);
  });

  it('finds everything that a role without rights lacks, at once', async () => {
    await world.server.sql('postgres', `CREATE ROLE nobody_much LOGIN PASSWORD 'a password'; CREATE ROLE theirs_owner LOGIN;`);
    await world.server.create('theirs');
    await world.server.sql(
      'postgres',
      `ALTER ROLE theirs_owner IN DATABASE theirs SET work_mem = '8MB'; REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC`,
    );
    const url = toUrl(world.server.url('theirs'), 'nobody_much');
    const { findings } = await target('theirs', { connection: { name: 'env:T', url } }).inspect(toPlan(), smallCatalogue);
    await world.server.sql('postgres', 'GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC');
    await world.server.sql('postgres', 'DROP DATABASE theirs');
    await world.server.sql('postgres', 'DROP ROLE theirs_owner, nobody_much');
    expect(codes(findings)).toEqual([
      'TARGET_NOT_OURS',
      'TARGET_NOT_OWNED',
      'TARGET_NO_CREATEDB',
      'TARGET_NO_CREATEROLE',
      'TARGET_NO_SIGNAL',
      'TARGET_ROLE_CLASH',
      'TARGET_ROLE_SETTING',
      'TARGET_UNKNOWN_IDENTITY',
    ]);
  });

  it('refuses the source as a target, even when it is to be adopted, and begin refuses it too', async () => {
    await world.server.sql('postgres', 'CREATE DATABASE shop OWNER bauta_target');
    const first = await target('shop').inspect(toPlan({ adopt: { reason: 'ours since long' } }), smallCatalogue);
    expect(codes(first.findings)).toEqual([]);
    const plan = toPlan(
      { adopt: { reason: 'ours since long' } },
      { systemIdentifier: first.facts.systemIdentifier, databaseOid: first.facts.databaseOid ?? 0 },
    );
    const { findings } = await target('shop').inspect(plan, smallCatalogue);
    expect(codes(findings)).toEqual(['TARGET_IS_SOURCE']);
    await expect(target('shop').begin(plan, smallCatalogue, newRun())).rejects.toMatchObject({ code: 'TARGET_IS_SOURCE' });
    await expect(target('shop').begin(toPlan(), smallCatalogue, newRun())).rejects.toMatchObject({ code: 'TARGET_NOT_OURS' });
    await world.server.sql('postgres', 'DROP DATABASE shop');
    expect(await readTraces(world.server)).toEqual({ databases: [], roles: [] });
  });

  it('finds a read-only server, and warns of an older one', async () => {
    await world.server.sql('postgres', 'ALTER ROLE bauta_target SET default_transaction_read_only = on');
    const newer = { ...smallCatalogue, server: { ...smallCatalogue.server, version: 190_000 } };
    const { findings } = await target('fresh').inspect(toPlan(), newer);
    await world.server.sql('postgres', 'ALTER ROLE bauta_target RESET default_transaction_read_only');
    expect(codes(findings)).toEqual(['SERVER_READ_ONLY']);
    expect(codes(findings, 'warning')).toEqual(['TARGET_OLDER_VERSION']);
  });

  it('finds the target busy while a run lives, and a second run is refused', async () => {
    const staging = await target('busy').begin(toPlan(), smallCatalogue, newRun());
    const { findings } = await target('busy').inspect(toPlan(), smallCatalogue);
    expect(codes(findings)).toEqual(['TARGET_BUSY']);
    await expect(target('busy').begin(toPlan(), smallCatalogue, newRun())).rejects.toMatchObject({ code: 'TARGET_BUSY' });
    await staging.drop();
    expect(codes((await target('busy').inspect(toPlan(), smallCatalogue)).findings)).toEqual([]);
  });
});

it('has the server end a session that may hold a lock within half a minute after the machine at its other end is gone', async () => {
  const session = await new TargetServer({ name: 'env:TARGET', url: world.url('lasting') }, defaultTargetSettings).openMaintenance();
  const shown: Record<string, string> = {};
  for (const name of ['tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count', 'tcp_user_timeout'])
    shown[name] = Object.values((await session.query<Record<string, string>>(`SHOW ${name}`))[0] ?? {}).join();
  await session.end();
  // As the socket has them, which is what the server asks.
  expect(shown).toEqual({ tcp_keepalives_idle: '10', tcp_keepalives_interval: '5', tcp_keepalives_count: '3', tcp_user_timeout: '25000' });
});

describe('a delivery', () => {
  it('gives receipts that the server agrees with, line by line', async () => {
    const run = newRun();
    const { staging, receipts } = await stage(target('lines'), toPlan(), run);
    const lines = (texts: readonly string[]): Buffer[] =>
      texts.flatMap((text) => text.trimEnd().split('\n')).map((text) => Buffer.from(text));
    expect(receipts).toEqual([
      { schema: 'public', table: 'person', rows: 3, bytes: Buffer.byteLength(personLines.join('')), digest: expect.any(String) },
      { schema: 'Sales Dept', table: 'order', rows: 2, bytes: Buffer.byteLength(orderLines.join('')), digest: expect.any(String) },
    ]);
    expect(receipts[0]?.digest).toBe(toDigestText(sumOfLines(run.nonce, lines(personLines))));
    expect(await world.server.sql(staging.database, 'SELECT id, email::text, note FROM public.person ORDER BY id')).toEqual([
      { id: 1, email: 'Ada@example.com', note: 'tab\there' },
      { id: 2, email: 'bob@example.com', note: null },
      { id: 3, email: 'cy@example.com', note: '\\N and \u{1f600}' },
    ]);
    await staging.drop();
  });

  it('takes many streams of one table at once, and their receipts add up', async () => {
    const staging = await target('streams').begin(toPlan(), smallCatalogue, newRun());
    const streams = Array.from({ length: 9 }, (_, i) => deliver(staging, person, toBatches(`${i}\tp${i}@example.com\t\\N\n`)));
    expect((await Promise.all(streams)).every(({ rows }) => rows === 1)).toBe(true);
    expect(await world.server.sql(staging.database, 'SELECT count(*)::int AS n FROM public.person')).toEqual([{ n: 9 }]);
    await staging.drop();
    await expect(staging.load(person, toBatches(), false)).rejects.toMatchObject({ code: 'STAGING_CLOSED' });
  });

  it('brings the rows of a stream that is alone in frozen and in its order', async () => {
    const frozenPages = async (alone: boolean): Promise<unknown> => {
      const staging = await target('frozen').begin(toPlan(), smallCatalogue, newRun());
      await deliver(staging, person, toBatches('3\tc@example.com\t\\N\n', '1\ta@example.com\t\\N\n2\tb@example.com\t\\N\n'), alone);
      await world.server.sql(staging.database, 'CREATE EXTENSION pg_visibility');
      const [pages] = await world.server.sql(
        staging.database,
        `SELECT (SELECT all_frozen FROM pg_visibility_map_summary('public.person'))::int AS frozen, string_agg(id::text, ' ' ORDER BY ctid) AS ids FROM public.person`,
      );
      await staging.drop();
      return pages;
    };
    expect(await frozenPages(true)).toEqual({ frozen: 1, ids: '3 1 2' });
    expect(await frozenPages(false)).toEqual({ frozen: 0, ids: '3 1 2' });
  });

  it('says where a value was refused, and never which', async () => {
    const staging = await target('refused').begin(toPlan(), smallCatalogue, newRun());
    const error: unknown = await deliver(staging, person, toBatches('1\ta@example.com\t\\N\n', 'canary-4711\tb@example.com\t\\N\n')).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({ code: 'DELIVER_VALUE_REFUSED', where: { schema: 'public', table: 'person', column: 'id', row: 2 } });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('canary');
    const notNull: unknown = await deliver(staging, person, toBatches('1\t\\N\tcanary\n')).catch((thrown: unknown) => thrown);
    expect(notNull).toMatchObject({ code: 'DELIVER_VALUE_REFUSED', where: { column: 'email', sqlState: '23502' } });
    await staging.drop();
  });

  it('stops with the error of whoever makes the batches, and with a lie about their rows', async () => {
    const staging = await target('stopped').begin(toPlan(), smallCatalogue, newRun());
    const cause = new Error('from mask');
    const failing = async function* (): ReturnType<typeof toBatches> {
      yield* toBatches('1\ta@example.com\t\\N\n');
      throw cause;
    };
    await expect(deliver(staging, person, failing())).rejects.toBe(cause);
    // A line that is only \. ends the data for older servers: the count betrays it, whoever swallows what.
    const lying = async function* (): ReturnType<typeof toBatches> {
      for await (const batch of toBatches('1\ta@example.com\t\\N\n')) yield { ...batch, rows: 2 };
    };
    await expect(deliver(staging, person, lying())).rejects.toMatchObject({ code: 'DELIVER_ROWS_DIFFER' });
    await staging.drop();
  });

  it('builds what needs the rows of one table as soon as they are in, while another is still loaded', async () => {
    const keys = [
      {
        sql: 'ALTER TABLE public.person ADD CONSTRAINT person_pkey PRIMARY KEY (id)',
        object: 'person_pkey',
        rowsOf: 'table public.person',
      },
      { sql: 'ALTER TABLE public.person ADD CONSTRAINT person_note UNIQUE (note)', object: 'person_note', rowsOf: 'table public.person' },
      { sql: 'CREATE INDEX of_person ON "Sales Dept"."order" (person_id)', object: 'of_person', rowsOf: 'table "Sales Dept"."order"' },
    ];
    const postData = [keys, [{ sql: 'CREATE VIEW public.late AS SELECT 1 AS a', object: 'late' }]];
    const staging = await target('early', { schemaStatements: () => ({ ...smallSchema, postData }) }).begin(
      toPlan(),
      smallCatalogue,
      newRun(),
    );
    const indexes = async (): Promise<unknown[]> =>
      (
        await world.server.sql(
          staging.database,
          `SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indexrelid > 16383 AND indrelid::regclass::text NOT LIKE 'pg_toast%'`,
        )
      ).map(({ name }) => name);
    await deliver(staging, person, toBatches('1\ta@example.com\tsame\n2\tb@example.com\tsame\n'), true);
    const loadsOn = async function* (): ReturnType<typeof toBatches> {
      yield* toBatches(orderLines[0] as string);
      staging.loaded(person.loadInto);
      for (let waited = 0; !(await indexes()).includes('person_pkey') && waited < 200; waited++)
        await new Promise((wake) => setTimeout(wake, 25));
      expect(await indexes()).toEqual(['person_pkey']);
    };
    await deliver(staging, order, loadsOn(), true);
    staging.loaded(order.loadInto);
    const findings = await staging.finish();
    expect(findings.map(({ code, where }) => [code, where?.object])).toEqual([['DELIVER_OBJECT_FAILED', 'person_note']]);
    expect((await indexes()).sort()).toEqual(['"Sales Dept".of_person', 'person_pkey']);
    await staging.drop();
  });

  it('is dropped while it builds, and leaves nothing', async () => {
    const slow = { sql: 'DO $$ BEGIN PERFORM pg_sleep(30); END $$', object: 'slow', rowsOf: 'table public.person' };
    const staging = await target('cut').begin(toPlan(), smallCatalogue, newRun());
    const cut = await target('cut2', { schemaStatements: () => ({ ...smallSchema, postData: [[slow]] }) }).begin(
      toPlan(),
      smallCatalogue,
      newRun(),
    );
    cut.loaded(person.loadInto);
    await new Promise((wake) => setTimeout(wake, 300));
    await Promise.all([cut.drop(), staging.drop()]);
    expect(await readTraces(world.server)).toEqual({ databases: [], roles: [] });
  });

  it('returns all objects that cannot be made as findings, and an impossible schema as an error that names the object', async () => {
    const postData = [
      [
        { sql: 'ALTER TABLE public.person ADD PRIMARY KEY (id)', object: 'constraint person_pkey' },
        { sql: 'ALTER TABLE public.person ADD UNIQUE (note)', object: 'constraint person_note' },
        { sql: 'CREATE VIEW public.v AS SELECT 1 AS a; DROP TABLE public.person', object: 'view v' },
      ],
    ];
    const staging = await target('broken', { schemaStatements: () => ({ ...smallSchema, postData }) }).begin(
      toPlan(),
      smallCatalogue,
      newRun(),
    );
    await deliver(staging, person, toBatches('1\ta@example.com\tsame\n1\tb@example.com\tsame\n'));
    const progress: string[] = [];
    const findings = await staging.finish((done, of) => progress.push(`${done}/${of}`));
    expect(findings.map(({ where }) => [where.object, where.sqlState]).sort()).toEqual([
      ['constraint person_note', '23505'],
      ['constraint person_pkey', '23505'],
      ['view v', '42601'],
    ]);
    expect(progress).toEqual(['1/3', '2/3', '3/3']);
    await staging.drop();
    const preData = [{ sql: 'CREATE TABLE public.t (a no_such_type)', object: 'table public.t' }];
    const impossible = target('broken', { schemaStatements: () => ({ preData, postData: [] }) });
    await expect(impossible.begin(toPlan(), smallCatalogue, newRun())).rejects.toMatchObject({
      code: 'DELIVER_OBJECT_FAILED',
      where: { object: 'table public.t' },
    });
    expect(await readTraces(world.server)).toEqual({ databases: [], roles: [] });
  });

  it('runs the schema as a role that can do nothing else, in a database that nobody else may enter', async () => {
    const staging = await target('rights').begin(toPlan(), smallCatalogue, newRun());
    const [facts] = await world.server.sql(
      staging.database,
      `SELECT r.rolcanlogin, r.rolcreatedb, r.rolcreaterole, r.rolsuper, r.rolname AS owner, has_database_privilege('pg_monitor', d.oid, 'CONNECT') AS public,
              (SELECT relowner::regrole::text FROM pg_class WHERE oid = 'public.person'::regclass) AS table_owner
         FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE datname = current_database()`,
    );
    expect(facts).toEqual({
      // With a random password that only the run knows: what is merely SET ROLE could be reset by the schema's own code.
      rolcanlogin: true,
      rolcreatedb: false,
      rolcreaterole: false,
      rolsuper: false,
      owner: staging.database,
      public: false,
      table_owner: staging.database,
    });
    await staging.drop();
    await staging.drop();
    expect(await readTraces(world.server)).toEqual({ databases: [], roles: [] });
  });

  it('hands over what the run made in whatever order the server lists it', async () => {
    const half = { sql: `CREATE FUNCTION "Sales Dept".half(n int) RETURNS int LANGUAGE sql RETURN n / 2`, object: 'function half' };
    const staged = await stage(
      target('in_any_order', { schemaStatements: () => ({ ...smallSchema, preData: [...smallSchema.preData, half] }) }),
    );
    const { database } = staged.staging;
    // What a server lists by chance where it uses free room in its catalogue again: a function before its schema, both before their database.
    for (const place of ['SCHEMA "Sales Dept"', `DATABASE "${database}"`])
      for (const owner of ['postgres', database]) await world.server.sql(database, `ALTER ${place} OWNER TO "${owner}"`);
    expect(await staged.publish()).toEqual([]);
    const owners = await world.server.sql(
      'in_any_order',
      `SELECT pg_get_userbyid(proowner) AS of_function, pg_get_userbyid(nspowner) AS of_schema, pg_get_userbyid(datdba) AS of_database
         FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace, pg_database WHERE proname = 'half' AND datname = 'in_any_order'`,
    );
    expect(new Set(Object.values(owners[0] ?? {})).size).toBe(1);
    expect(Object.values(owners[0] ?? {})[0]).not.toBe(database);
    await world.server.sql('postgres', 'DROP DATABASE in_any_order');
    await world.server.sql('postgres', 'DROP ROLE in_any_order_owner, in_any_order_rw, in_any_order_ro');
  });

  it('leaves the target alone when the database that must not be replaced appears during the run', async () => {
    const { staging, publish } = await stage(target('late'));
    await world.server.create('late');
    await expect(publish()).rejects.toMatchObject({ code: 'TARGET_CHANGED' });
    await staging.drop();
    expect(await readTraces(world.server)).toEqual({ databases: ['late'], roles: [] });
    await world.server.sql('postgres', 'DROP DATABASE late');
  });
});

it('loads a table through its partitioned root when the plan says so', async () => {
  const schema = {
    preData: [
      { sql: 'CREATE TABLE public.root (k int, t text) PARTITION BY RANGE (k)', object: 'table root' },
      { sql: 'CREATE TABLE public.low PARTITION OF public.root FOR VALUES FROM (0) TO (10)', object: 'table low' },
      { sql: 'CREATE TABLE public.high PARTITION OF public.root FOR VALUES FROM (10) TO (20)', object: 'table high' },
    ],
    postData: [],
  };
  const low: TablePlan = {
    ...person,
    name: 'low',
    columns: ['k', 't'].map((name) => ({ name })) as unknown as TablePlan['columns'],
    loadInto: { schema: 'public', name: 'root' },
  };
  const plan = { ...toPlan(), tables: [low] } as Plan;
  const staging = await target('parts', { schemaStatements: () => schema }).begin(plan, smallCatalogue, newRun());
  await deliver(staging, low, toBatches('1\ta\n15\tb\n'));
  expect(await staging.finish()).toEqual([]);
  expect(await world.server.sql(staging.database, 'SELECT k FROM public.high')).toEqual([{ k: 15 }]);
  await staging.drop();
});
