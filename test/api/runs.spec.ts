// A run over REST, from the request to the published copy: its states, its events, its end when somebody cancels it, and whom it tells nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import type { RunWorker } from '../../src/control/runs/runs.js';
import { isAllowed, runStates } from '../../src/systems/metadata/metadata.js';
import { type Answer, type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, canary, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let tiny: TinyWorld;
let world: ServiceWorld;
let home: string;
let [bob, stranger] = ['', ''];
const connections: Record<string, string> = {};
const workers: RunWorker[] = [];
beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  home = mkdtempSync(join(tmpdir(), 'bauta-runs-'));
  bob = await world.person('bob', ['policy-admin', 'requester', 'operator', 'viewer']);
  stranger = await world.person('eve', ['policy-admin', 'requester', 'operator', 'viewer'], 'foreign');
  connections['BAUTA_CONN_SOURCE'] = await tiny.source('shop');
  connections['BAUTA_CONN_TARGET'] = tiny.target('copy');
  await apply(documents('tiny'));
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
});
afterAll(async () => {
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

const documents = (name: string, source = 'SOURCE', target = 'TARGET', classification = classificationText): string =>
  [pipelineText, classification]
    .join('---\n')
    .replaceAll(/^name: tiny$/gm, `name: ${name}`)
    .replace('classification: tiny', `classification: ${name}`)
    .replace('env:SOURCE_URL', `env:BAUTA_CONN_${source}`)
    .replace('env:TARGET_URL', `env:BAUTA_CONN_${target}`);

async function apply(text: string): Promise<void> {
  const { status, body } = await world.ask('POST', '/v1/apply', { token: bob, text, headers: { 'content-type': 'application/yaml' } });
  expect([status, body]).toMatchObject([200, {}]);
}

const begin = async (more: Readonly<Record<string, string>> = {}): Promise<RunWorker> => {
  const worker = await startRunWorker(world, home, connections, more);
  workers.push(worker);
  return worker;
};
const request = (pipeline: string, headers: Record<string, string> = {}): Promise<Answer> =>
  world.ask('POST', '/v1/runs', { token: bob, json: { pipeline }, headers });
const get = async (id: unknown): Promise<Record<string, unknown>> =>
  (await world.ask('GET', `/v1/runs/${String(id)}`, { token: bob })).body;

async function until(id: unknown, holds: (run: Record<string, unknown>) => boolean, ms = 30_000): Promise<Record<string, unknown>> {
  for (const startedAt = performance.now(); ;) {
    const run = await get(id);
    if (holds(run)) return run;
    if (performance.now() - startedAt > ms) throw new Error(`the run is ${String(run['state'])} after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const hasEnded = ({ endedAt }: Record<string, unknown>): boolean => endedAt !== null;

async function leftovers(name: string): Promise<unknown[]> {
  const rows = await tiny.server.sql(
    'postgres',
    `SELECT datname AS name FROM pg_database WHERE datname LIKE '${name}%' UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE '${name}%'
     UNION ALL SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'bauta run %' ORDER BY 1`,
  );
  return rows.map((row) => row['name']);
}

it('goes from the request to the published copy, and tells every step as it happens', async () => {
  await begin();
  const asked = await request('tiny');
  expect([asked.status, asked.body]).toMatchObject([
    201,
    {
      state: 'queued',
      attempt: 1,
      documents: [
        { kind: 'Pipeline', version: 1 },
        { kind: 'Classification', version: 1 },
      ],
    },
  ]);
  expect(asked.headers.get('location')).toBe(`/v1/runs/${String(asked.body['id'])}`);
  const { headers, body } = await world.ask('GET', `/v1/runs/${String(asked.body['id'])}/events`, { token: bob });
  expect(headers.get('content-type')).toContain('text/event-stream');
  const text = body['text'] as string;
  const states = [...text.matchAll(/"state":"(\w+)"/g)].map(([, state]) => state);
  expect(states).toEqual(['queued', 'planning', 'extracting', 'building', 'verifying', 'publishing', 'published']);
  const run = await get(asked.body['id']);
  expect(run).toMatchObject({
    state: 'published',
    movedRows: 500,
    summary: { state: 'published', dataset: { target: 'copy', version: 1 } },
  });
  expect(await tiny.server.sql('copy', 'SELECT count(*)::int AS n FROM app.person')).toEqual([{ n: 180 }]);
  // Asked again from where he stopped, a client gets the rest only.
  const rest = await world.ask('GET', `/v1/runs/${String(run['id'])}/events`, { token: bob, headers: { 'last-event-id': '6' } });
  expect([...(rest.body['text'] as string).matchAll(/"state":"(\w+)"/g)].map(([, state]) => state)).toEqual(['published']);
});

it('has an event in the log for every transition, and those of the data plane, and no value of a row anywhere', async () => {
  const [first] = await world.sql('SELECT id FROM bauta.run ORDER BY id LIMIT 1');
  const types = (await world.told())
    .filter(({ data, runId }) => [runId, data['run']].includes(String(first?.['id'])))
    .map(({ type }) => type);
  for (const type of [
    'run.queued',
    'run.started',
    'source.seen',
    'plan.decided',
    'run.extracting',
    'table.loaded',
    'dataset.verified',
    'run.publishing',
    'dataset.published.done',
    'run.ended',
    'run.published',
  ])
    // prettier-ignore
    expect(types.filter((one) => one === type).length).toBe(type === 'table.loaded' ? 3 : 1);
  const tables = await world.sql(
    `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'bauta'::regnamespace AND c.relkind = 'r'`,
  );
  for (const { name } of tables) {
    const rows = await world.sql(`SELECT t::text AS text FROM bauta."${String(name)}" t`);
    const said = rows.map(({ text }) => String(text)).join('\n');
    expect([name, said.includes(canary), said.includes('kept-from-logs')]).toEqual([name, false, false]);
  }
});

it('ends a run that cannot be, with what was found', async () => {
  await begin();
  await apply(documents('untagged', 'SOURCE', 'TARGET', classificationText.replace(', born: pii.date-of-birth', '')));
  const asked = await request('untagged');
  const run = await until(asked.body['id'], hasEnded);
  expect(run).toMatchObject({ state: 'failed', attempt: 1, summary: { error: { code: 'PLAN_REFUSED' } } });
  expect(JSON.stringify(run['summary'])).toContain('COLUMN_UNTAGGED');
});

it('does not try again what only a person can mend, and does what time can', async () => {
  await begin();
  await apply(documents('nowhere', 'NOWHERE') + '---\n' + documents('down', 'DOWN'));
  connections['BAUTA_CONN_DOWN'] = 'postgres://nobody:nothing@127.0.0.1:1/nothing';
  const [nowhere, down] = [await request('nowhere'), await request('down')];
  expect(await until(nowhere.body['id'], hasEnded)).toMatchObject({
    state: 'failed',
    attempt: 1,
    summary: { error: { code: 'CONNECTION_REFERENCE_INVALID' } },
  });
  const again = await until(down.body['id'], ({ attempt }) => attempt === 2);
  expect(again['state']).toBe('queued');
  const cancelled = await world.ask('POST', `/v1/runs/${String(down.body['id'])}/cancel`, { token: bob });
  expect([cancelled.status, cancelled.body['state']]).toEqual([202, 'cancelled']);
  expect((await world.ask('POST', `/v1/runs/${String(down.body['id'])}/cancel`, { token: bob })).body['code']).toBe('RUN_ENDED');
});

it('a cancel in the middle of the copy ends the run within five seconds, with nothing left', async () => {
  const slow = `CREATE TABLE app.slow (id int PRIMARY KEY, note text); INSERT INTO app.slow SELECT i, repeat('x', 200) FROM generate_series(1, 60000) i; ANALYZE`;
  connections['BAUTA_CONN_SLOW'] = await tiny.source('slow', slow);
  connections['BAUTA_CONN_HALF'] = tiny.target('half');
  await begin({ BAUTA_SOURCE_ROWS_PER_SECOND: '1000' });
  await apply(documents('slow', 'SLOW', 'HALF', `${classificationText}  app.slow:\n    columns: { id: pii.key, note: pii.free-text }\n`));
  const asked = await request('slow');
  await until(asked.body['id'], ({ movedRows }) => Number(movedRows) > 0);
  const startedAt = performance.now();
  const { status, body } = await world.ask('POST', `/v1/runs/${String(asked.body['id'])}/cancel`, { token: bob });
  expect([status, body['cancelRequested']]).toEqual([202, true]);
  const run = await until(asked.body['id'], hasEnded, 5000);
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(run).toMatchObject({ state: 'cancelled', summary: { state: 'cancelled', dataset: null } });
  expect(await leftovers('half')).toEqual([]);
});

it('a worker that is stopped hands its run back, and another one finishes it', async () => {
  const first = await begin({ BAUTA_SOURCE_ROWS_PER_SECOND: '100' });
  const asked = await request('tiny');
  await until(asked.body['id'], ({ state }) => state === 'extracting');
  await first.stop();
  workers.length = 0;
  expect(await get(asked.body['id'])).toMatchObject({ state: 'queued', attempt: 2 });
  await begin();
  expect(await until(asked.body['id'], hasEnded)).toMatchObject({ state: 'published', attempt: 2, summary: { dataset: { version: 2 } } });
});

it('is asked for once with one Idempotency-Key, and with the versions that held then', async () => {
  const key = { 'idempotency-key': 'run-1' };
  const [one, two] = await Promise.all([request('tiny', key), request('tiny', key)]);
  expect(one.body['id']).toBe(two.body['id']);
  await apply(documents('tiny').replace('retentionDays: 30', 'retentionDays: 7'));
  expect((await get(one.body['id']))['documents']).toMatchObject([{ version: 1 }, { version: 1 }]);
  expect((await request('tiny')).body['documents']).toMatchObject([{ version: 2 }, { version: 1 }]);
});

it('lists runs newest first, by pipeline and state, by pages', async () => {
  const list = async (query: string): Promise<{ items: { id: string; state: string }[]; next: string | null }> =>
    (await world.ask('GET', `/v1/runs?${query}`, { token: bob })).body as never;
  const all = await list('limit=100');
  expect(all.items.map(({ id }) => id)).toEqual([...all.items.map(({ id }) => id)].sort().reverse());
  const first = await list('limit=2');
  const second = await list(`limit=2&cursor=${first.next}`);
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(all.items.slice(0, 4).map(({ id }) => id));
  expect(new Set((await list('state=published')).items.map(({ state }) => state))).toEqual(new Set(['published']));
  expect((await world.ask('GET', '/v1/runs?state=nothing', { token: bob })).status).toBe(400);
});

it('is not there for another workspace', async () => {
  const [run] = await world.sql('SELECT id FROM bauta.run LIMIT 1');
  const id = String(run?.['id']);
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/events'],
    ['POST', '/cancel'],
  ] as const) {
    const theirs = await world.ask(method, `/v1/runs/${id}${path}`, { token: stranger });
    const none = await world.ask(method, `/v1/runs/0000000000000000${path}`, { token: stranger });
    expect([theirs.status, { ...theirs.body, requestId: '' }]).toEqual([none.status, { ...none.body, requestId: '' }]);
    expect(theirs.status).toBe(404);
  }
  expect((await world.ask('GET', '/v1/runs', { token: stranger })).body['items']).toEqual([]);
  expect((await world.ask('POST', '/v1/runs', { token: stranger, json: { pipeline: 'tiny' } })).status).toBe(404);
});

it('makes no transition that the table does not have', async () => {
  const [run] = await world.sql(`SELECT id FROM bauta.run ORDER BY id LIMIT 1`);
  const id = String(run?.['id']);
  for (const from of runStates) {
    for (const to of runStates) {
      if (isAllowed(from, to)) continue;
      await world.sql(`UPDATE bauta.run SET state = '${from}' WHERE id = '${id}'`);
      const moved = world.metadata.within(world.workspaces.home, ({ runs }) => runs.transition(id, { to }));
      await expect(moved).rejects.toMatchObject({ code: 'RUN_TRANSITION_ILLEGAL' });
    }
  }
});
