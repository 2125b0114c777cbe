// The shell steps of examples/ci as their hosts would run them, against a service with a real target: as far as it goes without GitHub, GitLab, Jenkins.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { systemClock } from '../../src/kernel/clock.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { debianProgram, hasDebianServer } from '../support/debian-server.js';
import { type TestIssuer, startIssuer } from '../support/issuer.js';
import { type ServiceWorld, startErrandWorker, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const pool = { BAUTA_POOL_TAGS: 'pii,pci,phi,special,sensitive,secret,quasi' };
const SECRET = 'kept-from-strangers';
let world: ServiceWorld;
let tiny: TinyWorld;
let issuer: TestIssuer;
/** What GitHub's runner offers a job: a token for each request. */
let runner: Server;
let folder: string;
let errands: Awaited<ReturnType<typeof startErrandWorker>>;
let author = '';
const text = (name: string): string => readFileSync(packageFile('examples', 'ci', name), 'utf8');

async function until(done: () => Promise<boolean>): Promise<void> {
  for (const startedAt = performance.now(); !(await done()); await new Promise((resolve) => setTimeout(resolve, 100)))
    if (performance.now() - startedAt > 60_000) throw new Error('it did not come to that');
}
const apply = (document: string): ReturnType<ServiceWorld['ask']> =>
  world.ask('POST', '/v1/apply', { token: author, text: document, headers: { 'content-type': 'application/yaml' } });
const there = async (): Promise<unknown[]> =>
  (await world.sql(`SELECT purpose FROM bauta.clone WHERE state = 'ready' ORDER BY 1`)).map(({ purpose }) => purpose);

beforeAll(async () => {
  tiny = await startTinyWorld();
  issuer = await startIssuer();
  world = await startServiceWorld(undefined, systemClock, { 'env:BAUTA_CONN_HOOK_GITHUB': SECRET }, { http: issuer.http });
  folder = mkdtempSync(join(tmpdir(), 'bauta-ci-'));
  author = await world.person('pat', ['policy-admin', 'viewer']);
  const administrator = await world.person('ada', ['administrator']);
  await world.person('olaf', ['viewer']);
  await world.person('ci-shop', ['requester'], 'home', 'olaf');
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') };
  const pipeline = pipelineText
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET')
    .replace('allows: [pii]', 'allows: [pii]\n  clones: { max: 9, hours: 24 }');
  expect((await apply(`${pipeline.replace('import: [classification.yaml]\n', '')}---\n${classificationText}`)).status).toBe(200);
  const forms = {
    github: 'repository_id: 74, ref: refs/heads/main',
    gitlab: 'project_id: 22, ref: main, ref_type: branch, ref_protected: true',
  };
  for (const [form, claims] of Object.entries(forms)) {
    const trusts = `trusts:\n  - { claims: { ${claims} }, person: ci-shop, roles: [requester@dev] }`;
    const asked = await apply(`kind: Issuer\nname: ${form}\nform: ${form}\nissuer: ${issuer.url}\naudience: bauta-${form}\n${trusts}\n`);
    const { id } = asked.body['approval'] as { id: string };
    expect((await world.ask('POST', `/v1/approvals/${id}/approve`, { token: administrator })).status).toBe(200);
  }
  const runs = await startRunWorker(world, folder, connections, pool);
  const operator = await world.person('otto', ['operator']);
  const { body } = await world.ask('POST', '/v1/runs', { token: operator, json: { pipeline: 'tiny' } });
  await until(async () => (await world.ask('GET', `/v1/runs/${String(body['id'])}`, { token: operator })).body['state'] === 'published');
  await runs.stop();
  errands = await startErrandWorker(world, folder, connections, pool);
  runner = createServer((request, response) => {
    const known =
      request.headers.authorization === 'bearer runner-token' &&
      new URL(request.url ?? '', 'http://x').searchParams.get('audience') === 'bauta';
    response.writeHead(known ? 200 : 403).end(JSON.stringify({ value: known ? githubToken() : '' }));
  });
  await new Promise<void>((resolve) => runner.listen(0, '127.0.0.1', resolve));
}, 120_000);
afterAll(async () => {
  await errands.stop();
  await world.stop();
  await tiny.stop();
  await issuer.stop();
  runner.closeAllConnections();
  runner.close();
  rmSync(folder, { recursive: true, force: true });
});

const githubToken = (): string => {
  const claims = {
    repository_id: '74',
    repository: 'acme/shop',
    ref: 'refs/heads/main',
    event_name: 'push',
    run_id: '901',
    run_attempt: '1',
  };
  return world.secret(issuer.token({ ...claims, aud: 'bauta-github' }));
};
const gitlabToken = (): string => {
  const claims = {
    project_id: '22',
    project_path: 'acme/shop',
    ref: 'main',
    ref_type: 'branch',
    ref_protected: 'true',
    pipeline_source: 'push',
  };
  return world.secret(issuer.token({ ...claims, job_id: '7', pipeline_id: '9', aud: 'bauta-gitlab' }));
};

/** A step as its host runs it: in the checkout, by bash that stops at the first error, with the variables that the host gives. */
async function step(script: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const programs = join(folder, 'bin');
  mkdirSync(programs, { recursive: true });
  // GitHub's own command, which is asked for the number of the branch's pull request.
  writeFileSync(join(programs, 'gh'), '#!/bin/sh\nprintf %s "$TEST_PULL_REQUEST"\n');
  chmodSync(join(programs, 'gh'), 0o755);
  const PATH = [programs, dirname(debianProgram('psql')), process.env['PATH'] ?? ''].join(delimiter);
  const env = {
    PATH,
    BAUTA: world.url,
    BAUTA_ENVIRONMENT: 'dev',
    GITHUB_REF_NAME: 'main',
    RUNNER_TEMP: folder,
    CI_BUILDS_DIR: folder,
    WORKSPACE_TMP: folder,
  };
  const child = spawn('bash', ['-eo', 'pipefail', '-c', script], { cwd: packageFile('.'), env: { ...env, ...variables } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the step ended with ${code}: ${said}`);
  return said;
}

const tests = hasDebianServer() ? it : it.skip;

tests(
  'GitHub Actions: a branch with a pull request keeps its clone until it is closed, one without has it for the job',
  async () => {
    interface Workflow {
      readonly permissions: Record<string, string>;
      readonly jobs: { readonly tests: { readonly steps: readonly { readonly name?: string; readonly run?: string }[] } };
    }
    const workflow = parse(text('github-actions.yml')) as Workflow;
    expect(workflow.permissions['id-token']).toBe('write');
    const { port } = runner.address() as AddressInfo;
    const variables = {
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner-token',
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/?api-version=2`,
    };
    const steps = workflow.jobs.tests.steps.flatMap(({ name, run }) => (run === undefined ? [] : [{ name, run }]));
    expect(steps.map(({ name }) => name)).toEqual(['clone', 'test', 'drop']);
    for (const [number, left] of [
      ['', []],
      ['7', ['pr-7']],
    ] as const) {
      for (const { name, run } of steps) {
        const said = await step(run, { ...variables, TEST_PULL_REQUEST: number });
        if (name === 'clone') expect(statSync(join(folder, 'clone')).mode & 0o777).toBe(0o600);
        if (name === 'test') expect(said).toMatch(/180/);
        expect(said).not.toContain('postgres://');
      }
      await until(async () => (await there()).length === left.length);
      expect(await there()).toEqual(left);
    }
    // GitHub says that it was closed.
    expect((await apply(text('close.yaml').replace('pipeline: shop', 'pipeline: tiny'))).status).toBe(200);
    const { body } = await world.ask('GET', '/v1/triggers/pull-requests/state', { token: author });
    const deliver = (action: string, number: number): ReturnType<ServiceWorld['ask']> => {
      const payload = JSON.stringify({ action, pull_request: { number, updated_at: new Date().toISOString(), base: { ref: 'main' } } });
      const signature = `sha256=${createHmac('sha256', SECRET).update(payload).digest('hex')}`;
      return world.ask('POST', String(body['address']), {
        text: payload,
        headers: { 'x-hub-signature-256': signature, 'x-github-event': 'pull_request' },
      });
    };
    expect((await deliver('opened', 7)).body).toEqual({ run: null, ignored: 'event' });
    expect((await deliver('closed', 8)).body).toEqual({ run: null, ignored: 'event' });
    expect((await deliver('closed', 7)).body).toEqual({ run: null, clone: expect.any(String) });
    await until(async () => (await there()).length === 0);
    expect(await world.told('clone.drop-requested')).toContainEqual(
      expect.objectContaining({ data: expect.objectContaining({ for: 'pr-7', why: 'closed' }) }),
    );
  },
  120_000,
);

tests(
  'GitLab CI: with two identity tokens, one for each request',
  async () => {
    interface Pipeline {
      readonly tests: {
        readonly script: readonly string[];
        readonly after_script: readonly string[];
        readonly id_tokens: Record<string, { aud: string }>;
      };
    }
    const { tests: job } = parse(text('gitlab-ci.yml')) as Pipeline;
    expect(Object.keys(job.id_tokens)).toEqual(['MAKE', 'DROP']);
    const variables = { MAKE: gitlabToken(), DROP: gitlabToken(), CI_COMMIT_BRANCH: 'main', BAUTA_HOURS: '24' };
    const said = await step(job.script.join('\n'), { ...variables, CI_OPEN_MERGE_REQUESTS: '' });
    expect(said).toMatch(/180/);
    expect(await there()).toEqual(['branch-main']);
    await step(job.after_script.join('\n'), { ...variables, CI_OPEN_MERGE_REQUESTS: '' });
    await until(async () => (await there()).length === 0);
    await step(job.script.join('\n'), { ...variables, MAKE: gitlabToken(), CI_OPEN_MERGE_REQUESTS: 'acme/shop!12' });
    expect(await there()).toEqual(['mr-12']);
  },
  120_000,
);

tests(
  'Jenkins: with a token of a service account, and the clone is gone whatever the tests say',
  async () => {
    const scripts = [...text('Jenkinsfile').matchAll(/sh '''([\s\S]*?)'''/g)].map(([, script = '']) => script);
    expect(scripts).toHaveLength(3);
    const variables = { BAUTA_TOKEN: await world.token('ci-shop'), BUILD_TAG: 'jenkins-shop-4', BAUTA_HOURS: '4' };
    const before = await there();
    for (const script of scripts.slice(0, 2)) await step(script, variables);
    expect(await there()).toEqual([...before, 'jenkins-shop-4'].sort());
    await step(scripts[2] ?? '', variables);
    await until(async () => (await there()).length === before.length);
    expect(existsSync(join(folder, 'clone'))).toBe(false);
  },
  120_000,
);
