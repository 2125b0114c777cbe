// Workers of a service that are killed with kill -9 at moments that a seed draws from the whole of a run through the broker, and what must hold once the run
// that they had has ended: another worker takes it over, and it is published once.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startAgent } from '../../src/agent/agent.js';
import { verifyChain } from '../../src/pipeline/audit/audit.js';
import { openBroker, resolveBroker } from '../../src/systems/kafka/kafka.js';
import { findKafka, startKafka } from '../support/kafka.js';
import { type ServiceProcess, begin, end, endAll } from '../support/processes.js';
import { toRandom } from '../support/random.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { pause, waitFor } from '../support/small-shop.js';
import { toStreamPipeline } from '../support/stream-service.js';
import { type TargetWorld, startTargetWorld } from '../support/target-world.js';
import { bauta, classificationText, startTinyWorld } from '../support/tiny-source.js';

export interface StreamWorkerKill {
  /** After the run was asked for. */
  readonly atMs: number;
  /** Of the run that the victim had; `idle`: it had none any more. */
  readonly state: string;
  readonly attempts: number;
  /** Of the agent's database, afterwards. */
  readonly version: number | undefined;
}

export interface StreamWorkersResult {
  readonly seed: number;
  readonly kills: readonly StreamWorkerKill[];
  /** What did not hold. */
  readonly broken: readonly string[];
}

const patienceMs = 240_000;
const people = 180;

export async function killStreamWorkers(kills: number, seed: number): Promise<StreamWorkersResult> {
  const home = mkdtempSync(join(tmpdir(), 'bauta-killed-'));
  const tiny = await startTinyWorld();
  const [world, kafka, target] = await Promise.all([startServiceWorld(tiny.server), startKafka(findKafka() ?? ''), startTargetWorld()]);
  const stopping = new AbortController();
  let agent: { readonly ended: Promise<unknown> } | undefined;
  try {
    const token = await world.person('bob', ['policy-admin', 'requester', 'operator', 'viewer']);
    const text = `${toStreamPipeline('tiny', 'dev', 'database: copy_dev, waitMinutes: 3')}---\n${classificationText}`;
    const { status, body } = await world.ask('POST', '/v1/apply', { token, text, headers: { 'content-type': 'application/yaml' } });
    if (status !== 200) throw new Error(JSON.stringify(body));
    const environment = {
      ...{ PATH: process.env['PATH'] ?? '', BAUTA_HOME: join(home, 'service'), BAUTA_HEARTBEAT_MS: '1000', BAUTA_THREADS: '0' },
      ...{ BAUTA_METADATA: 'env:METADATA', METADATA: world.urls.service },
      ...{ BAUTA_METADATA_SEQUENCER: 'env:SEQUENCER', SEQUENCER: world.urls.sequencer },
      ...{ BAUTA_LOG_KEY: 'env:LOG_KEY', LOG_KEY: randomBytes(32).toString('base64') },
      ...{ BAUTA_SERVER_KEY: 'env:SERVER_KEY', SERVER_KEY: randomBytes(32).toString('base64') },
      ...{ BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_BROKER: kafka.url },
      // Two seconds of reading, so that there is a middle.
      ...{ BAUTA_SOURCE_ROWS_PER_SECOND: '250' },
    };
    const workers = [await startWorker(world, environment), await startWorker(world, environment)];
    agent = await enrol({ world, token, home, broker: kafka.url, target: target.url('copy_dev'), signal: stopping.signal });
    const done = await inTurns({ world, token, environment, workers, target, random: toRandom(seed) }, kills);
    await endAll();
    return { seed, kills: done.kills, broken: [...done.broken, ...(await findLeft(world, target, kafka.url))] };
  } finally {
    stopping.abort();
    await agent?.ended.catch(() => undefined);
    await endAll();
    await world.stop();
    await Promise.all([tiny.stop(), kafka.stop(), target.server.stop()]);
    rmSync(home, { recursive: true, force: true });
  }
}

interface Enrolling {
  readonly world: ServiceWorld;
  readonly token: string;
  readonly home: string;
  readonly broker: string;
  readonly target: string;
  readonly signal: AbortSignal;
}

/** In this process. Resolves when it is at work. */
async function enrol({ world, token, home, broker, target, signal }: Enrolling): Promise<{ readonly ended: Promise<unknown> }> {
  const invited = await bauta(['agents', 'invite', 'dev', '--server', world.url, '--token', 'env:TOKEN'], { env: { TOKEN: token } });
  const tokenFile = join(home, 'agent.token');
  writeFileSync(tokenFile, world.secret(invited.stdout), { mode: 0o600 });
  const said: string[] = [];
  const environment = { BROKER: broker, TARGET: target, BAUTA_AGENT_BROKER: 'env:BROKER', BAUTA_AGENT_TARGET: 'env:TARGET' };
  const ended = startAgent({ environment, home: join(home, 'agent'), tokenFile, signal, say: (line) => said.push(line) });
  ended.catch((error: unknown) => process.stderr.write(`the agent ended: ${String(error)}\n`));
  await waitFor(() => said.some((line) => line.includes('is at work')), patienceMs);
  // Told before it is kept.
  await waitFor(async () => ((await world.ask('GET', '/v1/agents', { token })).body['items'] as unknown[]).length === 1, patienceMs);
  return { ended };
}

interface Worker {
  readonly process: ServiceProcess;
  readonly id: string;
}

/** Known by its row. */
async function startWorker(world: ServiceWorld, environment: Readonly<Record<string, string>>): Promise<Worker> {
  const known = await world.sql('SELECT id FROM bauta.worker');
  const process = await begin('worker', environment);
  const now = await world.sql('SELECT id FROM bauta.worker');
  return { process, id: String(now.find(({ id }) => !known.some((one) => one['id'] === id))?.['id']) };
}

interface Turns {
  readonly world: ServiceWorld;
  readonly token: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly workers: Worker[];
  readonly target: TargetWorld;
  readonly random: () => number;
}

/** One after the other: two workers, a run, and the one that has the run is killed. */
async function inTurns(of: Turns, count: number): Promise<Pick<StreamWorkersResult, 'kills' | 'broken'>> {
  const { world, environment, workers, target, random } = of;
  const [kills, broken]: [StreamWorkerKill[], string[]] = [[], []];
  const startedAt = performance.now();
  await untilEnded(of, await request(of));
  const wholeMs = performance.now() - startedAt;
  for (let n = 1; n <= count; n++) {
    const before = await toVersion(target);
    const id = await request(of);
    const atMs = Math.round(random() * wholeMs);
    await pause(atMs);
    const [run] = await world.sql(`SELECT state, worker_id AS worker FROM bauta.run WHERE id = '${id}'`);
    const victim = workers.find((one) => one.id === run?.['worker']) ?? workers[0]!;
    await end(victim.process.child, 'SIGKILL');
    workers.splice(workers.indexOf(victim), 1, await startWorker(world, environment));
    const { state, attempts, error, version: told } = await untilEnded(of, id);
    const version = await toVersion(target);
    kills.push({ atMs, state: run?.['worker'] === null ? 'idle' : String(run?.['state']), attempts, version });
    process.stderr.write(`worker ${n}: ${JSON.stringify(kills.at(-1))}\n`);
    if (state !== 'published') broken.push(`worker ${n}: the run ended as ${state}: ${error}`);
    // An attempt that was killed has used up its number.
    if (version !== told || version <= (before ?? 0))
      broken.push(`worker ${n}: version ${version} stands there after ${before}, the run tells of ${told}`);
    const rows = await target.server.sql('copy_dev', 'SELECT count(*)::int AS n FROM app.person');
    if (rows[0]?.['n'] !== people) broken.push(`worker ${n}: ${String(rows[0]?.['n'])} people`);
    const publications = (await world.told('run.published')).filter(({ data }) => data['run'] === id).length;
    if (state === 'published' && publications !== 1) broken.push(`worker ${n}: the log tells of ${publications} publications`);
  }
  return { kills, broken };
}

async function request({ world, token }: Turns): Promise<string> {
  const { status, body } = await world.ask('POST', '/v1/runs', { token, json: { pipeline: 'tiny' } });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return String(body['id']);
}

async function untilEnded({ world }: Turns, id: string): Promise<{ state: string; attempts: number; error: string; version: number }> {
  const [run] = await waitFor(async () => {
    const found = await world.sql(
      `SELECT state, attempt, summary -> 'error' AS error, (summary -> 'dataset' ->> 'version')::int AS version FROM bauta.run WHERE id = '${id}' AND ended_at IS NOT NULL`,
    );
    return found.length === 1 && found;
  }, patienceMs);
  return {
    state: String(run?.['state']),
    attempts: Number(run?.['attempt']),
    error: JSON.stringify(run?.['error']),
    version: Number(run?.['version']),
  };
}

async function toVersion({ server }: TargetWorld): Promise<number | undefined> {
  const [found] = await server.sql(
    'postgres',
    `SELECT (shobj_description(oid, 'pg_database')::json ->> 'version')::int AS version FROM pg_database WHERE datname = 'copy_dev'`,
  );
  return found && Number(found['version']);
}

/** At the agent's server, at the broker, and of what the log has to be. */
async function findLeft(world: ServiceWorld, { server }: TargetWorld, url: string): Promise<readonly string[]> {
  const broken: string[] = [];
  const databases = await server.sql(
    'postgres',
    `SELECT datname AS name FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE '%"state":"staging"%'
     UNION ALL SELECT rolname FROM pg_roles WHERE rolname ~ '^copy_dev__?_bauta'`,
  );
  if (databases.length > 0) broken.push(`left beside the agent: ${JSON.stringify(databases)}`);
  const broker = await openBroker(await resolveBroker('env:BROKER', url, () => Promise.resolve(undefined)));
  const admin = await broker.admin();
  const topics = await admin.list('bauta.default.dev.bulk.').finally(() => broker.close());
  const kept = await server.sql('postgres', `SELECT FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE '%"version"%'`);
  if (topics.length !== kept.length) broken.push(`${topics.length} topics, ${kept.length} versions: ${topics.join(', ')}`);
  await waitFor(async () => (await world.sql('SELECT FROM bauta.outbox')).length === 0, patienceMs);
  const { findings } = await world.metadata.within(world.workspaces.home, async ({ log }) =>
    verifyChain(log.files(), { verifier: (await log.verifier())!, known: [] }),
  );
  if (findings.length > 0) broken.push(`the log: ${JSON.stringify(findings)}`);
  const runs = await world.sql(`SELECT id, state FROM bauta.run WHERE state <> 'published'`);
  if (runs.length > 0) broken.push(`not published: ${JSON.stringify(runs)}`);
  return broken;
}
