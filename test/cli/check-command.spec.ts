// `bauta check` against a published version: what it says, in which form, how it ends, with whose rights it asks, and whose rows it shows.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type Said, type TinyWorld, bauta, canary, pipelineText, startTinyWorld } from '../support/tiny-source.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { startProcess, waitFor } from '../support/small-shop.js';
import { expectWellFormed } from '../support/well-formed.js';

const checks = (price: number, more = ''): string => `checks:
  - { name: prices, kind: range, table: app.product, columns: price, min: 1, max: ${price} }
  - { name: people, kind: rowCount, table: app.person, min: 180, maxChangePercent: 1 }
  - { name: births, kind: nullRate, table: app.person, columns: born, maxPercent: 1, maxChangePoints: 1 }
  - { name: orders, kind: relation, table: app."order", columns: sku, to: { table: app.product, columns: sku } }
${more}`;

let world: TinyWorld;
let env: Record<string, string>;
let fine: string;
beforeAll(async () => {
  world = await startTinyWorld();
  const home = join(world.folder, 'home');
  env = { SOURCE_URL: await world.source('check_production'), TARGET_URL: world.target('check_dev'), BAUTA_HOME: home };
  fine = world.documents({ 'pipeline.yaml': pipelineText + checks(20) });
  const ran = await bauta(['run', '-f', fine], { env, cwd: world.folder });
  expect([ran.exitCode, ran.stderr]).toEqual([0, expect.stringContaining('checks   4 checks: all passed')]);
  expect(ran.stderr).toContain(
    'pass     people  rowCount of app.person: 180 rows, no earlier version; expected 180 rows or more, a change of 1 % at most',
  );
}, 60_000);
afterAll(() => world.stop());

const check = (...words: string[]): Promise<Said> => bauta(['check', ...words], { env, cwd: world.folder });

it('passes on the version that was published, and leaves no login behind', async () => {
  const said = await check('-f', fine);
  expect([said.exitCode, said.stdout]).toEqual([0, expect.stringContaining('checks   4 checks: all passed')]);
  const roles = await world.server.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname LIKE '%\\_bauta\\_%'`);
  expect(roles).toEqual([]);
  const {
    passed,
    database,
    version,
    checks: made,
  } = JSON.parse((await check('-f', fine, '--format', 'json')).stdout) as Record<string, unknown>;
  expect({ passed, database, version }).toEqual({ passed: true, database: 'check_dev', version: 1 });
  expect(made).toMatchObject([{ name: 'prices', outcome: 'pass', counted: 0 }, {}, {}, {}]);
}, 60_000);

it('fails where a check fails, with the line of the check in JUnit and SARIF, and warns where it only warns', async () => {
  const failing = world.documents({ 'pipeline.yaml': pipelineText + checks(12) });
  const said = await check('-f', failing);
  expect([said.exitCode, said.stdout]).toEqual([
    1,
    expect.stringContaining('fail     prices  range of app.product.price: 8 rows; expected 0 rows (withhold)'),
  ]);
  const junit = await check('-f', failing, '--format', 'junit');
  expect(junit.exitCode).toBe(1);
  expect(junit.stdout).toContain('<testsuite name="bauta check" tests="4" failures="1" errors="0" skipped="0">');
  const line = (pipelineText + checks(12)).split('\n').findIndex((one) => one.includes('name: prices')) + 1;
  expect(junit.stdout).toMatch(
    new RegExp(
      `<testcase classname="bauta.check" name="prices \\(range\\)" file="[^"]+pipeline.yaml" line="${line}"><failure type="CHECK_FAILED"`,
    ),
  );
  expect(junit.stdout).toContain('<testcase classname="bauta.check" name="people (rowCount)"/>');
  expectWellFormed(junit.stdout);
  const sarif = JSON.parse((await check('-f', failing, '--format', 'sarif')).stdout) as { runs: { results: Record<string, unknown>[] }[] };
  expect(sarif.runs[0]?.results).toMatchObject([
    {
      ruleId: 'CHECK_FAILED',
      level: 'error',
      partialFingerprints: { 'bautaCheck/v1': 'CHECK_FAILED/prices (range)' },
      locations: [{ physicalLocation: { region: { startLine: line } } }],
    },
  ]);
  const warning = world.documents({
    'pipeline.yaml': (pipelineText + checks(12)).replace('{ name: prices,', '{ name: prices, severity: warn,'),
  });
  expect((await check('-f', warning)).exitCode).toBe(0);
}, 60_000);

it('asks as a login that may read the version and nothing else, and what cannot be asked has not passed', async () => {
  const prying = world.documents({
    'pipeline.yaml': `${pipelineText}checks:
  - { name: rights, kind: sql, sql: "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreatedb OR rolcreaterole)" }
  - { name: itself, kind: sql, sql: "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = 'bauta_target' AND rolname = session_user" }
  - { name: writes, kind: sql, sql: "SELECT pg_catalog.setval('app.order_id_seq', 1)" }
  - { name: becomes, kind: sql, sql: "SELECT count(*) FROM (SELECT pg_catalog.set_config('role', 'bauta_target', true)) s" }
`,
  });
  const { exitCode, stdout } = await check('-f', prying, '--json');
  const { checks: made } = JSON.parse(stdout) as { checks: { name: string; outcome: string; sqlState?: string }[] };
  expect(exitCode).toBe(1);
  expect(made.map(({ name, outcome, sqlState = '' }) => `${name} ${outcome} ${sqlState}`)).toEqual([
    'rights pass ',
    'itself pass ',
    'writes not-run 42501',
    'becomes not-run 42501',
  ]);
  const junit = (await check('-f', prying, '--format', 'junit')).stdout;
  expect(junit).toContain('failures="0" errors="2"');
  expectWellFormed(junit);
}, 60_000);

it('leaves no login behind that the next look does not drop, when it is killed', async () => {
  const slow = world.documents({
    'pipeline.yaml': `${pipelineText}checks: [{ name: slow, kind: sql, sql: SELECT 0 FROM pg_catalog.pg_sleep(20) }]\n`,
  });
  const logins = (): Promise<Record<string, unknown>[]> =>
    world.server.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname LIKE '%\\_bauta\\_%'`);
  const started = startProcess([packageFile('dist', 'src', 'cli.js'), 'check', '-f', slow], world.folder, {
    ...env,
    PATH: process.env['PATH'] ?? '',
  });
  await waitFor(async () => (await logins()).length === 1);
  started.child.kill('SIGKILL');
  await started.ended;
  await waitFor(async () => {
    await bauta(['doctor', '-f', fine, '--fix'], { env, cwd: world.folder });
    return (await logins()).length === 0;
  });
}, 60_000);

it('shows failing rows of a masked copy, and of nothing else', async () => {
  const failing = world.documents({
    'pipeline.yaml': `${pipelineText}checks:
  - { name: old-people, kind: range, table: app.person, columns: born, max: 1900-01-01 }
  - { name: mail, kind: acceptedValues, table: app.person, columns: email, values: [nobody] }
  - { name: states, kind: unique, table: app."order", columns: [state] }
`,
  });
  const { exitCode, stdout } = await check('-f', failing, '--rows', '2', '--json');
  const { rows } = JSON.parse(stdout) as { rows: { check: string; columns: string[]; rows: string[][] }[] };
  expect(exitCode).toBe(1);
  expect(rows.map(({ check: name, columns, rows: shown }) => [name, columns, shown.length])).toEqual([
    ['old-people', ['id', 'born'], 2],
    ['mail', ['id', 'email'], 2],
    ['states', ['state', 'rows'], 1],
  ]);
  expect(stdout).not.toContain(canary);
  expect((await check('-f', failing, '--rows', '2')).stdout).toMatch(/\nmail\n {2}id +email\n/);
  // The source is a database that a connection leads to; nothing of its rows is shown, whatever stands in it.
  const there = { ...env, DATABASE_URL: world.server.url('check_production') };
  for (const marked of ['', `CREATE SCHEMA bauta; CREATE TABLE bauta.dataset AS TABLE pg_catalog.pg_am`]) {
    if (marked) await world.server.sql('check_production', marked);
    const refused = await bauta(['check', '-f', failing, '--database', 'env:DATABASE_URL', '--rows', '2'], {
      env: there,
      cwd: world.folder,
    });
    expect([refused.exitCode, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain('CHECK_ROWS_REFUSED');
    expect(refused.stderr).not.toContain(canary);
  }
  await world.server.sql('check_production', 'DROP SCHEMA bauta CASCADE');
  const stranger = { ...env, DATABASE_URL: world.server.url('check_dev'), BAUTA_HOME: join(world.folder, 'elsewhere') };
  const unknown = await bauta(['check', '-f', failing, '--database', 'env:DATABASE_URL', '--rows', '2'], {
    env: stranger,
    cwd: world.folder,
  });
  expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining('nobody here knows who signed its marker')]);
  const keyed = await bauta(
    ['check', '-f', failing, '--database', 'env:DATABASE_URL', '--rows', '1', '--key', join(world.folder, 'home', 'log.pub')],
    { env: stranger, cwd: world.folder },
  );
  expect([keyed.exitCode, keyed.stdout]).toEqual([1, expect.stringContaining('mail')]);
}, 120_000);

it('asks any database that a connection leads to, with what the log of the home says of the version before, or says that it does not know', async () => {
  const there = { ...env, DATABASE_URL: world.server.url('check_dev') };
  const known = await bauta(['check', '-f', fine, '--database', 'env:DATABASE_URL'], { env: there, cwd: world.folder });
  expect([known.exitCode, known.stdout]).toEqual([0, expect.stringContaining('no earlier version')]);
  const elsewhere = { ...there, BAUTA_HOME: join(world.folder, 'elsewhere') };
  const unknown = await bauta(['check', '-f', fine, '--database', 'env:DATABASE_URL'], { env: elsewhere, cwd: world.folder });
  expect([unknown.exitCode, unknown.stdout]).toEqual([1, expect.stringContaining('not-run  people')]);
  expect(unknown.stderr + unknown.stdout).toContain('does not say what the version before had');
}, 60_000);
