// deploy/Dockerfile without an engine: the tree that its last stage copies, with the packages that npm would leave in it, and in it the
// service and a worker as another user who can write nothing of it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { prepareDatabase } from '../../src/control/metadata-server.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type TestServer, startTestServer } from '../support/server.js';

const written = readFileSync(packageFile('deploy', 'Dockerfile'), 'utf8').replace(/\\\n/g, ' ');
const stages = written.split(/^FROM /m).slice(1);
const lastStage = stages.at(-1) ?? '';
const copies = (stage: string): { readonly from: string | undefined; readonly sources: string[]; readonly to: string }[] =>
  [...stage.matchAll(/^COPY (?:--from=(\w+) )?(.+)$/gm)].map(([, from, words = '']) => {
    const paths = words.trim().split(/\s+/);
    return { from, sources: paths.slice(0, -1), to: paths.at(-1) ?? '' };
  });

let server: TestServer;
let folder: string;
let app: string;
const children: ChildProcess[] = [];
const asRoot = process.getuid?.() === 0;
const user = asRoot ? { uid: 10001, gid: 10001 } : {};

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), 'bauta-image-'));
  chmodSync(folder, 0o755);
  app = join(folder, 'app');
  mkdirSync(app);
  for (const { from, sources, to } of copies(lastStage))
    for (const source of sources) {
      if (from === 'modules') continue;
      // As docker does: a folder's content goes into the folder that is named, a file into one that is there.
      const path = from === 'build' ? source.replace('/app/', '') : source;
      cpSync(packageFile(path), to.endsWith('/') ? join(app, to, path) : join(app, to), { recursive: true });
    }
  linkModules();
  execFileSync('chmod', ['-R', 'a+rX,a-w', app]);
}, 60_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await server.stop();
  execFileSync('chmod', ['-R', 'u+w', folder]);
  rmSync(folder, { recursive: true, force: true });
});

/** `npm ci --omit=dev --omit=optional`, by the lock file's own marks. */
function linkModules(): void {
  const { packages } = JSON.parse(readFileSync(packageFile('package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: true; optional?: true; devOptional?: true }>;
  };
  const kept = Object.entries(packages).filter(
    ([path, { dev, optional, devOptional }]) => path !== '' && !(dev ?? optional ?? devOptional),
  );
  for (const [path] of kept) {
    // A package inside another one came with it.
    if (path.lastIndexOf('node_modules/') > 0 || !existsSync(packageFile(path))) continue;
    mkdirSync(dirname(join(app, path)), { recursive: true });
    symlinkSync(packageFile(path), join(app, path));
  }
}

it('copies what is there and what .dockerignore lets through, and ends as a user who is not root', () => {
  const ignored = readFileSync(packageFile('.dockerignore'), 'utf8').split('\n');
  expect(ignored[0]).toBe('*');
  const allowed = new Set(ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1)));
  for (const { from, sources } of stages.flatMap(copies))
    for (const source of from === undefined ? sources : []) {
      expect([source, existsSync(packageFile(source))]).toEqual([source, true]);
      expect([source, allowed.has(source.split('/')[0] ?? '')]).toEqual([source, true]);
    }
  expect(stages).toHaveLength(3);
  expect(lastStage).toMatch(/^USER 10001:10001$/m);
  expect(lastStage).toMatch(/^HEALTHCHECK /m);
  expect(written).not.toMatch(/:latest\b|^ADD /m);
});

interface Started {
  readonly child: ChildProcess;
  readonly said: () => string;
}

let homes = 0;
function makeHome(): string {
  const home = join(folder, `home-${homes++}`);
  execFileSync('install', ['-d', '-m', '0700', ...(asRoot ? ['-o', '10001', '-g', '10001'] : []), home]);
  return home;
}

/** What ENV says, with a folder of this test for that of the image, and on this machine only. */
function imageEnvironment(home: string): Record<string, string | undefined> {
  const pairs =
    /^ENV (.+)$/m
      .exec(lastStage)?.[1]
      ?.split(' ')
      .map((pair) => pair.split('=') as [string, string]) ?? [];
  const said = Object.fromEntries(pairs.map(([name, value]) => [name, value === '/var/lib/bauta' ? home : value]));
  expect(said).toMatchObject({ NODE_ENV: 'production', BAUTA_HOME: home, HOME: home, BAUTA_HTTP_HOST: '0.0.0.0' });
  return { ...said, BAUTA_HTTP_HOST: '127.0.0.1', PATH: process.env['PATH'] };
}

function start(module: string, environment: Readonly<Record<string, string>>, ready: string): Promise<Started> {
  const home = makeHome();
  const child = spawn(process.execPath, [join(app, 'dist', 'src', module)], {
    ...user,
    cwd: app,
    env: { ...imageEnvironment(home), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let words = '';
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      words += chunk.toString();
      if (words.includes(ready)) resolve({ child, said: () => words });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`${module} ended with ${code}: ${words}`)));
  });
}

const stop = async ({ child }: Started): Promise<number | null> => {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  return ended;
};

/** The command of HEALTHCHECK, as the engine runs it. */
function isHealthy(environment: Readonly<Record<string, string>>): boolean {
  const [program = '', ...words] = JSON.parse(/^HEALTHCHECK .*?CMD (\[.*\])$/m.exec(lastStage)?.[1] ?? '[]') as string[];
  try {
    execFileSync(program === 'node' ? process.execPath : program, words, { env: { PATH: process.env['PATH'], ...environment } });
    return true;
  } catch {
    return false;
  }
}

it('migrates, serves and works from that tree, in which nothing can be written', async () => {
  const { owner, service, sequencer } = await prepareDatabase({ name: 'metadata', url: server.url('postgres') }, server.port, 'image');
  const keys = {
    KEY: Buffer.alloc(32, 7).toString('base64'),
    BAUTA_SERVER_KEY: 'env:KEY',
    SERVICE: service,
    BAUTA_METADATA: 'env:SERVICE',
  };
  const home = makeHome();
  execFileSync(process.execPath, [join(app, 'dist', 'src', 'migrate.js')], {
    ...user,
    cwd: app,
    env: { ...imageEnvironment(home), OWNER: owner, BAUTA_METADATA_OWNER: 'env:OWNER' },
  });
  const api = await start('main.js', { ...keys, BAUTA_RUNS: '0', BAUTA_HTTP_PORT: '0' }, 'Ctrl-C stops it');
  const port = /127\.0\.0\.1:(\d+)/.exec(api.said())?.[1] ?? '';
  expect(isHealthy({ BAUTA_HTTP_PORT: port })).toBe(true);
  expect((await fetch(`http://127.0.0.1:${port}/v1/runs`)).status).toBe(401);
  const workerPort = String(Number(port) === 40_281 ? 40_282 : 40_281);
  const worker = await start(
    'worker.js',
    { ...keys, BAUTA_LOG_KEY: 'env:KEY', SEQUENCER: sequencer, BAUTA_METADATA_SEQUENCER: 'env:SEQUENCER', BAUTA_WORKER_PORT: workerPort },
    'Ctrl-C stops it',
  );
  expect(isHealthy({ BAUTA_WORKER_PORT: workerPort })).toBe(true);
  // A worker says whether it is well, and nothing else.
  expect((await fetch(`http://127.0.0.1:${workerPort}/v1/runs`)).status).toBe(404);
  expect([await stop(worker), await stop(api)]).toEqual([0, 0]);
  expect(isHealthy({ BAUTA_WORKER_PORT: workerPort })).toBe(false);
}, 60_000);

it('says what is missing where nobody gave it a metadata database', async () => {
  await expect(start('main.js', { BAUTA_HTTP_PORT: '0' }, 'Ctrl-C stops it')).rejects.toThrow(/error: [A-Z_]+: /);
}, 30_000);
