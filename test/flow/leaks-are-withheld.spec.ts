// A mutant for every class of leak: an honest copy, one change, and the verifier has to find it where it is, and to say nothing of an honest one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';

import type { Finding } from '../../src/kernel/errors.js';
import { outputSpace } from '../../src/pipeline/mask/mask.js';
import type { Plan } from '../../src/pipeline/plan.js';
import { Verification, type Verdict } from '../../src/pipeline/verify/verify.js';
import { PostgresReader } from '../../src/systems/postgres/reader/reader.js';
import { type Sample, type World, requirePublished, startSample } from '../support/shop.js';
import type { TestServer } from '../support/server.js';

const documents = {
  'pipeline.yaml': `kind: Pipeline
name: people
import: [classification.yaml]
source: { connection: env:SOURCE_URL, region: eu }
target: { connection: env:TARGET_URL, environment: dev, class: dev, region: eu, allows: [pii, pci, secret, quasi], sameServer: source and target of a test }
classification: people
purpose: mutants of a copy
owner: team-people
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 1
`,
  'classification.yaml': `kind: Classification
name: people
tables:
  public.person:
    person: true
    columns:
      email: pii.email
      phone: pii.phone
      ssn: pii.national-id
      card: pci.pan
      username: pii.username
      town: pii.address.city
      zip: pii.address.postcode
      first_name: pii.first-name
      last_name: pii.last-name
      born: pii.date-of-birth
      document: pii.document-id
      token: secret.token
      gender: pii.gender
      nicknames: pii.username
      attributes: { paths: { skype: pii.username, size: none } }
      profile: { paths: { mail: pii.email, bio: none, 'list[]': none, inner: none, 'inner.note': none } , rest: keep, reason: a test of what stands in keys, expires: 2099-12-31 }
      contact: { paths: { name: pii.full-name, phone: pii.phone } }
      notes: pii.free-text
    keep: [{ columns: [id, remark, amount], reason: what a copy keeps }]
  public.visit:
    subject: person_id
    columns: { ip: pii.ip, agent: pii.user-agent }
    keep: [{ columns: [person_id, page], reason: what a copy keeps }]
  public.seat:
    subject: person_id
    columns:
      holder: pii.full-name
    keep: [{ columns: [person_id, day, place], reason: what a copy keeps }]
`,
};

const schema = `CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE TYPE contact AS (name text, phone text);
CREATE TABLE person (id int PRIMARY KEY, email citext UNIQUE, phone text, ssn char(11), card text, username text, town text, zip text, first_name text, last_name text, born date,
  document text, token text, gender text, nicknames text[], attributes hstore, profile jsonb, contact contact, notes text, remark text, amount numeric,
  full_name text GENERATED ALWAYS AS (first_name || ' ' || last_name) STORED);
INSERT INTO person SELECT i, 'Ada.' || i || '@Corp.co.uk', '+44 20 7946 ' || lpad(i::text, 4, '0'), lpad((100 + i % 500)::text, 3, '0') || '-' || lpad((1 + i % 98)::text, 2, '0') || '-' || lpad(i::text, 4, '0'),
  '4000 1234 ' || lpad((i / 100)::text, 4, '0') || ' ' || lpad(i::text, 4, '0'), 'User_' || i, 'Leeds', 'LS1 ' || i, (ARRAY['Mary', 'John', 'Olga', 'Wei'])[1 + i % 4], 'Smith' || i, date '1950-01-01' + i * 5,
  'AB' || lpad(i::text, 7, '0'), 'sk_live_' || md5(i::text), CASE i % 2 WHEN 0 THEN 'M' ELSE 'F' END, ARRAY['nick_' || i, NULL], hstore(ARRAY['skype', 'call_' || i, 'size', 'L']),
  jsonb_build_object('mail', 'second' || i || '@corp.co.uk', 'bio', 'reads books', 'list', '[]'::jsonb), ROW('Mary Smith' || i, '+44 20 7946 ' || lpad(i::text, 4, '0'))::contact,
  CASE i % 3 WHEN 0 THEN 'called about order ' || i END, 'nothing special', i / 2.0 FROM generate_series(1, 3000) i;
CREATE TABLE visit (person_id int, ip inet, agent text, page text);
INSERT INTO visit SELECT 1 + i % 3000, ('81.2.' || i / 250 || '.' || i % 250)::inet, 'Mozilla/5.0 on ' || i, '/p/' || i % 7 FROM generate_series(1, 6000) i;
CREATE TABLE seat (person_id int NOT NULL, place int NOT NULL, day date NOT NULL, holder text, PRIMARY KEY (day, place));
INSERT INTO seat SELECT 1 + i % 3000, i, date '2024-01-01' + i % 7, 'Mary Smith' || i FROM generate_series(1, 500) i;
CREATE MATERIALIZED VIEW mails AS SELECT id, remark FROM person WHERE id < 100; ANALYZE`;

let folder: string;
let sample: Sample;
let server: TestServer;
let world: World;
let plan: Plan;
let holder: pg.Client;
let snapshotId: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-leaks-'));
  for (const [name, text] of Object.entries(documents)) writeFileSync(join(folder, name), text);
  const load = async (on: TestServer, database: string): Promise<void> => void (await on.sql(database, schema));
  sample = await startSample({ documents: folder, load });
  server = sample.server;
  world = await sample.world('people');
  requirePublished(await world.provision({ hooks: { prepared: (prepared) => (plan = prepared.plan as Plan) } }));
  holder = new pg.Client({ connectionString: server.url(world.production) });
  await holder.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  snapshotId = String((await holder.query<{ id: string }>('SELECT pg_export_snapshot() AS id')).rows[0]?.id);
  await server.sql('postgres', `ALTER DATABASE ${world.target} ALLOW_CONNECTIONS false`);
}, 120_000);
afterAll(async () => {
  await holder.end();
  await sample.stop();
  rmSync(folder, { recursive: true, force: true });
});

let copies = 0;
async function verify(change: string, slotsLog2 = 18): Promise<{ findings: readonly Finding[]; verdicts: readonly Verdict[] }> {
  const database = `mutant_${copies++}`;
  await server.create(database, world.target);
  if (change) await server.sql(database, change);
  const reader = await PostgresReader.open({
    source: { name: 'env:SOURCE', url: server.url(world.production) },
    snapshotId,
    staging: { name: 'env:TARGET', url: server.url(database) },
    stagingDatabase: database,
  });
  try {
    const nonce = Uint8Array.from({ length: 16 }, (_, i) => i * 11 + copies);
    const verification = new Verification({ reader, plan, nonce, slotsLog2, outputSpace });
    await verification.collect();
    const loaded = await verification.digest();
    return await verification.check(loaded, loaded);
  } finally {
    await reader.close();
  }
}

const found = (findings: readonly Finding[], code: string): string[] =>
  findings
    .filter((one) => one.code === code)
    .map(({ where }) => `${where.table}.${where.column}${where.path === undefined ? '' : ` ${where.path}`}`);

it('says nothing of an honest copy, and what it decided for each column', async () => {
  const { findings, verdicts } = await verify('');
  expect(findings).toEqual([]);
  const words = Object.fromEntries(
    verdicts.map(({ table, column, path, verdict }) => [`${table}.${column}${path === undefined ? '' : ` ${path}`}`, verdict]),
  );
  expect(words).toEqual({
    'person.email': 'zero', 'person.phone': 'zero', 'person.ssn': 'zero', 'person.card': 'zero', 'person.username': 'zero', 'person.town': 'rate', 'person.zip': 'rate', 'person.first_name': 'rate',
    'person.last_name': 'rate', 'person.born': 'rate', 'person.document': 'rate', 'person.token': 'rate', 'person.gender': 'rate', 'person.nicknames []': 'zero',
    'person.attributes skype': 'zero', 'person.profile mail': 'zero', 'person.contact name': 'rate', 'person.contact phone': 'zero', 'person.notes': 'rate',
    'visit.ip': 'zero', 'visit.agent': 'rate', 'seat.holder': 'rate',
  }); // prettier-ignore
  // The key's columns stand in another order than the table's.
  expect(verdicts.find(({ table }) => table === 'seat')?.pairs?.rows).toBe(500);
  const laws = (of: string): unknown => verdicts.find(({ table, column }) => `${table}.${column}` === of)?.laws;
  expect(laws('seat.holder')).toMatchObject({ values: 500, tested: expect.arrayContaining(['words of the tables']), untested: [] });
  expect(laws('person.town')).toMatchObject({ tested: expect.arrayContaining(['agrees with the rest of the person']) });
  expect(laws('person.card')).toMatchObject({ tested: expect.arrayContaining(['check digits of card numbers', 'a value stays a value']) });
  expect(laws('visit.agent')).toMatchObject({ values: 1000, tested: expect.arrayContaining(['each character of its kind']) });
  expect(verdicts.find(({ path }) => path === 'mail')?.laws).toMatchObject({
    tested: ['a domain that reaches nobody', 'an address at the domain'],
  });
  expect(verdicts.find(({ path }) => path === '[]')?.laws).toMatchObject({ tested: ['a letter and 13 letters or digits at most'] });
});

const one = 'WHERE id = 7';
const leaks: readonly [string, string, string, string?][] = [
  ['in the same column', `UPDATE person SET email = 'Ada.7@Corp.co.uk' ${one}`, 'person.email'],
  ["another row's value", `UPDATE person SET phone = '+44 20 7946 0999' ${one}`, 'person.phone'],
  ['a short one, as the whole cell of its own column', `UPDATE person SET username = 'User_9' ${one}`, 'person.username'],
  ['in another column', `UPDATE person SET remark = '107-08-0007' ${one}`, 'person.remark'],
  ['inside text', `UPDATE person SET remark = 'write to <Ada.7@Corp.co.uk>, please' ${one}`, 'person.remark'],
  ['inside text that was masked', `UPDATE person SET notes = 'xx Ada.7@Corp.co.uk yy' ${one}`, 'person.notes'],
  ['case changed', `UPDATE person SET remark = 'ADA.7@CORP.CO.UK' ${one}`, 'person.remark'],
  ['after a tab and before a newline', `UPDATE person SET remark = E'see\\tada.7@corp.co.uk\\nbye' ${one}`, 'person.remark'],
  ['between signs beyond ASCII', `UPDATE person SET remark = 'see “ada.7@corp.co.uk”…' ${one}`, 'person.remark'],
  ['in a JSON string', `UPDATE person SET profile = profile || '{"bio": "mail second7@corp.co.uk"}' ${one}`, 'person.profile bio'],
  [
    'in a JSON string with escapes',
    `UPDATE person SET profile = profile || '{"bio": "a \\"quote\\" second7@corp.co.uk\\n"}' ${one}`,
    'person.profile bio',
  ],
  ['in a JSON key', `UPDATE person SET profile = profile || '{"second7@corp.co.uk": 1}' ${one}`, 'person.profile *'],
  ['in a JSON array', `UPDATE person SET profile = profile || '{"list": ["x", "Ada.7@corp.co.uk"]}' ${one}`, 'person.profile list[]'],
  [
    'in an object in JSON',
    `UPDATE person SET profile = profile || '{"inner": {"note": "Ada.7@corp.co.uk"}}' ${one}`,
    'person.profile inner.note',
  ],
  ['as a number in JSON', `UPDATE person SET profile = profile || '{"bio": 4000123400000007}' ${one}`, 'person.profile bio'],
  ['columns that were swapped', `UPDATE person SET card = '107-08-0007', ssn = '4000 1234' ${one}`, 'person.card'],
  ['digits of a card without spaces, in text', `UPDATE person SET remark = 'card 4000123400000007.' ${one}`, 'person.remark'],
  ['digits of an ssn without hyphens, in text', `UPDATE person SET remark = 'number 107080007 or so' ${one}`, 'person.remark'],
  ['a card with hyphens, in text', `UPDATE person SET remark = 'card 4000-1234-0000-0007' ${one}`, 'person.remark'],
  ['in an array', `UPDATE person SET nicknames = ARRAY['ok', 'nick_12'] ${one}`, 'person.nicknames []'],
  ['in an hstore', `UPDATE person SET attributes = attributes || 'skype=>call_9' ${one}`, 'person.attributes skype'],
  [
    'in an hstore, under another key',
    `UPDATE person SET attributes = attributes || 'size=>"second9@corp.co.uk"' ${one}`,
    'person.attributes',
  ],
  ['in a composite', `UPDATE person SET contact.phone = '+44 20 7946 0005' ${one}`, 'person.contact'],
  [
    'in a generated column',
    `ALTER TABLE person ADD extra text GENERATED ALWAYS AS (CASE WHEN id = 7 THEN 'ada.8@corp.co.uk' END) STORED`,
    'person.extra',
  ],
  [
    'in a materialized view',
    `DROP MATERIALIZED VIEW mails; CREATE MATERIALIZED VIEW mails AS SELECT 1 AS id, 'ada.8@corp.co.uk'::text AS remark`,
    'mails.remark',
  ],
  [
    'in a table that no plan knows',
    `CREATE TABLE account (note text); INSERT INTO account VALUES ('hello ada.8@corp.co.uk')`,
    'account.note',
  ],
  ['an address', `UPDATE visit SET ip = '81.2.4.5' WHERE ctid = '(0,3)'`, 'visit.ip'],
  ['an address in another column', `UPDATE visit SET page = '81.2.4.5' WHERE ctid = '(0,3)'`, 'visit.page'],
  ['a token of another kind than drawn ones', `UPDATE person SET remark = 'sk_live_' || md5('7') ${one}`, 'person.remark'],
  ['a document number in another column', `UPDATE person SET remark = 'No AB0000007' ${one}`, 'person.remark'],
];

it.each(leaks)('finds an original %s', async (_, change, where) => {
  const { findings } = await verify(change);
  expect(found(findings, 'VERIFY_ORIGINAL_FOUND')).toEqual([where]);
  const text = JSON.stringify(findings).toLowerCase();
  for (const value of ['corp.co.uk', '7946', '107', '4000', 'user_', 'nick_', 'call_', 'sk_live', '81.2', 'ab000'])
    expect(text).not.toContain(value);
});

it('finds them in as many passes as the memory demands', async () => {
  const { findings } = await verify(`UPDATE person SET remark = 'ask ada.2999@corp.co.uk' ${one}`, 12);
  expect(found(findings, 'VERIFY_ORIGINAL_FOUND')).toEqual(['person.remark']);
});

const rows: readonly [string, string, string, string][] = [
  ['names that came through', `UPDATE person SET last_name = 'Smith' || id WHERE id % 300 = 1`, 'VERIFY_FIXED_POINTS', 'person.last_name'],
  ['names that came through in another case', `UPDATE person SET last_name = 'SMITH' || id WHERE id % 300 = 1`, 'VERIFY_FIXED_POINTS', 'person.last_name'],
  ['one text that came through', `UPDATE person SET notes = 'called about order 9' WHERE id = 9`, 'VERIFY_FIXED_POINTS', 'person.notes'],
  ['two document numbers that came through', `UPDATE person SET document = 'AB000000' || id WHERE id IN (8, 9)`, 'VERIFY_FIXED_POINTS', 'person.document'],
  ['days of birth that came through', `UPDATE person SET born = date '1950-01-01' + id * 5 WHERE id % 100 = 1`, 'VERIFY_FIXED_POINTS', 'person.born'],
  ['a NULL that did not stay', `UPDATE person SET notes = 'abc' WHERE id = 7`, 'VERIFY_LAW_BROKEN', 'person.notes'],
  ['a value that became NULL', `UPDATE person SET born = NULL WHERE id = 7`, 'VERIFY_LAW_BROKEN', 'person.born'],
  ['a pseudonym outside the declared space', `UPDATE person SET email = 'someone@example.org' WHERE id = 7`, 'VERIFY_LAW_BROKEN', 'person.email'],
  ['names in a table whose key has another order', `UPDATE seat SET holder = 'Mary Smith' || place WHERE place < 5`, 'VERIFY_FIXED_POINTS', 'seat.holder'],
  ['card numbers with wrong check digits', `UPDATE person SET card = left(card, -1) || (right(card, 1)::int + 1) % 10 WHERE id % 10 = 1`, 'VERIFY_LAW_BROKEN', 'person.card'],
  ['days of birth in another cohort', `UPDATE person SET born = born + interval '5 years' WHERE id % 10 = 1`, 'VERIFY_LAW_BROKEN', 'person.born'],
  ['a NULL where a value was, in a column where no rows are compared', `UPDATE person SET ssn = NULL WHERE id % 10 = 1`, 'VERIFY_LAW_BROKEN', 'person.ssn'],
  ['texts with a sign more than the original', `UPDATE visit SET agent = upper(agent) || '!' WHERE person_id % 10 = 1`, 'VERIFY_LAW_BROKEN', 'visit.agent'],
]; // prettier-ignore

it('finds parts of addresses that do not belong together', async () => {
  const { findings } = await verify(`UPDATE person SET zip = other.zip FROM person other WHERE other.id = 1 + (person.id + 7) % 3000`);
  expect([...new Set(found(findings, 'VERIFY_LAW_BROKEN'))]).toEqual(['person.town', 'person.zip']);
  expect(findings.filter(({ where }) => where.expected === 'agrees with the rest of the person')).toHaveLength(2);
});

it.each(rows)('finds %s', async (_, change, code, where) => {
  const { findings } = await verify(change);
  expect([...new Set(found(findings, code))]).toEqual([where]);
});
