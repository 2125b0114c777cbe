// The checks of a pipeline on a real server: each kind passes and fails, what could not be asked withholds, a withheld run leaves the target as it
// was, and what leaves a check is names and counts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { CheckResult } from '../../src/pipeline/check.js';
import type { Hooks } from '../../src/pipeline/run.js';
import { eventsOf } from '../support/log.js';
import { type Ended, type Sample, type World, requirePublished, startSample } from '../support/shop.js';

const canary = 'zibeline';

const pipeline = (checks: string): string => `kind: Pipeline
name: checked
import: [classification.yaml]
source: { connection: env:SOURCE_URL, region: eu }
target: { connection: env:TARGET_URL, environment: dev, class: dev, region: eu, allows: [pii, pci, secret, quasi], sameServer: source and target of a test }
classification: checked
purpose: tests of checks
owner: team-checks
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 1
${checks}`;

const classification = `kind: Classification
name: checked
tables:
  public.person:
    person: true
    columns: { id: pii.key, email: pii.email }
    keep: [{ columns: [kind, age, seen, amount, boss], reason: what a copy keeps }]
  public.visit:
    keep: [{ columns: [id, place, day, note], reason: what a copy keeps }]
  code.written:
    keep: [{ columns: [by], reason: what a copy keeps }]
`;

const schema = `CREATE TYPE kind AS ENUM ('new', 'old');
CREATE TABLE person (id bigint PRIMARY KEY, email text NOT NULL, kind kind NOT NULL, age int, seen timestamptz, amount numeric(10,2), boss int);
INSERT INTO person SELECT i, 'Ada.${canary}' || i || '@corp.co.uk', CASE i % 2 WHEN 0 THEN 'new' ELSE 'old' END::kind, 18 + i % 60, now() + interval '12 hours' - i * interval '1 day',
  i / 4.0, CASE WHEN i > 1 THEN i / 2 END FROM generate_series(1, 400) i;
CREATE TABLE visit (id int, place text, day date, note text) PARTITION BY RANGE (day);
CREATE TABLE visit_old PARTITION OF visit FOR VALUES FROM ('2020-01-01') TO ('2025-01-01');
CREATE TABLE visit_new PARTITION OF visit FOR VALUES FROM ('2025-01-01') TO ('2030-01-01');
INSERT INTO visit SELECT i, 'place ' || i % 5, date '2024-06-01' + i, CASE WHEN i % 10 > 0 THEN '${canary}' END FROM generate_series(1, 300) i;
CREATE SCHEMA code;
CREATE TABLE code.written (by text);
CREATE FUNCTION code.write() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$ BEGIN INSERT INTO code.written VALUES (session_user); RETURN 0; END $$;
CREATE FUNCTION code.rights() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT count(*) FROM pg_roles r WHERE r.rolname = current_user AND (r.rolsuper OR r.rolcreatedb OR r.rolcreaterole) $$;
CREATE FUNCTION code.patient() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN LOOP BEGIN PERFORM pg_sleep(100); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;
ANALYZE;`;

const all = (more = ''): string => `checks:
  - { name: email-there, kind: notNull, table: person, columns: [email, kind] }
  - { name: id-unique, kind: unique, table: person, columns: id }
  - { name: kinds, kind: acceptedValues, table: person, columns: kind, values: [new, old] }
  - { name: ages, kind: range, table: person, columns: age, min: 18, max: 77 }
  - { name: days, kind: range, table: visit, columns: day, min: 2024-06-02 }
  - { name: bosses, kind: relation, table: person, columns: boss, to: { table: visit, columns: id } }
  - { name: seen-lately, kind: freshness, table: person, columns: seen, maxAge: 5d }
  - { name: visits, kind: rowCount, table: visit, min: 300, max: 300, maxChangePercent: 5 }
  - { name: notes, kind: nullRate, table: visit, columns: note, maxPercent: 10, maxChangePoints: 1 }
  - { name: no-children, kind: sql, sql: 'SELECT count(*) FROM public.person WHERE age < 18;' }
${more}`;

let folder: string;
let sample: Sample;
let worlds = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-checks-'));
  writeFileSync(join(folder, 'pipeline.yaml'), pipeline(all()));
  writeFileSync(join(folder, 'classification.yaml'), classification);
  sample = await startSample({ documents: folder, load: async (server, database) => void (await server.sql(database, schema)) });
}, 60_000);
afterAll(async () => {
  await sample.stop();
  rmSync(folder, { recursive: true, force: true });
});

const newWorld = (): Promise<World> => sample.world(`checks${worlds++}`);

async function runWith(world: World, checks: string, settings?: Record<string, string>, hooks?: Hooks): Promise<Ended> {
  world.write('pipeline.yaml', pipeline(checks));
  return world.provision({ ...(settings ? { settings } : {}), ...(hooks ? { hooks } : {}) });
}

const outcomes = (checks: readonly CheckResult[]): Record<string, string> =>
  Object.fromEntries(checks.map(({ name, outcome, counted }) => [name, `${outcome} ${counted}`]));

it('passes what holds, says what each check counted, and compares with the version before from the second run on', async () => {
  const world = await newWorld();
  const first = requirePublished(await world.provision());
  expect(outcomes(first.checks)).toEqual({
    ...{ 'email-there': 'pass 0', 'id-unique': 'pass 0', kinds: 'pass 0', ages: 'pass 0', days: 'pass 0', bosses: 'pass 0' },
    ...{ 'seen-lately': 'pass 5', visits: 'pass 300', notes: 'pass 30', 'no-children': 'pass 0' },
  });
  const compared = ({ checks }: Pick<typeof first, 'checks'>): unknown =>
    checks.flatMap(({ name, earlier }) => (earlier ? [[name, earlier]] : []));
  expect(compared(first)).toEqual([
    ['visits', { none: 'no earlier version' }],
    ['notes', { none: 'no earlier version' }],
  ]);
  expect(first.findings).toEqual([]);

  await world.source(`DELETE FROM visit WHERE id > 290; UPDATE visit SET note = NULL WHERE id % 10 = 1`);
  const second = await runWith(world, all().replace('min: 300, max: 300', 'min: 290').replace('maxPercent: 10', 'maxPercent: 21'));
  expect(compared(second.summary)).toEqual([
    ['visits', { version: 1, counted: 300 }],
    ['notes', { version: 1, counted: 30, rows: 300 }],
  ]);
  // 3.3 % fewer rows are allowed; ten points more of NULL are not.
  expect(second.summary.state).toBe('withheld');
  expect(second.summary.findings).toMatchObject([
    { code: 'CHECK_FAILED', severity: 'error', where: { rule: 'notes', table: 'visit', column: 'note', expected: '21 % NULL at most, a change of 1 points at most' } },
  ]); // prettier-ignore
  // What is withheld leaves the version before, and nothing else.
  expect((await world.copy('SELECT count(*)::int AS rows FROM visit'))[0]).toEqual({ rows: 300 });
  expect((await sample.traces(world.target.replace(/_dev$/, ''))).filter((name) => name.includes('_bauta_'))).toEqual([]);
}, 120_000);

it('fails each kind where it does not hold, publishes over what only warns, and no value leaves', async () => {
  const world = await newWorld();
  await world.source(`ALTER TABLE person ALTER COLUMN email DROP NOT NULL, ALTER COLUMN kind DROP NOT NULL;
    UPDATE person SET email = NULL, kind = NULL WHERE id = 7; UPDATE person SET age = 17 WHERE id IN (8, 9); UPDATE person SET boss = 9999 WHERE id = 10;
    UPDATE person SET seen = seen - interval '30 days'; UPDATE visit SET id = 5 WHERE id IN (6, 7)`);
  const failing = `checks:
  - { name: email-there, kind: notNull, table: person, columns: [email, kind] }
  - { name: id-unique, kind: unique, table: visit, columns: [id] }
  - { name: kinds, kind: acceptedValues, table: person, columns: kind, values: [new] }
  - { name: ages, kind: range, table: person, columns: age, min: 18 }
  - { name: amounts, kind: range, table: person, columns: amount, max: '99.5', where: "kind = 'new' -- and so on" }
  - { name: bosses, kind: relation, table: person, columns: boss, to: { table: visit, columns: id }, where: boss > 300 or boss < 8 }
  - { name: seen-lately, kind: freshness, table: person, columns: seen, maxAge: 1d }
  - { name: visits, kind: rowCount, table: visit, min: 301 }
  - { name: notes, kind: nullRate, table: visit, columns: note, maxPercent: 5 }
  - { name: no-children, kind: sql, sql: SELECT count(*) FROM public.person WHERE age < 18 }
`;
  const { summary } = await runWith(world, failing);
  expect(outcomes(summary.checks)).toEqual({
    ...{ 'email-there': 'fail 1', 'id-unique': 'fail 2', kinds: 'fail 199', ages: 'fail 2', amounts: 'fail 1', bosses: 'fail 5' },
    ...{ 'seen-lately': 'fail 0', visits: 'fail 300', notes: 'fail 30', 'no-children': 'fail 2' },
  });
  expect(summary.state).toBe('withheld');
  const warned = await runWith(world, failing.replaceAll(', kind: ', ', severity: warn, kind: '));
  requirePublished(warned);
  expect(new Set(warned.summary.findings.map(({ code, severity }) => `${code} ${severity}`))).toEqual(new Set(['CHECK_FAILED warning']));
  const log = JSON.stringify(eventsOf(world.home).filter(({ type }) => type === 'checks.made' || type === 'findings.made'));
  expect(log).toContain('"name":"email-there"');
  for (const value of [canary, 'corp.co.uk', '9999', 'place 1', '99.5']) expect(log).not.toContain(value);
}, 120_000);

it('withholds a copy in which somebody stands nearly alone, measured over what the plan lets through', async () => {
  const world = await newWorld();
  // 60 pairs of age and kind: 40 of seven rows, 20 of six.
  const groups = (more: string, min: number): string =>
    `  - { name: k${min}, kind: kAnonymity, table: person, columns: [age, kind], min: ${min}${more} }\n`;
  const of = `checks:\n${groups('', 6)}${groups(', maxPercent: 30', 7)}
  - { name: l, kind: lDiversity, table: person, columns: [age, kind], sensitive: amount, min: 6 }
  - { name: t, kind: tCloseness, table: person, columns: [age], sensitive: kind, max: 0.5 }\n`;
  const held = requirePublished(await runWith(world, of));
  expect(held.checks.map(({ name, counted, rows, figure }) => [name, counted, rows, figure])).toEqual([
    ['k6', 0, 400, 6],
    ['k7', 120, 400, 6],
    ['l', 0, 400, 6],
    ['t', 0, 400, 0.5],
  ]);
  const { summary } = await runWith(world, `checks:\n${groups(', maxPercent: 29', 7)}`);
  expect(summary.state).toBe('withheld');
  expect(summary.findings).toMatchObject([
    {
      code: 'CHECK_FAILED',
      where: { rule: 'k7', amount: '120 of 400 rows, k = 6', expected: '29 % of the rows at most in groups of fewer than 7' },
    },
  ]);
  // Of these columns only the age, with noise, still says something.
  world.write(
    'classification.yaml',
    classification.replace('email: pii.email', 'email: pii.email, age: quasi.age').replace('kind, age,', 'kind,'),
  );
  const noisy = await runWith(world, `checks:\n  - { name: found, kind: kAnonymity, severity: warn, table: person, min: 2 }\n`);
  expect(noisy.summary.checks).toMatchObject([{ name: 'found', columns: ['age'], rows: 400 }]);
  expect((await runWith(world, `checks:\n  - { name: none, kind: kAnonymity, table: visit, min: 2 }\n`)).summary.findings).toMatchObject([
    { code: 'PLAN_CHECK_INVALID', where: { name: 'columns', rule: 'none' } },
  ]);
}, 120_000);

it('withholds what could not be asked, and says why by its SQLSTATE; the other checks of the same scan are made', async () => {
  const world = await newWorld();
  const hostile = `checks:
  - { name: fine, kind: notNull, table: person, columns: email }
  - { name: broken-condition, severity: warn, kind: notNull, table: person, columns: email, where: '1 / (id - id) = 1' }
  - { name: writes, kind: sql, sql: SELECT code.write() }
  - { name: writes-in-a-condition, kind: range, table: person, columns: age, min: 0, where: code.write() = 0 }
  - { name: deletes, kind: sql, sql: WITH gone AS (DELETE FROM public.person RETURNING 1) SELECT count(*) FROM gone }
  - { name: rights, kind: sql, sql: SELECT code.rights() }
  - { name: escapes, kind: sql, sql: "SELECT count(*) FROM (SELECT set_config('transaction_read_only', 'off', false)) s" }
  - { name: two-rows, kind: sql, sql: SELECT 0 FROM public.person }
  - { name: no-number, kind: sql, sql: SELECT email FROM public.person LIMIT 1 }
  - { name: nothing, kind: sql, sql: SELECT NULL::bigint }
  - { name: large, kind: sql, sql: SELECT 4111111111111111 }
  - { name: reads-files, kind: sql, sql: "SELECT length(pg_catalog.pg_read_file('/etc/passwd'))" }
  - { name: reads-passwords, kind: sql, sql: SELECT count(*) FROM pg_catalog.pg_authid }
  - { name: loosens, kind: sql, sql: "SELECT count(*) FROM (SELECT pg_catalog.set_config('statement_timeout', '0', false)) s" }
  - { name: sleeps, kind: sql, sql: SELECT 0 FROM pg_catalog.pg_sleep(60) }
  - { name: catches, kind: sql, sql: SELECT code.patient() }
  - { name: after-all-that, kind: rowCount, table: visit, min: 1 }
`;
  const startedAt = performance.now();
  const { summary } = await runWith(world, hostile, { BAUTA_CHECK_TIMEOUT_MS: '700' });
  expect(Object.fromEntries(summary.checks.map(({ name, outcome, counted, sqlState }) => [name, sqlState ?? `${outcome} ${counted}`]))).toEqual({
    fine: 'pass 0', 'after-all-that': 'pass 300', rights: 'pass 0', large: 'fail 1000000', loosens: 'fail 1',
    'broken-condition': '22012', writes: '25006', 'writes-in-a-condition': '25006', deletes: '0A000', escapes: '25001', 'two-rows': '21000',
    'no-number': '22P02', nothing: '22000', 'reads-files': '42501', 'reads-passwords': '42501', sleeps: '57014', catches: '57014',
  }); // prettier-ignore
  expect(performance.now() - startedAt).toBeLessThan(60_000);
  expect(summary.state).toBe('withheld');
  const notRun = summary.findings.filter(({ code }) => code === 'CHECK_NOT_RUN');
  // Of severity warn too: what was not asked has not passed.
  expect(notRun.map(({ where, severity }) => [where.rule, severity])).toContainEqual(['broken-condition', 'error']);
  expect(notRun).toHaveLength(12);
  expect(JSON.stringify(summary.findings)).not.toContain('passwd');
}, 120_000);

it('is bound to the catalogue when it is planned: every name, type and text that does not fit, with its line and the nearest word', async () => {
  const world = await newWorld();
  const { summary } = await runWith(
    world,
    `checks:
  - { name: a, kind: notNull, table: persn, columns: email }
  - { name: b, kind: notNull, table: person, columns: [emial, id] }
  - { name: c, kind: range, table: person, columns: email, min: 1 }
  - { name: d, kind: range, table: person, columns: age, min: 9, max: 1 }
  - { name: d, kind: range, table: visit, columns: day, min: 2024-13-01 }
  - { name: f, kind: freshness, table: person, columns: age, maxAge: 1d }
  - { name: g, kind: relation, table: person, columns: email, to: { table: visit, columns: [id] } }
  - { name: h, kind: relation, table: person, columns: [id, boss], to: { table: visit, columns: [id] } }
  - { name: i, kind: notNull, table: person, columns: email, where: 'true) or (true' }
  - { name: j, kind: sql, sql: SELECT 0; DROP TABLE public.person }
  - { name: k, kind: notNull, table: person, columns: email, where: "kind = 'new" }
`,
  );
  const line = (text: string): number =>
    readFileSync(world.file, 'utf8')
      .split('\n')
      .findIndex((one) => one.includes(text)) + 1;
  const found = summary.findings.map(({ code, where }) => [code, where.line, where.expected]);
  expect(found).toEqual([
    ['PLAN_TABLE_UNKNOWN', line('{ name: a'), 'public.person'],
    ['PLAN_CHECK_COLUMN_UNKNOWN', line('{ name: b'), 'email'],
    ['PLAN_CHECK_TYPE_REFUSED', line('{ name: c'), 'a number, a date or a timestamp'],
    ['PLAN_CHECK_INVALID', line('{ name: d'), 'not less than min'],
    ['PLAN_CHECK_INVALID', line('{ name: d') + 1, 'a name that no other check has'],
    ['PLAN_CHECK_INVALID', line('{ name: d') + 1, 'a day as YYYY-MM-DD'],
    ['PLAN_CHECK_TYPE_REFUSED', line('{ name: f'), 'a date or a timestamp'],
    ['PLAN_CHECK_TYPE_REFUSED', line('{ name: g'), 'as id, which is integer'],
    ['PLAN_CHECK_INVALID', line('{ name: h'), 'as many columns as it is made of'],
    ['PLAN_CHECK_INVALID', line('{ name: i'), 'one SQL condition, without parentheses that do not balance'],
    ['PLAN_CHECK_INVALID', line('{ name: j'), 'one SQL SELECT, without a semicolon'],
    ['PLAN_CHECK_INVALID', line('{ name: k'), 'one SQL condition, without a quote or a comment that does not end'],
  ]);
  expect(summary.state).toBe('failed');
}, 60_000);

it('is part of the plan: another limit is another digest, and a plan without checks is what it was', async () => {
  const world = await newWorld();
  const digests: string[] = [];
  for (const checks of ['', all(), all().replace('max: 77', 'max: 78'), '']) {
    const stop = new Error('planned');
    await runWith(world, checks, {}, {
      prepared: ({ planDigest, plan }) => {
        digests.push(planDigest ?? '');
        if (checks === '') expect(plan).not.toHaveProperty('checks');
        throw stop;
      },
    }); // prettier-ignore
  }
  expect(new Set(digests).size).toBe(3);
}, 60_000);
