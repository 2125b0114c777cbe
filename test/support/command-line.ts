// The command line as people use it, a process of its own, against one embedded server that holds source and target with the roles of deploy/.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { packageFile } from '../../src/kernel/package-root.js';
import { type TestServer, startTestServer } from './server.js';

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Desk {
  readonly server: TestServer;
  /** A folder of its own, removed at the end. */
  readonly folder: string;
  write(files: Readonly<Record<string, string>>): void;
  /** SOURCE_URL is the database `source`, TARGET_URL `target`, which need not exist. */
  bauta(words: readonly string[], databases?: { source: string; target: string }): Promise<Outcome>;
  close(): Promise<void>;
}

const passwords = { bauta_source: 'source-password', bauta_target: 'target-password' } as const;

export async function openDesk(): Promise<Desk> {
  const server = await startTestServer();
  const folder = mkdtempSync(join(tmpdir(), 'bauta-desk-'));
  for (const file of ['source-role.sql', 'target-role.sql'])
    await server.sql('postgres', readFileSync(packageFile('deploy', file), 'utf8'));
  for (const [role, password] of Object.entries(passwords)) await server.sql('postgres', `ALTER ROLE ${role} PASSWORD '${password}'`);
  const url = (role: keyof typeof passwords, database: string): string =>
    `postgres://${role}:${passwords[role]}@127.0.0.1:${server.port}/${database}`;
  return {
    server,
    folder,
    write: (files) => Object.entries(files).forEach(([name, text]) => writeFileSync(join(folder, name), text)),
    bauta: (words, { source, target } = { source: 'production', target: 'copy' }) => {
      const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('BAUTA_'));
      return start([packageFile('dist', 'src', 'cli.js'), ...words], {
        ...Object.fromEntries(environment),
        BAUTA_HOME: join(folder, 'home'),
        SOURCE_URL: url('bauta_source', source),
        TARGET_URL: url('bauta_target', target),
        DATABASE_URL: url('bauta_target', target),
      });
    },
    close: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The shop of examples/, as database `production`, and its documents in the desk's folder. */
export async function openShop(desk: Desk): Promise<void> {
  await desk.server.create('production');
  for (const file of ['schema.sql', 'data.sql'])
    await desk.server.sql('production', readFileSync(packageFile('examples', 'shop', file), 'utf8'));
  cpSync(packageFile('examples', 'shop'), desk.folder, { recursive: true });
}

function start(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, words, { env: environment, cwd: packageFile('.'), stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}
