// The service under fire: three replicas of the API and three workers on one metadata database, runs by schedule, and any of the six killed at
// any time. What must hold afterwards is looked up in the databases, not asked of the service.
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ServiceProcess, begin, end, endAll } from '../support/processes.js';
import { startServiceWorld } from '../support/service.js';
import { type Said, bauta, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const pipelines = ['a', 'b', 'c'] as const;

export interface SoakOptions {
  readonly seconds: number;
  /** Between two due instants of one pipeline; divides 60. */
  readonly periodSeconds: number;
  /** Between two kills, at least and at most. */
  readonly pauseMs: readonly [number, number];
}

export interface SoakResult {
  readonly kills: { readonly main: number; readonly worker: number };
  readonly runs: number;
  readonly attempts: number;
  /** By state; a run that never ended is one of them. */
  readonly states: Readonly<Record<string, number>>;
  /** Due instants that have no run, or more than one. */
  readonly lost: readonly string[];
  /** Versions of a target that are missing or there twice, and databases that nobody knows of. */
  readonly doubled: readonly string[];
  readonly left: readonly string[];
  readonly log: {
    readonly leaves: number;
    readonly gaps: number;
    readonly waiting: number;
    /** Runs whose transitions are not all in the log, or twice. */
    readonly untold: readonly string[];
    readonly verified: number | null;
    readonly said: string;
  };
  readonly jobsLeft: number;
  /** What stood in the way of those that were not published. */
  readonly unpublished: readonly unknown[];
}

export async function soak({ seconds, periodSeconds, pauseMs }: SoakOptions): Promise<SoakResult> {
  const tiny = await startTinyWorld();
  const world = await startServiceWorld(tiny.server);
  const folder = mkdtempSync(join(tmpdir(), 'bauta-soak-'));
  const home = join(folder, 'workers');
  try {
    const bob = await world.person('bob', ['policy-admin', 'operator']);
    const environment: Record<string, string> = {
      ...{ PATH: process.env['PATH'] ?? '', BAUTA_HEARTBEAT_MS: '2000', BAUTA_THREADS: '0', BAUTA_SOURCE_RUNS: '3' },
      ...{ BAUTA_METADATA: 'env:METADATA', METADATA: world.urls.service, BAUTA_METADATA_CONNECTIONS: '3' },
      ...{ BAUTA_METADATA_SEQUENCER: 'env:SEQUENCER', SEQUENCER: world.urls.sequencer },
      ...{ BAUTA_LOG_KEY: 'env:LOG_KEY', LOG_KEY: randomBytes(32).toString('base64') },
      ...{ BAUTA_SERVER_KEY: 'env:SERVER_KEY', SERVER_KEY: randomBytes(32).toString('base64') },
      ...{ BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_SOURCE_ROWS_PER_SECOND: '500' },
      ...Object.fromEntries(pipelines.map((name) => [`BAUTA_CONN_${name.toUpperCase()}`, tiny.target(`copy_${name}`)])),
    };
    const apply = async (text: string): Promise<void> => {
      const { status, body } = await world.ask('POST', '/v1/apply', { token: bob, text, headers: { 'content-type': 'application/yaml' } });
      if (status !== 200) throw new Error(JSON.stringify(body));
    };
    for (const name of pipelines) await apply(documents(name));
    const fighting = { environment, home, folder, seconds, pauseMs };
    const kills = await underFire(fighting, async () => {
      for (const name of pipelines) await apply(schedule(name, periodSeconds));
      return async () => {
        for (const name of pipelines) {
          const { status, body } = await world.ask('POST', `/v1/schedules/${name}/pause`, { token: bob });
          if (status >= 300) throw new Error(JSON.stringify(body));
        }
      };
    }, async () => (await world.sql('SELECT count(*)::int AS n FROM bauta.run WHERE ended_at IS NULL'))[0]?.['n'] === 0); // prettier-ignore
    const auditor = await world.person('ann', ['auditor']);
    // Whichever of them signed has the public key in its home.
    const [key = ''] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => /log-[^/]*\.pub$/.test(path));
    const verify = ['audit', 'verify', '--server', world.url, '--token', 'env:AUDITOR', '--key', join(folder, key)];
    const said = await bauta(verify, { env: { AUDITOR: auditor } });
    return await inspect(
      (text) => world.sql(text),
      (name, text) => tiny.server.sql(name, text),
      kills,
      periodSeconds,
      said,
    );
  } finally {
    await endAll();
    await world.stop();
    await tiny.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Fire {
  readonly environment: Readonly<Record<string, string>>;
  readonly home: string;
  readonly folder: string;
  readonly seconds: number;
  readonly pauseMs: readonly [number, number];
}

/** Kills one of the six after the other and starts it again, until the time is over; then waits until every run has ended. */
async function underFire(
  { environment, home, folder, seconds, pauseMs }: Fire,
  open: () => Promise<() => Promise<void>>,
  isQuiet: () => Promise<boolean>,
): Promise<SoakResult['kills']> {
  const start = (i: number): Promise<ServiceProcess> =>
    i < 3
      ? begin('main', { ...environment, BAUTA_HOME: join(folder, `api-${i}`), BAUTA_HTTP_PORT: '0', BAUTA_RUNS: '0' })
      : begin('worker', { ...environment, BAUTA_HOME: home });
  const six: (ServiceProcess | undefined)[] = await Promise.all([0, 1, 2, 3, 4, 5].map(start));
  const close = await open();
  const kills = { main: 0, worker: 0 };
  const beginning: Promise<void>[] = [];
  for (const startedAt = performance.now(); performance.now() - startedAt < seconds * 1000;) {
    await wait(randomInt(...pauseMs));
    const i = randomInt(6);
    const victim = six[i];
    if (!victim) continue;
    await end(victim.child, 'SIGKILL');
    kills[i < 3 ? 'main' : 'worker'] += 1;
    six[i] = undefined;
    beginning.push(start(i).then((again) => void (six[i] = again)));
  }
  await Promise.all(beginning);
  await close();
  for (let waited = 0; !(await isQuiet()); waited += 250) {
    if (waited > 60_000) break;
    await wait(250);
  }
  // The sequencer of whoever lives drains the outbox.
  await wait(3000);
  await endAll();
  return kills;
}

type Sql = (text: string) => Promise<Record<string, unknown>[]>;

async function inspect(
  sql: Sql,
  on: (database: string, text: string) => Promise<Record<string, unknown>[]>,
  kills: SoakResult['kills'],
  periodSeconds: number,
  { exitCode, stdout, stderr }: Said,
): Promise<SoakResult> {
  const runs = await sql(
    `SELECT id, pipeline, state, attempt, extract(epoch FROM due_at)::float8 AS due, (summary -> 'dataset' ->> 'version')::int AS version
     FROM bauta.run ORDER BY pipeline, due_at`,
  );
  const lost: string[] = [];
  const doubled: string[] = [];
  for (const name of pipelines) {
    const mine = runs.filter(({ pipeline }) => pipeline === name);
    const due = mine.map((run) => Number(run['due']));
    for (const [i, at] of due.entries()) if (i > 0 && at - (due[i - 1] ?? 0) !== periodSeconds) lost.push(`${name} before ${at}`);
    const versions = mine.map(({ version }) => Number(version)).sort((one, other) => one - other);
    for (const [i, version] of versions.entries()) if (version !== i + 1) doubled.push(`${name} version ${version} at ${i + 1}`);
  }
  const left = await on(
    'postgres',
    `SELECT datname AS name FROM pg_database WHERE datname LIKE 'copy\\_%' AND shobj_description(oid, 'pg_database') LIKE '%"staging"%'
     UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'copy\\__\\_bauta\\_%'`,
  );
  const [leaves] = await sql('SELECT count(*)::int AS n, coalesce(max(position) + 1, 0)::int AS size FROM bauta.audit_leaf');
  const [outbox] = await sql('SELECT count(*)::int AS n FROM bauta.outbox');
  const untold = await sql(
    `SELECT e.run_id AS id FROM (SELECT run_id, count(*) AS n FROM bauta.run_event GROUP BY 1) e
       LEFT JOIN (SELECT event -> 'data' ->> 'run' AS id, count(*) AS n FROM bauta.audit_leaf
         WHERE event ->> 'type' IN ('run.queued', 'run.planning', 'run.extracting', 'run.building', 'run.verifying', 'run.publishing', 'run.published')
         GROUP BY 1) l ON l.id = e.run_id
     WHERE e.n IS DISTINCT FROM l.n`,
  );
  const jobs = await sql('SELECT id FROM graphile_worker._private_jobs');

  const unpublished = await sql(
    `SELECT r.id, r.pipeline, r.state, r.attempt, r.tags, r.source, r.not_before, r.worker_id, r.summary -> 'error' ->> 'code' AS code,
       (SELECT array_agg(l.attempt || ' ' || l.text ORDER BY seq) FROM bauta.run_line l WHERE l.run_id = r.id AND l.text LIKE '%ended%') AS lines
     FROM bauta.run r WHERE r.state <> 'published' LIMIT 5`,
  );
  const states: Record<string, number> = {};
  for (const { state } of runs) states[String(state)] = (states[String(state)] ?? 0) + 1;
  return {
    ...{ kills, runs: runs.length, attempts: runs.reduce((sum, { attempt }) => sum + Number(attempt), 0), states, lost, doubled },
    left: left.map(({ name }) => String(name)),
    log: {
      ...{ leaves: Number(leaves?.['n']), gaps: Number(leaves?.['size']) - Number(leaves?.['n']), waiting: Number(outbox?.['n']) },
      ...{ untold: untold.map(({ id }) => String(id)), verified: exitCode, said: `${stdout}${stderr}`.trim() },
    },
    jobsLeft: jobs.length,
    unpublished,
  };
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const documents = (name: string): string =>
  [pipelineText, classificationText]
    .join('---\n')
    .replaceAll(/^name: tiny$/gm, `name: ${name}`)
    .replace('classification: tiny', `classification: ${name}`)
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', `env:BAUTA_CONN_${name.toUpperCase()}`);

const schedule = (name: string, periodSeconds: number): string =>
  `kind: Schedule\nname: ${name}\npipeline: ${name}\ncron: '*/${periodSeconds} * * * * *'\ncatchUp: true\n`;
