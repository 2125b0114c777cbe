// A streaming replica of a test server, without pg_basebackup: the low-level backup functions and a copy of the data folder.
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, chmodSync, openSync, closeSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

import { findFreePort } from './free-port.js';
import type { TestServer } from './server.js';
import { waitUntil } from './source.js';

export interface Replica {
  url(database: string): string;
  sql(database: string, text: string): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** MUST be stopped before its primary. */
export async function startReplica(primary: TestServer, settings: Readonly<Record<string, string>> = {}): Promise<Replica> {
  const folder = mkdtempSync(join(tmpdir(), 'bauta-replica-'));
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const { uid, gid } = statSync(primary.dataFolder);
  const write = (name: string, text: string): void => {
    writeFileSync(join(data, name), text);
    chownSync(join(data, name), uid, gid);
  };
  const client = new pg.Client({ connectionString: primary.url('postgres') });
  await client.connect();
  await client.query(`SELECT pg_backup_start('replica', true)`);
  // Files that vanish while they are copied are what a base backup is made to bear.
  spawnSync('cp', ['-a', primary.dataFolder, data], { stdio: 'ignore' });
  const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
  await client.end();
  rmSync(join(data, 'postmaster.pid'), { force: true });
  write('backup_label', rows[0]?.labelfile ?? '');
  write('standby.signal', '');
  const [binary] = readFileSync(join(primary.dataFolder, 'postmaster.opts'), 'utf8').split(' "');
  const from = new URL(primary.url('postgres'));
  const port = await findFreePort();
  const all: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    port: String(port),
    primary_conninfo: `host=127.0.0.1 port=${from.port} user=postgres password=${from.password}`,
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = openSync(join(folder, 'server.log'), 'a');
  const child = spawn(binary ?? '', ['-D', data, ...flags], {
    ...(process.getuid?.() === 0 ? { uid, gid } : {}),
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await waitUntil(() => Promise.resolve(readFileSync(join(folder, 'server.log'), 'utf8').includes('ready to accept read-only')), 20_000);
  const url = (database: string): string => {
    const at = new URL(primary.url(database));
    at.port = String(port);
    return String(at);
  };
  return {
    url,
    sql: async (database, text) => {
      const session = new pg.Client({ connectionString: url(database) });
      await session.connect();
      const result = await session.query<Record<string, unknown>>(text);
      await session.end();
      return result.rows;
    },
    stop: async () => {
      child.kill('SIGINT');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
