import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { systemClock } from '../../src/kernel/clock.js';
import { toPlanLines } from '../../src/cli/plan-text.js';
import { toPlanView } from '../../src/pipeline/plan-view.js';
import { PostgresTarget } from '../../src/systems/postgres/target/target.js';
import { type DebianServer, hasDebianServer, startDebianServer } from '../support/debian-server.js';
import { type Planned, type PlanWorld, startPlanWorld, toSaid } from '../support/planned.js';
import { smallCatalogue, smallSchema, toPlan } from '../support/target-world.js';

/** Roles of the source: an owner, two that the tests map, and one person's own login, which nobody maps. */
const sourceRoles = 'CREATE ROLE shop_owner; CREATE ROLE app_rw; CREATE ROLE reporting; CREATE ROLE "Anna S." LOGIN';

const sql = `
  CREATE SCHEMA sales; ALTER SCHEMA sales OWNER TO shop_owner;
  SET ROLE shop_owner;
  CREATE TYPE sales.state AS ENUM ('new', 'sent');
  CREATE DOMAIN sales.amount AS int CHECK (VALUE >= 0);
  CREATE TABLE sales."order" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state sales.state, amount sales.amount, note text);
  CREATE TABLE sales.untouched (id int);
  CREATE SEQUENCE sales.numbers;
  CREATE VIEW sales.sent AS SELECT id FROM sales."order" WHERE state = 'sent';
  CREATE FUNCTION sales.total(int, sales.amount) RETURNS int LANGUAGE sql AS 'SELECT $1 + $2';
  CREATE FUNCTION sales.open() RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE PROCEDURE sales.tidy(INOUT n int) LANGUAGE sql AS 'SELECT 1';
  CREATE AGGREGATE sales.most(int) (SFUNC = int4larger, STYPE = int);
  GRANT USAGE ON SCHEMA sales TO reporting, app_rw, "Anna S.";
  GRANT SELECT (id, amount) ON sales."order" TO reporting;
  GRANT SELECT, INSERT, UPDATE ON sales."order" TO app_rw WITH GRANT OPTION;
  GRANT SELECT ON sales."order" TO "Anna S.";
  GRANT SELECT ON sales.sent TO PUBLIC; GRANT SELECT, DELETE ON sales.sent TO reporting;
  GRANT USAGE ON SEQUENCE sales.numbers TO app_rw;
  REVOKE EXECUTE ON FUNCTION sales.total(int, sales.amount) FROM PUBLIC; GRANT EXECUTE ON FUNCTION sales.total(int, sales.amount) TO app_rw;
  REVOKE EXECUTE ON PROCEDURE sales.tidy(int) FROM PUBLIC; GRANT EXECUTE ON PROCEDURE sales.tidy(int) TO reporting;
  REVOKE EXECUTE ON FUNCTION sales.most(int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION sales.most(int) TO reporting;
  REVOKE USAGE ON TYPE sales.state FROM PUBLIC; GRANT USAGE ON TYPE sales.state TO app_rw;
  ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reporting;
  ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
  ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT USAGE ON SEQUENCES TO app_rw, "Anna S.";
  ALTER TABLE sales."order" ENABLE ROW LEVEL SECURITY;
  CREATE POLICY sent ON sales."order" FOR SELECT TO reporting USING (state = 'sent');
  RESET ROLE`;

const tables =
  '{ sales.order: { columns: { note: pii.email }, keep: [{ columns: [id, state, amount], reason: says nothing of a person }] }, sales.untouched: { keep: [{ columns: [id], reason: says nothing of a person }] } }';
const roles = 'roles: { owner: dev_owner, readWrite: dev_rw, readOnly: dev_ro, map: { app_rw: dev_rw, reporting: dev_report } }';
const planned: Planned = { sql, tables, target: roles };

const environment = ['dev_owner', 'dev_rw', 'dev_ro', 'dev_report'];

/** A test's databases and what it made of roles; those of the source stay. */
async function clear({ server }: PlanWorld): Promise<void> {
  const databases = await server.sql('postgres', `SELECT datname AS name FROM pg_database WHERE datname ~ '^planned_'`);
  for (const { name } of databases) await server.sql('postgres', `DROP DATABASE "${String(name)}" WITH (FORCE)`);
  for (const role of environment) await server.sql('postgres', `DROP ROLE IF EXISTS ${role}`);
}

describe('roles mapped by the pipeline', () => {
  let world: PlanWorld;
  beforeAll(async () => {
    world = await startPlanWorld();
    await world.server.sql('postgres', sourceRoles);
  }, 60_000);
  afterEach(() => clear(world));
  afterAll(() => world.stop());
  const planWith = (target: string, more = ''): ReturnType<PlanWorld['plan']> => world.plan({ ...planned, sql: sql + more, target });

  it('get what the source roles have, and nobody gets anything else', async () => {
    const { summary, error, copy } = await world.run(planned);
    expect(error).toBeUndefined();
    expect(summary).toMatchObject({ state: 'published' });

    const may = async (role: string): Promise<unknown> =>
      (
        await copy(`SELECT has_table_privilege('${role}', 'sales."order"', 'SELECT') AS reads, has_table_privilege('${role}', 'sales."order"', 'INSERT') AS writes,
          has_column_privilege('${role}', 'sales."order"', 'amount', 'SELECT') AS amount, has_table_privilege('${role}', 'sales.untouched', 'SELECT') AS untouched,
          has_function_privilege('${role}', 'sales.total(int, sales.amount)', 'EXECUTE') AS total, has_function_privilege('${role}', 'sales.open()', 'EXECUTE') AS open,
          has_schema_privilege('${role}', 'sales', 'USAGE') AS inside, has_database_privilege('${role}', current_database(), 'CONNECT') AS connects`)
      )[0];
    const nothing = {
      reads: false,
      writes: false,
      amount: false,
      untouched: false,
      total: false,
      open: true,
      inside: false,
      connects: true,
    };
    expect(await may('dev_rw')).toEqual({ ...nothing, reads: true, writes: true, amount: true, total: true, inside: true });
    expect(await may('dev_report')).toEqual({ ...nothing, amount: true, inside: true });
    expect(await may('dev_ro')).toEqual(nothing);
    expect(await may('app_rw')).toEqual({ ...nothing, connects: false });
    // The grant option stays behind, with the grantors, the owners and the roles of the source.
    const named = await copy(
      `SELECT DISTINCT r.rolname AS name FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
        WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1`,
    );
    expect(named.map(({ name }) => name)).toEqual(['bauta_target', 'dev_owner', 'dev_report', 'dev_rw']);
    expect(
      await copy(`SELECT count(*)::int AS n FROM pg_class, aclexplode(relacl) a WHERE a.is_grantable AND a.grantee <> relowner`),
    ).toEqual([{ n: 0 }]);
    expect(await copy(`SELECT polroles::regrole[]::text AS roles FROM pg_policy`)).toEqual([{ roles: '{dev_report}' }]);
    const made = await copy(
      `SELECT rolname AS name, rolcanlogin OR rolsuper OR rolcreatedb OR rolcreaterole OR rolpassword IS NOT NULL AS more FROM pg_authid WHERE rolname ~ '^dev_' ORDER BY 1`,
    );
    expect(made).toEqual([...environment].sort().map((name) => ({ name, more: false })));
    // What the owner makes later.
    await copy(
      'SET ROLE dev_owner; CREATE TABLE sales.later (id int); CREATE FUNCTION sales.later() RETURNS int LANGUAGE sql AS $$SELECT 1$$; RESET ROLE',
    );
    expect(
      await copy(`SELECT has_table_privilege('dev_report', 'sales.later', 'SELECT') AS reads, has_table_privilege('dev_rw', 'sales.later', 'SELECT') AS rw,
        has_function_privilege('dev_rw', 'sales.later()', 'EXECUTE') AS runs`),
    ).toEqual([{ reads: true, rw: false, runs: false }]);
  }, 60_000);

  it('are in the plan and its digest, while the catalogue digest does not know them; the plan prints who gets what', async () => {
    const seen = await world.plan(planned);
    expect(toSaid(seen)).toContain('warning PLAN_ROLES_LEFT_OUT');
    expect(JSON.stringify(seen.findings)).not.toContain('Anna');
    expect(seen.findings.find(({ code }) => code === 'PLAN_ROLES_LEFT_OUT')).toMatchObject({ where: { amount: '1', line: 4 } });
    if (!seen.plan) throw new Error(toSaid(seen).join('\n'));
    expect(JSON.stringify(seen.plan)).not.toContain('Anna');
    const lines = toPlanLines(toPlanView(seen.plan, seen.catalogue)).join('\n');
    expect(lines).toContain('  dev_rw: SELECT, INSERT, UPDATE on table sales.order');
    expect(lines).toContain('  dev_report: SELECT on column sales.order.amount, column sales.order.id, tables made later');
    expect(lines).toContain('PUBLIC: loses what it has of itself on');
    expect(lines).toContain('  not mapped, and left with nothing: Anna S.');
    const other = { ...seen.catalogue, grants: [], defaultGrants: [] };
    expect(toPlanView(seen.plan, other).roles?.leftOut).toEqual([]);
    const without = await world.plan({ ...planned, target: 'keepVersions: 1' });
    expect(without.plan?.roles).toBeUndefined();
    expect(without.plan && toPlanView(without.plan, without.catalogue).roles).toBeNull();
  }, 60_000);

  it('are refused by name and line where the source has no such role, and where a policy names one that is not mapped', async () => {
    const seen = await planWith('roles: { map: { app_rv: dev_rw } }');
    expect(toSaid(seen).filter((line) => line.startsWith('error'))).toEqual([
      'error PLAN_ROLE_UNUSED',
      'error SCHEMA_ROLE_UNMAPPED policy sales.order.sent',
    ]);
    expect(seen.findings.find(({ code }) => code === 'PLAN_ROLE_UNUSED')).toMatchObject({
      where: { name: 'app_rv', expected: 'app_rw', line: 4 },
    });
  }, 60_000);

  it.each([
    ['a superuser', 'postgres', 'TARGET_ROLE_CLASH', 'it is a superuser'],
    ['a predefined role', 'pg_read_all_data', 'PLAN_ROLE_REFUSED', "a role that begins with pg_ is the server's own"],
    ['the provisioning role', 'bauta_target', 'TARGET_ROLE_CLASH', 'it has the rights of bauta_target'],
    ['a role that may become the provisioning role', 'deputy', 'TARGET_ROLE_CLASH', 'it has the rights of bauta_target'],
    ['a name of a role of a run', '"shop_bauta_0123456789abcdef"', 'TARGET_ROLE_CLASH', 'roles of runs are named so'],
    ['a role of another target', 'elsewhere_rw', 'TARGET_ROLE_CLASH', 'it is of the target elsewhere'],
    ['PUBLIC', 'public', 'PLAN_ROLE_REFUSED', 'the server keeps the word for itself'],
  ])(
    'are never mapped to %s',
    async (_, name, code, expected) => {
      await world.server.sql(
        'postgres',
        `CREATE ROLE deputy IN ROLE bauta_target; CREATE ROLE elsewhere_rw;
      COMMENT ON ROLE elsewhere_rw IS '{"bauta":1,"target":"elsewhere","role":"rw"}'`,
      );
      try {
        const seen = await planWith(`roles: { map: { app_rw: ${name}, reporting: dev_report } }`);
        expect(seen.findings.filter(({ severity }) => severity === 'error')).toMatchObject([{ code, where: { expected } }]);
      } finally {
        await world.server.sql('postgres', 'DROP ROLE deputy, elsewhere_rw');
      }
    },
    60_000,
  );

  it('may be roles that are there, a login among them, which then keep all that they are', async () => {
    await world.server.sql('postgres', `CREATE ROLE dev_report LOGIN PASSWORD 'kept' CONNECTION LIMIT 3`);
    const { summary, error, copy } = await world.run(planned);
    expect(error).toBeUndefined();
    expect(summary).toMatchObject({ state: 'published' });
    expect(
      await copy(`SELECT rolcanlogin AS login, rolconnlimit AS amount, rolpassword IS NOT NULL AS kept, has_schema_privilege('dev_report', 'sales', 'USAGE') AS inside
      FROM pg_authid WHERE rolname = 'dev_report'`),
    ).toEqual([{ login: true, amount: 3, kept: true, inside: true }]);
  }, 60_000);

  it('go again with a run that publishes nothing', async () => {
    const { summary } = await world.run({ ...planned, after: 'SELECT 1 / 0' });
    expect(summary.state).toBe('failed');
    expect(await world.server.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname = ANY ('{${environment.join()}}')`)).toEqual([]);
  }, 60_000);
});

(hasDebianServer() ? describe : describe.skip)('the rights of a mapped copy, held against pg_dump of PostgreSQL 15', () => {
  let server: DebianServer;
  let world: PlanWorld;
  beforeAll(async () => {
    server = await startDebianServer();
    world = await startPlanWorld(server);
    await server.sql('postgres', sourceRoles);
  }, 60_000);
  afterAll(() => world.stop());

  it('pg_dump -s of the copy is that of the source, privileges included, with the roles of the map and without those that are not mapped', async () => {
    const { summary } = await world.run(planned);
    expect(summary).toMatchObject({ state: 'published' });
    const toLines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
    const renamed = server
      .dump('planned_1', '-s')
      .replaceAll(' WITH GRANT OPTION', '')
      .replace(/\bshop_owner\b/g, 'dev_owner')
      .replace(/\bapp_rw\b/g, 'dev_rw')
      .replace(/\breporting\b/g, 'dev_report');
    const expected = toLines(renamed).filter((line) => !line.includes('Anna'));
    expect(expected.filter((line) => /^(GRANT|REVOKE|ALTER DEFAULT)/.test(line))).toHaveLength(19);
    expect(toLines(server.dump('planned_1_dev', '-s', '-N', 'bauta')).sort()).toEqual(expected.sort());
  }, 60_000);

  it('a target that knows no MAINTAIN is refused before a row is read', async () => {
    const target = new PostgresTarget({
      connection: { name: 'env:T', url: server.url('older') },
      schemaStatements: () => smallSchema,
      clock: systemClock,
    });
    const entries = [{ role: 'older_rw', privileges: ['MAINTAIN' as const] }];
    const grant = { label: 'table public.person', on: 'TABLE' as const, schema: 'public', name: 'person', closed: false, entries };
    const newer = { ...smallCatalogue, server: { ...smallCatalogue.server, version: 170_000 } };
    const codesOf = async (grants: readonly (typeof grant)[]): Promise<unknown[]> =>
      (await target.inspect({ ...toPlan(), roles: { grants, defaults: [] } }, newer)).findings.map(({ code, where }) => [
        code,
        where.expected,
      ]);
    expect(await codesOf([grant])).toContainEqual(['TARGET_OLDER', 'the privilege MAINTAIN']);
    expect((await codesOf([])).map(String)).not.toContain('TARGET_OLDER,the privilege MAINTAIN');
  });
});
