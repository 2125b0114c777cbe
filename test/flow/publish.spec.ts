import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';

import { toError } from '../../src/kernel/errors.js';
import type { PostgresTarget } from '../../src/systems/postgres/target/target.js';
import { type TargetWorld, newRun, readTraces, smallCatalogue, stage, startTargetWorld, toPlan, toUrl } from '../support/target-world.js';

let world: TargetWorld;
const open: PostgresTarget[] = [];
const target = (...words: Parameters<TargetWorld['target']>): PostgresTarget => {
  const made = world.target(...words);
  open.push(made);
  return made;
};
beforeAll(async () => (world = await startTargetWorld()), 60_000);
afterAll(() => world.server.stop());
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  const databases = (await readTraces(world.server)).databases as string[];
  for (const name of databases) await world.server.sql('postgres', `DROP DATABASE "${name}" WITH (FORCE)`);
  const roles = (await readTraces(world.server)).roles as string[];
  for (const name of roles) await world.server.sql('postgres', `DROP ROLE "${name}"`);
});

async function publishOnce(name: string, plan = toPlan(), run = newRun()): Promise<string> {
  const { publish } = await stage(target(name), plan, run);
  expect(await publish()).toEqual([]);
  return run.id;
}

async function readObject(database: string): Promise<number> {
  const [row] = await world.server.sql('postgres', `SELECT oid::int AS oid FROM pg_database WHERE datname = '${database}'`);
  return Number(row?.['oid']);
}

it('a first publication makes the target, owned by the environment, with rights for reading and writing and no role of the run left', async () => {
  const runId = await publishOnce('shop');
  expect(await readTraces(world.server)).toEqual({ databases: ['shop'], roles: ['shop_owner', 'shop_ro', 'shop_rw'] });
  const [facts] = await world.server.sql(
    'shop',
    `SELECT pg_get_userbyid(datdba) AS owner, shobj_description(oid, 'pg_database')::jsonb AS comment,
            has_database_privilege('shop_ro', oid, 'CONNECT') AS ro_connects, has_database_privilege('pg_monitor', oid, 'CONNECT') AS public_connects,
            has_table_privilege('shop_ro', 'people', 'SELECT') AS ro_reads, has_table_privilege('shop_ro', 'person', 'INSERT') AS ro_writes,
            has_table_privilege('shop_rw', '"Sales Dept"."order"', 'INSERT') AS rw_writes,
            has_sequence_privilege('shop_rw', 'person_id_seq', 'USAGE') AS rw_numbers, nextval('person_id_seq')::int AS next,
            (SELECT relowner::regrole::text FROM pg_class WHERE oid = 'person'::regclass) AS table_owner
       FROM pg_database WHERE datname = 'shop'`,
  );
  expect(facts).toMatchObject({
    owner: 'shop_owner',
    table_owner: 'shop_owner',
    comment: { bauta: 1, target: 'shop', version: 1, state: 'current', runId, planDigest: 'sha256:of-the-plan' },
    ro_connects: true,
    public_connects: false,
    ro_reads: true,
    ro_writes: false,
    rw_writes: true,
    rw_numbers: true,
    next: 101,
  });
  expect(await target('shop').datasets()).toEqual([
    expect.objectContaining({ target: 'shop', version: 1, state: 'current', runId, database: 'shop', planDigest: 'sha256:of-the-plan' }),
  ]);
});

it('a role that the document maps to is made without login and password, may come in with the publication, and may do there what it was given', async () => {
  const roles = { owner: 'team', map: { app: 'shop_app', other: 'shop_app' } };
  const { staging, publish } = await stage(target('shop'), toPlan({ roles }));
  const mayConnect = async (database: string): Promise<unknown> =>
    (await world.server.sql('postgres', `SELECT has_database_privilege('shop_app', '${database}', 'CONNECT') AS may`))[0]?.['may'];
  expect(await mayConnect(staging.database)).toBe(false);
  expect(await publish()).toEqual([]);
  expect(await mayConnect('shop')).toBe(true);
  expect(await readTraces(world.server)).toEqual({ databases: ['shop'], roles: ['shop_app', 'shop_ro', 'shop_rw', 'team'] });
  const [facts] = await world.server.sql(
    'shop',
    `SELECT rolcanlogin AS login, rolpassword IS NOT NULL AS password, shobj_description(oid, 'pg_authid')::jsonb AS comment,
            (SELECT datdba::regrole::text FROM pg_database WHERE datname = 'shop') AS owner FROM pg_authid WHERE rolname = 'shop_app'`,
  );
  expect(facts).toEqual({ login: false, password: false, comment: { bauta: 1, target: 'shop', role: 'mapped' }, owner: 'team' });
  // One that was dropped leaves no role behind.
  const fresh = await stage(target('fresh'), toPlan({ roles: { map: { app: 'fresh_app' } } }));
  await fresh.staging.drop();
  expect((await readTraces(world.server)).roles).toEqual(['shop_app', 'shop_ro', 'shop_rw', 'team']);
});

it('later publications keep the version before, drop the older ones, and rolling back switches to it in one step', async () => {
  const runs = [await publishOnce('shop'), await publishOnce('shop'), await publishOnce('shop')];
  const list = async (): Promise<unknown[]> =>
    (await target('shop').datasets()).map(({ version, state, runId }) => [version, state, runId]);
  expect(await list()).toEqual([
    [3, 'current', runs[2]],
    [2, 'previous', runs[1]],
  ]);
  expect(await target('shop').rollback()).toMatchObject({ version: 2, state: 'current', runId: runs[1], database: 'shop' });
  expect(await list()).toEqual([
    [3, 'previous', runs[2]],
    [2, 'current', runs[1]],
  ]);
  // What was rolled back is no version to return to; the next publication keeps the one that it replaces.
  await expect(target('shop').rollback()).rejects.toMatchObject({ code: 'ROLLBACK_NOTHING' });
  runs.push(await publishOnce('shop'));
  expect(await list()).toEqual([
    [4, 'current', runs[3]],
    [2, 'previous', runs[1]],
  ]);
});

it('publishes and rolls back under clients that reconnect at once, who see the old or the new version and nothing else', async () => {
  await publishOnce('shop');
  // Sessions of a superuser could not be ended by the provisioning role: the clients are an ordinary role of the environment.
  await world.server.sql('postgres', `CREATE ROLE app LOGIN PASSWORD 'a password' IN ROLE shop_rw`);
  const app = toUrl(world.server.url('shop'), 'app');
  const seen = new Set<string>();
  const running = { on: true };
  const client = async (): Promise<void> => {
    while (running.on) {
      const one = new pg.Client({ connectionString: app, application_name: 'client' });
      one.on('error', () => undefined);
      try {
        await one.connect();
        for (let i = 0; running.on; i++) {
          const { rows } = await one.query<{ c: string; n: number }>(
            `SELECT shobj_description(oid, 'pg_database')::jsonb ->> 'version' AS c, (SELECT count(*)::int FROM person) AS n
               FROM pg_database WHERE datname = current_database()`,
          );
          seen.add(`${rows[0]?.c} with ${rows[0]?.n} rows`);
        }
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      } finally {
        await one.end().catch(() => undefined);
      }
    }
  };
  const clients = Array.from({ length: 8 }, client);
  await new Promise((resolve) => setTimeout(resolve, 300));
  try {
    const { publish } = await stage(target('shop'));
    const start = performance.now();
    await publish();
    expect(performance.now() - start).toBeLessThan(10_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await target('shop').rollback();
    await new Promise((resolve) => setTimeout(resolve, 300));
  } finally {
    running.on = false;
    await Promise.all(clients);
  }
  expect([...seen].sort()).toEqual(['1 with 3 rows', '2 with 3 rows']);
});

it('withholds and names who is connected when a session may not be ended, and the target is as it was', async () => {
  await publishOnce('shop');
  const before = await readObject('shop');
  const { staging, publish } = await stage(target('shop', { settings: { switchTimeoutMs: 100 } }));
  const admin = new pg.Client({ connectionString: world.server.url('shop'), application_name: 'the admin console' });
  await admin.connect();
  try {
    await expect(publish()).rejects.toMatchObject({
      code: 'TARGET_IN_USE',
      where: { expected: expect.stringContaining('postgres (the admin console)') },
    });
    expect((await admin.query('SELECT count(*)::int AS n FROM person')).rows).toEqual([{ n: 3 }]);
  } finally {
    await admin.end();
  }
  await staging.drop();
  expect(await readObject('shop')).toBe(before);
  expect(await readTraces(world.server)).toEqual({ databases: ['shop'], roles: ['shop_owner', 'shop_ro', 'shop_rw'] });
});

it('carries settings, rights, limits, encoding, locale and comment of an adopted database over, and never drops that database', async () => {
  await world.server.sql(
    'postgres',
    `CREATE DATABASE shop OWNER bauta_target TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'de'`,
  );
  await world.server.sql(
    'postgres',
    `CREATE ROLE reporting; GRANT CONNECT ON DATABASE shop TO reporting WITH GRANT OPTION; REVOKE ALL ON DATABASE shop FROM PUBLIC;
     ALTER DATABASE shop CONNECTION LIMIT 77; COMMENT ON DATABASE shop IS 'the shop''s test place';
     ALTER DATABASE shop SET search_path = "$user", "Sales Dept", public; ALTER DATABASE shop SET work_mem = '7MB';
     ALTER DATABASE shop SET my.flavour = 'it''s \\ vanilla'; ALTER ROLE reporting IN DATABASE shop SET work_mem = '6MB'; GRANT reporting TO bauta_target WITH ADMIN OPTION`,
  );
  const read = (): Promise<Record<string, unknown>[]> =>
    world.server.sql(
      'postgres',
      `SELECT encoding, datcollate, datctype, datlocprovider, coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale, datconnlimit,
              (SELECT array_agg(s.setrole::regrole::text || ':' || c ORDER BY s.setrole, c) FROM pg_db_role_setting s, unnest(setconfig) c WHERE s.setdatabase = d.oid) AS settings,
              has_database_privilege('reporting', oid, 'CONNECT WITH GRANT OPTION') AS reporting, has_database_privilege('pg_monitor', oid, 'CONNECT') AS public
         FROM pg_database d WHERE datname = 'shop'`,
    );
  const before = await read();
  await expect(target('shop').begin(toPlan(), {} as never, newRun())).rejects.toMatchObject({ code: 'TARGET_NOT_OURS' });
  const adopted = await readObject('shop');
  const plan = toPlan({ adopt: { reason: 'it was made by hand' }, keepVersions: 0 });
  const { findings } = await target('shop').inspect(plan, smallCatalogue);
  expect(findings.map(({ code, where }) => [code, where.name])).toEqual([['TARGET_SETTING_LOCKED', 'my.flavour']]);
  await world.server.sql('postgres', 'GRANT SET ON PARAMETER my.flavour TO bauta_target');
  expect((await target('shop').inspect(plan, smallCatalogue)).findings).toEqual([]);
  await publishOnce('shop', plan);
  await publishOnce('shop', plan);
  expect(await read()).toEqual(before);
  expect(await readObject('shop')).not.toBe(adopted);
  const datasets = await target('shop').datasets();
  expect(datasets.map(({ version, state }) => [version, state])).toEqual([
    [2, 'current'],
    [0, 'previous'],
  ]);
  expect(await readObject(datasets[1]?.database ?? '')).toBe(adopted);
  const [comment] = await world.server.sql(
    'postgres',
    `SELECT shobj_description(oid, 'pg_database')::jsonb ->> 'comment' AS text FROM pg_database WHERE datname = 'shop'`,
  );
  expect(comment).toEqual({ text: "the shop's test place" });
});

it('leaves the old version in place when publication fails half-way, whichever the step', async () => {
  await publishOnce('shop');
  const before = await readObject('shop');
  for (const step of ['owner.change', 'database.switch'] as const) {
    const stopping = target('shop', {
      onStep: (at) => {
        if (at === step) throw toError('TARGET_CHANGED', { name: 'stopped by the test' });
      },
    });
    const { staging, publish } = await stage(stopping);
    await expect(publish()).rejects.toMatchObject({ code: 'TARGET_CHANGED' });
    await staging.drop();
  }
  // A setting that may not be copied fails inside the transaction, after the first grants.
  await world.server.sql('postgres', `CREATE ROLE elsewhere SUPERUSER; ALTER ROLE elsewhere IN DATABASE shop SET work_mem = '5MB'`);
  const { staging, publish } = await stage(target('shop'));
  await expect(publish()).rejects.toMatchObject({ code: 'PRIVILEGE_MISSING' });
  await staging.drop();
  expect(await readObject('shop')).toBe(before);
  expect(await readTraces(world.server)).toEqual({ databases: ['shop'], roles: ['elsewhere', 'shop_owner', 'shop_ro', 'shop_rw'] });
});

it('publishes nothing once the lock is lost', async () => {
  const { staging, publish } = await stage(target('shop'));
  await world.server.sql(
    'postgres',
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() GROUP BY pid`,
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  await expect(publish()).rejects.toMatchObject({ code: 'TARGET_LOCK_LOST' });
  await staging.drop();
  expect(await readTraces(world.server)).toEqual({ databases: [], roles: [] });
});

it('runs the pipeline’s own SQL as the run’s role and gives what it makes to the environment’s owner, who may not enter yet', async () => {
  const { staging, publish } = await stage(target('shop'));
  await staging.runAfter([
    {
      path: 'after/accounts.sql',
      sql: `CREATE TABLE public.who AS SELECT current_user::text AS who;\nINSERT INTO public.who VALUES ('x');`,
    },
  ]);
  expect(await world.server.sql(staging.database, 'SELECT who FROM public.who ORDER BY 1')).toEqual([
    { who: staging.database },
    { who: 'x' },
  ]);
  const [entry] = await world.server.sql(
    'postgres',
    `SELECT has_database_privilege('shop_owner', '${staging.database}', 'CONNECT') AS may`,
  );
  expect(entry).toEqual({ may: false });
  await expect(staging.runAfter([{ path: 'after/wrong.sql', sql: 'SELECT 1;\n\nSELECT canary FROM public.who' }])).rejects.toMatchObject({
    code: 'DELIVER_AFTER_FAILED',
    where: { file: 'after/wrong.sql', line: 3, sqlState: '42703' },
  });
  await publish();
  expect(
    await world.server.sql(
      'shop',
      `SELECT count(*)::int AS n, (SELECT relowner::regrole::text FROM pg_class WHERE relname = 'who') AS owner FROM who`,
    ),
  ).toEqual([{ n: 2, owner: 'shop_owner' }]);
});

it('drops the environment’s roles again when its first run does not publish', async () => {
  const { staging } = await stage(target('shop'));
  expect((await readTraces(world.server)).roles).toContain('shop_owner');
  await staging.drop();
  expect(await readTraces(world.server)).toEqual({ databases: [], roles: [] });
});
