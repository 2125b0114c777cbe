// The service as `npm start` has it (main.ts, its embedded Postgres, the settings as shipped) in a process of its own; and the metadata database as
// its own role sees it, with row-level security.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { packageFile } from '../src/kernel/package-root.js';
import { findLeftRunning } from '../src/systems/postgres/embedded.js';
import { processCpu, serverCpu } from './reference.js';

export interface ServiceProcess {
  readonly url: string;
  readonly pid: number;
  /** A person with the rights that the figures need. */
  readonly token: string;
  /** In the workspace, as `bauta_service`; row-level security holds. */
  readonly database: pg.Client;
  /** What protects less waits for a second person: he agrees. */
  readonly approve: (approval: string) => Promise<unknown>;
  readonly ask: (method: string, path: string, body?: string, type?: string) => Promise<Record<string, unknown>>;
  /** Since their start. */
  cpuSeconds(): { readonly service: number; readonly database: number };
  stop(): Promise<void>;
}

export class ServiceHome {
  readonly folder = mkdtempSync(join(tmpdir(), 'bauta-bench-service-'));
  private tokens: { readonly bob: string; readonly cat: string } | undefined;

  constructor() {
    chmodSync(this.folder, 0o755);
  }

  /** The service with these settings and connections beside what holds without any. */
  async start(more: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const home = join(this.folder, 'home');
    const env = {
      PATH: process.env['PATH'] ?? '',
      ...{ BAUTA_HOME: home, BAUTA_POSTGRES_FOLDER: join(this.folder, 'postgres'), BAUTA_HTTP_PORT: '0', ...more },
    };
    const child = spawn(process.execPath, [packageFile('dist', 'src', 'main.js')], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const url = await waitUntilReady(child);
    this.tokens ??= await makePeople(url, readFileSync(join(home, 'first-token'), 'utf8').trim());
    const { bob: token, cat } = this.tokens;
    const database = await connect(home);
    const ask: ServiceProcess['ask'] = (method, path, body, type) => askService(url, token, method, path, body, type);
    const approve: ServiceProcess['approve'] = (id) => askService(url, cat, 'POST', `/v1/approvals/${id}/approve`);
    const pid = child.pid ?? 0;
    const postmaster = Number(readFileSync(join(this.folder, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
    const cpuSeconds: ServiceProcess['cpuSeconds'] = () => ({ service: processCpu(pid), database: serverCpu(postmaster) });
    return { url, pid, token, database, ask, approve, cpuSeconds, stop: () => stop(child, database) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Answers 2xx only; anything else ends the benchmark, which would measure errors. */
async function askService(
  ...[url, token, method, path, body, type = 'application/json']: readonly [string, string, string, string, string?, string?]
): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': type }) };
  const answer = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await answer.text();
  if (answer.status >= 300) throw new Error(`${method} ${path} answers ${answer.status}: ${text}`);
  return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
}

async function waitUntilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let words = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      words += chunk.toString();
      const [, url] = /bauta is ready: (http:\S+)/.exec(words) ?? [];
      if (url !== undefined && words.includes('ready after')) resolve(url);
    });
    child.once('close', () => reject(new Error(`the service ended: ${words}`)));
  });
}

/** What a new user does: the one-time token makes an administrator, and he makes people. */
async function makePeople(url: string, first: string): Promise<{ readonly bob: string; readonly cat: string }> {
  const post = (token: string, path: string, body: object): Promise<Record<string, unknown>> =>
    askService(url, token, 'POST', path, JSON.stringify(body));
  const administrator = String((await post(first, '/v1/apikeys', { person: 'ada', name: 'bench' }))['token']);
  const make = async (name: string, roles: readonly string[]): Promise<string> => {
    await post(administrator, '/v1/people', { name, roles });
    return String((await post(administrator, '/v1/apikeys', { person: name, name: 'bench' }))['token']);
  };
  return { bob: await make('bob', ['policy-admin', 'operator', 'auditor', 'viewer']), cat: await make('cat', ['approver']) };
}

async function connect(home: string): Promise<pg.Client> {
  const { folder, password } = JSON.parse(readFileSync(join(home, 'postgres.json'), 'utf8')) as { folder: string; password: string };
  const url = findLeftRunning(folder, password);
  if (url === undefined) throw new Error('the embedded Postgres is not there');
  const client = new pg.Client({ connectionString: url.replace(/postgres$/, 'bauta') });
  await client.connect();
  await client.query(`SELECT set_config('bauta.workspace', id::text, false) FROM bauta.workspace WHERE name = 'default'`);
  await client.query('SET ROLE bauta_service');
  return client;
}

async function stop(child: ChildProcess, database: pg.Client): Promise<void> {
  await database.end();
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  await closed;
}

/** Resident memory of a process now, threads included, in bytes. Linux. */
export function rssBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}
