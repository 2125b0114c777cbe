// A clone by the service: asked for, made by a worker, handed out once, given back, and not left behind by anybody who died.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';

import { CloneClock } from '../../src/control/environments/environments.js';
import type { Clock } from '../../src/kernel/clock.js';
import { PostgresTarget } from '../../src/systems/postgres/target/target.js';
import { type Answer, type ServiceWorld, startErrandWorker, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, bauta, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const pool = { BAUTA_POOL_TAGS: 'pii,pci,phi,special,sensitive,secret,quasi' };
const clock: Clock & { ahead: number } = { ahead: 0, now: () => Date.now() + clock.ahead };
let world: ServiceWorld;
let tiny: TinyWorld;
let home: string;
let connections: Record<string, string>;
let errands: Awaited<ReturnType<typeof startErrandWorker>>;
let clones: CloneClock;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(undefined, clock);
  home = mkdtempSync(join(tmpdir(), 'bauta-clones-'));
  connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') };
  tokens['rita'] = await world.person('rita', ['requester@dev']);
  tokens['prod'] = await world.person('paul', ['requester@prod']);
  tokens['foreign'] = await world.person('fay', ['requester'], 'foreign');
  const author = await world.person('ada', ['policy-admin']);
  const pipeline = pipelineText
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET')
    .replace('allows: [pii]', 'allows: [pii]\n  clones: { max: 3, hours: 48 }');
  const text = `${pipeline.replace('import: [classification.yaml]\n', '')}---\n${classificationText}`;
  const applied = await world.ask('POST', '/v1/apply', { token: author, text, headers: { 'content-type': 'application/yaml' } });
  expect([applied.status, applied.body]).toMatchObject([200, {}]);
  const runs = await startRunWorker(world, home, connections, pool);
  const { body } = await world.ask('POST', '/v1/runs', { token: tokens['rita'], json: { pipeline: 'tiny' } });
  await until(async () => (await get(`/v1/runs/${String(body['id'])}`)).body['state'] === 'published');
  await runs.stop();
  errands = await startErrandWorker(world, home, connections, pool);
  clones = new CloneClock({ metadata: world.metadata, clock, failed: (error) => void process.stderr.write(`clock: ${String(error)}\n`) });
}, 120_000);
afterAll(async () => {
  await clones.stop();
  await errands.stop();
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

async function until(done: () => Promise<boolean>, patienceMs = 30_000): Promise<void> {
  for (const startedAt = performance.now(); !(await done()); await new Promise((resolve) => setTimeout(resolve, 50)))
    if (performance.now() - startedAt > patienceMs) throw new Error('it did not come to that');
}
const get = (path: string, who = 'rita'): Promise<Answer> => world.ask('GET', path, { token: tokens[who]! });
const address = '/v1/environments/dev/clones';
const one = async (id: unknown): Promise<Record<string, unknown>> => (await get(`${address}/${String(id)}`)).body;
const untilState = (id: unknown, state: string): Promise<void> => until(async () => (await one(id))['state'] === state);

/** Not by the world's own `ask`: it hears every answer, and these have what is to stand nowhere. */
async function post(
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${world.url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
const ask = (body: object, who = 'rita', more: Record<string, string> = {}): ReturnType<typeof post> =>
  post(address, body, { authorization: `Bearer ${tokens[who]}`, ...more });
const toLink = (link: unknown): { path: string; secret: string } => {
  const [path = '', secret = ''] = String(link).split('#');
  return { path, secret: world.secret(secret) };
};
const databases = async (): Promise<unknown[]> =>
  (await tiny.server.sql('postgres', `SELECT datname FROM pg_database WHERE datname LIKE '%\\_clone'`)).map(({ datname }) => datname);
const rolesThere = async (): Promise<number> =>
  (await tiny.server.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname LIKE '%\\_clone'`)).length;
const enter = async (connection: string): Promise<number> => {
  const client = new pg.Client({ connectionString: connection });
  await client.connect();
  try {
    return Number((await client.query<{ n: number }>('SELECT count(*)::int AS n FROM app.person')).rows[0]?.n);
  } finally {
    await client.end();
  }
};

it('is made for who may, and its credentials are handed out once, by a link that looking at does not spend', async () => {
  const asked = await ask({ for: 'pr-1', hours: 2 }, 'rita', { 'idempotency-key': 'first' });
  expect([asked.status, asked.body]).toMatchObject([202, { environment: 'dev', pipeline: 'tiny', for: 'pr-1', state: 'making' }]);
  const { path, secret } = toLink(asked.body['link']);
  const repeated = await ask({ for: 'pr-1', hours: 2 }, 'rita', { 'idempotency-key': 'first' });
  expect(repeated.body).toMatchObject({ id: asked.body['id'], link: null });
  await untilState(asked.body['id'], 'ready');
  for (let i = 0; i < 2; i++) expect((await world.ask('GET', path)).body).toMatchObject({ state: 'ready' });
  expect((await post(path, { secret: `link_${'A'.repeat(43)}` })).status).toBe(404);
  const redeemed = await post(path, { secret });
  expect(redeemed.status).toBe(200);
  const connection = String(redeemed.body['connection']);
  world.secret(new URL(connection).password);
  expect(await enter(connection)).toBeGreaterThan(0);
  expect((await world.ask('GET', path)).body).toMatchObject({ state: 'spent' });
  const again = await post(path, { secret });
  expect([again.status, again.body['code']]).toEqual([410, 'LINK_SPENT']);
  expect(await world.told('clone.link-refused')).toMatchObject([{ data: { clone: asked.body['id'] } }]);
  const told = (await world.told()).filter(({ type }) => /^clone\./.test(type)).map(({ type }) => type);
  expect(told).toEqual(['clone.requested', 'clone.made.intended', 'clone.made.done', 'clone.link-redeemed', 'clone.link-refused']);
  expect(await one(asked.body['id'])).toMatchObject({ state: 'ready', version: 1, handedOutAt: expect.any(String), error: null });
}, 60_000);

it('asked for again is the same, with another password and link; of what is under way there is none', async () => {
  const [before] = (await get(address)).body['items'] as Record<string, unknown>[];
  const asked = await ask({ for: 'pr-1' });
  expect(asked.body).toMatchObject({ id: before?.['id'], state: 'making' });
  expect((await ask({ for: 'pr-1' })).status).toBe(409);
  const { path, secret } = toLink(asked.body['link']);
  await untilState(asked.body['id'], 'ready');
  clock.ahead = 16 * 60_000;
  expect((await world.ask('GET', path)).body).toMatchObject({ state: 'expired' });
  expect((await post(path, { secret })).status).toBe(410);
  clock.ahead = 0;
  expect((await post(path, { secret })).status).toBe(200);
}, 60_000);

it('is not for others: of another environment, of another workspace, for longer or where there is nothing', async () => {
  const [row] = (await get(address)).body['items'] as Record<string, unknown>[];
  expect((await ask({ for: 'pr-2' }, 'prod')).status).toBe(403);
  expect((await ask({ for: 'pr-2' }, 'foreign')).status).toBe(404);
  expect((await get(`${address}/${String(row?.['id'])}`, 'foreign')).status).toBe(404);
  expect((await get(`${address}/${String(row?.['id'])}`, 'prod')).status).toBe(403);
  expect((await ask({ for: 'pr-2', hours: 49 })).body).toMatchObject({ code: 'CLONE_TOO_LONG' });
  expect((await ask({ for: 'no name' })).status).toBe(422);
  expect((await world.ask('GET', '/v1/links/0000000000000000')).status).toBe(404);
});

it('is given back: by who asked, by its time, and what a worker that died left is taken up by the clock', async () => {
  const [row] = (await get(address)).body['items'] as Record<string, unknown>[];
  const dropped = await world.ask('DELETE', `${address}/${String(row?.['id'])}`, { token: tokens['rita']! });
  expect([dropped.status, dropped.body['state']]).toEqual([202, 'dropping']);
  await untilState(row?.['id'], 'dropped');
  expect([await databases(), await rolesThere()]).toEqual([[], 0]);

  const short = await ask({ for: 'pr-3', hours: 1 });
  await untilState(short.body['id'], 'ready');
  // The server's clock is not ours: the role's own time is not up yet.
  clock.ahead = 61 * 60_000;
  await clones.look();
  await until(async () => (await one(short.body['id']))['state'] === 'dropped');
  clock.ahead = 0;
  expect([await databases(), await rolesThere()]).toEqual([[], 0]);
  expect(await world.told('clone.drop-requested')).toMatchObject([{ data: { why: 'asked' } }, { data: { why: 'expired' } }]);

  // A worker that was killed after it had made one and before it could say so.
  await errands.stop();
  const lost = await ask({ for: 'pr-4' });
  toLink(lost.body['link']);
  const id = String(lost.body['id']);
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const target = new PostgresTarget({
    connection: { name: 'env:TARGET', url: tiny.target('copy') },
    schemaStatements: () => ({ preData: [], postData: [] }),
    clock,
  });
  await target.clones.make({ id, for: 'pr-4', expiresAt, lastsUntil: expiresAt, max: 9 });
  await target.close();
  expect(await databases()).toHaveLength(1);
  const ago = `now() - interval '2 min'`;
  await world.sql(
    `UPDATE bauta.clone SET asked_at = ${ago} WHERE id = '${id}'; UPDATE bauta.errand SET started_at = ${ago}, heard_at = ${ago} WHERE clone = '${id}'`,
  );
  errands = await startErrandWorker(world, home, connections, pool);
  await clones.look();
  await until(async () => (await one(id))['state'] === 'failed');
  expect(await one(id)).toMatchObject({ error: { code: 'ERRAND_ABANDONED' } });
  expect([await databases(), await rolesThere()]).toEqual([[], 0]);
}, 60_000);

it('is one command with --server, which says what went wrong there', async () => {
  const env = { BAUTA_SERVER: world.url, TOKEN: tokens['rita']!, BAUTA_TOKEN: 'env:TOKEN' };
  const clonesOf = (...words: string[]): ReturnType<typeof bauta> => bauta(['clones', ...words, '--environment', 'dev'], { env });
  const out = join(home, 'clone.url');
  const made = await clonesOf('make', '--for', 'pr-9', '--hours', '3', '--out', out);
  expect([made.exitCode, made.stdout, made.stderr]).toEqual([
    0,
    `file:${out}\n`,
    expect.stringMatching(/^cloned {3}version 1 of dev for pr-9/),
  ]);
  const connection = readFileSync(out, 'utf8').trim();
  world.secret(new URL(connection).password);
  expect(await enter(connection)).toBeGreaterThan(0);
  expect((await clonesOf('list')).stdout).toMatch(/pr-9 +dev +ready +1 +copy_bauta_\w{16}_clone/);
  const long = await clonesOf('make', '--for', 'pr-10', '--hours', '49');
  expect([long.exitCode, long.stderr]).toEqual([3, expect.stringContaining('48 hours')]);
  expect((await clonesOf('drop', '--for', 'pr-9')).exitCode).toBe(0);
  expect((await clonesOf('drop', '--for', 'pr-9')).stderr).toContain('CLONE_UNKNOWN');
}, 60_000);

it('that could not be made says why, and leaves nothing', async () => {
  const made: unknown[] = [];
  for (const name of ['a', 'b', 'c', 'd']) {
    const { body } = await ask({ for: name });
    toLink(body['link']);
    made.push(body['id']);
  }
  await until(async () => (await Promise.all(made.map(one))).every(({ state }) => state === 'ready' || state === 'dropping'));
  const states = await Promise.all(made.map(one));
  expect(states.filter(({ state }) => state === 'ready')).toHaveLength(3);
  expect(states.filter(({ error }) => (error as { code: string } | null)?.code === 'CLONES_FULL')).toHaveLength(1);
  await clones.look();
  await until(async () => (await Promise.all(made.map(one))).some(({ state }) => state === 'failed'));
  for (const { id } of states.filter(({ state }) => state === 'ready'))
    await world.ask('DELETE', `${address}/${String(id)}`, { token: tokens['rita']! });
  await until(async () => (await databases()).length === 0);
  expect(await rolesThere()).toBe(0);
}, 60_000);
