// `npm start` as a new user has it: ready within seconds, on this machine only, a one-time token, and nothing left behind when it stops.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { ask } from '../support/service.js';

let folder: string;
const children: ChildProcess[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-service-'));
  chmodSync(folder, 0o755);
});
afterEach(() => children.splice(0).forEach((child) => child.exitCode ?? child.kill('SIGKILL')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  readonly words: string;
  readonly url: string;
  readonly exited: Promise<number | null>;
  /** All words so far. */
  readonly said: () => string;
}

function start(more: Readonly<Record<string, string>> = {}): Promise<Started> {
  const settings = { BAUTA_HOME: join(folder, 'home'), BAUTA_POSTGRES_FOLDER: join(folder, 'postgres'), BAUTA_HTTP_PORT: '0' };
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('BAUTA_'));
  const child = spawn(process.execPath, [packageFile('dist', 'src', 'main.js')], {
    env: { ...Object.fromEntries(environment), ...settings, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return new Promise((resolve) => {
    let words = '';
    const said = (): string => words;
    const hear = (chunk: Buffer): void => {
      words += chunk.toString();
      if (words.includes('Ctrl-C stops it')) resolve({ child, words, exited, said, url: /http:\/\/[\w.:]+/.exec(words)?.[0] ?? '' });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    void exited.then(() => resolve({ child, words, exited, said, url: '' }));
  });
}

const postgresOf = (): number => Number(readFileSync(join(folder, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it('is ready within ten seconds, listens on this machine only, and shows the one-time token in a file of its own', async () => {
  const startedAt = performance.now();
  const { words, url, child, exited, said } = await start();
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const path = join(folder, 'home', 'first-token');
  expect(words).toContain(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const first = readFileSync(path, 'utf8').trim();
  expect(words).not.toContain(first);

  const made = await ask(url, 'POST', '/v1/apikeys', { token: first, json: { person: 'ada', name: 'laptop' } });
  expect(made.status).toBe(201);
  const again = await ask(url, 'POST', '/v1/apikeys', { token: first, json: { person: 'eve', name: 'laptop' } });
  expect([again.status, again.body['code']]).toEqual([401, 'TOKEN_INVALID']);
  const token = String(made.body['token']);
  expect((await ask(url, 'GET', '/v1/people', { token })).body['items']).toMatchObject([{ name: 'ada', roles: ['administrator'] }]);

  const second = await start();
  expect([second.url, await second.exited]).toEqual(['', 3]);
  expect(second.words).toContain('SERVICE_RUNNING');

  const postgres = postgresOf();
  const stoppedAt = performance.now();
  child.kill('SIGTERM');
  expect([await exited, said()]).toEqual([0, words]);
  expect(performance.now() - stoppedAt).toBeLessThan(5000);
  expect(isAlive(postgres)).toBe(false);
  await expect(ask(url, 'GET', '/v1/health/live')).rejects.toThrow();

  // What was made is there again after a stop, and after a kill that left the server running.
  const killed = await start();
  expect(killed.words).not.toContain('one-time token');
  const orphan = postgresOf();
  killed.child.kill('SIGKILL');
  await killed.exited;
  expect(isAlive(orphan)).toBe(true);
  const last = await start();
  expect((await ask(last.url, 'GET', '/v1/people', { token })).status).toBe(200);
  // Not by its pid: nobody may be there to bury an orphan.
  expect(postgresOf()).not.toBe(orphan);
  last.child.kill('SIGINT');
  expect(await last.exited).toBe(0);
  // No secret in anything that was said or logged.
  for (const { words: said } of [{ words }, killed, last]) for (const secret of [first, token]) expect(said).not.toContain(secret);
});

it('says what is wrong with its settings, all at once, and does not start', async () => {
  const { words, exited } = await start({ BAUTA_HTTP_PORT: 'eighty', BAUTA_METADATA: 'postgres://user:hunter2canary@host/db' });
  expect(await exited).toBe(3);
  expect(words).toContain('BAUTA_HTTP_PORT is not');
  expect(words).toContain('BAUTA_METADATA is not env:NAME or file:PATH');
  expect(words).not.toContain('hunter2canary');
});

it('does not start on an address that is taken, and leaves no server behind', async () => {
  const home = { BAUTA_HOME: join(folder, 'other'), BAUTA_POSTGRES_FOLDER: join(folder, 'other-postgres') };
  const first = await start();
  const { words, exited } = await start({ ...home, BAUTA_HTTP_PORT: new URL(first.url).port });
  expect([await exited, words.includes('SERVICE_ADDRESS_TAKEN')]).toEqual([3, true]);
  first.child.kill('SIGTERM');
  expect(await first.exited).toBe(0);
});
