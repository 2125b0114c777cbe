// A server for the time of one run, on which what went to a broker is proved before anybody may read it: it holds masked rows, in a folder that
// nobody else may look into, and keeps nothing. One that a killed process left is found and ended by the next start.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import type { ConnectionTarget } from './connection.js';
import { startEmbedded } from './embedded.js';

export interface ProvingServer {
  readonly connection: ConnectionTarget;
  close(): Promise<void>;
}

/** Nothing here outlives the server, so nothing has to survive its end; only one run works on it. */
const settings: Readonly<Record<string, string>> = {
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  autovacuum: 'off',
  max_wal_size: '8GB',
  checkpoint_timeout: '1d',
  shared_buffers: '256MB',
  // What is asked there reads whole tables: a rough idea of them is enough, and of 300,000 rows it takes a tenth of the time.
  default_statistics_target: '10',
  jit: 'off',
};

const toPrefix = (): string => `bauta-proving-${userInfo().uid}-`;

/** `database`: what the dataset is called. Throws EMBEDDED_POSTGRES_FAILED, EMBEDDED_POSTGRES_DISK_FULL, EMBEDDED_POSTGRES_MISSING. */
export async function startProving(database: string): Promise<ProvingServer> {
  sweepProving();
  const server = await startEmbedded({ settings, stopsAtOnce: true, prefix: `${toPrefix()}${toOwner()}-` });
  return { connection: { name: 'the proving server', url: server.url(database) }, close: () => server.stop() };
}

/** Ends the servers of processes that are gone, and removes their data. Returns how many. */
export function sweepProving(): number {
  const left = readdirSync(tmpdir()).filter((name) => name.startsWith(toPrefix()));
  return left.filter((name) => sweepFolder(join(tmpdir(), name))).length;
}

function sweepFolder(folder: string): boolean {
  // In the name, so that a folder has it from its first moment, whenever the process that made it is killed.
  const [, owner] = /-(\d+-\d*)-[^-]*$/.exec(folder) ?? [];
  if (owner === undefined || isAlive(owner)) return false;
  const pid = Number(readText(join(folder, 'data', 'postmaster.pid'))?.split('\n')[0]);
  // A number may be another process's by now: only one that was started on this folder is ended.
  if (pid > 0 && isServerOf(pid, folder)) {
    process.kill(pid, 'SIGQUIT');
    for (let waited = 0; waited < 100 && isServerOf(pid, folder); waited++) spawnSync('sleep', ['0.05']);
  }
  rmSync(folder, { recursive: true, force: true });
  return true;
}

/** A process's number, and when it began: numbers come again. */
function toOwner(pid = process.pid): string {
  // The name of the program stands in brackets and may hold anything; what is counted comes after it.
  const [, rest = ''] = /\) ([^)]*)$/.exec(readText(`/proc/${pid}/stat`) ?? '') ?? [];
  return `${pid}-${rest.split(' ')[19] ?? ''}`;
}

function isAlive(owner: string): boolean {
  const pid = Number(owner.split('-')[0]);
  if (existsSync('/proc/self/stat')) return toOwner(pid) === owner;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isServerOf(pid: number, folder: string): boolean {
  if (existsSync('/proc/self/cmdline')) return readText(`/proc/${pid}/cmdline`)?.includes(join(folder, 'data')) === true;
  const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.includes(join(folder, 'data'));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
