// A period with so many runs (default 10,000) in a real metadata database: `node dist-test/test/soak/reconcile.js [RUNS]` makes its package of evidence and holds the
// rows of every population against what the leaves of the log give, counted by the database itself, and against the tables of the same things, id by id.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { storeRuns, waitUntilSequenced } from '../../bench/stored-runs.js';
import type { ServiceProcess } from '../../bench/service-process.js';
import { makeReports } from '../../src/control/make-reports.js';
import { systemClock } from '../../src/kernel/clock.js';
import { ZipReader } from '../../src/systems/zip/zip.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';

export const period = { from: '2000-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z', zone: 'UTC' };

export interface Reconciled {
  readonly population: string;
  readonly csv: number;
  readonly log: number;
  /** Rows of the table of the same thing; undefined: the database has none, the log alone has it. */
  readonly database: number | undefined;
  /** Ids that one side has and the other has not. */
  readonly apart: readonly string[];
}

export interface Recorded {
  readonly world: ServiceWorld;
  readonly folder: string;
  stop(): Promise<void>;
}

/** Runs with their transitions, approvals and versions as rows, and everything that they told as entries. MUST be stopped. */
export async function record(runs: number): Promise<Recorded> {
  const world = await startServiceWorld();
  const folder = mkdtempSync(join(tmpdir(), 'bauta-reconcile-'));
  await world.person('bob', ['operator']);
  await world.startSequencer();
  const database = new pg.Client({ connectionString: world.server.url('metadata') });
  await database.connect();
  try {
    await database.query(`SELECT set_config('bauta.workspace', $1, false)`, [world.workspaces.home]);
    await database.query('SET ROLE bauta_service');
    await storeRuns({ database } as unknown as ServiceProcess, runs);
    for (const statement of [insertVersions, ...told]) await database.query(statement);
    await waitUntilSequenced({ database } as unknown as ServiceProcess);
  } finally {
    await database.end();
  }
  return {
    ...{ world, folder },
    stop: async () => {
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const insertVersions = `
  INSERT INTO bauta.dataset_version (workspace_id, run_id, pipeline, environment, documents, catalogue_digest, policy_digest, server, target, version, expires_at, published_at)
  SELECT workspace_id, id, pipeline, environment, '[]', 'sha256:c', 'sha256:p', '1', 'copy', row_number() OVER (ORDER BY id), ended_at + interval '30 days', ended_at
  FROM bauta.run WHERE state = 'published'`;

const tell = (type: string, at: string, data: string, from = 'bauta.run r'): string => `
  INSERT INTO bauta.outbox (workspace_id, event)
  SELECT r.workspace_id, json_build_object('type', '${type}', 'runId', r.id, 'stage', 'control', 'at', to_char(${at}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'data', json_build_object(${data})) FROM ${from}`;
const ofVersion = `bauta.run r JOIN bauta.dataset_version v ON v.run_id = r.id`;
const ofApproval = 'bauta.run r JOIN bauta.approval a ON a.run_id = r.id';

/** In the order in which they are told of one run; those of all runs of a kind after each other. */
const told = [
  tell('run.started', 'r.created_at', `'pipeline', r.pipeline, 'environment', r.environment`),
  tell('approval.wanted', 'a.requested_at', `'approval', a.id, 'kind', a.kind, 'run', r.id`, ofApproval),
  tell('approval.used', 'a.requested_at', `'approval', a.id`, ofApproval),
  tell(
    'plan.decided',
    'r.created_at',
    `'planDigest', 'sha256:p', 'decision', json_build_object('decisionId', r.id, 'allow', r.state <> 'denied')`,
  ),
  ...[1, 2].map((table) =>
    tell('table.loaded', 'r.created_at', `'schema', 'app', 'table', 'table_${table}', 'rows', 10`, `${ofVersion} AND ${table} > 0`),
  ),
  tell('dataset.published.intended', 'v.published_at', `'target', v.target, 'server', v.server, 'version', v.version`, ofVersion),
  tell(
    'dataset.published.done',
    'v.published_at',
    `'target', v.target, 'server', v.server, 'version', v.version, 'pipeline', r.pipeline`,
    ofVersion,
  ),
  tell('run.ended', 'r.ended_at', `'state', r.state`),
];

export async function pack({ world, folder }: Recorded): Promise<string> {
  const made = join(folder, `made-${performance.now()}`);
  mkdirSync(made);
  const order = { workspaceId: world.workspaces.home, workspace: 'default', actor: null, policy: null, period };
  const papers = [{ report: 'soc2', format: 'zip' }] as const;
  const [paper] = await makeReports(world.metadata, systemClock, { ...order, papers, folder: made });
  return join(made, paper!.name);
}

/** Of entries that more than one belong to an item: which begins it. Of every other population each entry of its types is an item. */
const begins: Readonly<Record<string, readonly string[]>> = {
  runs: ['run.started'],
  versions: ['dataset.published.done', 'dataset.published.completed'],
  clones: ['clone.made.done', 'clone.made.completed'],
  approvals: ['approval.wanted'],
  'erasure-requests': ['erasure.requested'],
  breakglasses: ['breakglass.issued'],
};

/** What was due follows from the calendars of schedules: no count of leaves gives it, and none is due here. */
const COMPUTED = 'occurrences';

/** What is intended is told of before it is done, and that is one item. */
const toCounted = (name: string, listed: readonly string[]): readonly string[] =>
  name === 'intents' ? listed.filter((type) => type.endsWith('.intended')) : (begins[name] ?? listed);

/** Tables of the same things: ids, and the column of the CSV that has them. */
const tables: Readonly<Record<string, readonly [column: string, query: string]>> = {
  runs: ['run', 'SELECT id FROM bauta.run'],
  versions: ['run', 'SELECT run_id AS id FROM bauta.dataset_version WHERE published_at IS NOT NULL'],
  approvals: ['approval', 'SELECT id::text AS id FROM bauta.approval'],
};

export async function reconcile({ world }: Recorded, path: string): Promise<readonly Reconciled[]> {
  const zip = (await ZipReader.open(path))!;
  try {
    const text = async (name: string): Promise<string> => (await zip.read(name))!.toString('utf8');
    // The entry that tells of this very package comes after what it was made of.
    const { upTo } = JSON.parse(await text('manifest.json')) as { upTo: { log: string; size: number } };
    const names = [...zip.entries.keys()]
      .flatMap((name) => /^populations\/(.+)\.csv$/.exec(name)?.[1] ?? [])
      .filter((name) => name !== COMPUTED);
    const all: Reconciled[] = [];
    for (const name of names) {
      const [head = [], ...rows] = parseCsv(await text(`populations/${name}.csv`));
      const [, listed = ''] = /Types of entries that were read: (.+)\n/.exec(await text(`populations/${name}.query.txt`)) ?? [];
      const types = toCounted(name, listed.split(', ')).map((type) => `'${type}'`).join(', '); // prettier-ignore
      const leaves = await world.sql(
        `SELECT count(*)::int AS n FROM bauta.audit_leaf WHERE workspace_id = '${world.workspaces.home}' AND event ->> 'type' IN (${types})
         AND event ->> 'at' >= '${period.from}' AND event ->> 'at' < '${period.to}'
         AND (log < '${upTo.log}' OR position < ${upTo.size})`,
      );
      const [column, query] = tables[name] ?? [];
      const ids = query === undefined ? undefined : (await world.sql(query)).map(({ id }) => String(id));
      const inCsv = rows.map((row) => row[head.indexOf(column ?? '')] ?? '');
      const apart = ids === undefined ? [] : [...without(ids, inCsv), ...without(inCsv, ids)];
      all.push({ population: name, csv: rows.length, log: Number(leaves[0]?.['n']), database: ids?.length, apart });
    }
    return all;
  } finally {
    await zip.close();
  }
}

function without(some: readonly string[], others: readonly string[]): readonly string[] {
  const there = new Set(others);
  return some.filter((one) => !there.has(one));
}

/** RFC 4180, of its own. */
function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = '', end = ''] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    if (quoted === undefined && plain === '' && end === '' && rows.at(-1)!.length === 0) break;
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '\r\n') rows.push([]);
  }
  return rows.filter((row) => row.length > 0);
}

if (process.argv[1]?.endsWith('/soak/reconcile.js') === true) {
  const runs = Number(process.argv[2] ?? 10_000);
  const recorded = await record(runs);
  try {
    const startedAt = performance.now();
    const all = await reconcile(recorded, await pack(recorded));
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    for (const { population, csv, log, database, apart } of all.filter((one) => one.csv + one.log > 0))
      process.stdout.write(`${population}: ${csv} rows, ${log} by the log, ${database ?? 'none'} in the database, ${apart.length} apart\n`);
    const wrong = all.filter(({ csv, log, database, apart }) => csv !== log || (database ?? csv) !== csv || apart.length > 0);
    process.stdout.write(`${all.length} populations, ${wrong.length} do not reconcile; packed and reconciled in ${seconds} s\n`);
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } finally {
    await recorded.stop();
  }
}
