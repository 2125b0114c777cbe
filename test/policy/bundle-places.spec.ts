// Bundles of one's own from Git and from object storage: a repository in a folder, one behind HTTP that wants a login, and a bucket as moto plays it. What is broken
// or unsigned there changes nothing, and is told once.
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { openGatePolicy } from '../../src/control/open-policy.js';
import { closeAllStores } from '../../src/control/stores.js';
import { packageFile } from '../../src/kernel/package-root.js';
import type { Policy } from '../../src/pipeline/ports.js';
import { parseGitPlace, readGitFile } from '../../src/systems/git/git.js';
import { sendLocally } from '../../src/systems/http/http.js';
import { buildBundle, type Refused } from '../../src/systems/opa/opa.js';
import { awsCredentials, startMoto, type TestAws } from '../support/moto.js';
import { findProgram } from '../support/program.js';
import { validDeployment } from './deploy-table.js';
import { hasOpa } from './opa-binary.js';

const withOpa = hasOpa || process.env['BAUTA_WORLD'] === 'required' ? it : it.skip;
const password = 'canary-git-login';
let home: string;
let repository: string;
let server: Server;
let port = 0;
let publicKey: string;
const bundles: Record<string, Buffer> = {};
const asked: string[] = [];
let homes = 0;

const git = (...words: readonly string[]): string =>
  execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...words], { encoding: 'utf8' }).trim();
/** A commit of the branch main with these bytes as the bundle. */
function commit(bytes: Buffer): string {
  mkdirSync(join(repository, 'rules'), { recursive: true });
  writeFileSync(join(repository, 'rules', 'bundle.tar.gz'), bytes);
  git('add', '-A');
  git('commit', '-q', '--allow-empty', '-m', 'rules');
  return git('rev-parse', 'HEAD');
}

/** Smart HTTP as any forge speaks it, over git's own upload-pack. */
function startGitServer(): Server {
  return createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const expected = `Basic ${Buffer.from(`x-access-token:${password}`).toString('base64')}`;
    if (request.headers.authorization !== expected) return void response.writeHead(401, { 'WWW-Authenticate': 'Basic' }).end(password);
    const advertise = request.method === 'GET';
    const words = ['upload-pack', '--stateless-rpc', ...(advertise ? ['--http-backend-info-refs'] : []), repository];
    const protocol = request.headers['git-protocol'];
    const environment = { ...process.env, ...(typeof protocol === 'string' ? { GIT_PROTOCOL: protocol } : {}) };
    const child = spawn('git', ['-c', 'uploadpack.allowReachableSHA1InWant=true', ...words], { env: environment });
    response.writeHead(200, { 'Content-Type': `application/x-git-upload-pack-${advertise ? 'advertisement' : 'result'}` });
    if (advertise && protocol !== 'version=2') response.write('001e# service=git-upload-pack\n0000');
    else if (advertise) response.write('001e# service=git-upload-pack\n0000');
    request.pipe(child.stdin);
    child.stdout.pipe(response);
  });
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'bauta-places-'));
  repository = join(home, 'repository');
  mkdirSync(repository);
  execFileSync('git', ['init', '-q', '-b', 'main', repository]);
  server = startGitServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ({ port } = server.address() as AddressInfo);
  const pair = generateKeyPairSync('ed25519');
  publicKey = join(home, 'public.pem');
  writeFileSync(publicKey, pair.publicKey.export({ type: 'spki', format: 'pem' }));
  if (!hasOpa) return;
  const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const rules = join(home, 'rules');
  cpSync(packageFile('examples', 'policy'), rules, { recursive: true });
  const build = async (name: string, weekdays: readonly string[], signed = true): Promise<void> => {
    const data = { quiet: { weekdays, environments: ['prod-*'] }, score: { least: 0 }, plan: { columns: 500 } };
    writeFileSync(join(rules, 'data.json'), JSON.stringify(data));
    await buildBundle(rules, join(home, `${name}.tar.gz`), { revision: name, ...(signed ? { key } : {}) });
    bundles[name] = readFileSync(join(home, `${name}.tar.gz`));
  };
  await build('quiet', ['Saturday']);
  await build('open', []);
  await build('unsigned', [], false);
}, 60_000);
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await closeAllStores();
  rmSync(home, { recursive: true, force: true });
});

interface Opened {
  readonly policy: Policy;
  readonly told: readonly Refused[];
  readonly home: string;
}
async function open(place: string, settings: Readonly<Record<string, string>> = {}, at = join(home, `home-${homes++}`)): Promise<Opened> {
  const told: Refused[] = [];
  const environment = { TOKEN: password };
  const all = parseSettings({ BAUTA_GATE_BUNDLE: place, BAUTA_POLICY_KEY: `file:${publicKey}`, ...settings });
  const policy = await openGatePolicy({
    settings: all,
    home: at,
    environment,
    question: 'deploy',
    onRefused: (refused) => void told.push(refused),
  });
  return { policy, told, home: at };
}
/** Opens, asks, and closes: which revision is in force, and what it says on a Saturday. */
async function look(place: string, settings?: Readonly<Record<string, string>>, at?: string): Promise<readonly unknown[]> {
  const { policy, told } = await open(place, settings, at);
  try {
    const { others = [], reasons } = await policy.decide(validDeployment);
    return [others[0]?.revision, reasons.map(({ code }) => code), told.map(({ error }) => error.code), others[0]?.refused];
  } finally {
    await policy.close();
  }
}

describe('a repository', () => {
  withOpa('in a folder: the head of a branch, or one commit for ever', async () => {
    const first = commit(bundles['quiet']!);
    const at = (ref: string): string => `git+file://${repository}#${ref}:rules/bundle.tar.gz`;
    expect(await look(at('main'))).toEqual(['quiet', ['QUIET_DAY'], [], undefined]);
    commit(bundles['open']!);
    expect(await look(at('main'))).toEqual(['open', [], [], undefined]);
    expect(await look(at(first))).toEqual(['quiet', ['QUIET_DAY'], [], undefined]);
    await expect(open(at('nowhere'))).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNREACHABLE' });
    await expect(open(`git+file://${repository}#main:elsewhere`)).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNREACHABLE' });
    await expect(open('git+file:///nowhere#main:x')).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNREACHABLE' });
  });

  withOpa('behind HTTP: with a login by reference, only when the branch has gone on, and nothing stays of the objects', async () => {
    const settings = { BAUTA_POLICY_TOKEN: 'env:TOKEN' };
    const place = `git+http://127.0.0.1:${port}/rules.git#main:rules/bundle.tar.gz`;
    const head = commit(bundles['quiet']!);
    const at = join(home, 'over-http');
    expect(await look(place, settings, at)).toEqual(['quiet', ['QUIET_DAY'], [], undefined]);
    expect(readFileSync(join(at, 'policy-deploy', 'etag'), 'utf8')).toBe(head);
    expect(readdirSync(join(at, 'policy-deploy', 'git'))).toEqual([]);
    asked.length = 0;
    // The same head: it is asked which one there is, and no pack.
    expect(await look(place, settings, at)).toEqual(['quiet', ['QUIET_DAY'], [], undefined]);
    expect(asked.length).toBeLessThanOrEqual(2);
    // What was pinned is fetched by its id.
    commit(bundles['open']!);
    expect((await look(`git+http://127.0.0.1:${port}/rules.git#${head}:rules/bundle.tar.gz`, settings))[0]).toBe('quiet');
    expect(await look(place, settings, at)).toEqual(['open', [], [], undefined]);
    const refused: unknown = await open(place).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'POLICY_BUNDLE_UNREACHABLE' });
    expect(JSON.stringify(refused)).not.toContain(password);
  });

  withOpa('whose newest commit is broken or unsigned: the one before stays in force, every decision says so, and it is told', async () => {
    const place = `git+file://${repository}#main:rules/bundle.tar.gz`;
    const at = join(home, 'broken');
    commit(bundles['quiet']!);
    expect((await look(place, {}, at))[0]).toBe('quiet');
    commit(bundles['unsigned']!);
    expect(await look(place, {}, at)).toEqual(['quiet', ['QUIET_DAY'], ['POLICY_BUNDLE_UNSIGNED'], 'POLICY_BUNDLE_UNSIGNED']);
    commit(Buffer.from('no bundle'));
    expect(await look(place, {}, at)).toEqual(['quiet', ['QUIET_DAY'], ['POLICY_BUNDLE_UNREADABLE'], 'POLICY_BUNDLE_UNREADABLE']);
    // Without one from before nothing is decided.
    await expect(open(place)).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNREADABLE' });
  });

  it('is named in one form, and what fetches it gives up on what is too large', async () => {
    expect(parseGitPlace('git+https://git.example/a/b.git#release/2:x/y.tar.gz')).toEqual({
      url: 'https://git.example/a/b.git',
      ref: 'release/2',
      path: 'x/y.tar.gz',
    });
    for (const text of [
      'git+ssh://h/r#main:x',
      'git+https://h/r',
      'git+https://h/r#main',
      'git+https://h/r#a..b:x',
      'git+https://h/r#main:../x',
      'git+https://h/r#-x:y',
    ])
      expect(parseGitPlace(text)).toBeUndefined();
    await expect(open('git+https://h/r')).rejects.toMatchObject({ code: 'SETTING_INVALID' });
    commit(Buffer.alloc(5000, 'x'));
    const place = { url: `file://${repository}`, ref: 'main', path: 'rules/bundle.tar.gz', send: sendLocally, folder: home };
    await expect(readGitFile({ ...place, limitBytes: 4999 })).rejects.toMatchObject({ code: 'POLICY_BUNDLE_UNREACHABLE' });
    expect((await readGitFile({ ...place, limitBytes: 5000 }))?.bytes.length).toBe(5000);
  });
});

const program = findProgram('moto_server');
(program === undefined ? describe.skip : describe)('a bucket', () => {
  let aws: TestAws;
  let client: S3Client;
  beforeAll(async () => {
    Object.assign(process.env, awsCredentials);
    aws = await startMoto(program!);
    client = new S3Client({ region: 'eu-central-1', endpoint: aws.behind, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: 'rules', CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }));
  }, 30_000);
  afterAll(async () => {
    for (const name of Object.keys(awsCredentials)) delete process.env[name];
    client.destroy();
    await aws.stop();
  });
  const put = (bytes: Buffer): Promise<unknown> =>
    client.send(new PutObjectCommand({ Bucket: 'rules', Key: 'gate/bundle.tar.gz', Body: bytes }));

  withOpa('is asked by ETag; what is broken there is refused, and what is not there is no bundle', async () => {
    const settings = { BAUTA_AWS_REGION: 'eu-central-1', BAUTA_AWS_S3_ENDPOINT: aws.behind };
    const at = join(home, 'bucket');
    await put(bundles['quiet']!);
    expect(await look('s3://rules/gate/bundle.tar.gz', settings, at)).toEqual(['quiet', ['QUIET_DAY'], [], undefined]);
    const etag = readFileSync(join(at, 'policy-deploy', 'etag'), 'utf8');
    expect(etag).not.toBe('');
    expect(await look('s3://rules/gate/bundle.tar.gz', settings, at)).toEqual(['quiet', ['QUIET_DAY'], [], undefined]);
    await put(bundles['open']!);
    expect((await look('s3://rules/gate/bundle.tar.gz', settings, at))[0]).toBe('open');
    expect(readFileSync(join(at, 'policy-deploy', 'etag'), 'utf8')).not.toBe(etag);
    await put(bundles['unsigned']!);
    expect(await look('s3://rules/gate/bundle.tar.gz', settings, at)).toEqual([
      'open',
      [],
      ['POLICY_BUNDLE_UNSIGNED'],
      'POLICY_BUNDLE_UNSIGNED',
    ]);
    await expect(open('s3://rules/nothing', settings)).rejects.toMatchObject({ code: 'AWS_REQUEST_REFUSED' });
    await expect(open('s3://rules', settings)).rejects.toMatchObject({ code: 'SETTING_INVALID' });
    await expect(open('s3://rules/x', {})).rejects.toMatchObject({ code: 'AWS_UNSET' });
  });
});
