// The sample with a canary in every column: everything that leaves the process, and everything that the servers write down, is searched for them.
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { RunSummary } from '../../src/pipeline/report/report.js';
import { type Ended, waitFor } from '../support/small-shop.js';
import { findInFolder } from './needles.js';
import { type Kind, canaries, needlesOf, untelling } from './sample-canaries.js';
import { type SampleWorld, startSampleWorld } from './sample-world.js';

/** Who may see what; docs/threat-model.md says the same. What is not named here may see nothing. */
const maySee: Readonly<Record<string, readonly Kind[]>> = {
  // Kept on purpose, each with its reason in the classification: they are the copy.
  'the tables of the copy, and the files and WAL of the target': ['kept', 'schema'],
  // Statements that rebuild the schema; they hold names and texts of the schema and no row.
  'the log and the statistics of the target': ['schema'],
  'what the process says, writes and shows; the log and the statistics of the source': [],
};
const all: readonly Kind[] = ['tagged', 'kept', 'schema'];
const forbidden = Object.fromEntries(
  Object.entries(maySee).map(([place, kinds]) => [place, needlesOf(...all.filter((kind) => !kinds.includes(kind)))]),
);
const findForbidden = (place: keyof typeof maySee, text: string | Uint8Array): readonly string[] => forbidden[place]?.find(text) ?? ['?'];
const [copy, targetLog, process_] = Object.keys(maySee) as [string, string, string];

let world: SampleWorld;
let published: { readonly ended: Ended; readonly seen: string };

beforeAll(async () => {
  world = await startSampleWorld();
  published = await world.watch(world.start(['run', '-f', 'pipeline.yaml', '--json']));
}, 120_000);
afterAll(() => world.stop());

const dump = async (): Promise<string> => {
  const tables = await world.target.sql(
    'shop_dev',
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('shop', 'Human Resources') AND c.relkind IN ('r', 'm', 'v')`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) => world.target.sql('shop_dev', `SELECT string_agg(t::text, E'\\n') AS text FROM ONLY ${String(name)} t`)),
  );
  return rows.map(([row]) => String(row?.['text'])).join('\n');
};

async function expectNoLeak(ended: Ended, seen = ''): Promise<void> {
  const statements = async (server: SampleWorld['source']): Promise<string> =>
    JSON.stringify(await server.sql('postgres', 'SELECT query FROM pg_stat_statements'));
  const places: Record<string, readonly string[]> = {
    stdout: findForbidden(process_, ended.stdout),
    stderr: findForbidden(process_, ended.stderr),
    'command line, environment, threads and sessions': forbidden[process_]?.find(seen) ?? [],
    home: findInFolder(forbidden[process_]!, world.home, 'keys'),
    'temporary files': findInFolder(forbidden[process_]!, world.temporary),
    'log of the source': findForbidden(process_, readFileSync(world.source.logFile)),
    'statistics of the source': findForbidden(process_, await statements(world.source)),
    'log of the target': findForbidden(targetLog, readFileSync(world.target.logFile)),
    'statistics of the target': findForbidden(targetLog, await statements(world.target)),
  };
  await world.target.sql('postgres', 'CHECKPOINT');
  places['files and WAL of the target'] = findInFolder(forbidden[copy]!, world.target.dataFolder);
  expect(places).toEqual(Object.fromEntries(Object.keys(places).map((place) => [place, []])));
}

it('plants one in every column that can hold one', async () => {
  const columns = await world.source.sql(
    'production',
    `SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname) AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('shop', 'Human Resources') AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`,
  );
  const planted = (name: string): boolean =>
    canaries.some(({ at }) => at === name || (at.startsWith(name) && /^[.[]/.test(at.slice(name.length))));
  const rest = columns.map((row) => String(row['name'])).filter((name) => !planted(name));
  expect(rest.filter((name) => !Object.values(untelling).some((pattern) => pattern.test(name)))).toEqual([]);
  expect(columns.length).toBeGreaterThan(250);
});

it('finds every one of them where they are: in the rows, the files and the WAL of the source', async () => {
  await world.source.sql('postgres', 'CHECKPOINT');
  const found = new Set(findInFolder(needlesOf(...all), world.source.dataFolder).map((line) => line.replace(/^bytes of | in .*$/gs, '')));
  // Numbers of four bytes, an interval, and a default, which is kept as a tree.
  const other = /"Employee No"|"Hired"|birth_date|booking\.id|ticket\.id|"select"|survey\.id|warranty|^default/;
  expect(canaries.map(({ at }) => at).filter((at) => !found.has(at) && !other.test(at))).toEqual([]);
});

it('a run publishes, and no one who may not see it sees a value: not the terminal, the log, the sessions, the servers’ logs and statistics, nor a file of the target', async () => {
  expect(published.ended).toMatchObject({ code: 0 });
  expect((JSON.parse(published.ended.stdout) as RunSummary).state).toBe('published');
  await expectNoLeak(published.ended, published.seen);
  // The places that were searched are those that the run was in.
  expect(published.seen).toContain('COPY');
  for (const server of [world.source, world.target]) {
    expect(readFileSync(server.logFile, 'utf8')).toContain('COPY');
    expect(JSON.stringify(await server.sql('postgres', 'SELECT query FROM pg_stat_statements'))).toContain('COPY');
  }
});

it('the copy holds what is kept and nothing else, in rows, views, statistics of columns and schema', async () => {
  const text = await dump();
  expect(findForbidden(copy, text)).toEqual([]);
  const kept = canaries.filter(({ kind }) => kind === 'kept').map(({ at }) => at);
  const found = needlesOf('kept').find(text);
  expect(kept.filter((at) => !found.includes(at))).toEqual([]);
  const statistics = await world.target.sql(
    'shop_dev',
    'SELECT most_common_vals::text, histogram_bounds::text, most_common_elems::text FROM pg_stats',
  );
  expect(findForbidden(copy, JSON.stringify(statistics))).toEqual([]);
});

it.each([
  ['plan', ['plan', '-f', 'pipeline.yaml']],
  ['plan as JSON', ['plan', '-f', 'pipeline.yaml', '--json']],
  ['classify', ['classify', '--source', 'env:SOURCE_URL']],
  ['doctor', ['doctor', '-f', 'pipeline.yaml', '--json']],
  ['datasets', ['datasets', '-f', 'pipeline.yaml']],
])('bauta %s shows none', async (_, words) => {
  const ended = await world.start(words).ended;
  expect(ended).toMatchObject({ code: 0 });
  expect(needlesOf('tagged', 'kept').find(ended.stdout + ended.stderr)).toEqual([]);
});

it('a preview shows pseudonyms, and what is kept, and no original', async () => {
  const ended = await world.start(['plan', '-f', 'pipeline.yaml', '--sample', '999', '--json']).ended;
  expect(ended).toMatchObject({ code: 0 });
  expect(needlesOf('tagged').find(ended.stdout + ended.stderr)).toEqual([]);
  await expectNoLeak({ ...ended, stdout: '' });
});

it('the staging database of a run that was killed when it was full holds none, nor do its files when it was dropped', async () => {
  const { child, ended } = await world.block('border:verify');
  child.kill('SIGKILL');
  await expectNoLeak(await ended);
  const running = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'bauta'`;
  await waitFor(async () => (await world.target.sql('postgres', running)).length === 0);
  const fixed = await world.start(['doctor', '-f', 'pipeline.yaml', '--fix']).ended;
  expect(fixed).toMatchObject({ code: 0 });
  await expectNoLeak(fixed);
  expect(await world.target.sql('postgres', `SELECT datname FROM pg_database WHERE datname ~ '_bauta_'`)).toEqual([]);
});
