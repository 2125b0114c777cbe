// Witnesses of a home's log: ours as a process of its own, and one that others wrote (PyPI aics-witness); and aics-tlog as a checker that has none of our code.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { formatWitnessKey, toCosigner } from '../../src/kernel/cosignature.js';
import { FileAuditSink } from '../../src/systems/files/files.js';
import { findFreePort } from '../support/free-port.js';
import { findProgram } from '../support/program.js';

const folder = mkdtempSync(join(tmpdir(), 'bauta-test-'));
const home = join(folder, 'home');
const policy = join(folder, 'policy.txt');
const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const environment = { PATH: process.env['PATH'], BAUTA_HOME: home, NODE_NO_WARNINGS: '1' };
const running: ChildProcess[] = [];

function bauta(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], { encoding: 'utf8', cwd: folder, env: environment });
  return { status, stdout, stderr };
}

/** The line of a policy that it prints once it listens. */
async function startWitness(name: string, ...words: string[]): Promise<{ line: string; child: ChildProcess }> {
  const all = ['witness', '--folder', join(folder, name), '--log', join(home, 'log.pub'), '--listen', '127.0.0.1:0', ...words];
  const child = spawn(process.execPath, [cli, ...all], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let told = '';
  child.stderr.on('data', (data: Buffer) => (told += data.toString()));
  const line = await new Promise<string>((listens, failed) => {
    child.stdout.once('data', (data: Buffer) => listens(data.toString().trim()));
    child.once('exit', () => failed(new Error(told)));
  });
  return { line: line.replace(' NAME ', ` ${name} `), child };
}

async function stop(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done));
  child.kill(signal);
  await ended;
}

async function append(...types: string[]): Promise<void> {
  const sink = new FileAuditSink({ home, period: 'year' });
  for (const type of types) await sink.append({ runId: 'r1', stage: 'gate', type, at: '2026-11-21T08:00:00.000Z', data: { type } });
  await sink.close();
}

const writePolicy = (...lines: string[]): void =>
  writeFileSync(policy, `log ${readFileSync(join(home, 'log.pub'), 'utf8').trim()}\n${lines.join('\n')}\n`);

const verify = (...words: string[]): ReturnType<typeof bauta> =>
  bauta('audit', 'verify', '--log', join(home, 'log'), '--policy', policy, ...words);

beforeAll(() => append('first', 'second', 'third'));
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

it('goes on after it was killed, cosigns what follows, and is what makes a log whole for whoever asks for it', async () => {
  const first = await startWitness('ours', '--name', 'witness.example/ours');
  writePolicy(first.line, 'quorum ours');
  expect(verify()).toMatchObject({ status: 1, stdout: expect.stringContaining('LOG_UNWITNESSED') });
  expect(bauta('audit', 'cosign', '--policy', policy)).toMatchObject({
    status: 0,
    stdout: '2026: 4 entries cosigned by witness.example/ours\n',
  });
  expect(verify()).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/4 entries {2}cosigned by witness\.example\/ours at \d{4}-.*\nwhole: /),
  });
  await append('fourth');
  await stop(first.child, 'SIGKILL');
  expect(bauta('audit', 'cosign', '--policy', policy)).toMatchObject({ status: 1, stderr: expect.stringContaining('WITNESS_UNREACHABLE') });
  expect(JSON.parse(verify('--json').stdout)).toMatchObject({ state: 'whole', checkpoint: { size: 5 }, cosigned: { size: 4 } });

  const again = await startWitness('ours');
  expect(again.line.split(' ')[2]).toBe(first.line.split(' ')[2]);
  writePolicy(again.line, 'quorum ours');
  expect(bauta('audit', 'cosign', '--policy', policy, '--json').stdout).toMatch(/"cosignedBy": ?\[\s*"witness.example\/ours"\s*\]/);
  expect(JSON.parse(verify('--json').stdout)).toMatchObject({ cosigned: { size: 5, witnesses: [{ name: 'witness.example/ours' }] } });
  const proof = join(folder, 'second.tlog-proof');
  expect(bauta('audit', 'prove', '2', '--out', proof).status).toBe(0);
  expect(bauta('audit', 'verify', '--proof', proof, '--policy', policy)).toMatchObject({ status: 0 });
  // The page of a report that rests on it says so; without the policy nobody was asked.
  const words = ['report', 'gdpr', '--from', '2026-11-21', '--to', '2026-11-22', '--format', 'json'];
  const front = (stdout: string): string => JSON.stringify((JSON.parse(stdout) as { front: unknown }).front);
  const told = bauta(...words, '--log', join(home, 'log'), '--policy', policy);
  expect([told.status, front(told.stdout)]).toEqual([0, expect.stringMatching(/"1 · witness\.example\/ours at \d{4}-/)]);
  expect(front(told.stdout)).not.toContain('could have rewritten');
  expect(front(bauta(...words).stdout)).toContain('could have rewritten');
  const zip = join(folder, 'seen.zip');
  expect(bauta('report', 'soc2', '--from', '2026-11-21', '--to', '2026-11-22', '--policy', policy, '--out', zip)).toMatchObject({
    status: 0,
  });
  expect(bauta('report', 'verify', zip, '--policy', policy)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/cosigned by witness\.example\/ours at \d{4}-.*\nwhole: /),
  });
  const more = join(folder, 'more.txt');
  writeFileSync(
    more,
    readFileSync(policy, 'utf8').replace(/quorum ours/, `witness other ${formatWitnessKey(toCosigner('other').witness)}\nquorum other`),
  );
  expect(bauta('report', 'verify', zip, '--policy', more)).toMatchObject({ status: 1, stdout: expect.stringContaining('LOG_UNWITNESSED') });
  await stop(again.child, 'SIGTERM');
});

it('does not cosign a log that was restored, nor one that was rewritten by whoever has its key', async () => {
  const { line, child } = await startWitness('strict', '--name', 'witness.example/strict');
  writePolicy(line, 'quorum strict');
  cpSync(home, join(folder, 'backup'), { recursive: true });
  await append('fifth');
  expect(bauta('audit', 'cosign', '--policy', policy).status).toBe(0);
  const kept = join(folder, 'kept');
  cpSync(home, kept, { recursive: true });
  // The whole home goes back, keys and what was signed last with it: nothing here can tell.
  const restore = (): void => {
    rmSync(home, { recursive: true });
    cpSync(join(folder, 'backup'), home, { recursive: true });
  };
  restore();
  expect(bauta('audit', 'verify').status).toBe(0);
  expect(bauta('audit', 'cosign', '--policy', policy)).toMatchObject({ status: 1, stderr: expect.stringContaining('WITNESS_AHEAD') });
  await append('another');
  expect(bauta('audit', 'cosign', '--policy', policy)).toMatchObject({ status: 1, stderr: expect.stringContaining('WITNESS_CONTRADICTS') });
  expect(verify()).toMatchObject({ status: 1, stdout: expect.stringContaining('LOG_UNWITNESSED') });
  // What the witness saw, put beside the other past, convicts it.
  cpSync(join(kept, 'log', '2026', 'cosigned'), join(home, 'log', '2026', 'cosigned'));
  expect(verify()).toMatchObject({ status: 1, stdout: expect.stringContaining('LOG_SPLIT_VIEW') });
  rmSync(home, { recursive: true });
  cpSync(kept, home, { recursive: true });
  const forged = readFileSync(join(home, 'log', '2026', 'cosigned'), 'utf8').replace(
    /(witness\.example\/strict \S{20})(.)/,
    (_, head: string, one: string) => `${head}${one === 'A' ? 'B' : 'A'}`,
  );
  writeFileSync(join(home, 'log', '2026', 'cosigned'), forged);
  expect(verify()).toMatchObject({ status: 1, stdout: expect.stringContaining('LOG_COSIGNATURE_FORGED') });
  cpSync(join(kept, 'log', '2026', 'cosigned'), join(home, 'log', '2026', 'cosigned'));
  await stop(child, 'SIGTERM');
});

it('refuses a second process on its folder, a folder whose key is gone, and a log key that is none', async () => {
  const { child } = await startWitness('single', '--name', 'witness.example/single');
  const words = ['witness', '--folder', join(folder, 'single'), '--listen', '127.0.0.1:0'];
  expect(bauta(...words, '--log', policy)).toMatchObject({ status: 3, stderr: expect.stringContaining('PUBLIC_KEY_INVALID') });
  await stop(child, 'SIGTERM');
  rmSync(join(folder, 'ours', 'witness.key'));
  expect(bauta('witness', '--folder', join(folder, 'ours'), '--name', 'x', '--log', join(home, 'log.pub'))).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('WITNESS_FOLDER_INVALID'),
  });
});

const aics = findProgram('aics-witness');
const checker = findProgram('aics-tlog');

(aics === undefined || checker === undefined ? it.skip : it)(
  'asks a witness that others wrote, and both are believed by a checker that others wrote',
  async () => {
    const [config, port] = [join(folder, 'aics.json'), await findFreePort()];
    const key = readFileSync(join(home, 'log.pub'), 'utf8').trim();
    const origin = readFileSync(join(home, 'log', '2026', 'checkpoint'), 'utf8').split('\n')[0]!;
    const made = spawnSync(aics!, ['init', '-c', config, '--name', 'aics.example/w1', '--listen', `127.0.0.1:${port}`], {
      encoding: 'utf8',
    });
    const theirs = /aics\.example\/w1\+[0-9a-f]{8}\+\S+/.exec(made.stdout)?.[0] ?? '';
    expect(spawnSync(aics!, ['add-log', '-c', config, '--origin', origin, '--vkey', key]).status).toBe(0);
    const child = spawn(aics!, ['serve', '-c', config], { stdio: 'ignore' });
    running.push(child);
    const { line } = await startWitness('beside', '--name', 'witness.example/beside');
    writePolicy(line, `witness theirs ${theirs} http://127.0.0.1:${port}`, 'group both all beside theirs', 'quorum both');
    let cosigned = bauta('audit', 'cosign', '--policy', policy);
    for (let n = 0; n < 20 && cosigned.status !== 0; n++) cosigned = bauta('audit', 'cosign', '--policy', policy);
    expect(cosigned).toMatchObject({ status: 0, stderr: '' });
    await append('sixth');
    expect(bauta('audit', 'cosign', '--policy', policy).status).toBe(0);
    expect(verify().status).toBe(0);
    const keys = [line.split(' ')[2]!, theirs].flatMap((one) => ['--witness-key', one]);
    const note = join(home, 'log', '2026', 'cosigned');
    const check = (...words: string[]): ReturnType<typeof spawnSync> =>
      spawnSync(checker!, ['verify-checkpoint', '--note', note, '--log-key', key, '--origin', origin, ...keys, ...words], {
        encoding: 'utf8',
      });
    expect(check('--quorum', '2')).toMatchObject({ status: 0 });
    expect(check('--quorum', '3').status).not.toBe(0);
  },
);
