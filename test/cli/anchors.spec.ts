// Checkpoints of a home's log, kept where its operator cannot take them back: a folder, a repository here and behind HTTP, a bucket with object lock. What whoever has
// the log's key does afterwards is named by whoever looks there.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

import { CreateBucketCommand, DeleteObjectCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { openAnchorStore } from '../../src/control/anchor-places.js';
import { closeAllStores } from '../../src/control/stores.js';
import { toKnownError } from '../../src/kernel/errors.js';
import { parseVerifierKey } from '../../src/kernel/signed-note.js';
import { type ChainReport, type LogFiles, anchorLog, readAnchors, verifyChain } from '../../src/pipeline/audit/audit.js';
import { FileAuditSink, openLogFiles } from '../../src/systems/files/files.js';
import { type TestAws, awsCredentials, startMoto } from '../support/moto.js';
import { findProgram } from '../support/program.js';

const folder = mkdtempSync(join(tmpdir(), 'bauta-test-'));
const home = join(folder, 'home');
const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const token = 'canary-push-token';
const environment: Record<string, string | undefined> = {
  ...{ PATH: process.env['PATH'], BAUTA_HOME: home, NODE_NO_WARNINGS: '1' },
  ...{ TOKEN: token, BAUTA_LOG_ANCHOR_TOKEN: 'env:TOKEN' },
};

/** Not waited for in a way that would stop the servers of this process. */
async function bauta(...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [cli, ...words], { cwd: folder, env: environment });
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

async function append(...types: string[]): Promise<void> {
  const sink = new FileAuditSink({ home, period: 'year' });
  for (const type of types) await sink.append({ runId: 'r1', stage: 'gate', type, at: '2026-11-21T08:00:00.000Z', data: { type } });
  await sink.close();
}
const put = (from: string, to: string): void => {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
};
const verifier = () => parseVerifierKey(readFileSync(join(home, 'log.pub'), 'utf8'))!;
const files = (): LogFiles => openLogFiles(join(home, 'log'));
const open = (place: string): ReturnType<typeof openAnchorStore> => {
  const settings = Object.entries(environment).filter(([name]) => /^BAUTA_/.test(name) && name !== 'BAUTA_HOME');
  return openAnchorStore(place, parseSettings({ ...Object.fromEntries(settings), BAUTA_HOME: home }), environment);
};

/** What the place said to the newest checkpoint. */
async function anchor(place: string): Promise<string> {
  try {
    const store = await open(place);
    try {
      const { lockedUntil } = await anchorLog(files(), '2026', verifier(), store);
      return lockedUntil === null ? 'kept' : 'locked';
    } finally {
      await store.close();
    }
  } catch (error) {
    expect(JSON.stringify(error)).not.toContain(token);
    return toKnownError(error).code;
  }
}

/** The log as whoever looks at that place sees it; by the name of its key alone. */
async function look(
  place: string,
  log = files(),
): Promise<{ report: ChainReport; codes: readonly string[]; held: number; covered: number }> {
  const store = await open(place);
  const held = await readAnchors(store, verifier().name);
  await store.close();
  const known = held.map(({ name, note }) => ({ name, note }));
  const report = await verifyChain(log, { known, verifier: verifier() });
  return { report, codes: report.findings.map(({ code }) => code), held: held.length, covered: held.filter((one) => one.covered).length };
}

/** Receives pushes, too, over git's own programs. */
function startGitServer(repository: string): Server {
  return createServer((request, response) => {
    const expected = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
    if (request.headers.authorization !== expected) return void response.writeHead(401, { 'WWW-Authenticate': 'Basic' }).end();
    const [, service = ''] = /git-(upload-pack|receive-pack)/.exec(request.url ?? '') ?? [];
    const advertise = request.method === 'GET';
    const words = [service, '--stateless-rpc', ...(advertise ? ['--http-backend-info-refs'] : []), repository];
    const protocol = request.headers['git-protocol'];
    const child = spawn('git', words, { env: { ...process.env, ...(typeof protocol === 'string' ? { GIT_PROTOCOL: protocol } : {}) } });
    response.writeHead(200, { 'Content-Type': `application/x-git-${service}-${advertise ? 'advertisement' : 'result'}` });
    if (advertise) response.write(`${(service.length + 19).toString(16).padStart(4, '0')}# service=git-${service}\n0000`);
    request.pipe(child.stdin);
    child.stdout.pipe(response);
  });
}

let aws: TestAws | undefined;
let client: S3Client | undefined;
let server: Server;
const bare = join(folder, 'evidence.git');
const moto = findProgram('moto_server');

beforeAll(async () => {
  await append('first', 'second');
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', bare]);
  server = startGitServer(bare);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  mkdirSync(join(folder, 'elsewhere'));
  if (moto === undefined) return;
  Object.assign(process.env, awsCredentials);
  aws = await startMoto(moto);
  Object.assign(environment, awsCredentials, { BAUTA_AWS_REGION: 'eu-central-1', BAUTA_AWS_S3_ENDPOINT: aws.behind });
  client = new S3Client({ region: 'eu-central-1', endpoint: aws.behind, forcePathStyle: true });
  const made = { Bucket: 'evidence', CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } as const };
  await client.send(new CreateBucketCommand({ ...made, ObjectLockEnabledForBucket: true }));
  await client.send(new CreateBucketCommand({ ...made, Bucket: 'plain' }));
}, 30_000);
afterAll(async () => {
  for (const name of Object.keys(awsCredentials)) delete process.env[name];
  await closeAllStores();
  server.closeAllConnections();
  server.close();
  client?.destroy();
  await aws?.stop();
  rmSync(folder, { recursive: true });
});

const places: readonly (readonly [string, () => string, boolean])[] = [
  ['a folder', () => `file://${join(folder, 'elsewhere')}`, true],
  ['a repository of this machine', () => `git+file://${bare}#main:bauta`, true],
  ['a repository behind HTTP', () => `git+http://127.0.0.1:${(server.address() as AddressInfo).port}/evidence.git#logs:kept/here`, true],
  ['a bucket with object lock', () => 's3://evidence/bauta', moto !== undefined],
];

describe.each(places)('checkpoints in %s', (_, toPlace, isThere) => {
  const run = isThere ? it : it.skip;
  const backup = join(folder, 'backup');
  const newest = join(folder, 'newest');

  run('are put there once each, and tell a log that is what it was', async () => {
    const place = toPlace();
    const said = place.startsWith('s3:') ? 'locked' : 'kept';
    expect((await look(place)).held).toBe(0);
    expect([await anchor(place), await anchor(place), (await look(place)).held]).toEqual([said, said, 1]);
    put(home, backup);
    await append('third');
    // What is elsewhere is older than the log, which goes on from it.
    expect((await look(place)).codes).toEqual([]);
    await append('fourth');
    expect(await anchor(place)).toBe(said);
    expect(await look(place)).toMatchObject({ codes: [], held: 2, covered: 0 });
    put(home, newest);
  });

  run('name a backup that was put back, a tail that was cut, a past that was rewritten and a log that is gone', async () => {
    const place = toPlace();
    put(backup, home);
    expect((await verifyChain(files(), { known: [], verifier: verifier() })).findings).toEqual([]);
    expect((await look(place)).codes).toEqual(['LOG_ROLLED_BACK']);
    expect(await anchor(place)).toBe('ANCHOR_AHEAD');
    await append('not the third', 'not the fourth');
    expect((await look(place)).codes).toEqual(['LOG_SPLIT_VIEW']);
    expect(await anchor(place)).toBe('ANCHOR_CONTRADICTS');
    await append('fifth');
    expect((await look(place)).codes).toEqual(['LOG_FORKED']);
    expect(await anchor(place)).toBe('ANCHOR_CONTRADICTS');
    const gone: LogFiles = { read: () => Promise.resolve(undefined), list: () => Promise.resolve([]) };
    expect((await look(place, gone)).codes).toContain('LOG_ROLLED_BACK');
    put(newest, home);
    expect((await look(place)).codes).toEqual([]);
  });
});

(moto === undefined ? it.skip : it)('stay readable in a bucket where somebody marked them deleted, and that is seen', async () => {
  const { Versions: versions = [] } = await client!.send(new ListObjectVersionsCommand({ Bucket: 'evidence' }));
  await client!.send(new DeleteObjectCommand({ Bucket: 'evidence', Key: versions[0]!.Key! }));
  expect(await look('s3://evidence/bauta')).toMatchObject({ held: 2, covered: 1 });
  expect(await anchor('s3://plain/bauta')).toBe('AWS_BUCKET_UNLOCKED');
});

it('never lie over another, whoever wrote that; what the log’s key did not sign counts for nobody', async () => {
  const other = join(folder, 'other');
  mkdirSync(other);
  const place = `file://${other}`;
  expect(await anchor(place)).toBe('kept');
  const find = (below: string): string[] =>
    readdirSync(below, { withFileTypes: true }).flatMap((one) =>
      one.isDirectory() ? find(join(below, one.name)) : [join(below, one.name)],
    );
  const [file = ''] = find(other);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/\n(\d+)\n/, '\n9999\n'));
  expect((await look(place)).codes).toEqual(['LOG_CHECKPOINT_FORGED']);
  expect(await anchor(place)).toBe('ANCHOR_CONTRADICTS');
  await append('sixth');
  expect(await anchor(place)).toBe('kept');
  expect(await anchor(`file://${join(folder, 'not-mounted')}`)).toBe('ANCHOR_UNREACHABLE');
  environment['TOKEN'] = 'another';
  expect(await anchor(places[2]![1]())).toBe('ANCHOR_UNREACHABLE');
});

it('is told by the command line: what went where, what did not, and what lies there', async () => {
  const [place, away] = [`file://${join(folder, 'elsewhere')}`, `file://${join(folder, 'not-mounted')}`];
  const both = await bauta('audit', 'anchor', '--to', away, '--to', place);
  expect(both).toMatchObject({ status: 1, stderr: expect.stringContaining('ANCHOR_UNREACHABLE') });
  expect(both.stdout).toMatch(/^2026: \d+ entries at file:/);
  const verify = ['audit', 'verify', '--log', join(home, 'log'), '--key', join(home, 'log.pub'), '--anchor'];
  expect(await bauta(...verify, place)).toMatchObject({ status: 0, stdout: expect.stringContaining('3 checkpoints, the newest of') });
  const told = JSON.parse((await bauta(...verify, place, '--json')).stdout) as { anchored: unknown; anchors: unknown };
  // The log says itself where it was put, which travels with an export.
  expect(told).toMatchObject({ anchored: [{ place, lockedUntil: null }], anchors: [{ place, checkpoints: 3, lockedUntil: null }] });
  mkdirSync(join(folder, 'empty'));
  const nothing = await bauta(...verify, `file://${join(folder, 'empty')}`);
  expect(nothing).toMatchObject({ status: 1, stdout: expect.stringContaining('LOG_UNANCHORED') });
  expect((await bauta('audit', 'anchor', '--to', 'ftp://x')).status).toBe(3);
});
