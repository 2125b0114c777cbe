// The callers of examples/gate, as far as they go without their hosts: their shell is run as it stands, their requests are sent as they stand, and the
// answers are judged as each vendor documents it.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { toStatement } from '../../src/cli/attest.js';
import { GateDoors, toReadEvidence } from '../../src/control/gates/gates.js';
import { systemClock } from '../../src/kernel/clock.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { type TestIssuer, startIssuer } from '../support/issuer.js';
import { type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const commit = 'a'.repeat(40);
const digest = `sha256:${'b'.repeat(64)}`;
const image = `registry.shop.example/web@${digest}`;
let tiny: TinyWorld;
let world: ServiceWorld;
let issuer: TestIssuer;
let doors: GateDoors;
/** What GitHub's runner offers a job: a token for each request. */
let runner: Server;
let folder = '';
let key = '';
let stopRuns: () => Promise<void> = () => Promise.resolve();
let number = 0;

const read = (name: string): string => readFileSync(packageFile('examples', 'gate', name), 'utf8');
const job = (): string =>
  world.secret(
    issuer.token({
      ...{
        repository_id: '74',
        repository: 'acme/shop',
        ref: 'refs/heads/main',
        event_name: 'push',
        sha: commit,
        run_id: '7',
        run_attempt: '1',
      },
      jti: String((number += 1)),
    }),
  );

beforeAll(async () => {
  [tiny, issuer] = await Promise.all([startTinyWorld(), startIssuer()]);
  world = await startServiceWorld(
    tiny.server,
    systemClock,
    {},
    {
      http: issuer.http,
      gates: (metadata) => (doors = new GateDoors(metadata, toReadEvidence(metadata), () => openPolicy({ question: 'deploy' }))),
    },
  );
  folder = mkdtempSync(join(tmpdir(), 'bauta-gate-examples-'));
  const people: Record<string, string> = {};
  for (const [name, role] of Object.entries({
    pat: 'policy-admin',
    ada: 'administrator',
    olaf: 'viewer',
    rita: 'requester',
    ann: 'approver',
  }))
    people[name] = await world.person(name, [role]);
  await world.person('ci-shop', ['requester'], 'home', 'olaf');
  key = people['rita']!;
  const apply = async (text: string): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/yaml' };
    const { status, body } = await world.ask('POST', '/v1/apply', { token: people['pat']!, text, headers });
    expect([200, 202]).toContain(status);
    return body;
  };
  const trusts = 'trusts:\n  - { claims: { repository_id: 74, ref: refs/heads/main }, person: ci-shop, roles: [requester] }';
  const asked = await apply(`kind: Issuer\nname: github\nform: github\nissuer: ${issuer.url}\naudience: bauta\n${trusts}\n`);
  await world.ask('POST', `/v1/approvals/${(asked['approval'] as { id: string }).id}/approve`, { token: people['ada']! });
  await apply([pipelineText, classificationText].join('---\n').replaceAll(/env:(SOURCE|TARGET)_URL/g, 'env:BAUTA_CONN_$1'));
  const added = await apply(read('gate.yaml'));
  await world.ask('POST', `/v1/approvals/${(added['approval'] as { id: string }).id}/approve`, { token: people['ann']! });
  await world.startSequencer();
  const home = join(folder, 'home');
  mkdirSync(home);
  const runs = await startRunWorker(world, home, { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') });
  stopRuns = () => runs.stop();
  const { body } = await world.ask('POST', '/v1/runs', { token: key, json: { pipeline: 'tiny' } });
  for (let state: unknown; state !== 'published';) {
    ({ state } = (await world.ask('GET', `/v1/runs/${String(body['id'])}`, { token: people['olaf']! })).body);
    expect(['failed', 'denied', 'withheld', 'cancelled']).not.toContain(state);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { statement } = await toStatement({ reference: 'env:COPY', environment: { COPY: tiny.target('copy') } });
  writeFileSync(join(folder, 'statement.json'), JSON.stringify(statement));
  writeFileSync(join(folder, 'junit.xml'), '<testsuite><testcase name="one"/></testsuite>');
  scanned();
  runner = createServer((_, response) => response.end(JSON.stringify({ value: job() })));
  await new Promise<void>((resolve) => runner.listen(0, '127.0.0.1', resolve));
}, 60_000);
afterAll(async () => {
  runner?.close();
  await stopRuns();
  await doors.close();
  await world.stop();
  await issuer.stop();
  await tiny.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Trivy's report of the image, as the job finds it. */
function scanned(...vulnerabilities: readonly object[]): void {
  const report = {
    ...{ SchemaVersion: 2, ArtifactName: image, ArtifactType: 'container_image', Metadata: { RepoDigests: [image] } },
    Results: [{ Target: 'alpine', Vulnerabilities: vulnerabilities }],
  };
  writeFileSync(join(folder, 'trivy.json'), JSON.stringify(report));
}
const critical = { VulnerabilityID: 'CVE-1', PkgName: 'ssl', InstalledVersion: '1', FixedVersion: '2', Severity: 'CRITICAL' };

interface Ran {
  readonly code: number | null;
  readonly said: string;
}

/** As a host runs a step: in a checkout, by a shell that stops at the first error, with the variables that the host gives. */
async function step(script: string, variables: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...{ BAUTA: world.url, BAUTA_GATE: 'production', BAUTA_ENVIRONMENT: 'production', BAUTA_SERVICE: 'shop', BAUTA_IMAGE: image },
    ...{ BAUTA_COMMIT: commit, BAUTA_STATEMENT: 'statement.json', BAUTA_TOKEN: key, TMPDIR: folder },
  };
  const ask = packageFile('examples', 'gate', 'ask.sh');
  const child = spawn('bash', ['--norc', '-eo', 'pipefail', '-c', script.replaceAll('examples/gate/ask.sh', ask)], {
    cwd: folder,
    env: { ...env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  expect(said).not.toContain(key);
  return { code, said };
}

const github = (): { name: string; run: string }[] => {
  const { jobs } = parse(read('github-actions.yml')) as { jobs: { deploy: { steps: { name?: string; run?: string }[] } } };
  return jobs.deploy.steps.flatMap(({ name = '', run }) => (run === undefined ? [] : [{ name, run }]));
};

async function deploy(): Promise<Ran[]> {
  const { port } = runner.address() as AddressInfo;
  const of = {
    ...{ ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-runner', ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/?api-version=2` },
    ...{ GITHUB_SHA: commit, BAUTA_TOKEN: '' },
  };
  const ran: Ran[] = [];
  for (const { run } of github()) {
    ran.push(await step(run, of));
    if (ran.at(-1)?.code !== 0) break;
  }
  return ran;
}

/** The question that a pipeline hands on to those that ask elsewhere. */
const question = async (): Promise<string> => (await step('examples/gate/ask.sh question')).said.trim();

/** A request as a document describes it. */
async function send(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(url.replace('https://bauta.internal', world.url), { method, headers, body });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

it('ask.sh is 1 while there is no answer, and 2 without evidence', async () => {
  expect(await step('examples/gate/ask.sh', { BAUTA: 'http://127.0.0.1:1' })).toMatchObject({ code: 1 });
  expect(await step('examples/gate/ask.sh', { BAUTA_TOKEN: 'bauta_wrong' })).toMatchObject({
    code: 1,
    said: expect.stringContaining('401'),
  });
  expect(await step('examples/gate/ask.sh', { BAUTA_GATE: 'none' })).toMatchObject({ code: 1, said: expect.stringContaining('404') });
  const { code, said } = await step('examples/gate/ask.sh');
  expect([code, said]).toEqual([2, expect.stringMatching(/^deny: score \d+ of 85/)]);
});

it('GitHub Actions sends what was found, and deploys when the gate says yes, and not when the scan has a critical finding', async () => {
  scanned(critical);
  const denied = await deploy();
  expect(denied.map(({ code }) => code)).toEqual([0, 2]);
  scanned();
  const ran = await deploy();
  expect(ran.map(({ code, said }) => [code, said])).toEqual([
    [0, ''],
    [0, expect.stringMatching(/^allow: score 100 of 85/)],
    [0, expect.stringContaining('yes')],
  ]);
});

it('GitLab and Jenkins fail their jobs unless it is a yes', async () => {
  const { gate } = parse(read('gitlab-ci.yml')) as { gate: { script: string[] } };
  const [, jenkins = ''] = /sh '''([^]*?)'''/.exec(read('Jenkinsfile')) ?? [];
  const name = image.slice(0, image.indexOf('@'));
  const gitlab = { CI_COMMIT_SHA: commit, CI_REGISTRY_IMAGE: name, IMAGE_DIGEST: digest };
  for (const [script, variables] of [
    [gate.script.join('\n'), gitlab],
    [jenkins, { GIT_COMMIT: commit }],
  ] as const) {
    expect(await step(script, variables)).toMatchObject({ code: 0 });
    expect((await step(script, { ...variables, CI_COMMIT_SHA: 'c'.repeat(40), GIT_COMMIT: 'c'.repeat(40) })).code).toBe(2);
  }
});

it('Argo Rollouts goes by a member of an answer of 200', async () => {
  interface Template {
    readonly spec: {
      readonly metrics: readonly {
        readonly successCondition: string;
        readonly failureLimit: number;
        readonly provider: { readonly web: Web };
      }[];
    };
  }
  interface Web {
    readonly method: string;
    readonly url: string;
    readonly headers: readonly { readonly key: string; readonly value: string }[];
    readonly body: string;
    readonly jsonPath: string;
  }
  const { spec } = parse(read('argo-rollouts.yaml')) as Template;
  const [{ successCondition, failureLimit, provider: { web } } = spec.metrics[0]!] = spec.metrics; // prettier-ignore
  expect([successCondition, failureLimit, web.jsonPath]).toEqual(['result == true', 0, '{$.allow}']);
  const headers = Object.fromEntries(web.headers.map(({ key: name, value }) => [name, value.replace('{{args.token}}', key)]));
  const yes = await send(web.url, web.method, headers, web.body.replace('{{args.question}}', await question()));
  const no = await send(
    web.url,
    web.method,
    headers,
    web.body.replace('{{args.question}}', (await question()).replace(digest, `sha256:${'d'.repeat(64)}`)),
  );
  expect([yes.status, yes.body['allow'], no.status, no.body['allow']]).toEqual([200, true, 200, false]);
});

it('Argo CD’s Job succeeds with a yes, and fails with a no', async () => {
  const manifest = parse(read('argocd-presync.yaml')) as {
    spec: { backoffLimit: number; template: { spec: { containers: { args: [string] }[] } } };
  };
  expect(manifest.spec.backoffLimit).toBe(0);
  writeFileSync(join(folder, 'token'), key);
  const script = (manifest.spec.template.spec.containers[0]?.args[0] ?? '').replace('/token/token', 'token').replace('/question/', '');
  writeFileSync(join(folder, 'question.json'), await question());
  expect((await step(script)).code).toBe(0);
  writeFileSync(join(folder, 'question.json'), (await question()).replace(commit, 'c'.repeat(40)));
  expect([(await step(script)).code]).toEqual([22]);
});

it('Azure DevOps goes by its criterion, and Spinnaker by the status', async () => {
  const azure = JSON.parse(read('azure-devops.json')) as {
    method: string;
    urlSuffix: string;
    successCriteria: string;
    timeBetweenEvaluationsMinutes: number;
  };
  expect([azure.successCriteria, azure.timeBetweenEvaluationsMinutes]).toEqual([`eq(root['allow'], true)`, 0]);
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  expect((await send(`${world.url}${azure.urlSuffix}`, azure.method, headers, await question())).body['allow']).toBe(true);
  const spinnaker = JSON.parse(read('spinnaker-webhook.json')) as { method: string; url: string; failFastStatusCodes: string[] };
  const no = (await question()).replace(commit, 'c'.repeat(40));
  const [yes, denied] = [
    await send(spinnaker.url, spinnaker.method, headers, await question()),
    await send(spinnaker.url, spinnaker.method, headers, no),
  ];
  expect([yes.status, denied.status, denied.body['status']]).toEqual([200, 403, 'TERMINAL']);
  expect(spinnaker.failFastStatusCodes).toContain('403');
});
