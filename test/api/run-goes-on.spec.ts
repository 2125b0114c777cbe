// kill -9 of the only worker of a run that reads its source: the next one goes on with what is in while somebody holds the snapshot, and begins again
// when nobody does; and workers that have nothing to do load ranges of a run that another one leads.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { type ServiceProcess, begin, end, endAll } from '../support/processes.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const rows = 24_000;
const [logKey, serverKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
let tiny: TinyWorld;
let world: ServiceWorld;
let home: string;
let bob: string;
let sourceUrl: string;
const after: (() => unknown)[] = [];

beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  home = mkdtempSync(join(tmpdir(), 'bauta-goes-on-'));
  sourceUrl = await tiny.source(
    'shop',
    `INSERT INTO app.product SELECT 'Q' || i, repeat('a word ', 30) || i, i FROM generate_series(1, ${rows}) i; ANALYZE`,
  );
  bob = await world.person('bob', ['policy-admin', 'requester']);
}, 60_000);
afterEach(async () => {
  await endAll();
  for (const undo of after.splice(0)) undo();
}, 60_000);
afterAll(async () => {
  await world.stop().finally(() => tiny.stop());
  rmSync(home, { recursive: true, force: true });
});

const inShop = async (): Promise<number> => Number((await tiny.server.sql('shop', 'SELECT count(*)::int AS n FROM app.product'))[0]?.['n']);

const said = (): Promise<unknown[]> => world.sql('SELECT attempt, state, text FROM bauta.run_line ORDER BY at DESC LIMIT 12');

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() - startedAt > 60_000) throw new Error(`never: ${what}; ${JSON.stringify(await said())}`);
    await sleep(50);
  }
}

function worker(name: string, settings: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  return begin('worker', {
    ...{ PATH: process.env['PATH'] ?? '', BAUTA_HOME: home, BAUTA_HEARTBEAT_MS: '2000', BAUTA_THREADS: '0', BAUTA_HOLDER_AFTER_MS: '0' },
    ...{
      BAUTA_METADATA: 'env:METADATA',
      METADATA: world.urls.service,
      BAUTA_METADATA_SEQUENCER: 'env:SEQUENCER',
      SEQUENCER: world.urls.sequencer,
    },
    ...{ BAUTA_LOG_KEY: 'env:LOG_KEY', LOG_KEY: logKey },
    ...{ BAUTA_SERVER_KEY: 'env:SERVER_KEY', SERVER_KEY: serverKey },
    // Some seconds of reading, in ranges of a megabyte.
    ...{ BAUTA_SOURCE_ROWS_PER_SECOND: '4000', BAUTA_RANGE_BYTES: '1048576', BAUTA_WHOLE_TABLE_BYTES: '1048576', BAUTA_SHARE_RANGES: '0' },
    ...{ BAUTA_CONN_SOURCE: sourceUrl, [`BAUTA_CONN_${name.toUpperCase()}`]: tiny.target(name), ...settings },
  });
}

/** A target of this name to which every new session takes its time. */
async function far(name: string): Promise<Readonly<Record<string, string>>> {
  const slow = createServer((near) => {
    near.on('error', () => undefined);
    setTimeout(() => open(near), 1200);
  });
  const open = (near: Socket): void => {
    const there = connect(tiny.server.port, '127.0.0.1');
    there.on('error', () => near.destroy());
    near.once('close', () => there.destroy());
    near.pipe(there).pipe(near);
  };
  slow.listen(0, '127.0.0.1');
  await once(slow, 'listening');
  after.push(() => slow.close());
  const { port } = slow.address() as AddressInfo;
  return { [`BAUTA_CONN_${name.toUpperCase()}`]: tiny.target(name).replace(/:\d+\//, `:${port}/`) };
}

/** A run of a pipeline of this name that delivers to a database of this name. */
async function request(name: string): Promise<string> {
  const text = [pipelineText, classificationText]
    .join('---\n')
    .replaceAll(/^name: tiny$/gm, `name: ${name}`)
    .replace('classification: tiny', `classification: ${name}`)
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', `env:BAUTA_CONN_${name.toUpperCase()}`);
  const applied = await world.ask('POST', '/v1/apply', { token: bob, text, headers: { 'content-type': 'application/yaml' } });
  expect(applied.status).toBe(200);
  const { status, body } = await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline: name } });
  expect(status).toBe(201);
  return String(body['id']);
}

const staging = async (name: string): Promise<string | undefined> =>
  (
    await tiny.server.sql(
      'postgres',
      `SELECT datname FROM pg_database WHERE datname LIKE '${name}\\_bauta\\_%'
     AND shobj_description(oid, 'pg_database') LIKE '%"state":"staging"%'`,
    )
  )[0]?.['datname'] as string | undefined;

/** When so many ranges are in. */
const loaded = (name: string, count: number): Promise<true> =>
  until(`${count} ranges of ${name}`, async () => {
    const database = await staging(name);
    if (database === undefined) return undefined;
    const found = await tiny.server.sql(database, 'SELECT count(receipt)::int AS n FROM bauta.range').catch(() => []);
    return Number(found[0]?.['n'] ?? 0) >= count ? true : undefined;
  });

const line = (run: string, text: string): Promise<true> =>
  until(`"${text}"`, async () =>
    (await world.sql(`SELECT FROM bauta.run_line WHERE run_id = '${run}' AND text LIKE '%${text}%'`)).length > 0 ? true : undefined,
  );

const ended = (run: string): Promise<Record<string, unknown>> =>
  until(`the end of run ${run}`, async () => {
    const [found] = await world.sql(`SELECT state, attempt, summary FROM bauta.run WHERE id = '${run}' AND ended_at IS NOT NULL`);
    return found;
  });

const events = async (run: string, ...types: string[]): Promise<Record<string, unknown>[]> => {
  await until('an empty outbox', async () => ((await world.sql('SELECT FROM bauta.outbox')).length === 0 ? true : undefined));
  const found = await world.sql(
    `SELECT event FROM bauta.audit_leaf WHERE event ->> 'runId' = '${run}' AND event ->> 'type' IN (${types.map((type) => `'${type}'`).join(', ')}) ORDER BY position`,
  );
  return found.map(({ event }) => event as Record<string, unknown>);
};

/** The process that this worker started to hold a snapshot (proc(5)). */
function findHolder(worker: number): number {
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const parent = Number(/^.*\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
      return parent === worker && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('holder.js');
    } catch {
      // It ended while we looked.
      return false;
    }
  });
  return Number(found);
}

/** Of the socket with this local port. */
function findInode(port: number): string {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`/proc/net/${name}`, 'utf8')
      .split('\n')
      .map((text) => text.trim().split(/\s+/)),
  );
  return rows.find(([, local]) => local?.endsWith(end))?.[9] ?? 'none';
}

const hasSocket = (pid: number, inode: string): boolean =>
  readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`;
    } catch {
      return false;
    }
  });

/** Nobody holds anything of the source any more, and nothing of the run is left beside its version. */
async function nothingLeft(run: string, name: string): Promise<void> {
  expect(await world.sql(`SELECT FROM bauta.snapshot_holder WHERE run_id = '${run}'`)).toEqual([]);
  await until('no session at the source', async () => {
    const sessions = await tiny.server.sql(
      'postgres',
      `SELECT FROM pg_stat_activity WHERE datname = 'shop' AND application_name LIKE '%${run}%'`,
    );
    return sessions.length === 0 ? true : undefined;
  });
  expect(await staging(name)).toBeUndefined();
}

it('goes on from the last range that is in, with the rows of the same moment, when the only worker is killed', async () => {
  const first = await worker('kept');
  const before = await inShop();
  const run = await request('kept');
  await line(run, 'holds the snapshot too');
  await loaded('kept', 2);
  await end(first.child, 'SIGKILL');
  await tiny.server.sql('shop', `INSERT INTO app.product VALUES ('late ' || clock_timestamp(), 'after the moment', 1)`);
  await worker('kept');
  expect(await ended(run)).toMatchObject({ state: 'published', attempt: 2 });
  const [taken, ...others] = await events(run, 'staging.completed');
  expect(others).toEqual([]);
  const data = taken!['data'] as { ranges: number; loaded: number };
  expect(data.loaded).toBeGreaterThanOrEqual(2);
  expect(data.loaded).toBeLessThan(data.ranges);
  expect(await events(run, 'snapshot.opened', 'staging.intended')).toHaveLength(2);
  expect(await tiny.server.sql('kept', 'SELECT count(*)::int AS n FROM app.product')).toEqual([{ n: before }]);
  await nothingLeft(run, 'kept');
}, 120_000);

it('begins again, with the rows of now, when who held the snapshot is killed too', async () => {
  const first = await worker('lost');
  const run = await request('lost');
  await line(run, 'holds the snapshot too');
  await loaded('lost', 2);
  const holder = findHolder(first.child.pid!);
  await end(first.child, 'SIGKILL');
  process.kill(holder, 'SIGKILL');
  await tiny.server.sql('shop', `INSERT INTO app.product VALUES ('late ' || clock_timestamp(), 'after the moment', 1)`);
  await worker('lost');
  expect(await ended(run)).toMatchObject({ state: 'published', attempt: 2 });
  expect(await events(run, 'staging.completed')).toEqual([]);
  expect(await events(run, 'snapshot.opened')).toHaveLength(2);
  expect(await tiny.server.sql('lost', 'SELECT count(*)::int AS n FROM app.product')).toEqual([{ n: await inShop() }]);
  await nothingLeft(run, 'lost');
}, 120_000);

it('is handed on with what is in when its worker is asked to stop, and lets go of everything when nobody wants it any more', async () => {
  const first = await worker('handed');
  const run = await request('handed');
  await line(run, 'holds the snapshot too');
  await loaded('handed', 2);
  await end(first.child, 'SIGTERM');
  expect(await world.sql(`SELECT state FROM bauta.run WHERE id = '${run}'`)).toEqual([{ state: 'queued' }]);
  expect(await staging('handed')).toBeDefined();
  const { status } = await world.ask('POST', `/v1/runs/${run}/cancel`, { token: bob });
  expect(status).toBeLessThan(300);
  // To reach the target takes it longer than to see that the run is to end.
  await worker('handed', await far('handed'));
  expect(await ended(run)).toMatchObject({ state: 'cancelled' });
  await nothingLeft(run, 'handed');
}, 120_000);

it('lets go of everything, too, when it is cancelled while the next attempt still looks for the target', async () => {
  const first = await worker('torn');
  const run = await request('torn');
  await line(run, 'holds the snapshot too');
  await loaded('torn', 2);
  await end(first.child, 'SIGKILL');
  await worker('torn', await far('torn'));
  await until('the next attempt', async () => {
    const found = await world.sql(`SELECT FROM bauta.run WHERE id = '${run}' AND attempt = 2 AND state = 'planning'`);
    return found.length > 0 ? true : undefined;
  });
  const { status } = await world.ask('POST', `/v1/runs/${run}/cancel`, { token: bob });
  expect(status).toBeLessThan(300);
  expect(await ended(run)).toMatchObject({ state: 'cancelled' });
  await nothingLeft(run, 'torn');
}, 120_000);

it('is shared by workers that have nothing else to do, and whole though one of them is killed', async () => {
  const sharing = { BAUTA_SHARE_RANGES: '1', BAUTA_SOURCE_ROWS_PER_SECOND: '1500' };
  const [leader, ...others] = [await worker('shared', sharing), await worker('shared', sharing), await worker('shared', sharing)];
  const run = await request('shared');
  const [found] = await until('a leader', async () => {
    const rowsFound = await world.sql(`SELECT worker_id FROM bauta.run WHERE id = '${run}' AND worker_id IS NOT NULL`);
    return rowsFound.length > 0 ? rowsFound : undefined;
  });
  // Whoever took it: somebody else holds its snapshot to load some of it.
  await until('somebody who helps', async () => {
    const helping = await world.sql(
      `SELECT FROM bauta.snapshot_holder WHERE run_id = '${run}' AND worker_id <> '${String(found!['worker_id'])}'`,
    );
    return helping.length > 0 ? true : undefined;
  });
  const [helper] = await until('a helper that loads', async () => {
    const sessions = await tiny.server.sql(
      'postgres',
      `SELECT client_port FROM pg_stat_activity WHERE application_name = 'bauta share ${run}' AND datname LIKE 'shared\\_bauta\\_%'`,
    );
    return sessions.length > 0 ? sessions : undefined;
  });
  const inode = findInode(Number(helper!['client_port']));
  const victim = [leader, ...others].find(({ child }) => hasSocket(child.pid!, inode))!;
  await end(victim.child, 'SIGKILL');
  expect(await ended(run)).toMatchObject({ state: 'published', attempt: 1 });
  await line(run, 'ranges of it');
  expect(await tiny.server.sql('shared', 'SELECT count(*)::int AS n FROM app.product')).toEqual([{ n: await inShop() }]);
  await nothingLeft(run, 'shared');
}, 120_000);
