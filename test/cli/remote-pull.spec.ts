// `bauta pull`: the archive of what an environment has, over HTTP, for a job that has a token and no key; what the API keeps and sends is sealed.
import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { parseSettings } from '../../src/config/settings.js';
import type { ErrandWorker } from '../../src/control/errands/errands.js';
import type { RunWorker } from '../../src/control/runs/runs.js';
import { systemClock } from '../../src/kernel/clock.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { openFileKeys } from '../../src/systems/files/files.js';
import { type ServiceWorld, startErrandWorker, startRunWorker, startServiceWorld } from '../support/service.js';
import { type Said, type TinyWorld, bauta, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let errands: ErrandWorker;
let env: Record<string, string> = {};
let archives: string;
beforeAll(async () => {
  tiny = await startTinyWorld();
  archives = join(tiny.folder, 'archives');
  const shared = { BAUTA_ARCHIVES: archives };
  world = await startServiceWorld(
    tiny.server,
    systemClock,
    {},
    { settings: parseSettings({ ...shared, BAUTA_HOME: join(tiny.folder, 'api') }) },
  );
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('pulled') };
  env = {
    AUTHOR: await world.person('ada', ['policy-admin', 'viewer']),
    JOB: await world.person('ci', ['requester@dev', 'viewer']),
    TOKEN: await world.person('olga', ['operator', 'viewer']),
    WATCHER: await world.person('vic', ['viewer']),
    ELSEWHERE: await world.person('elsa', ['requester@staging', 'viewer']),
    FOREIGNER: await world.person('fay', ['operator', 'viewer'], 'foreign'),
    BAUTA_TOKEN: 'env:JOB',
    // A machine of its own: nothing of the worker's home is there.
    BAUTA_HOME: join(tiny.folder, 'job'),
    ...connections,
  };
  const text = pipelineText.replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE').replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET');
  const documents = tiny.documents({ 'pipeline.yaml': text.replace('class: dev', 'class: dev\n  file: {}') });
  const home = join(tiny.folder, 'home');
  worker = await startRunWorker(world, home, connections, shared);
  errands = await startErrandWorker(world, home, connections, shared);
  const applied = await there(['apply', '-f', documents], { BAUTA_TOKEN: 'env:AUTHOR' });
  expect([applied.exitCode, applied.stderr]).toEqual([0, '']);
  expect((await there(['run', 'tiny'], { BAUTA_TOKEN: 'env:TOKEN' })).exitCode).toBe(0);
}, 90_000);
afterAll(async () => {
  await errands.stop();
  await worker.stop();
  await world.stop();
  await tiny.stop();
});

const there = (words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Said> =>
  bauta(words, { cwd: tiny.folder, env: { ...env, BAUTA_SERVER: world.url, ...more } });
const pull = (...words: string[]): Promise<Said> => there(['pull', 'dev', ...words]);

async function createPlace(name: string): Promise<Record<string, string>> {
  await tiny.server.sql('postgres', `CREATE DATABASE "${name}" TEMPLATE template0`);
  return { PLACE_URL: tiny.server.url(name) };
}

const rowsOf = (database: string): Promise<unknown> =>
  tiny.server.sql(database, `SELECT md5(string_agg(p::text, E'\\n' ORDER BY p::text)) AS rows FROM app.person p`);

function parse({ stdout }: Said): Record<string, unknown> {
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', 'output-pull.json'), 'utf8')) as object;
  const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
  const said = JSON.parse(stdout) as Record<string, unknown>;
  expect([fits(said), fits.errors]).toEqual([true, null]);
  return said;
}

it('loads what the environment has into the job’s own database, attested by the key that the service names', async () => {
  const loaded = await there(['pull', 'dev', '--into', 'env:PLACE_URL', '--json'], await createPlace('job'));
  expect([loaded.exitCode, loaded.stderr]).toEqual([0, '']);
  expect(parse(loaded)).toMatchObject({ state: 'loaded', environment: 'dev', version: 1, database: 'job', file: null });
  expect(await rowsOf('job')).toEqual(await rowsOf('pulled'));
  const [told, ...others] = await world.told('dataset.pulled');
  expect([told?.data, others]).toMatchObject([
    { environment: 'dev', pipeline: 'tiny', version: 1, recipient: expect.stringMatching(/^age1/) },
    [],
  ]);
  const [person] = await world.sql(`SELECT id FROM bauta.person WHERE name = 'ci'`);
  expect(told?.data['actor']).toBe(person?.['id']);
});

it('is kept as the tar inside, or sealed to somebody, and either is for its owner alone', async () => {
  const tar = join(tiny.folder, 'kept.tar');
  expect(parse(await pull('--output', tar, '--json'))).toMatchObject({ state: 'kept', file: tar });
  expect(statSync(tar).mode & 0o777).toBe(0o600);
  const identity = await generateIdentity();
  const sealed = join(tiny.folder, 'kept.tar.age');
  expect((await pull('--output', sealed, '--recipient', await identityToRecipient(identity))).exitCode).toBe(0);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  expect(Buffer.from(await decrypter.decrypt(readFileSync(sealed))).equals(readFileSync(tar))).toBe(true);
  expect(readdirSync(tiny.folder).filter((name) => name.endsWith('.part'))).toEqual([]);
});

it('goes on from where an earlier attempt left off, and keeps nothing of what is not the archive', async () => {
  const file = join(tiny.folder, 'again.tar');
  const [sealed = ''] = findArchives();
  const [event] = await world.told('archive.published');
  const part = join(tiny.folder, `.again.tar.${String(event?.data['sha256']).slice(0, 16)}.part`);
  writeFileSync(part, readFirst(sealed, 1000));
  expect((await pull('--output', file)).exitCode).toBe(0);
  expect(existsSync(part)).toBe(false);
  // A byte that is not the archive's.
  writeFileSync(part, 'x');
  const broken = await pull('--output', join(tiny.folder, 'again.tar'));
  expect([broken.exitCode, broken.stderr]).toEqual([1, expect.stringContaining('ARCHIVE_PULL_BROKEN')]);
  expect(existsSync(part)).toBe(false);
});

it('is sent sealed, in whole or from a byte on, and says where there is nothing more', async () => {
  const recipient = await identityToRecipient(await generateIdentity());
  const asked = await world.ask('POST', '/v1/archives', { token: env['JOB']!, json: { environment: 'dev', recipient } });
  expect(asked.status).toBe(202);
  const path = asked.headers.get('location') ?? '';
  const ended = await untilEnded(path);
  const fetchFile = (range?: string): Promise<Response> =>
    fetch(`${world.url}${path}/file`, { headers: { authorization: `Bearer ${env['JOB']!}`, ...(range === undefined ? {} : { range }) } });
  const [archive = ''] = findArchives();
  const bytes = readFileSync(archive);
  const whole = await fetchFile();
  expect([whole.status, Buffer.from(await whole.arrayBuffer()).equals(bytes)]).toEqual([200, true]);
  const rest = await fetchFile('bytes=500-');
  expect([rest.status, rest.headers.get('content-range')]).toEqual([206, `bytes 500-${bytes.length - 1}/${bytes.length}`]);
  expect(Buffer.from(await rest.arrayBuffer()).equals(bytes.subarray(500))).toBe(true);
  expect((await fetchFile(`bytes=${bytes.length}-`)).status).toBe(416);
  // What the metadata database and the answer hold opens it for that recipient only.
  expect(JSON.stringify(ended)).not.toContain('AGE-SECRET');
});

it('is for who may pull from that environment, and for nobody else', async () => {
  const tar = join(tiny.folder, 'never.tar');
  for (const [token, code] of [
    ['env:WATCHER', 'ACCESS_DENIED'],
    ['env:ELSEWHERE', 'ACCESS_DENIED'],
    ['env:FOREIGNER', 'RESOURCE_UNKNOWN'],
  ] as const)
    // prettier-ignore
    expect([token, (await there(['pull', 'dev', '--output', tar], { BAUTA_TOKEN: token })).stderr]).toEqual([token, expect.stringContaining(code)]);
  expect((await there(['pull', 'nowhere', '--output', tar], { BAUTA_TOKEN: 'env:TOKEN' })).stderr).toContain('RESOURCE_UNKNOWN');
  expect(existsSync(tar)).toBe(false);
  expect((await pull()).exitCode).toBe(3);
});

it('is the version that is current when it is asked for, and none when the key of its environment is gone', async () => {
  expect((await there(['run', 'tiny'], { BAUTA_TOKEN: 'env:TOKEN' })).exitCode).toBe(0);
  const tar = join(tiny.folder, 'second.tar');
  expect(parse(await pull('--output', tar, '--json'))).toMatchObject({ version: 2 });
  expect((await there(['rollback', 'tiny'], { BAUTA_TOKEN: 'env:TOKEN' })).exitCode).toBe(0);
  expect(parse(await pull('--output', tar, '--json'))).toMatchObject({ version: 1 });
  const keys = openFileKeys(join(tiny.folder, 'home', 'keys'))({ purpose: 'transport', workspace: 'default', environment: 'dev' });
  await keys.rotate();
  expect((await pull('--output', tar)).exitCode).toBe(0);
  await keys.destroyUpTo(1);
  const gone = await pull('--output', tar);
  expect([gone.exitCode, gone.stderr]).toEqual([2, expect.stringContaining('ARCHIVE_KEY_UNKNOWN')]);
});

function findArchives(): string[] {
  const folder = join(archives, 'default', 'dev', 'tiny');
  return readdirSync(folder).map((name) => join(folder, name));
}

function readFirst(path: string, bytes: number): Buffer {
  const file = openSync(path, 'r');
  const buffer = Buffer.alloc(bytes);
  readSync(file, buffer, 0, bytes, 0);
  closeSync(file);
  return buffer;
}

async function untilEnded(path: string): Promise<Record<string, unknown>> {
  for (let i = 0; i < 400; i++) {
    const { body } = await world.ask('GET', path, { token: env['JOB']! });
    if (body['endedAt'] !== null) return body;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('nobody answered');
}
