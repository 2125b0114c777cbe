import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import pg from 'pg';

import { newRunId } from '../../src/kernel/ids.js';
import { packageFile } from '../../src/kernel/package-root.js';
import type { CloneOrder, Login } from '../../src/pipeline/ports.js';
import type { PostgresTarget } from '../../src/systems/postgres/target/target.js';
import { debianProgram, hasDebianServer } from '../support/debian-server.js';
import { type TargetWorld, newRun, readTraces, stage, startTargetWorld, toPlan } from '../support/target-world.js';

const dayMs = 86_400_000;
const cloned = { clones: { max: 50, hours: 24 } };

describe.each(['the embedded 18', ...(hasDebianServer() ? ['Debian 15'] : [])])('clones on %s', (which) => {
  let world: TargetWorld;
  let target: PostgresTarget;
  const sql = (database: string, text: string): Promise<Record<string, unknown>[]> => world.server.sql(database, text);
  const order = (of: Partial<CloneOrder> = {}): CloneOrder => ({
    ...{ id: newRunId(Date.now()), for: 'pr-1', expiresAt: new Date(Date.now() + dayMs).toISOString(), max: 50 },
    lastsUntil: new Date(Date.now() + 9 * dayMs).toISOString(),
    ...of,
  });
  const enter = async (login: Login, database = login.role): Promise<pg.Client> => {
    const url = new URL(world.server.url(database));
    [url.username, url.password] = [encodeURIComponent(login.role), encodeURIComponent(login.password)];
    const client = new pg.Client({ connectionString: url.toString() });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const refusal = (login: Login, database: string): Promise<string> =>
    enter(login, database).then(
      async (client) => {
        await client.end();
        return 'let in';
      },
      (error: unknown) => (error as { code: string }).code,
    );
  const template = (): string => `shop_bauta_${runId}_template`;
  let runId = '';

  beforeAll(async () => {
    world = await startTargetWorld(which === 'Debian 15' ? { binaries: dirname(debianProgram('postgres')) } : undefined);
    target = world.target('shop');
    const run = newRun();
    runId = run.id;
    const { publish } = await stage(target, toPlan(cloned), run);
    expect(await publish()).toEqual([]);
  }, 60_000);
  afterAll(async () => {
    await target.close();
    await world.server.stop();
  });

  it('publishes a copy, and keeps the verified database as a template that nobody can connect to', async () => {
    expect(await readTraces(world.server)).toEqual({ databases: ['shop', template()], roles: ['shop_owner', 'shop_ro', 'shop_rw'] });
    expect((await target.datasets()).map(({ state, database }) => [state, database])).toEqual([['current', 'shop']]);
    const [facts] = await sql(
      'postgres',
      `SELECT datallowconn AS open, datdba::regrole::text AS owner,
              (SELECT count(*)::int FROM pg_roles WHERE NOT rolsuper AND has_database_privilege(oid, d.oid, 'CONNECT')) AS connecting
         FROM pg_database d WHERE datname = '${template()}'`,
    );
    expect(facts).toEqual({ open: false, owner: 'bauta_target', connecting: 0 });
    await expect(sql(template(), 'SELECT 1')).rejects.toMatchObject({ code: '55000' });
    const [shop] = await sql(
      'shop',
      `SELECT count(*)::int AS rows, pg_get_userbyid(relowner) AS owner FROM person, pg_class WHERE oid = 'person'::regclass GROUP BY 2`,
    );
    expect(shop).toEqual({ rows: 3, owner: 'pg_database_owner' });
    const [rights] = await sql(
      'shop',
      `SELECT has_table_privilege('shop_rw', 'person', 'INSERT') AS rw, has_table_privilege('shop_ro', 'person', 'SELECT') AS ro,
              has_table_privilege('shop_ro', 'person', 'INSERT') AS ro_writes, has_database_privilege('pg_monitor', 'shop', 'CONNECT') AS public`,
    );
    expect(rights).toEqual({ rw: true, ro: true, ro_writes: false, public: false });
    await sql('shop', 'SET ROLE shop_owner; ALTER TABLE person ADD COLUMN by_owner int; ALTER TABLE person DROP COLUMN by_owner');
  });

  it('gives a clone that its role owns and may change as it likes, and that is opened to nobody else', async () => {
    await sql('postgres', `ALTER DATABASE shop SET search_path = '$user', "Sales Dept", public`);
    const { clone, login } = await target.clones.make(order());
    expect(clone).toMatchObject({ target: 'shop', for: 'pr-1', version: 1, runId, database: login.role });
    expect(await target.clones.list()).toEqual([clone]);
    const client = await enter(login);
    expect((await client.query('SHOW search_path')).rows).toEqual([{ search_path: '"$user", "Sales Dept", public' }]);
    await client.query(`ALTER TABLE person ADD COLUMN more int; CREATE TABLE added (id int); CREATE SCHEMA mine; DROP VIEW people`);
    await client.query(`INSERT INTO person (email) VALUES ('new@example.com'); TRUNCATE "Sales Dept"."order"`);
    await expect(client.query(`UPDATE bauta.dataset SET version = 7`)).rejects.toMatchObject({ code: '42501' });
    await client.end();
    const others = await sql(
      'postgres',
      `SELECT rolname FROM pg_roles WHERE NOT rolsuper AND has_database_privilege(oid, '${clone.database}', 'CONNECT') ORDER BY 1`,
    );
    // Who made it has its rights, or could not drop it.
    expect(others.map(({ rolname }) => rolname)).toEqual(['bauta_target', clone.database].sort());
    expect(await sql('shop', 'SELECT count(*)::int AS n FROM person')).toEqual([{ n: 3 }]);
    const [role] = await sql(
      'postgres',
      `SELECT rolpassword LIKE 'SCRAM-SHA-256$%' AS scram, rolvaliduntil::text AS until FROM pg_authid WHERE rolname = '${clone.database}'`,
    );
    expect(role).toEqual({ scram: true, until: expect.any(String) });
    await sql('postgres', 'ALTER DATABASE shop RESET search_path');
    expect(await target.clones.drop(clone.id)).toBe(true);
    expect(await target.clones.drop(clone.id)).toBe(false);
  });

  it('makes twenty at once, and each role reaches its own and no other, nor the published version, the template, or what is closed to everybody', async () => {
    await sql('postgres', readFileSync(packageFile('deploy', 'target-clones.sql'), 'utf8'));
    const made = await Promise.all(Array.from({ length: 20 }, (_, i) => target.clones.make(order({ for: `pr-${i}` }))));
    const places = [...made.map(({ clone }) => clone.database), 'shop', template(), 'postgres', 'template1', 'template0'];
    for (const { login } of made) {
      const seen = await Promise.all(places.map(async (place) => [place, await refusal(login, place)]));
      expect(seen.filter(([, answer]) => answer === 'let in')).toEqual([[login.role, 'let in']]);
      const [client] = [await enter(login)];
      const members = await client.query(`SELECT rolname FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER') ORDER BY 1`);
      expect(members.rows).toEqual([{ rolname: 'pg_database_owner' }, { rolname: login.role }]);
      await client.end();
    }
    await Promise.all(made.map(({ clone }) => target.clones.drop(clone.id)));
    await sql('postgres', 'GRANT CONNECT ON DATABASE postgres, template1 TO PUBLIC');
    expect(await readTraces(world.server)).toEqual({ databases: ['shop', template()], roles: ['shop_owner', 'shop_ro', 'shop_rw'] });
  }, 60_000);

  it('the same clone again gets a new password and a new time, and keeps what is in it; its old password is worth nothing', async () => {
    const first = await target.clones.make(order());
    const client = await enter(first.login);
    await client.query('CREATE TABLE kept (id int)');
    await client.end();
    const later = new Date(Date.now() + 2 * dayMs).toISOString();
    const second = await target.clones.make(order({ id: first.clone.id, expiresAt: later }));
    expect(second.clone).toEqual({ ...first.clone, expiresAt: later });
    expect(await refusal(first.login, first.login.role)).toBe('28P01');
    const again = await enter(second.login);
    expect((await again.query(`SELECT to_regclass('kept') IS NOT NULL AS kept`)).rows).toEqual([{ kept: true }]);
    await again.end();
    await target.clones.drop(first.clone.id);
  });

  it('refuses a second one for the same, more than are allowed, what there is no room for, and a version without template', async () => {
    const { clone } = await target.clones.make(order());
    await expect(target.clones.make(order())).rejects.toMatchObject({ code: 'CLONE_BUSY' });
    await expect(target.clones.make(order({ for: 'pr-2', max: 1 }))).rejects.toMatchObject({ code: 'CLONES_FULL' });
    await expect(target.clones.make(order({ for: 'pr-2', megabytes: 1 }))).rejects.toMatchObject({ code: 'TARGET_NO_ROOM' });
    await target.clones.drop(clone.id);
    const plain = world.target('plain');
    await (await stage(plain)).publish();
    await expect(plain.clones.make(order())).rejects.toMatchObject({ code: 'CLONE_NO_TEMPLATE' });
    expect((await sql('plain', `SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE oid = 'person'::regclass`))[0]).toEqual({
      owner: 'plain_owner',
    });
    await plain.close();
    await sql('postgres', 'DROP DATABASE plain');
    await sql('postgres', 'DROP ROLE plain_owner, plain_rw, plain_ro');
  });

  it('what a clone says of itself is not believed: its holder can neither pass it off as a version nor keep it from being dropped', async () => {
    const { clone, login } = await target.clones.make(order());
    const holder = await enter(login);
    const forged = JSON.stringify({ bauta: 1, target: 'shop', version: 99, state: 'previous', runId });
    await holder.query(`COMMENT ON DATABASE ${clone.database} IS '${forged}'; ALTER DATABASE ${clone.database} IS_TEMPLATE true`);
    for (const text of [
      `ALTER ROLE ${clone.database} VALID UNTIL 'infinity'`,
      `COMMENT ON ROLE ${clone.database} IS 'mine'`,
      `ALTER DATABASE ${clone.database} RENAME TO shop_bauta_${'0'.repeat(16)}`,
      `COMMENT ON DATABASE shop IS 'mine'`,
    ])
      await expect(holder.query(text)).rejects.toMatchObject({ code: '42501' });
    expect((await target.datasets()).map(({ database }) => database)).toEqual(['shop']);
    await expect(target.rollback()).rejects.toMatchObject({ code: 'ROLLBACK_NOTHING' });
    expect(await target.sweep()).toEqual([]);
    // Dropped although its holder is connected.
    expect(await target.clones.drop(clone.id)).toBe(true);
    expect((await readTraces(world.server)).databases).toEqual(['shop', template()]);
  });

  it('a login whose time is up is refused by the server itself', async () => {
    const { clone, login } = await target.clones.make(order({ expiresAt: new Date(Date.now() - 1000).toISOString() }));
    expect(await refusal(login, clone.database)).toBe('28P01');
    await target.clones.drop(clone.id);
  });

  it('a template goes with its version, and a clone of that version stays until its time', async () => {
    const { clone, login } = await target.clones.make(order());
    const second = newRun();
    await (await stage(target, toPlan(cloned), second)).publish();
    expect((await readTraces(world.server)).databases).toHaveLength(5);
    const third = newRun();
    await (await stage(target, toPlan(cloned), third)).publish();
    const { databases } = await readTraces(world.server);
    expect(databases).toEqual(
      ['shop', `shop_bauta_${second.id}`, `shop_bauta_${second.id}_template`, `shop_bauta_${third.id}_template`, clone.database].sort(),
    );
    expect(await refusal(login, clone.database)).toBe('let in');
    const newer = await target.clones.make(order({ for: 'pr-2' }));
    expect(newer.clone).toMatchObject({ version: 3, runId: third.id });
    // Back to the version before: clones are made of what is published.
    await target.rollback();
    const older = await target.clones.make(order({ for: 'pr-3' }));
    expect(older.clone).toMatchObject({ version: 2, runId: second.id });
    for (const one of await target.clones.list()) await target.clones.drop(one.id);
  }, 60_000);

  it('a loop of clones made and removed leaves no database, role or file', async () => {
    const folder = `${world.server.dataFolder}/base`;
    const before = [await readTraces(world.server), readdirSync(folder).length];
    for (let i = 0; i < 10; i++) {
      const { clone } = await target.clones.make(order({ for: `pr-${i}` }));
      await target.clones.drop(clone.id);
    }
    expect([await readTraces(world.server), readdirSync(folder).length]).toEqual(before);
  }, 60_000);
});
