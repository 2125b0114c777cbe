// A process that dies while rows pass through it, or is told to write down what it holds: core dumps, crash reports, heap snapshots, stack traces.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type Ended, type SmallShop, type Started, startSmallShop, waitFor } from '../support/small-shop.js';
import { canaries, findNeedles, needles, plantCanaries } from './canaries.js';
import { findInFolder } from './needles.js';

let shop: SmallShop;
let reports: string;

beforeAll(async () => {
  shop = await startSmallShop();
  await plantCanaries(shop);
  // In every row, so that whatever is in memory while rows move is a canary.
  await shop.source.sql('production', `UPDATE shop.customer SET last_name = '${canaries.lastName}' || id`);
  reports = join(shop.folder, 'reports');
  mkdirSync(reports);
}, 60_000);
afterAll(() => shop.stop());

const onLinux = process.platform === 'linux' ? it : it.skip;
const slowly = { BAUTA_SOURCE_ROWS_PER_SECOND: '1500' };
const reportOptions = (): string =>
  `--report-on-fatalerror --report-uncaught-exception --report-on-signal --report-signal=SIGUSR2 --report-directory=${reports}`;

async function startToMove(environment: Readonly<Record<string, string>> = {}, before?: string): Promise<Started> {
  const started = shop.start(['run', '-f', shop.pipeline, '--json'], { ...slowly, ...environment }, before);
  const moving = `SELECT 1 FROM pg_stat_progress_copy WHERE command = 'COPY FROM' AND tuples_processed > 0`;
  await waitFor(async () => (await shop.target.sql('postgres', moving)).length > 0);
  return started;
}

/** Code that runs in the process while the command runs. */
function preload(code: string): { readonly NODE_OPTIONS: string } {
  const file = join(shop.folder, 'preload.mjs');
  const started = `process.listenerCount('uncaughtException') > 0`;
  writeFileSync(
    file,
    `const timer = setInterval(() => { if (${started}) { clearInterval(timer); setTimeout(() => { ${code} }, 300) } }, 20)`,
  );
  return { NODE_OPTIONS: `--import=${file} ${reportOptions()}` };
}

function expectNothingSaid({ stdout, stderr }: Ended): void {
  expect({ stdout: findNeedles(stdout), stderr: findNeedles(stderr), reports: readdirSync(reports) }).toEqual({
    stdout: [],
    stderr: [],
    reports: [],
  });
  expect(findInFolder(needles, shop.folder, 'keys', 'preload.mjs')).toEqual([]);
}

const findCores = (folder: string): readonly string[] => readdirSync(folder).filter((name) => /^core(\.\d+)?$/.test(name));

it('the search finds what stands in a core dump: a process that is not sealed leaves one with a canary', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bauta-core-'));
  const code = `globalThis.held = ${JSON.stringify(canaries.firstName)} + process.pid; process.abort()`;
  spawnSync('/bin/sh', ['-c', 'ulimit -c unlimited; exec "$@"', 'sh', process.execPath, '-e', code], {
    cwd: folder,
  });
  const [core] = findCores(folder);
  const found = core === undefined ? undefined : findNeedles(readFileSync(join(folder, core)));
  rmSync(folder, { recursive: true });
  // Where the host hands cores to a program, the test below can only look at what the kernel was told to leave out.
  if (core === undefined)
    process.stderr.write('SKIPPED: looking into a core file, because this host pipes cores to a program of its own\n');
  else expect(found).toContain(canaries.firstName);
});

onLinux('SIGABRT while rows move leaves a core dump without memory', async () => {
  const { child, pid, ended } = await startToMove({ NODE_OPTIONS: reportOptions() }, 'ulimit -c unlimited');
  expect(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8').trim()).toBe('00000000');
  child.kill('SIGABRT');
  const end = await ended;
  expect(end.signal).toBe('SIGABRT');
  for (const core of findCores(shop.folder)) {
    expect(findNeedles(readFileSync(join(shop.folder, core)))).toEqual([]);
    rmSync(join(shop.folder, core));
  }
  expectNothingSaid(end);
});

it('the signal of the debugger is heard and does nothing, and that of the report ends the process without one', async () => {
  const started = await startToMove({ NODE_OPTIONS: reportOptions() });
  const { child, ended } = started;
  child.kill('SIGUSR1');
  const blocked = `SELECT 1 FROM pg_stat_progress_copy WHERE command = 'COPY FROM' AND tuples_processed > 2000`;
  await waitFor(async () => (await shop.target.sql('postgres', blocked)).length > 0);
  expect(started.said().stderr).not.toContain('Debugger');
  child.kill('SIGUSR2');
  const end = await ended;
  expect(end.signal).toBe('SIGUSR2');
  expectNothingSaid(end);
});

it.each(['--heapsnapshot-signal=SIGUSR2', '--heapsnapshot-near-heap-limit=1'])('Node with %s is refused', async (option) => {
  for (const words of [
    ['run', '-f', shop.pipeline, '--json'],
    ['plan', '-f', shop.pipeline],
  ]) {
    const end = await shop.bauta(words, { NODE_OPTIONS: option });
    expect(end).toMatchObject({ code: 3, stderr: expect.stringContaining('error: PROCESS_WRITES_MEMORY:') });
    expect(end.stderr).toContain(option.split('=')[0]);
    if (words.includes('--json'))
      expect(JSON.parse(end.stdout)).toMatchObject({ state: 'failed', error: { code: 'PROCESS_WRITES_MEMORY' } });
  }
});

it.each([
  ['an error', `throw Object.assign(new Error(text), { detail: text, where: { row: text } })`],
  ['an error whose name is a value', `throw Object.assign(new Error('x'), { name: text, stack: text })`],
  ['a text', `throw text`],
  ['an object', `throw { text, toString: () => text }`],
  ['a rejection that nobody waits for', `void Promise.reject(new TypeError(text))`],
])('%s that nobody catches ends the process with a code and without its text', async (_, statement) => {
  const thrown = preload(`const text = ${JSON.stringify(canaries.email)}; ${statement}`);
  const end = await shop.bauta(['run', '-f', shop.pipeline, '--json'], { ...slowly, ...thrown });
  expect(end).toMatchObject({ code: 1, stderr: expect.stringContaining('error: UNEXPECTED:') });
  expect(JSON.parse(end.stdout)).toMatchObject({ state: 'failed', error: { code: 'UNEXPECTED' } });
  expect(end.stderr).not.toContain('    at ');
  expectNothingSaid(end);
});

it('a process that runs out of memory says nothing of what it held', async () => {
  const { NODE_OPTIONS } = preload(
    `const held = []; for (;;) held.push(${JSON.stringify(canaries.email)}.split('').reverse().join('') + held.length)`,
  );
  const end = await shop.start(
    ['run', '-f', shop.pipeline, '--json'],
    { ...slowly, NODE_OPTIONS: `${NODE_OPTIONS} --max-old-space-size=64` },
    'ulimit -c unlimited',
  ).ended;
  expect(end.code === 0).toBe(false);
  expect(end.stderr).toContain('heap');
  for (const core of findCores(shop.folder)) rmSync(join(shop.folder, core));
  expectNothingSaid(end);
});
