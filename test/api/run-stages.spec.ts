// How runs are led: what each stage tells, pauses, second runs of the same, deadlines, priorities, pools of workers, limits per source, and a
// target that cannot be tidied up.
import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer, connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import type { RunWorker } from '../../src/control/runs/runs.js';
import { type Answer, type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, canary, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

type RunView = Record<string, unknown>;
interface StageView {
  readonly stage: string;
  readonly attempt: number;
  readonly worker: string;
  readonly seconds: number | null;
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly lines: readonly { readonly text: string }[];
}

let tiny: TinyWorld;
let world: ServiceWorld;
let home: string;
let bob = '';
const connections: Record<string, string> = {};
const workers: RunWorker[] = [];
const SLOW = { BAUTA_SOURCE_ROWS_PER_SECOND: '100' };
beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  home = mkdtempSync(join(tmpdir(), 'bauta-led-'));
  bob = await world.person('bob', ['policy-admin', 'requester', 'operator', 'viewer']);
  connections['BAUTA_CONN_SOURCE'] = await tiny.source('shop');
  for (const name of ['A', 'B', 'C', 'D']) connections[`BAUTA_CONN_${name}`] = tiny.target(`copy_${name.toLowerCase()}`);
  for (const name of ['a', 'b', 'c']) await apply(documents(name));
  await apply(documents('cards', 'D', classificationText.replace('note: pii.free-text', 'note: pci.pan')));
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
  await world.sql(`UPDATE bauta.run SET state = 'cancelled', ended_at = now() WHERE ended_at IS NULL`);
});
afterAll(async () => {
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

const documents = (name: string, target = name.toUpperCase(), classification = classificationText, source = 'SOURCE'): string =>
  [pipelineText, classification]
    .join('---\n')
    .replaceAll(/^name: tiny$/gm, `name: ${name}`)
    .replace('classification: tiny', `classification: ${name}`)
    .replace('env:SOURCE_URL', `env:BAUTA_CONN_${source}`)
    .replace('env:TARGET_URL', `env:BAUTA_CONN_${target}`)
    .replace('allows: [pii]', 'allows: [pii, pci]');

async function apply(text: string): Promise<void> {
  const { status, body } = await world.ask('POST', '/v1/apply', { token: bob, text, headers: { 'content-type': 'application/yaml' } });
  expect([status, body]).toMatchObject([200, {}]);
}

const begin = async (more: Readonly<Record<string, string>> = {}): Promise<RunWorker> => {
  const worker = await startRunWorker(world, home, connections, more);
  workers.push(worker);
  return worker;
};
async function request(pipeline: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { status, body } = await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline, ...more } });
  expect([status, body]).toMatchObject([201, { state: 'queued' }]);
  return String(body['id']);
}
const post = (id: string, what: string): Promise<Answer> => world.ask('POST', `/v1/runs/${id}/${what}`, { token: bob });
const get = async (id: string): Promise<RunView> => (await world.ask('GET', `/v1/runs/${id}`, { token: bob })).body;
const stagesOf = (run: RunView): readonly StageView[] => run['stages'] as readonly StageView[];

async function until(id: string, holds: (run: RunView) => boolean, ms = 30_000): Promise<RunView> {
  for (const startedAt = performance.now(); ;) {
    const run = await get(id);
    if (holds(run)) return run;
    if (performance.now() - startedAt > ms) throw new Error(`the run is ${JSON.stringify(run)} after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const is =
  (state: string) =>
  (run: RunView): boolean =>
    run['state'] === state;
const hasEnded = ({ endedAt }: RunView): boolean => endedAt !== null;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Databases, roles and sessions of ours on the server of this test. */
async function leftovers(name: string): Promise<unknown[]> {
  const rows = await tiny.server.sql(
    'postgres',
    `SELECT datname AS name FROM pg_database WHERE datname LIKE '${name}%' UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE '${name}%'
     UNION ALL SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'bauta run %' ORDER BY 1`,
  );
  return rows.map((row) => row['name']);
}

it('tells of each stage who did it, how long, how much and what it said, and no value', async () => {
  const worker = await begin();
  const run = await until(await request('a'), hasEnded);
  const stages = stagesOf(run);
  expect(stages.map(({ stage }) => stage)).toEqual(['planning', 'extracting', 'building', 'verifying', 'publishing']);
  expect(new Set(stages.map((stage) => stage.worker))).toEqual(new Set([worker.id]));
  expect(stages.every(({ seconds }) => seconds !== null && seconds >= 0)).toBe(true);
  const [planning, extracting, ...rest] = stages;
  expect(extracting).toMatchObject({ attempt: 1, rows: 500 });
  // Person, product and order, as COPY has them.
  expect(extracting?.bytes).toBeGreaterThan(5000);
  expect(rest.map(({ rows, bytes }) => [rows, bytes])).toEqual(rest.map(() => [null, null]));
  const said = (stage: StageView | undefined): string => (stage?.lines ?? []).map(({ text }) => text).join('\n');
  expect(said(planning)).toContain('source: run.started');
  expect(said(extracting)).toMatch(/deliver: table\.loaded, schema app, table person, rows 180, bytes \d+/);
  expect(said(stages.at(-1))).toContain('dataset.published.done, target copy_a, version 1');
  expect(JSON.stringify(run)).not.toContain(canary);
  expect(run['linesLeftOut']).toBe(0);
});

it('pauses a run in the middle of the copy, with nothing of it left, and begins it again when it is resumed', async () => {
  const slow = await begin(SLOW);
  const id = await request('b');
  await until(id, ({ movedRows }) => Number(movedRows) > 0);
  expect((await post(id, 'pause')).body).toMatchObject({ pauseRequested: true });
  await until(id, is('paused'), 5000);
  expect(await leftovers('copy_b')).toEqual([]);
  expect((await post(id, 'pause')).status).toBe(202);
  expect((await post(id, 'rerun')).body['code']).toBe('RUN_STATE_UNFIT');
  await slow.stop();
  workers.length = 0;
  await begin();
  await wait(600);
  expect(await get(id)).toMatchObject({ state: 'paused', attempt: 1 });
  expect((await post(id, 'resume')).body).toMatchObject({ state: 'queued', attempt: 2 });
  const run = await until(id, hasEnded);
  expect(run).toMatchObject({ state: 'published', movedRows: 500 });
  expect(stagesOf(run).map(({ stage, attempt }) => `${attempt} ${stage}`)).toEqual([
    ...['1 planning', '1 extracting'],
    ...['2 planning', '2 extracting', '2 building', '2 verifying', '2 publishing'],
  ]);
  expect((await post(id, 'resume')).body['code']).toBe('RUN_STATE_UNFIT');
});

it('does a run again with the documents that it had, not with those of today', async () => {
  await begin();
  const first = await until(await request('c'), hasEnded);
  await apply(documents('c').replace('retentionDays: 30', 'retentionDays: 7'));
  const { status, body, headers } = await post(String(first['id']), 'rerun');
  expect([status, body]).toMatchObject([201, { rerunOf: first['id'], documents: first['documents'], state: 'queued' }]);
  expect(headers.get('location')).toBe(`/v1/runs/${String(body['id'])}`);
  expect(await until(String(body['id']), hasEnded)).toMatchObject({ state: 'published', summary: { dataset: { version: 2 } } });
});

it('marks a run late once, in the log and in its stream, and lets it go on', async () => {
  await begin(SLOW);
  const id = await request('a', { deadlineAt: new Date(Date.now() + 500).toISOString() });
  const late = await until(id, ({ lateAt }) => lateAt !== null);
  expect(late['endedAt']).toBeNull();
  const stream = await world.ask('GET', `/v1/runs/${id}/events`, { token: bob });
  expect([...String(stream.body['text']).matchAll(/^event: late$/gm)]).toHaveLength(1);
  expect(await get(id)).toMatchObject({ state: 'published' });
  const told = (await world.told('run.late')).filter(({ data }) => data['run'] === id);
  expect(told).toMatchObject([{ data: { pipeline: 'a' } }]);
  for (const deadlineAt of ['tomorrow', '2026-02-30T25:00:00Z', '2026-01-01'])
    expect((await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline: 'a', deadlineAt } })).status).toBeGreaterThanOrEqual(400);
}, 30_000);

const nextFor = async (pool: string, limit = 9): Promise<unknown> =>
  (await world.sql(`SELECT id FROM bauta.find_next_run('{${pool}}', ${limit})`))[0]?.['id'];

it('takes the greater priority first, and lets nobody wait for ever', async () => {
  const [low, middle, high] = [await request('a', { priority: 0 }), await request('b'), await request('c', { priority: 9 })];
  expect(await nextFor('pii')).toBe(high);
  await world.sql(`UPDATE bauta.run SET created_at = now() - interval '51 minutes' WHERE id = '${low}'`);
  expect(await nextFor('pii')).toBe(low);
  await post(low, 'cancel');
  await post(high, 'pause');
  expect(await nextFor('pii')).toBe(middle);
});

it('never gives a worker a run with tags that it may not touch', async () => {
  const [cards, plain] = [await request('cards', { priority: 9 }), await request('a')];
  expect(await get(cards)).toMatchObject({ tags: ['pii', 'pci'] });
  await begin({ BAUTA_POOL_TAGS: 'pii,quasi' });
  expect(await until(plain, hasEnded)).toMatchObject({ state: 'published' });
  await wait(1000);
  expect(await get(cards)).toMatchObject({ state: 'queued', attempt: 1 });
  await begin({ BAUTA_POOL_TAGS: 'pii,pci' });
  const run = await until(cards, hasEnded);
  expect(new Set(stagesOf(run).map(({ worker }) => worker))).toEqual(new Set([workers[1]?.id]));
});

it('hands a run on before a row is read when the source itself says that it has such a tag', async () => {
  const comment = `COMMENT ON COLUMN app."order".note IS 'bauta: pci.pan'`;
  connections['BAUTA_CONN_TOLD'] = await tiny.source('told', comment);
  await apply(
    documents('told', 'C', classificationText.replace('columns: { id: pii.key, note: pii.free-text }', 'columns: { id: pii.key }'), 'TOLD'),
  );
  await begin({ BAUTA_POOL_TAGS: 'pii' });
  const id = await request('told');
  const run = await until(id, ({ attempt }) => attempt === 2);
  expect(run).toMatchObject({ state: 'queued', tags: ['pci', 'pii'] });
  expect(stagesOf(run).map(({ stage }) => stage)).toEqual(['planning']);
});

it('reads one source with no more runs at once than the limit says', async () => {
  await begin({ ...SLOW, BAUTA_SOURCE_RUNS: '1', BAUTA_RUNS: '3' });
  const ids = [await request('a'), await request('b')];
  let most = 0;
  for (const startedAt = performance.now(); performance.now() - startedAt < 60_000; await wait(100)) {
    const [reading] = await world.sql('SELECT count(*)::int AS n FROM bauta.run WHERE worker_id IS NOT NULL');
    most = Math.max(most, Number(reading?.['n']));
    const runs = await Promise.all(ids.map(get));
    if (runs.every(hasEnded)) break;
  }
  expect(most).toBe(1);
  for (const id of ids) expect(await get(id)).toMatchObject({ state: 'published', attempt: 1 });
}, 70_000);

it('a cancel in the middle of a big table ends the run within five seconds, with nothing left on source or target', async () => {
  const big = `CREATE TABLE app.big (id int PRIMARY KEY, note text); INSERT INTO app.big SELECT i, repeat('x', 100) FROM generate_series(1, 1500000) i; ANALYZE`;
  connections['BAUTA_CONN_BIG'] = await tiny.source('big', big);
  connections['BAUTA_CONN_HUGE'] = tiny.target('huge');
  await apply(documents('big', 'HUGE', `${classificationText}  app.big:\n    columns: { id: pii.key, note: pii.free-text }\n`, 'BIG'));
  // Service and worker are one process here: at full speed on a busy machine the copy leaves the request no time.
  await begin({ BAUTA_THREADS: '1', BAUTA_SOURCE_ROWS_PER_SECOND: '100000' });
  const id = await request('big');
  await until(id, ({ movedRows }) => Number(movedRows) > 1000);
  const startedAt = performance.now();
  expect((await post(id, 'cancel')).body).toMatchObject({ cancelRequested: true });
  const run = await until(id, hasEnded, 5000);
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(run['state']).toBe('cancelled');
  expect(Number(run['movedRows'])).toBeLessThan(1_500_000);
  expect(await leftovers('huge')).toEqual([]);
}, 60_000);

it('says that it could not tidy up when the target is gone, and the next run does it', async () => {
  const door = await startDoor(tiny.server.port);
  connections['BAUTA_CONN_FAR'] = tiny.target('far').replace(/:\d+\//, `:${door.port}/`);
  await apply(documents('far', 'FAR'));
  const slow = await begin(SLOW);
  const id = await request('far');
  await until(id, ({ movedRows }) => Number(movedRows) > 0);
  await post(id, 'cancel');
  door.shut();
  const run = await until(id, hasEnded);
  expect(run).toMatchObject({ state: 'compensation-failed', summary: { state: 'compensation-failed' } });
  expect((await leftovers('far')).filter((name) => name !== 'bauta')).not.toEqual([]);
  door.open();
  await slow.stop();
  workers.length = 0;
  await begin();
  const next = await until(await request('far'), hasEnded);
  expect(next).toMatchObject({ state: 'published' });
  expect(
    stagesOf(next)
      .flatMap(({ lines }) => lines)
      .map(({ text }) => text),
  ).toContain('deliver: staging.swept, target far');
  expect(await tiny.server.sql('postgres', `SELECT datname AS name FROM pg_database WHERE datname LIKE 'far%'`)).toEqual([{ name: 'far' }]);
  door.shut();
  await door.close();
}, 60_000);

interface Door {
  readonly port: number;
  shut(): void;
  open(): void;
  close(): Promise<void>;
}

/** A way to the server that can be cut. */
async function startDoor(to: number): Promise<Door> {
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server: Server = createServer((socket) => {
    if (!isOpen) return void socket.destroy();
    const far = connectSocket(to, '127.0.0.1');
    for (const one of [socket, far]) {
      sockets.add(one);
      one
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(one);
          socket.destroy();
          far.destroy();
        });
    }
    socket.pipe(far).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    shut: () => {
      isOpen = false;
      for (const socket of sockets) socket.destroy();
    },
    open: () => void (isOpen = true),
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
