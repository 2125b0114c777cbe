import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { Finding } from '../../src/kernel/errors.js';
import type { PostgresSourceOptions } from '../../src/systems/postgres/source/source.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { toSmallPlan } from '../support/small-catalogue.js';
import { everything, openTestSource, readText } from '../support/source.js';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  await server.create('shop');
  await server.sql(
    'shop',
    `CREATE TABLE a (id serial); CREATE TABLE b (id int, v text); CREATE TABLE c (id int); CREATE TABLE hidden (id int, who text);
     CREATE SCHEMA closed; CREATE TABLE closed.d (id int);
     INSERT INTO hidden VALUES (1, 'x'), (2, 'reader'); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
     CREATE POLICY own ON hidden USING (who = current_user);
     ${['reader', 'clumsy', 'heir', 'owner', 'bypass'].map((role) => `CREATE ROLE ${role} LOGIN PASSWORD 'p';`).join('')}
     GRANT SELECT ON b, hidden TO reader;
     GRANT USAGE ON SCHEMA closed TO clumsy, heir, owner, bypass; GRANT SELECT ON ALL TABLES IN SCHEMA public, closed TO clumsy, heir, owner, bypass;
     GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO clumsy, heir, owner, bypass;
     GRANT INSERT, TRUNCATE ON a TO clumsy; GRANT UPDATE (v) ON b TO clumsy;
     CREATE ROLE writers NOLOGIN; GRANT DELETE ON c TO writers; ALTER ROLE heir NOINHERIT; GRANT writers TO heir; ALTER ROLE heir BYPASSRLS;
     ALTER TABLE c OWNER TO owner; ALTER ROLE owner BYPASSRLS; ALTER ROLE clumsy BYPASSRLS; ALTER ROLE bypass BYPASSRLS;`,
  );
}, 60_000);
afterAll(() => server.stop());

function toUrl(role: string): string {
  const url = new URL(server.url('shop'));
  url.username = role;
  url.password = 'p';
  return String(url);
}

async function findings(url: string, options: Partial<PostgresSourceOptions> = {}): Promise<string[]> {
  const found = await openTestSource(url, options).describe(everything);
  return found.findings.map(toLine);
}

function toLine({ severity, code, where }: Finding): string {
  return [severity, code, where.object ?? (where.table ? `${where.schema}.${where.table}` : ''), where.name ?? ''].join(' ').trim();
}

it('names every missing privilege and every hiding policy at once', async () => {
  expect((await findings(toUrl('reader'))).sort()).toEqual([
    'error ROW_SECURITY_HIDES_ROWS public.hidden',
    'error SOURCE_PRIVILEGE_MISSING schema closed USAGE',
    'error SOURCE_PRIVILEGE_MISSING sequence public.a_id_seq SELECT',
    'error SOURCE_PRIVILEGE_MISSING table closed.d SELECT',
    'error SOURCE_PRIVILEGE_MISSING table public.a SELECT',
    'error SOURCE_PRIVILEGE_MISSING table public.c SELECT',
  ]);
});

it.each([
  ['by grants on tables and columns', 'clumsy', ['public.a INSERT, TRUNCATE', 'public.b UPDATE']],
  ['by a role that it may become', 'heir', ['public.c DELETE']],
  ['by ownership', 'owner', ['public.c ownership, INSERT, UPDATE, DELETE, TRUNCATE']],
])('refuses a role that can write %s, and warns when there is a reason', async (_, role, places) => {
  expect(await findings(toUrl(role))).toEqual(places.map((place) => `error SOURCE_ROLE_CAN_WRITE ${place}`));
  const reason = { reason: 'the vendor gives no other role' };
  expect(await findings(toUrl(role), { writable: reason })).toEqual(places.map((place) => `warning SOURCE_ROLE_CAN_WRITE ${place}`));
  expect(await findings(toUrl(role), { writable: { reason: '  ' } })).toEqual(
    places.map((place) => `error SOURCE_ROLE_CAN_WRITE ${place}`),
  );
});

it('refuses a superuser once, not table by table, and warns when there is a reason', async () => {
  expect(await findings(server.url('shop'))).toEqual(['error SOURCE_ROLE_IS_SUPERUSER']);
  expect(await findings(server.url('shop'), { writable: { reason: 'a demo' } })).toEqual(['warning SOURCE_ROLE_IS_SUPERUSER']);
});

it('finds nothing wrong with a role that reads everything and can do no more', async () => {
  expect(await findings(toUrl('bypass'))).toEqual([]);
});

it('makes a policy that hides rows an error of the read, never a smaller copy', async () => {
  const scope = { include: ['public.hidden'], exclude: [] };
  const source = openTestSource(toUrl('reader'));
  try {
    const snapshot = await source.open(toSmallPlan((await source.describe(scope)).catalogue), scope);
    await expect(readText(snapshot.read({ table: 0, range: 0 }))).rejects.toMatchObject({
      code: 'ROW_SECURITY_HIDES_ROWS',
      where: { schema: 'public', table: 'hidden' },
    });
  } finally {
    await source.close();
  }
});
