import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';

import type { DataType } from '../../src/pipeline/catalogue.js';
import type { OutputClaim } from '../../src/pipeline/output-claim.js';
import type { Plan, RulePlan, TablePlan } from '../../src/pipeline/plan.js';
import type { Receipt } from '../../src/pipeline/ports.js';
import { Verification, type VerifyReport } from '../../src/pipeline/verify/verify.js';
import { PostgresReader } from '../../src/systems/postgres/reader/reader.js';
import { startTestServer, type TestServer } from '../support/server.js';

const nonce = Uint8Array.from({ length: 16 }, (_, i) => i * 7);
const schema = `CREATE EXTENSION citext; CREATE TABLE person (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email citext UNIQUE, profile jsonb, nicknames text[]);
  CREATE TABLE post (person_email citext REFERENCES person (email));`;
const rows = (domain: string): string =>
  `INSERT INTO person (email, profile, nicknames) SELECT 'user' || i || '@${domain}', jsonb_build_object('contacts', jsonb_build_array(jsonb_build_object('email', 'p' || i || '@${domain}'))),
     ARRAY['nick' || i || '@${domain}', NULL] FROM generate_series(1, 5000) i; INSERT INTO post SELECT upper(email::text)::citext FROM person;`;

let server: TestServer;
let holder: pg.Client;
let snapshotId: string;

beforeAll(async () => {
  server = await startTestServer();
  await server.create('production');
  await server.sql('production', schema + rows('gmail.com'));
  await server.create('masked');
  await server.sql('masked', schema + rows('example.com'));
  holder = new pg.Client({ connectionString: server.url('production') });
  await holder.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  snapshotId = String((await holder.query<{ id: string }>('SELECT pg_export_snapshot() AS id')).rows[0]?.id);
}, 60_000);
afterAll(async () => {
  await holder.end();
  await server.stop();
});

const base = (display: string, more: Partial<DataType> = {}): DataType => ({
  display,
  kind: 'base',
  base: display,
  deterministicCollation: true,
  ...more,
});
const email: RulePlan = {
  transform: 'email',
  params: {},
  scope: 'value',
  domain: 'pii.email',
  canonical: 'text',
  reveals: [],
  uniqueness: 'preserved',
};
const column = (attnum: number, name: string, type: DataType, tag: string, rule: RulePlan) => ({
  attnum,
  name,
  type,
  notNull: false,
  tag,
  rule,
  unique: false,
  from: 'document',
});
const at = (path: string): RulePlan => ({ ...email, paths: { [path]: { ...email, tag: 'pii.email' } }, rest: 'refuse' });
const keep: RulePlan = { ...email, transform: 'keep' };

const person: TablePlan = {
  oid: 1,
  schema: 'public',
  name: 'person',
  kind: 'r',
  rows: 'all',
  hidden: [],
  loadInto: { schema: 'public', name: 'person' },
  columns: [
    column(1, 'id', base('int8'), 'none', keep),
    column(2, 'email', base('citext'), 'pii.email', email),
    column(3, 'profile', base('jsonb'), 'mixed', at('contacts[].email')),
    column(4, 'nicknames', base('text[]', { kind: 'array', base: 'text', element: base('text') }), 'mixed', at('[]')),
  ],
};
const post: TablePlan = {
  ...person,
  oid: 2,
  name: 'post',
  loadInto: { schema: 'public', name: 'post' },
  columns: [column(1, 'person_email', base('citext'), 'pii.email', email)],
};

/** Verifies a copy of `masked` after `change`; the receipts are those of the unchanged copy when `honest` is given. */
async function verify(change: string, honest?: readonly Receipt[], slotsLog2 = 20): Promise<VerifyReport> {
  const database = `staging_${Math.random().toString(36).slice(2)}`;
  await server.create(database, 'masked');
  if (change) await server.sql(database, change);
  const reader = await PostgresReader.open({
    source: { name: 'env:SOURCE', url: server.url('production') },
    snapshotId,
    staging: { name: 'env:TARGET', url: server.url('masked') },
    stagingDatabase: database,
  });
  try {
    const plan = { tables: [person, post] } as unknown as Plan;
    const outputSpace = (rule: RulePlan): OutputClaim => ({
      ...(rule.transform === 'email' ? { output: 'disjoint', pattern: '.*@example\\.com' } : { output: 'kept' }),
      produces: (text) => Buffer.from(text).toString().endsWith('@example.com'),
      laws: [],
      space: 0n,
    });
    const verification = new Verification({ reader, plan, nonce, slotsLog2, outputSpace });
    await verification.collect();
    const first = await verification.check(honest ?? []);
    return honest ? first : await verification.check(first.receipts);
  } finally {
    await reader.close();
  }
}

it('finds nothing in an honest copy, and says how each column was decided', async () => {
  const { findings, verdicts, receipts } = await verify('');
  expect(findings).toEqual([]);
  expect(receipts.map(({ table, rows }) => [table, rows])).toEqual([
    ['person', 5000],
    ['post', 5000],
  ]);
  expect(verdicts.map(({ column: name, path, verdict }) => [name, path, verdict])).toEqual([
    ['email', undefined, 'zero'],
    ['profile', 'contacts[].email', 'zero'],
    ['nicknames', '[]', 'zero'],
    ['person_email', undefined, 'zero'],
  ]);
});

const leaks: readonly [string, string, string][] = [
  ['an original in a text column', `UPDATE person SET email = 'user77@gmail.com' WHERE id = 4000`, 'email'],
  [
    'an original nested in a JSON array',
    `UPDATE person SET profile = '{"contacts": [{"email": "x@example.com"}, {"email": "p9@gmail.com"}]}' WHERE id = 2`,
    'profile',
  ],
  ['an original in an array', `UPDATE person SET nicknames = '{a,nick5@gmail.com}' WHERE id = 3`, 'nicknames'],
];
it.each(leaks)('finds %s', async (_, change, name) => {
  const { findings } = await verify(`ALTER TABLE post DROP CONSTRAINT post_person_email_fkey; ${change}`);
  expect(findings.filter(({ code }) => code === 'VERIFY_ORIGINAL_FOUND').map(({ where }) => where.column)).toEqual([name]);
  expect(JSON.stringify(findings)).not.toContain('gmail');
});

it('needs more passes, not more memory, when the originals do not fit', async () => {
  const { findings } = await verify(
    `ALTER TABLE post DROP CONSTRAINT post_person_email_fkey; UPDATE person SET email = 'user77@gmail.com' WHERE id = 4000`,
    undefined,
    12,
  );
  expect(findings.map(({ code }) => code)).toEqual(['VERIFY_LAW_BROKEN', 'VERIFY_ORIGINAL_FOUND']);
});

it('does not take a pseudonym that happens to be an original of the reserved space for a leak', async () => {
  await server.sql('production', `SELECT 1`);
  const { findings } = await verify(`UPDATE person SET profile = '{"contacts": [{"email": "q@example.com"}]}' WHERE id = 2`);
  expect(findings).toEqual([]);
});

it('finds a lost row, a changed line, a broken reference and a sequence that is behind', async () => {
  const { receipts } = await verify('');
  const codes = async (change: string): Promise<string[]> => (await verify(change, receipts)).findings.map(({ code }) => code);
  expect(await codes('DELETE FROM post WHERE ctid = (SELECT min(ctid) FROM post)')).toEqual(['VERIFY_ROWS_DIFFER']);
  expect(await codes(`UPDATE person SET profile = '{}' WHERE id = 3`)).toEqual(['VERIFY_DIGEST_DIFFERS']);
  expect(
    await codes(
      `ALTER TABLE post DROP CONSTRAINT post_person_email_fkey, ADD FOREIGN KEY (person_email) REFERENCES person (email) NOT VALID`,
    ),
  ).toEqual([]);
  expect(
    await codes(
      `SET session_replication_role = replica; UPDATE post SET person_email = 'none@example.com' WHERE ctid = (SELECT min(ctid) FROM post)`,
    ),
  ).toEqual(['VERIFY_DIGEST_DIFFERS', 'VERIFY_REFERENCE_BROKEN']);
  expect(await codes(`SELECT setval('person_id_seq', 10)`)).toEqual(['VERIFY_SEQUENCE_BEHIND']);
});
