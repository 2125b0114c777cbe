// Debian's Postgres 15 as an oracle: a cluster of its own, and the pg_dump that fits it.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { startTestServer, type TestServer } from './server.js';

const installation = '/usr/lib/postgresql/15';

export interface DebianServer extends TestServer {
  /** `pg_dump` with these options, as text, without the lines that name versions or change from run to run. */
  dump(database: string, ...options: string[]): string;
  /** Runs a script through psql, stopping at the first error. */
  psql(database: string, script: Uint8Array): void;
}

/** False where the oracle is missing, said loudly; an error instead of false when BAUTA_WORLD=required. */
export function hasDebianServer(): boolean {
  if (existsSync(join(installation, 'bin', 'postgres'))) return true;
  const text = `Debian's postgresql-15 is not installed (${installation}/bin)`;
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error(text);
  process.stderr.write(`SKIPPED: ${text}\n`);
  return false;
}

/** Path of a program of that installation: its psql talks to newer servers as well. */
export const debianProgram = (name: string): string => join(installation, 'bin', name);

export async function startDebianServer(): Promise<DebianServer> {
  const server = await startTestServer({ binaries: join(installation, 'bin') });
  return {
    ...server,
    dump: (database, ...options) =>
      execFileSync(join(installation, 'bin', 'pg_dump'), ['-d', server.url(database), ...options], { encoding: 'utf8', maxBuffer: 1 << 28 })
        .split('\n')
        .filter((line) => !/^-- Dumped |^\\(un)?restrict /.test(line))
        .join('\n'),
    psql: (database, script) =>
      void execFileSync(join(installation, 'bin', 'psql'), ['-q', '-X', '-v', 'ON_ERROR_STOP=1', '-d', server.url(database)], {
        input: script,
        stdio: ['pipe', 'ignore', 'pipe'],
      }),
  };
}
