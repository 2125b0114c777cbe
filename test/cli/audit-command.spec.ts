import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { FileAuditSink } from '../../src/systems/files/files.js';

const folder = mkdtempSync(join(tmpdir(), 'bauta-test-'));
const home = join(folder, 'home');
const log = join(home, 'log');
const key = join(home, 'log.pub');
const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const audit = (...words: string[]): Said => bauta('audit', ...words);

function bauta(...words: string[]): Said {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env['PATH'], BAUTA_HOME: home, NODE_NO_WARNINGS: '1' },
  });
  return { status, stdout, stderr };
}

async function append(...types: string[]): Promise<void> {
  const sink = new FileAuditSink({ home, period: 'year' });
  for (const type of types) await sink.append({ runId: 'r1', stage: 'gate', type, at: '2026-11-21T08:00:00.000Z', data: { type } });
  await sink.close();
}

beforeAll(() => append('first', 'second', 'third'));
afterAll(() => rmSync(folder, { recursive: true }));

it("calls one's own log whole, with its own key and the checkpoint that was signed last", async () => {
  const { status, stdout } = audit('verify');
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^bauta\.invalid\/\w+\/2026 {2}4 entries {2}root \S+\nwhole: .*\n$/),
  });
  cpSync(log, join(folder, 'older'), { recursive: true });
  await append('fourth');
  cpSync(log, join(folder, 'newer'), { recursive: true });
  rmSync(log, { recursive: true });
  cpSync(join(folder, 'older'), log, { recursive: true });
  const { status: restored, stdout: told } = audit('verify');
  expect({ restored, told }).toMatchObject({ restored: 1, told: expect.stringContaining('LOG_ROLLED_BACK') });
  // A stranger has to have seen more of it to notice.
  expect(audit('verify', '--log', log, '--key', key).status).toBe(0);
  const known = join(folder, 'newer', '2026', 'checkpoint');
  expect(audit('verify', '--log', log, '--key', key, '--known', known)).toMatchObject({ status: 1 });
  rmSync(log, { recursive: true });
  cpSync(join(folder, 'newer'), log, { recursive: true });
});

it('exits 5 for a log from elsewhere whose key was not given, and never takes a key that came with it', () => {
  const { status, stdout } = audit('verify', '--log', log);
  expect({ status, stdout }).toMatchObject({ status: 5, stdout: expect.stringContaining('nobody knows who signed') });
  expect(JSON.parse(audit('verify', '--log', log, '--json').stdout)).toMatchObject({
    state: 'signer-unknown',
    findings: [],
    checkpoint: { size: 5 },
  });
});

it('exits 1 and names the entry when one byte is another', () => {
  const path = join(log, '2026', 'tile', 'entries', '000.p', '5');
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.from(bytes.toString('latin1').replace('second', 'secund'), 'latin1'));
  const { status, stdout } = audit('verify', '--log', log, '--key', key);
  expect({ status, stdout }).toMatchObject({ status: 1, stdout: expect.stringMatching(/error LOG_ENTRY_CHANGED: entry 2 was changed/) });
  expect(JSON.parse(audit('verify', '--json').stdout)).toMatchObject({
    state: 'broken',
    findings: [{ code: 'LOG_ENTRY_CHANGED', where: { entry: 2 } }],
  });
  expect(audit('prove', '2')).toMatchObject({ status: 1, stderr: expect.stringContaining('LOG_INCONSISTENT') });
  writeFileSync(path, bytes);
});

it('proves an entry in a file of its own, which anybody with the key can check without the log', () => {
  const proof = join(folder, 'second.tlog-proof');
  expect(audit('prove', '2026/2', '--out', proof).status).toBe(0);
  expect(audit('prove', '2').stdout).toBe(readFileSync(proof, 'utf8'));
  const { status, stdout } = audit('verify', '--proof', proof, '--key', key);
  expect({ status, stdout }).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/entry 2 of .*"type":"second".*\nwhole: the entry is in the log/),
  });
  expect(audit('verify', '--proof', proof).status).toBe(5);
  writeFileSync(proof, readFileSync(proof, 'utf8').replace('index 2', 'index 3'));
  expect(audit('verify', '--proof', proof, '--key', key)).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('LOG_PROOF_INVALID'),
  });
});

it('deletes an old log by an entry that says so, erases a person, and refuses what may not go', async () => {
  const old = join(folder, 'old');
  const sink = new FileAuditSink({ home: old, period: 'year' });
  for (const at of ['2018-03-01T08:00:00.000Z', '2019-03-01T08:00:00.000Z'])
    await sink.append({ runId: 'r1', stage: 'gate', type: 'seen', at, data: {} });
  const person = await sink.identify('ada');
  await sink.close();
  const at = ['--home', old];
  expect(audit('delete', '2018', ...at)).toMatchObject({ status: 3, stderr: expect.stringContaining('--reason is missing') });
  expect(audit('delete', '2019', '--reason', 'x', ...at)).toMatchObject({ status: 2, stderr: expect.stringContaining('LOG_OPEN') });
  const { status, stdout } = audit('delete', '2018', '--reason', 'its time is over', ...at);
  expect({ status, stdout }).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^deleted: \S+\/2018 \(3 entries\), by entry \d{4}\/\d+\n$/),
  });
  expect(audit('verify', ...at)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\S+\/2018 {2}3 entries {2}root \S+ {2}deleted on \S+ by entry \d{4}\/\d+\n.*\n.*\nwhole: /),
  });
  expect(audit('delete', '2018', '--reason', 'again', ...at)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('deleted before'),
  });
  const erased = audit('erase', 'ada', '--reason', 'asked for it', '--json', ...at);
  expect([erased.status, JSON.parse(erased.stdout)]).toMatchObject([0, { erased: person, entry: expect.stringMatching(/^\d{4}\/\d+$/) }]);
  expect(audit('erase', 'ada', '--reason', 'again', ...at)).toMatchObject({ status: 3, stderr: expect.not.stringContaining('ada') });
  // A log that was tampered with is not deleted: that would hide it.
  rmSync(join(old, 'log', '2019', 'checkpoint'));
  expect(audit('delete', '2019', '--reason', 'hide it', ...at)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('LOG_NOT_WHOLE'),
  });
});

it.each([
  [['prove'], 3, 'OPTION_MISSING'],
  [['prove', 'x'], 3, 'OPTION_INVALID'],
  [['prove', '99'], 3, 'LOG_ENTRY_UNKNOWN'],
  [['forget'], 3, 'OPTION_INVALID'],
  [['verify', '--key', 'nowhere'], 3, 'PUBLIC_KEY_UNREADABLE'],
  [['verify', '--key', 'home/log/2026/checkpoint'], 3, 'PUBLIC_KEY_INVALID'],
  [['verify', '--log', 'nowhere', '--json'], 1, 'LOG_EMPTY'],
])('%j exits %i with %s', (words, code, expected) => {
  const { status, stdout, stderr } = audit(...words);
  expect({ status, told: stdout + stderr }).toMatchObject({ status: code, told: expect.stringContaining(expected) });
});

it('says of a report that is no package what it is, and making it again is how it is verified: the same bytes', () => {
  const period = ['--from', '2026-01-01', '--to', '2027-01-01', '--log', log, '--key', key, '--format', 'pdf'];
  for (const name of ['one.pdf', 'again.pdf']) expect(bauta('report', 'gdpr', ...period, '--out', name)).toMatchObject({ status: 0 });
  expect(readFileSync(join(folder, 'again.pdf')).equals(readFileSync(join(folder, 'one.pdf')))).toBe(true);
  const { status, stdout, stderr } = bauta('report', 'verify', 'one.pdf', '--key', key);
  expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
  expect(stderr).toMatch(/PACKAGE_OTHER_FILE: one\.pdf is a PDF, .*making it again/s);
});
