// Privacy of a copy, measured in staging: what a careful pipeline and a careless one come to, what withholds, and that it is told as counts alone.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { toAsked } from '../../src/cli/report.js';
import { makeReport } from '../../src/control/look-at-log.js';
import type { PrivacyMeasures, TablePrivacy } from '../../src/pipeline/privacy.js';
import type { RunSummary } from '../../src/pipeline/report/report.js';
import { openLogFiles } from '../../src/systems/files/files.js';
import { eventsOf, logTextOf } from '../support/log.js';
import { type Ended, type Sample, type World, requirePublished, startSample } from '../support/shop.js';

const persons = 1_500;
const canary = 'zibeline';

const pipeline = (more = '', privacy = '', environmentClass = 'dev'): string => `kind: Pipeline
name: measured
import: [classification.yaml]
source: { connection: env:SOURCE_URL, region: eu }
target: { connection: env:TARGET_URL, environment: dev, class: ${environmentClass}, region: eu, allows: [pii, special, quasi], sameServer: source and target of a test${privacy} }
classification: measured
purpose: tests of privacy
owner: team-privacy
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [patients]
retentionDays: 1
${more}`;

const classification = (more = ''): string => `kind: Classification
name: measured
tables:
  public.person:
    person: true
    columns: { id: pii.key, email: pii.email, last_name: pii.last-name, born: quasi.birth-date, postcode: pii.address.postcode, account: pii.company, illness: special.health }
    keep: [{ columns: [branch${more}], reason: what a copy keeps }]
  public.visit:
    keep: [{ columns: [nr, place, day], reason: what a copy keeps }]
  public.lookup:
    keep: [{ columns: [place, name], reason: says nothing of a person }]
`;

/** Accounts stand in 1, 3, 5, … rows, so that each frequency but one says which it is. */
const schema = `CREATE TABLE person (id bigint PRIMARY KEY, email text NOT NULL, last_name text, born date NOT NULL, postcode text, account text, illness text, branch text);
INSERT INTO person SELECT i, 'ada.${canary}' || i || '@corp.co.uk', CASE WHEN i % 3 = 0 THEN 'Smith' WHEN i % 5 = 0 THEN 'Jones' ELSE 'Name' || i % 100 END,
  date '1950-01-01' + (i * 37) % 18000, lpad((10000 + (i * 7) % 900)::text, 5, '0'),
  'Works ' || lpad(floor(sqrt(i))::int::text, 6, '0'), (ARRAY['flu','cold','asthma'])[1 + i % 3], 'B' || i % 7 FROM generate_series(1, ${persons}) i;
CREATE TABLE visit (nr int PRIMARY KEY, person_id bigint NOT NULL REFERENCES person, place int, day date);
INSERT INTO visit SELECT i, 1 + i % ${persons}, i % 40, date '2024-01-01' + (i * 13) % 300 FROM generate_series(1, 4000) i;
CREATE TABLE lookup (place int, name text);
INSERT INTO lookup SELECT i, 'place ' || i FROM generate_series(1, 40) i;
ANALYZE;`;

let folder: string;
let sample: Sample;
let worlds = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-privacy-'));
  writeFileSync(join(folder, 'pipeline.yaml'), pipeline());
  writeFileSync(join(folder, 'classification.yaml'), classification());
  sample = await startSample({ documents: folder, load: async (server, database) => void (await server.sql(database, schema)) });
}, 60_000);
afterAll(async () => {
  await sample.stop();
  rmSync(folder, { recursive: true, force: true });
});

const newWorld = (): Promise<World> => sample.world(`privacy${worlds++}`);

function requireMeasures({ privacy }: RunSummary): PrivacyMeasures {
  if (!privacy) throw new Error('nothing was measured');
  return privacy;
}

function tableOf({ tables }: PrivacyMeasures, name: string): TablePrivacy {
  const found = tables.find(({ table }) => table === name);
  if (!found) throw new Error(`${name} was not measured`);
  return found;
}

/** Quasi-identifiers and a sensitive attribute as they are, and pseudonyms of few values that are functions of the value. */
const careless = `overrides:
  - { columns: [public.person.born, public.person.postcode, public.person.illness], transform: keep, reason: a careless one, expires: 2999-12-31 }
  - { columns: [public.person.account], transform: text-key, scope: value, reason: a careless one }
`;

async function runWith(world: World, more = '', privacy = ''): Promise<Ended> {
  world.write('pipeline.yaml', pipeline(more, privacy));
  return world.provision();
}

const places = (ended: Ended): readonly unknown[] =>
  ended.summary.findings.map(({ code, severity, where }) => [code, severity, where.table, where.name]);

it('finds nobody in a copy that was masked with care: no row is linked, and guessing does no better than chance', async () => {
  const world = await newWorld();
  const published = requirePublished(await world.provision());
  const measures = requireMeasures(published);
  expect(published.findings).toEqual([]);
  expect(measures).toMatchObject({ beyond: [], unknown: [], tablesMeasured: 2, worst: { dictionary: 0 } });
  const person = tableOf(measures, 'person');
  // Shifted days are alone, and lead nowhere, but for those that chance left where they were.
  expect(person.linked?.linked ?? 0).toBeLessThan(0.01 * persons);
  expect(person).toMatchObject({ rows: persons, quasi: { columns: ['born'], rows: persons } });
  for (const { rows, guessed, chance } of person.guessed) expect(guessed).toBeLessThanOrEqual(chance + 0.02 * rows);
  // Of a company each row is its own: there is no rank to go by.
  expect(person.guessed.map(({ column }) => column)).toEqual(['last_name', 'postcode', 'illness']);
  // What leads to nobody is not looked at.
  expect(measures.tables.map(({ table }) => table).sort()).toEqual(['person', 'visit']);
});

it('finds what a careless pipeline lets through, as much of it as there is, and says where', async () => {
  const world = await newWorld();
  const ended = await runWith(world, careless);
  const person = tableOf(requireMeasures(requirePublished(ended)), 'person');
  const [source = {}] =
    await world.source(`SELECT count(*)::int AS rows, sum(n)::int AS of, (SELECT min(n)::int FROM (SELECT count(*) AS n FROM person GROUP BY born, postcode, illness) AS g) AS k
    FROM (SELECT count(*) AS n FROM person GROUP BY born, postcode, illness, branch HAVING count(*) = 1) AS g`);
  const alone = Number(
    (
      await world.source(`SELECT count(*)::int AS n FROM (SELECT FROM person GROUP BY born, postcode, illness HAVING count(*) = 1) AS g`)
    )[0]?.['n'],
  );
  expect(alone).toBeGreaterThan(0.9 * persons);
  // Every row was tried, so that figures are those of the table.
  expect(person.linked).toEqual({ columns: ['born', 'postcode', 'illness'], rows: persons, linked: alone, wrong: 0, population: persons });
  expect(person.linkedByAll).toMatchObject({ linked: source['rows'] });
  expect(person.quasi).toMatchObject({ k: source['k'], unique: alone, rows: persons });
  // All sets of a table are counted in one pass, each as if it were alone.
  expect(person.found.map(({ columns }) => columns.length)).toEqual([1, 2, 3]);
  for (const { columns, k, unique, below } of person.found) {
    const groups = `SELECT count(*)::int AS n FROM person GROUP BY ${columns.join(', ')}`;
    const counted = await world.copy(
      `SELECT min(n) AS k, count(*) FILTER (WHERE n = 1)::int AS "unique", coalesce(sum(n) FILTER (WHERE n < 5), 0)::int AS below FROM (${groups}) AS g`,
    );
    expect(counted).toEqual([{ k, unique, below }]);
  }
  const account = person.guessed.find(({ column }) => column === 'account')!;
  expect(account.guessed - account.chance).toBeGreaterThan(0.2 * persons);
  expect(account.beyondChance).toBeGreaterThan(0.2);
  expect(person.sensitive).toEqual([{ column: 'illness', l: 1, t: expect.any(Number) }]);
  // In a class of one's own people it is told, and not withheld.
  expect(places(ended)).toEqual([
    ['PRIVACY_BEYOND', 'warning', 'person', 'rows linked to their original by an exact join'],
    ['PRIVACY_BEYOND', 'warning', 'person', 'rows guessed by frequency beyond chance'],
  ]);
});

it('measures a part of the pages of a larger table, and says so', async () => {
  const world = await newWorld();
  world.write('pipeline.yaml', pipeline(careless));
  const measures = requireMeasures(requirePublished(await world.provision({ settings: { BAUTA_PRIVACY_ROWS: '1000' } })));
  const { quasi, found, linked, guessed, unmeasured } = tableOf(measures, 'person');
  expect([quasi, ...found, linked, ...guessed].map((one) => one?.sampled)).toEqual(Array(5 + guessed.length).fill(true));
  expect(guessed.map(({ column, rows }) => [column, rows])).toEqual(['last_name', 'account'].map((name) => [name, persons]));
  for (const { rows, guessed: hit, chance, beyondChance } of guessed)
    expect(beyondChance).toBeLessThanOrEqual(Math.max(0, (hit - chance) / rows));
  // Of a part of the rows no group says how diverse it is.
  expect(unmeasured.map(({ measure, column }) => [measure, column])).toEqual([['sensitive', 'illness']]);
});

it('a special category has a tag of its own, by which the record of processing knows it', async () => {
  const world = await newWorld();
  requirePublished(await world.provision());
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const period = { from: day(Date.now() - 86_400_000), to: day(Date.now() + 86_400_000) };
  const { document } = await makeReport(
    openLogFiles(join(world.home, 'log')),
    await toAsked('gdpr', { ...period, file: world.file }),
    undefined,
  );
  expect(JSON.stringify(document)).toContain(
    '"label":"Special categories (Art. 9), by tags","value":"special.health (1)","standing":"evidenced"',
  );
});

it('tells it as counts: no value of a row is in the log or in what a run says', async () => {
  const world = await newWorld();
  const ended = await runWith(world, careless);
  const told = [logTextOf(world.home), JSON.stringify(ended.summary)].join('\n');
  const rows = await world.source(
    'SELECT DISTINCT account AS v FROM person UNION SELECT DISTINCT email FROM person UNION SELECT DISTINCT born::text FROM person',
  );
  expect(rows.filter(({ v }) => told.includes(String(v)))).toEqual([]);
  expect(told).toContain('privacy.measured');
  expect(eventsOf(world.home).filter(({ type }) => type === 'privacy.measured')).toHaveLength(1);
});

it('withholds what is beyond a limit of the target, and leaves the target as it was', async () => {
  const world = await newWorld();
  const ended = await runWith(world, careless, ', privacy: { severity: withhold, maxGuessed: 1, minK: 2, reason: frequencies are known }');
  expect(ended.summary.state).toBe('withheld');
  expect(places(ended)).toEqual([
    ['PRIVACY_BEYOND', 'error', 'person', 'rows linked to their original by an exact join'],
    ['PRIVACY_BEYOND', 'error', 'person', 'rows in the smallest group (k)'],
  ]);
  expect(await sample.server.sql('postgres', `SELECT FROM pg_database WHERE datname = '${world.target}'`)).toEqual([]);
  // The same with a limit that says so, and why.
  const laxer = await runWith(world, careless, ', privacy: { maxLinked: 1, maxGuessed: 1, reason: the test needs them }');
  expect([laxer.summary.state, places(laxer)]).toEqual(['published', []]);
});

it('asks for a reason where a limit is laxer than that of its class, and for none where it is stricter', async () => {
  const world = await newWorld();
  await expect(runWith(world, '', ', privacy: { maxLinked: 0.5 }')).rejects.toMatchObject({
    findings: [{ code: 'DOCUMENT_VALUE_INVALID', where: { path: 'target/privacy/maxLinked' } }],
  });
  const stricter = requirePublished(await runWith(world, '', ', privacy: { maxLinked: 0.01, maxFollowed: 1, severity: withhold }'));
  expect(requireMeasures(stricter).limits).toEqual({ severity: 'withhold', maxLinked: 0.01, maxGuessed: 0.2, maxFollowed: 1 });
});

it('withholds digests of originals that anybody can make, in every class, and leaves other digests alone', async () => {
  const world = await newWorld();
  await world.source(
    `ALTER TABLE person ADD mark text, ADD other text; UPDATE person SET mark = md5(email), other = md5('a key ' || email); ANALYZE person`,
  );
  world.write('classification.yaml', classification(', mark, other'));
  const ended = await world.provision();
  expect(ended.summary.state).toBe('withheld');
  expect(requireMeasures(ended.summary).dictionary).toEqual({
    columns: 2,
    values: 2 * persons,
    tried: expect.any(Number),
    hits: [{ schema: 'public', table: 'person', column: 'mark', values: persons }],
  });
  expect(ended.summary.findings).toMatchObject([
    { code: 'PRIVACY_BEYOND', severity: 'error', where: { table: 'person', column: 'mark', amount: String(persons) } },
  ]);
});
