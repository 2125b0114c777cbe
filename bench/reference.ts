// The reference workload on a Postgres 15 of our own, and psql and pg_dump over it: the ceilings that our figures stand beside.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

import pg from 'pg';

import { packageFile } from '../src/kernel/package-root.js';
import { type EmbeddedServer, startEmbedded } from '../src/systems/postgres/embedded.js';

export const BINARIES = '/usr/lib/postgresql/15/bin';
/** Beside the project, or where BENCH_WORKLOAD says. */
export const WORKLOAD = process.env['BENCH_WORKLOAD'] ?? packageFile('..', 'shared', 'bench', 'reference.sql');

/** The same for source and target, printed with the figures. */
export const settings = {
  shared_buffers: '512MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '30min',
  autovacuum: 'off',
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
};

export interface Bench {
  readonly server: EmbeddedServer;
  /** Process id of the server. */
  readonly postmaster: number;
  sql(database: string, text: string): Promise<Record<string, unknown>[]>;
  /** A shell pipeline of psql and pg_dump; wall and server CPU seconds. */
  shell(command: string): Promise<Timing>;
  time(work: () => Promise<void>): Promise<Timing>;
}

export interface Timing {
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  readonly clientCpuSeconds: number;
}

/** What is missing on this machine, or undefined. */
export function missing(): string | undefined {
  if (!existsSync(`${BINARIES}/postgres`)) return `PostgreSQL 15 in ${BINARIES} (Debian: apt-get install postgresql-15)`;
  return existsSync(WORKLOAD) ? undefined : `the reference workload: no ${WORKLOAD} (BENCH_WORKLOAD names another place)`;
}

/** Ends the process where something is missing. */
export async function startBench(): Promise<Bench> {
  const lack = missing();
  if (lack !== undefined) {
    process.stderr.write(`the benchmark needs ${lack}\n`);
    process.exit(1);
  }
  const server = await startEmbedded({ binaries: BINARIES, settings });
  const sql: Bench['sql'] = async (database, text) => {
    const client = new pg.Client({ connectionString: server.url(database) });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const pid = Number(readFileSync(`${server.dataFolder}/postmaster.pid`, 'utf8').split('\n')[0]);
  const time: Bench['time'] = async (work) => {
    const before = { wall: performance.now(), server: serverCpu(pid), clients: childrenCpu() };
    await work();
    return {
      seconds: (performance.now() - before.wall) / 1000,
      serverCpuSeconds: serverCpu(pid) - before.server,
      clientCpuSeconds: childrenCpu() - before.clients,
    };
  };
  return { server, postmaster: pid, sql, time, shell: (command) => time(() => runShell(command)) };
}

/** Loads the workload into `database`; scale 1 is 1,000,000 customers and 3,000,000 orders. */
export async function load(bench: Bench, database: string, scale: number): Promise<void> {
  await bench.sql('postgres', `CREATE DATABASE ${database}`);
  await runShell(`psql -q -v ON_ERROR_STOP=1 -v scale=${scale} -d "${bench.server.url(database)}" -f "${WORKLOAD}" > /dev/null`);
}

/** The least-privilege roles as shipped. */
export async function makeRoles(bench: Bench): Promise<void> {
  for (const name of ['source', 'target']) {
    await bench.sql('postgres', readFileSync(packageFile('deploy', `${name}-role.sql`), 'utf8'));
    await bench.sql('postgres', `ALTER ROLE bauta_${name} PASSWORD 'bench'`);
  }
}

/** Connection string of a database as one of these roles. */
export function urlAs({ server }: Bench, role: 'source' | 'target', database: string): string {
  return server.url(database).replace(/\/\/[^@]*@/, `//bauta_${role}:bench@`);
}

function runShell(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', `set -o pipefail; ${command}`], { stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a command of the bench ended with ${code}`))));
  });
}

/** CPU ticks (a hundredth of a second) of a process, and of those that it started, waited for and that are gone. */
function readTicks(pid: number | string): { readonly own: number; readonly children: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .map(Number);
    return { own: (fields[11] ?? 0) + (fields[12] ?? 0), children: (fields[13] ?? 0) + (fields[14] ?? 0) };
  } catch {
    return { own: 0, children: 0 };
  }
}

/** CPU seconds of the postmaster, its live backends, and those that have ended (their time is added to the parent's when it waits for them). */
export function serverCpu(pid: number): number {
  const { own, children } = readTicks(pid);
  const live = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return (own + children + live.reduce((sum, child) => sum + readTicks(child).own, 0)) / 100;
}

/** CPU seconds of a process, its threads included. */
export function processCpu(pid: number): number {
  return readTicks(pid).own / 100;
}

/** CPU seconds of the programs that this process started and that have ended; the server, which goes on, is none of them. */
function childrenCpu(): number {
  return readTicks('self').children / 100;
}

/** Highest resident memory of this process (threads included), in bytes, since its start. Linux. */
export function peakRssBytes(): number {
  const text = readFileSync('/proc/self/status', 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(text)?.[1] ?? 0) * 1024;
}
