// A period with so many runs (default 10,000) and a hundredth of everything else that the service keeps: `node dist-test/test/soak/reconcile.js [RUNS]` makes its
// package of evidence and holds the lists of every population against the leaves of the log, counted by the database itself, and against the tables, id by id.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { storeRuns, waitUntilSequenced } from '../../bench/stored-runs.js';
import type { ServiceProcess } from '../../bench/service-process.js';
import { makeReports } from '../../src/control/make-reports.js';
import { systemClock } from '../../src/kernel/clock.js';
import { type LogEnd, type LogFiles, readEntries } from '../../src/pipeline/audit/audit.js';
import {
  type CounterpartName,
  type Reconciled,
  type StoredRow,
  Counterparts,
  counterpartNames,
  counterparts,
  populations,
  reconcile,
} from '../../src/pipeline/report/report.js';
import { ZipReader } from '../../src/systems/zip/zip.js';
import { readRowsOf } from '../support/reconciled.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { json, recordKinds, tell } from './recorded-kinds.js';

export const period = { from: '2000-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z', zone: 'UTC' };

export interface Counted extends Reconciled {
  /** Rows of its CSV in the package. */
  readonly csv: number;
  /** Items by the leaves of the log, counted by the database itself. */
  readonly log: number;
  /** Ids that its CSV has and the table has not, or that the table has to have and the CSV has not. */
  readonly apartFromCsv: readonly string[];
}

export interface Recorded {
  readonly world: ServiceWorld;
  readonly folder: string;
  /** Token of an auditor. */
  readonly auditor: string;
  stop(): Promise<void>;
}

/** Runs with their transitions, approvals and versions as rows, and everything that they told as entries. MUST be stopped. */
export async function record(runs: number): Promise<Recorded> {
  const world = await startServiceWorld();
  const folder = mkdtempSync(join(tmpdir(), 'bauta-reconcile-'));
  for (const name of ['bob', 'ann', 'cyd']) await world.person(name, ['operator']);
  const auditor = await world.person('ada', ['auditor']);
  await world.sql(`UPDATE bauta.token SET created_at = now() - interval '1 day'`);
  await world.startSequencer();
  const database = new pg.Client({ connectionString: world.server.url('metadata') });
  await database.connect();
  try {
    await database.query(`SELECT set_config('bauta.workspace', $1, false)`, [world.workspaces.home]);
    await database.query('SET ROLE bauta_service');
    await storeRuns({ database } as unknown as ServiceProcess, runs);
    for (const statement of [decideApprovals, insertVersions, ...told, ...recordKinds(Math.max(3, Math.round(runs / 100)))])
      await database.query(statement);
    await waitUntilSequenced({ database } as unknown as ServiceProcess);
    await database.end();
  } catch (error) {
    await database.end();
    await world.stop();
    throw error;
  }
  return {
    ...{ world, folder, auditor },
    stop: async () => {
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const decideApprovals = `UPDATE bauta.approval SET decided_by = (SELECT id FROM bauta.person WHERE name = 'ann'), decided_at = requested_at`;

const insertVersions = `
  INSERT INTO bauta.dataset_version (workspace_id, run_id, pipeline, environment, documents, catalogue_digest, policy_digest, server, target, version, expires_at, published_at)
  SELECT workspace_id, id, pipeline, environment, '[]', 'sha256:c', 'sha256:p', '1', 'copy', row_number() OVER (ORDER BY id), ended_at + interval '30 days', ended_at
  FROM bauta.run WHERE state = 'published'`;

const ofVersion = `bauta.run r JOIN bauta.dataset_version v ON v.run_id = r.id`;
const ofApproval = 'bauta.run r JOIN bauta.approval a ON a.run_id = r.id';

const ofRun = (type: string, at: string, data: string, from = 'bauta.run r'): string => tell(type, at, data, from, 'r.id');

/** In the order in which they are told of one run; those of all runs of a kind after each other. */
const told = [
  ofRun('run.queued', 'r.created_at', `'run', r.id, 'pipeline', r.pipeline, 'due', r.due_at`, 'bauta.run r WHERE r.due_at IS NOT NULL'),
  ofRun(
    'run.started',
    'r.created_at',
    `'pipeline', r.pipeline, 'environment', r.environment, 'actor', coalesce(r.requested_by::text, 'service')`,
  ),
  ofRun(
    'approval.wanted',
    'a.requested_at',
    `'approval', a.id, 'kind', a.kind, 'digest', a.digest, 'run', r.id, 'actor', a.requested_by`,
    ofApproval,
  ),
  ofRun('approval.used', 'a.requested_at', `'approval', a.id, 'actor', a.decided_by`, ofApproval),
  ofRun(
    'plan.decided',
    'r.created_at',
    `'planDigest', 'sha256:p', 'decision', json_build_object('decisionId', r.id, 'allow', r.state <> 'denied')`,
  ),
  ...[1, 2].map((table) =>
    ofRun('table.loaded', 'r.created_at', `'schema', 'app', 'table', 'table_${table}', 'rows', 10`, `${ofVersion} AND ${table} > 0`),
  ),
  ofRun('dataset.published.intended', 'v.published_at', `'target', v.target, 'server', v.server, 'version', v.version`, ofVersion),
  ofRun(
    'dataset.published.done',
    'v.published_at',
    `'target', v.target, 'server', v.server, 'version', v.version, 'pipeline', r.pipeline, 'environment', v.environment, 'expiresAt', ${json('v.expires_at')}`,
    ofVersion,
  ),
  ofRun('run.ended', 'r.ended_at', `'state', r.state`),
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
  occurrences: ['run.queued', 'daily-report.due'],
  'access-reviews': ['access-review.opened'],
  'access-held': ['access-review.listed'],
  incidents: ['incident.opened'],
};

/** What is intended is told of before it is done, and that is one item. */
const toCounted = (name: string, listed: readonly string[]): readonly string[] =>
  name === 'intents' ? listed.filter((type) => type.endsWith('.intended')) : (begins[name] ?? listed);

/** All rows of the service that the log tells of, too. */
export async function readRows({ world }: Recorded, size = 5000): Promise<ReadonlyMap<CounterpartName, readonly StoredRow[]>> {
  const rows = new Map<CounterpartName, readonly StoredRow[]>();
  for (const name of counterpartNames) {
    const found: StoredRow[] = [];
    for await (const row of readRowsOf(world.metadata, world.workspaces.home, name, size)) found.push(row);
    rows.set(name, found);
  }
  return rows;
}

/** As a service gives them, page by page. */
export const toPages = (rows: ReadonlyMap<CounterpartName, readonly StoredRow[]>) =>
  async function* (name: CounterpartName): AsyncGenerator<StoredRow> {
    for (const row of rows.get(name) ?? []) yield await Promise.resolve(row);
  };

export function logOf({ world }: Recorded): LogFiles {
  return {
    read: (wanted) => world.metadata.within(world.workspaces.home, ({ log }) => log.files().read(wanted)),
    list: (wanted) => world.metadata.within(world.workspaces.home, ({ log }) => log.files().list(wanted)),
  };
}

/** The package's lists, the leaves and the tables, each with each. */
export async function count(recorded: Recorded, path: string): Promise<readonly Counted[]> {
  const { world } = recorded;
  const rows = await readRows(recorded);
  const zip = (await ZipReader.open(path))!;
  try {
    const text = async (name: string): Promise<string> => (await zip.read(name))!.toString('utf8');
    // The entry that tells of this very package comes after what it was made of.
    const { upTo } = JSON.parse(await text('manifest.json')) as { upTo: LogEnd };
    const lists = new Map<string, readonly (readonly string[])[]>();
    const inCsv = new Counterparts();
    for (const population of populations) {
      const items = parseCsv(await text(`populations/${population.name}.csv`)).slice(1).map((cells) => cells.slice(2)); // prettier-ignore
      for (const cells of items) inCsv.take(population, { at: '', cells });
      lists.set(population.name, items);
    }
    const all: Counted[] = [];
    for (const one of await reconcile(readEntries(logOf(recorded), { until: upTo }), toPages(rows), Date.now())) {
      const population = populations.find(({ name }) => name === one.population)!;
      const types = toCounted(population.name, population.types).map((type) => `'${type}'`).join(', '); // prettier-ignore
      const [leaves] = await world.sql(
        `SELECT count(*)::int AS n FROM bauta.audit_leaf WHERE workspace_id = '${world.workspaces.home}' AND event ->> 'type' IN (${types})
         AND event ->> 'at' >= '${period.from}' AND event ->> 'at' < '${period.to}'
         AND (log < '${upTo.log}' OR position < ${upTo.size})`,
      );
      const apartFromCsv = counterpartNames
        .filter((name) => counterparts[name].populations[0] === population.name)
        .flatMap((name) => {
          const told = [...inCsv.told.get(name)!.rows.keys()];
          const stored = rows.get(name)!;
          return [...without(told, stored.map(({ id }) => id)), ...without(stored.filter(({ owed }) => owed).map(({ id }) => id), told)]; // prettier-ignore
        });
      all.push({ ...one, csv: lists.get(population.name)!.length, log: Number(leaves?.['n']), apartFromCsv });
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
    const all = await count(recorded, await pack(recorded));
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const wrong = all.filter(
      ({ items, csv, log, held, apartFromCsv }) =>
        new Set([items, csv, log]).size > 1 ||
        apartFromCsv.length > 0 ||
        held.some(({ told: ids, rows, apart }) => ids !== rows || apart.length > 0),
    );
    for (const { population, csv, log, held } of all) {
      const tables = held.map(({ table, rows, apart }) => `${rows} in ${table}${apart.length > 0 ? `, ${apart.length} apart` : ''}`);
      process.stdout.write(
        `${population}: ${csv} rows, ${log} by the log, ${tables.length > 0 ? tables.join(', ') : 'the log alone has it'}\n`,
      );
    }
    process.stdout.write(`${all.length} populations, ${wrong.length} do not reconcile; packed and reconciled in ${seconds} s\n`);
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } finally {
    await recorded.stop();
  }
}
