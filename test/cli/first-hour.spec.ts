// docs/first-hour.md, typed line by line by one shell, beside the two processes that its first terminals hold: a real service, real databases.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { findFreePort } from '../support/free-port.js';
import { findProgram } from '../support/program.js';

const page = readFileSync(packageFile('docs', 'first-hour.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block.trim().split('\n'));
const [demo = [], start = [], ...rest] = blocks;

const folder = mkdtempSync(join(tmpdir(), 'bauta-hour-'));
let env: NodeJS.ProcessEnv;
const children: ChildProcess[] = [];

beforeAll(async () => {
  // As a clone of its own, with what is built already.
  for (const name of ['bootstrap.mjs', 'dist', 'examples', 'node_modules', 'package.json', 'package-lock.json'])
    symlinkSync(packageFile(name), join(folder, name));
  const { PATH = '' } = process.env;
  const port = await findFreePort();
  env = { PATH, HOME: folder, BAUTA_HTTP_PORT: String(port), BAUTA_POSTGRES_FOLDER: mkdtempSync(join(tmpdir(), 'bauta-hour-data-')) };
});
afterAll(async () => {
  // The service before the server whose databases it works on.
  for (const child of [...children].reverse()) await interrupt(child);
  rmSync(folder, { recursive: true });
  rmSync(env['BAUTA_POSTGRES_FOLDER'] ?? '', { recursive: true, force: true });
}, 60_000);

/** Ctrl-C in its terminal: everybody there hears it. */
async function interrupt(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  process.kill(-child.pid, 'SIGINT');
  await closed;
}

/** A terminal that stays open; resolves when it has said the word. */
function hold(lines: readonly string[], word: string): Promise<void> {
  // The shell becomes its last command, so that a signal reaches it.
  const script = [...lines.slice(0, -1), `exec ${lines.at(-1) ?? ''}`].join('\n');
  const child = spawn('bash', ['-c', script], { cwd: folder, env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(word)) resolve();
    });
    child.once('close', (code) => reject(new Error(`${code}: ${said}`)));
  });
}

interface Typed {
  readonly line: string;
  readonly exitCode: number;
  readonly said: string;
}

/** The lines of the third terminal, each with what it said and its exit code. */
async function type(lines: readonly string[]): Promise<readonly Typed[]> {
  const port = env['BAUTA_HTTP_PORT'] ?? '';
  const own = lines.map((line) => line.replace('127.0.0.1:4280', `127.0.0.1:${port}`));
  const script = own.map((line, i) => `${line}\nprintf '\\n@@${i} %s\\n' $?\n`).join('');
  const child = spawn('bash', ['-c', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  const parts = said.split(/\n@@\d+ (\d+)\n/);
  return lines.map((line, i) => ({ line, said: parts[2 * i] ?? '', exitCode: Number(parts[2 * i + 1] ?? -1) }));
}

const wanted = (line: string): number => Number(/# exit (\d)$/.exec(line)?.[1] ?? 0);
const needing = findProgram('curl') && findProgram('openssl') && findProgram('psql') ? it : it.skip;

needing(
  'every line of the first hour does what the page says',
  async () => {
    await hold(demo, 'done in');
    await hold(start, 'ready after');
    const alone = rest.findIndex((lines) => lines[0] === '. bauta-demo/connections.sh' && lines[1]?.includes('BAUTA_HOME'));
    const served = await type(rest.slice(0, alone).flat());
    await interrupt(children[1]);
    const typed = [...served, ...(await type(rest.slice(alone).flat()))];
    const wrong = typed.filter(({ line, exitCode }) => exitCode !== wanted(line));
    expect(wrong).toEqual([]);
    const saidBy = (beginning: string, nth = 0): string =>
      typed.filter(({ line }) => line.startsWith(beginning))[nth]?.said ?? 'never typed';
    // All together: what one line said wrong explains what the next one did.
    const held: Readonly<Record<string, [string, RegExp]>> = {
      people: [saidBy('bauta people list'), /^rita +operator, requester/m],
      waits: [saidBy('bauta apply -f examples/shop/service.yaml'), /^waits until .* nothing was applied/m],
      applied: [saidBy('bauta apply -f examples/shop/service.yaml', 1), /^unchanged {2}Pipeline shop, version 1$/m],
      published: [saidBy('bauta run shop'), /^published shop_dev, version 2: 258,912 rows/m],
      events: [saidBy('curl -sSN'), /^data: .*"state":"published"/m],
      cancelled: [saidBy('bauta runs list'), /cancelled: RUN_CANCELLED/],
      pushed: [saidBy('curl -sS $BAUTA_SERVER$hook'), /^\{"run":"/m],
      replayed: [saidBy('curl -sS $BAUTA_SERVER$hook', 1), /WEBHOOK_REFUSED/],
      log: [saidBy('bauta audit verify'), /^whole: every entry is what was signed$/m],
      apart: [saidBy('bauta drift'), /^as published: shop_dev, version \d+, every row and definition compared$/m],
      drifted: [saidBy('bauta drift', 1), /^ {2}shop\.customer: content differs; outside the reserved space: .*1 × email in email$/m],
      back: [saidBy('bauta rollback'), /^rolled back: shop_dev is version \d+ again$/m],
      attested: [saidBy('bauta expire'), /^dropped: shop_dev, version \d+, withdrawn$[^]*declared[^]*unknown/m],
      home: [saidBy('bauta audit verify', 1), /^whole: every entry is what was signed$/m],
    };
    expect(Object.entries(held).flatMap(([what, [said, form]]) => (form.test(said) ? [] : [{ what, said }]))).toEqual([]);
    // Two by REST, one by the command line, and that of the minute.
    expect(
      saidBy('bauta runs list')
        .split('\n')
        .filter((row) => row.includes(' shop ')).length,
    ).toBeGreaterThan(3);
  },
  600_000,
);
