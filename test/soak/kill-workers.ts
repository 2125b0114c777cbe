// Workers that are killed with kill -9 at moments that a seed draws from every stage of their runs, and what must hold afterwards.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { verifyChain } from '../../src/pipeline/audit/audit.js';
import { type ServiceProcess, begin, end, endAll } from '../support/processes.js';
import { toRandom } from '../support/random.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const pipelines = ['a', 'b', 'c'] as const;
const stages = ['planning', 'extracting', 'building', 'verifying', 'publishing'] as const;
export const HEARTBEAT_MS = 1000;
/** Two of three are killed in each round, one after the other, and one always lives. */
const PER_ROUND = 2;
const PATIENCE_MS = 60_000;

export interface Kill {
  /** Of the victim's run; `idle`: it had none. */
  readonly stage: string;
  /** Until nobody took it for a worker any more. */
  noticedMs: number;
}

export interface KillResult {
  readonly seed: number;
  readonly kills: readonly Kill[];
  readonly runs: number;
  readonly attempts: readonly number[];
  /** Runs that did not end as published, with what they said. */
  readonly unpublished: readonly unknown[];
  /** Dataset versions by target: of the runs' summaries, those that stand on the server, and those whose age the service watches. */
  readonly versions: Readonly<
    Record<
      string,
      { readonly told: readonly number[]; readonly current: number | undefined; readonly watched: readonly number[]; readonly rows: number }
    >
  >;
  /** How often the log tells of each run's publication. */
  readonly publications: readonly number[];
  readonly log: { readonly leaves: number; readonly size: number; readonly waiting: number; readonly findings: readonly unknown[] };
  readonly jobsLeft: number;
  readonly stagingLeft: readonly string[];
}

interface Worker {
  readonly process: ServiceProcess;
  readonly id: string;
}

export async function killWorkers(kills: number, seed: number): Promise<KillResult> {
  const tiny = await startTinyWorld();
  const world = await startServiceWorld(tiny.server);
  const home = mkdtempSync(join(tmpdir(), 'bauta-killed-'));
  try {
    const bob = await world.person('bob', ['policy-admin', 'requester']);
    for (const name of pipelines) await apply(world, bob, name);
    const environment = await toEnvironment(tiny, world, home);
    const done = await inRounds(world, environment, bob, kills, toRandom(seed));
    await endAll();
    return { seed, kills: done, ...(await inspect(tiny, world)) };
  } finally {
    await endAll();
    await world.stop();
    await tiny.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

async function toEnvironment(tiny: TinyWorld, world: ServiceWorld, home: string): Promise<Record<string, string>> {
  return {
    ...{
      PATH: process.env['PATH'] ?? '',
      BAUTA_HOME: home,
      BAUTA_HEARTBEAT_MS: String(HEARTBEAT_MS),
      BAUTA_THREADS: '0',
      BAUTA_HOLDER_AFTER_MS: '0',
    },
    ...{ BAUTA_METADATA: 'env:METADATA', METADATA: world.urls.service },
    ...{ BAUTA_METADATA_SEQUENCER: 'env:SEQUENCER', SEQUENCER: world.urls.sequencer },
    ...{ BAUTA_LOG_KEY: 'env:LOG_KEY', LOG_KEY: randomBytes(32).toString('base64') },
    ...{ BAUTA_SERVER_KEY: 'env:SERVER_KEY', SERVER_KEY: randomBytes(32).toString('base64') },
    // Half a second of reading, so that there is something to kill.
    ...{ BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_SOURCE_ROWS_PER_SECOND: '800', BAUTA_SOURCE_RUNS: '3' },
    ...Object.fromEntries(pipelines.map((name) => [`BAUTA_CONN_${name.toUpperCase()}`, tiny.target(`copy_${name}`)])),
  };
}

async function inRounds(
  world: ServiceWorld,
  environment: Readonly<Record<string, string>>,
  token: string,
  count: number,
  random: () => number,
): Promise<readonly Kill[]> {
  const start = async (): Promise<Worker> => {
    const known = await world.sql('SELECT id FROM bauta.worker');
    const process = await begin('worker', { ...environment });
    const now = await world.sql('SELECT id FROM bauta.worker');
    return { process, id: String(now.find(({ id }) => !known.some((one) => one['id'] === id))?.['id']) };
  };
  const workers: Worker[] = [];
  // One after the other, so that each is known by its row.
  for (let i = 0; i <= PER_ROUND; i++) workers.push(await start());
  const kills: Kill[] = [];
  const noticing: Promise<void>[] = [];
  while (kills.length < count) {
    for (const pipeline of pipelines) {
      const { status, body } = await world.ask('POST', '/v1/runs', { token, json: { pipeline } });
      if (status !== 201) throw new Error(JSON.stringify(body));
    }
    for (let i = 0; i < PER_ROUND; i++) {
      const victim = workers.shift()!;
      const kill = await killIn(world, victim, stages[kills.length % stages.length]!, random);
      kills.push(kill);
      noticing.push(notice(world, victim.id, kill));
    }
    for (let i = 0; i < PER_ROUND; i++) workers.push(await start());
    await untilEnded(world);
  }
  await Promise.all(noticing);
  return kills;
}

/** As soon as the victim's run is in this stage, and a moment later; after a while wherever it is. */
async function killIn(world: ServiceWorld, { process, id }: Worker, stage: string, random: () => number): Promise<Kill> {
  const state = async (): Promise<string> => {
    const [run] = await world.sql(`SELECT state FROM bauta.run WHERE worker_id = '${id}'`);
    return (run?.['state'] as string | undefined) ?? 'idle';
  };
  const until = performance.now() + 2500;
  while ((await state()) !== stage && performance.now() < until) await sleep(5);
  await sleep(random() * 150);
  const found = await state();
  await end(process.child, 'SIGKILL');
  return { stage: found, noticedMs: Infinity };
}

async function notice(world: ServiceWorld, id: string, kill: Kill): Promise<void> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < PATIENCE_MS) {
    const taken = await world.sql(`SELECT FROM bauta.worker WHERE id = '${id}' UNION ALL SELECT FROM bauta.run WHERE worker_id = '${id}'`);
    if (taken.length === 0) return void (kill.noticedMs = Math.round(performance.now() - startedAt));
    await sleep(20);
  }
}

async function untilEnded(world: ServiceWorld): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const open = await world.sql('SELECT id, state, attempt FROM bauta.run WHERE ended_at IS NULL');
    if (open.length === 0) return;
    if (performance.now() - startedAt > PATIENCE_MS) throw new Error(`runs that do not end: ${JSON.stringify(open)}`);
    await sleep(50);
  }
}

async function inspect(tiny: TinyWorld, world: ServiceWorld): Promise<Omit<KillResult, 'seed' | 'kills'>> {
  for (let waited = 0; waited < 5000 && (await world.sql('SELECT FROM bauta.outbox')).length > 0; waited += 100) await sleep(100);
  const runs = await world.sql(
    `SELECT state, attempt, summary -> 'dataset' ->> 'target' AS target, (summary -> 'dataset' ->> 'version')::int AS version,
       (SELECT count(*)::int FROM bauta.audit_leaf WHERE event ->> 'type' = 'run.published' AND event -> 'data' ->> 'run' = r.id) AS published
     FROM bauta.run r ORDER BY id`,
  );
  const unpublished = await world.sql(
    `SELECT id, state, attempt, summary -> 'error' AS error, summary -> 'findings' AS findings,
       (SELECT array_agg(attempt || ' ' || state || ': ' || text ORDER BY seq) FROM bauta.run_line WHERE run_id = r.id) AS lines
     FROM bauta.run r WHERE state <> 'published'`,
  );
  const versions: Record<string, KillResult['versions'][string]> = {};
  for (const target of pipelines.map((name) => `copy_${name}`)) {
    const [current] = await tiny.server.sql(
      'postgres',
      `SELECT (shobj_description(oid, 'pg_database')::json ->> 'version')::int AS version FROM pg_database WHERE datname = '${target}'`,
    );
    const [person] = current ? await tiny.server.sql(target, 'SELECT count(*)::int AS n FROM app.person') : [];
    const watched = await world.sql(
      `SELECT version FROM bauta.dataset_version WHERE target = '${target}' AND published_at IS NOT NULL AND replaced_at IS NULL`,
    );
    const told = runs.filter((run) => run['target'] === target).map(({ version }) => Number(version));
    versions[target] = {
      ...{ told: told.sort((one, other) => one - other), current: current && Number(current['version']) },
      watched: watched.map((one) => Number(one['version'])),
      rows: Number(person?.['n'] ?? 0),
    };
  }
  const [log] = await world.sql('SELECT count(*)::int AS n, (coalesce(max(position), -1) + 1)::int AS size FROM bauta.audit_leaf');
  const [waiting] = await world.sql('SELECT count(*)::int AS n FROM bauta.outbox');
  const findings = await world.metadata.within(world.workspaces.home, async ({ log: chain }) => {
    const verifier = (await chain.verifier())!;
    return (await verifyChain(chain.files(), { verifier, known: [] })).findings;
  });
  const left = await tiny.server.sql(
    'postgres',
    `SELECT datname AS name FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE '%"state":"staging"%'
     UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'copy\\__\\_bauta\\_%'`,
  );
  return {
    ...{ runs: runs.length, attempts: runs.map(({ attempt }) => Number(attempt)), unpublished, versions },
    publications: runs.map(({ published }) => Number(published)),
    log: { leaves: Number(log?.['n']), size: Number(log?.['size']), waiting: Number(waiting?.['n']), findings },
    jobsLeft: (await world.sql('SELECT FROM graphile_worker._private_jobs')).length,
    stagingLeft: left.map(({ name }) => String(name)),
  };
}

async function apply(world: ServiceWorld, token: string, name: string): Promise<void> {
  const text = [pipelineText, classificationText]
    .join('---\n')
    .replaceAll(/^name: tiny$/gm, `name: ${name}`)
    .replace('classification: tiny', `classification: ${name}`)
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', `env:BAUTA_CONN_${name.toUpperCase()}`);
  const { status, body } = await world.ask('POST', '/v1/apply', { token, text, headers: { 'content-type': 'application/yaml' } });
  if (status !== 200) throw new Error(JSON.stringify(body));
}
