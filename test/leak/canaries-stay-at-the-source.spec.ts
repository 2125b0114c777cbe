import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import type { RunSummary } from '../../src/pipeline/report/report.js';
import { type Ended, type SmallShop, type Started, nothing, pause, startSmallShop, waitFor } from '../support/small-shop.js';
import { canaries, findNeedles, plantCanaries, refused } from './canaries.js';

let shop: SmallShop;
let temporary: string;
const password = 'qzxpasswordjvwk';

beforeAll(async () => {
  // A server that logs every statement: what we send to the target must hold no original either.
  shop = await startSmallShop({
    target: { settings: { log_statement: 'all', log_min_duration_statement: '0', log_parameter_max_length: '-1' } },
  });
  await plantCanaries(shop);
  temporary = join(shop.folder, 'temporary');
}, 60_000);
afterAll(() => shop.stop());

afterEach(async () => {
  for (const name of (await shop.traces()).databases) await shop.target.sql('postgres', `DROP DATABASE "${String(name)}" WITH (FORCE)`);
  await shop.bauta(['doctor', '-f', shop.pipeline, '--fix']);
});

const start = (
  environment: Readonly<Record<string, string>> = {},
  pipeline = shop.pipeline,
  words: readonly string[] = ['--json'],
): Started => shop.start(['run', '-f', pipeline, ...words], { TMPDIR: temporary, ...environment });

/** Every file below, keys apart, as bytes read one to one: a needle in a binary file is found too. */
function readAll(folder: string): string {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => basename(path) !== 'keys')
    .map((path) => (statSync(path).isDirectory() ? readAll(path) : readFileSync(path, 'latin1')))
    .join('\n');
}

/** What a run said and left, in its words, its home, its temporary folder and the target server's log. */
function expectNoLeak({ stdout, stderr }: Ended, more: readonly string[] = []): void {
  const places = {
    stdout,
    stderr,
    home: readAll(shop.home),
    temporary: readAll(temporary),
    serverLog: readFileSync(shop.target.logFile, 'utf8'),
  };
  for (const [place, text] of Object.entries(places)) {
    expect({ place, found: [...findNeedles(text), ...more.filter((needle) => text.includes(needle))] }).toEqual({ place, found: [] });
  }
}

it('the search itself finds what is there: the source holds every canary that it will look for', async () => {
  const [row] = await shop.source.sql(
    'production',
    `SELECT string_agg(c::text, '') || (SELECT string_agg(o::text, '') FROM shop."order" o) AS text FROM shop.customer c`,
  );
  const text = String(row?.['text']);
  for (const canary of Object.values(canaries)) expect(text).toContain(canary);
  expect(findNeedles(text).length).toBeGreaterThan(8);
});

it('a published copy holds no canary in any table, and nothing that the run said or wrote does', async () => {
  const ended = await start().ended;
  expect(ended).toMatchObject({ code: 0 });
  expectNoLeak(ended);
  expect(readFileSync(shop.target.logFile, 'utf8')).toContain('COPY');
  const [row] = await shop.target.sql(
    'shop_dev',
    `SELECT string_agg(c::text, '') || (SELECT string_agg(o::text, '') FROM shop."order" o) AS text FROM shop.customer c`,
  );
  expect(findNeedles(String(row?.['text']))).toEqual([]);
  const statistics = await shop.target.sql(
    'shop_dev',
    `SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats WHERE schemaname = 'shop'`,
  );
  expect(findNeedles(JSON.stringify(statistics))).toEqual([]);
});

it('a running process shows no canary and no password in its command line, its environment or what the server shows of it', async () => {
  const { pid, child, ended } = start({ BAUTA_SOURCE_ROWS_PER_SECOND: '3000' });
  await waitFor(
    async () => (await shop.target.sql('postgres', `SELECT 1 FROM pg_stat_progress_copy WHERE command = 'COPY FROM'`)).length > 0,
  );
  if (process.platform === 'linux') {
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain('password');
    expect(
      readdirSync(`/proc/${pid}/task`).flatMap((task) =>
        readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
      ),
    ).toEqual([]);
    expect(findNeedles(readFileSync(`/proc/${pid}/environ`, 'utf8'))).toEqual([]);
  }
  const [activity] = await shop.target.sql('postgres', `SELECT string_agg(query || application_name, ' ') AS text FROM pg_stat_activity`);
  expect(findNeedles(String(activity?.['text']))).toEqual([]);
  child.kill('SIGINT');
  expectNoLeak(await ended);
});

it('a denial shows none', async () => {
  const denied = join(shop.folder, 'denied.yaml');
  writeFileSync(denied, readFileSync(shop.pipeline, 'utf8').replace('class: dev', 'class: production'));
  const ended = await start({}, denied).ended;
  expect(ended).toMatchObject({ code: 2 });
  expectNoLeak(ended);
});

it('personal data in a default, a comment or a label of the schema stops the plan without showing itself', async () => {
  await shop.source.sql(
    'production',
    `ALTER TABLE shop.customer ALTER phone SET DEFAULT '${canaries.email}'; COMMENT ON TABLE shop.country IS 'ask ${canaries.uniqueEmail}';
     CREATE VIEW shop.one AS SELECT id FROM shop.customer WHERE email = '${canaries.email}'`,
  );
  const ended = await start().ended;
  await shop.source.sql(
    'production',
    'ALTER TABLE shop.customer ALTER phone DROP DEFAULT; COMMENT ON TABLE shop.country IS NULL; DROP VIEW shop.one',
  );
  expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining('PLAN_REFUSED') });
  expect((JSON.parse(ended.stdout) as RunSummary).findings.filter(({ severity }) => severity === 'error').length).toBeGreaterThanOrEqual(3);
  expectNoLeak(ended);
});

it('a value that its transform refuses stays where it is', async () => {
  await shop.source.sql('production', `UPDATE shop.customer SET born = '${refused.born}' WHERE id = 2000`);
  const ended = await start().ended;
  await shop.source.sql('production', `UPDATE shop.customer SET born = '1980-01-01' WHERE id = 2000`);
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('error: MASK_VALUE_REFUSED:') });
  expectNoLeak(ended);
  expect(await shop.traces()).toEqual(nothing);
});

it('a key of a JSON value that nobody listed is not named when it could be data, and its value never', async () => {
  await shop.source.sql(
    'production',
    `UPDATE shop.customer SET profile = profile || '{"${refused.key}@x.example": "${refused.keyValue}"}' WHERE id = 3999`,
  );
  const ended = await start().ended;
  await shop.source.sql('production', `UPDATE shop.customer SET profile = profile - '${refused.key}@x.example' WHERE id = 3999`);
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('error: MASK_PATH_UNLISTED:') });
  expectNoLeak(ended);
});

it('a copy that is withheld because two pseudonyms collide names the constraint and no value, and staging is gone', async () => {
  // Equal in every row but unique at the target: the index over the expression cannot be built there.
  await shop.source.sql(
    'production',
    `CREATE FUNCTION shop.one(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN pg_catalog.to_regrole('bauta_target') IS NULL THEN $1 ELSE 'same' END $$`,
  );
  await shop.source.sql('production', `CREATE UNIQUE INDEX one_title ON shop.country (shop.one(title))`);
  const ended = await start().ended;
  await shop.source.sql('production', 'DROP INDEX shop.one_title; DROP FUNCTION shop.one(text)');
  expect(ended).toMatchObject({ code: 1 });
  expect(ended.stderr).toContain('DELIVER_OBJECT_FAILED');
  expectNoLeak(ended, ['Germany']);
  expect(await shop.traces()).toEqual(nothing);
});

it('a copy in which the verifier finds an original is withheld, tells where, and staging is gone', async () => {
  const withheld = join(shop.folder, 'withheld.yaml');
  writeFileSync(withheld, readFileSync(shop.pipeline, 'utf8').replace('retentionDays: 30', 'retentionDays: 30\nafter: [original.sql]'));
  // In two halves, so that the statement in the server's log is no leak of its own.
  const [head, tail] = [canaries.firstName.slice(0, 5), canaries.firstName.slice(5)];
  const [mailHead, mailTail] = [canaries.email.slice(0, 5), canaries.email.slice(5).replace('qzx', `q' || 'zx`)];
  writeFileSync(
    join(shop.folder, 'original.sql'),
    `UPDATE shop.customer SET first_name = '${head}' || '${tail}', email = '${mailHead}' || '${mailTail}' WHERE id = (SELECT min(id) FROM shop.customer);`,
  );
  const ended = await start({}, withheld).ended;
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('withheld') });
  const { state, findings } = JSON.parse(ended.stdout) as RunSummary;
  expect(state).toBe('withheld');
  expect(findings.map(({ code }) => code)).toContain('VERIFY_ORIGINAL_FOUND');
  expectNoLeak(ended);
  expect(await shop.traces()).toEqual(nothing);
});

it('a connection that is cut in the middle of a table shows none', async () => {
  const { ended } = start({ BAUTA_SOURCE_ROWS_PER_SECOND: '3000' });
  await waitFor(
    async () =>
      (await shop.target.sql('postgres', `SELECT 1 FROM pg_stat_progress_copy WHERE command = 'COPY FROM' AND tuples_processed > 0`))
        .length > 0,
  );
  await pause(500);
  await shop.target.sql(
    'postgres',
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^COPY' AND application_name = 'bauta'`,
  );
  const end = await ended;
  expect(end).toMatchObject({ code: 1 });
  expectNoLeak(end);
});

it.each([
  ['a wrong password', (url: string) => url.replace('a%20password', password)],
  ['a URL that is none', (url: string) => url.replace('postgres://', `postgres//${password}@`)],
  ['a URL with a port that is none', (url: string) => url.replace(/:\d+\//, `:${password}/`).replace('a%20password', password)],
])('%s of a connection is never shown', async (_, change) => {
  for (const name of ['SOURCE_URL', 'TARGET_URL']) {
    const ended = await start({ [name]: change(shop.environment[name] ?? '') }).ended;
    expect([1, 3]).toContain(ended.code);
    expect(ended.stderr).toMatch(/error: (CONNECTION|SOURCE|TARGET)\w+:/);
    expectNoLeak(ended, [password]);
  }
});

it.each([
  ['YAML that is none', `kind: Pipeline\nname: [${canaries.firstName}\n  : "${canaries.phone}`],
  ['YAML with an unknown member', `kind: Pipeline\nname: x\nsource: "postgres://u:${password}@h/${canaries.lastName}"\n`],
  ['JSON that is none', `{"kind": "Pipeline", "name": "${canaries.email}", }`],
  ['a password in a document', `kind: Pipeline\nname: x\nsource: { connection: "postgres://u:${password}@h/d" }\n`],
])('%s is refused with file and line and without an excerpt', async (name, text) => {
  const file = join(shop.folder, name.startsWith('JSON') ? 'bad.json' : 'bad.yaml');
  writeFileSync(file, text);
  for (const words of [['--json'], []]) {
    const ended = await start({}, file, words).ended;
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining('DOCUMENTS_INVALID') });
    expect(ended.stderr).toMatch(/bad\.(yaml|json):\d+: error/);
    expectNoLeak(ended, [password]);
  }
});
