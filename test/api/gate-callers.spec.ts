// Native callers of a gate that are told later: GitHub, GitLab and Azure DevOps ask in their own words, and stand-ins take the answer as each vendor
// documents it. Real policy, real evidence, TLS on loopback, and a process of the service that is killed while it tells.
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';

import { parseSettings } from '../../src/config/settings.js';
import { CallbackSender, GateDoors, toReadEvidence } from '../../src/control/gates/gates.js';
import { Grants } from '../../src/control/references.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { HttpClient } from '../../src/systems/http/http.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { type Authority, createAuthority } from '../support/certificates.js';
import { begin, end, endAll } from '../support/processes.js';
import { type Answer, type ServiceWorld, readEverything, startServiceWorld } from '../support/service.js';
import { type VendorApis, startVendorApis } from '../support/vendor-apis.js';

const hooks = { github: 'github-signs-with-this', gitlab: 'gitlab-signs-with-this' };
const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  // As GitHub gives it out.
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const lent = { installation: 'ghs_canary_of_an_installation', gitlab: 'glpat-canary-of-gitlab', azure: 'eyJ.canary-of-azure.x' };
const digest = `sha256:${'b'.repeat(64)}`;
const project = '11111111-2222-4333-8444-555555555555';
let world: ServiceWorld;
let authority: Authority;
let apis: VendorApis;
let doors: GateDoors;
let sender: CallbackSender;
let folder = '';
let number = 0;
const tokens: Record<string, string> = {};
const failures: unknown[] = [];

const read = (name: string): string => readFileSync(packageFile('examples', 'gate', name), 'utf8');

/** As the examples name them, at the stand-ins. */
function callers(): object {
  const { github: atGitHub } = (parse(read('github-rule.yaml')) as { callers: { github: object } }).callers;
  const { gitlab: atGitLab } = (parse(read('gitlab-status-check.yaml')) as { callers: { gitlab: object } }).callers;
  return {
    github: { ...atGitHub, api: `https://localhost:${apis.port}`, environments: { 'Production EU': 'prod-eu' } },
    gitlab: { ...atGitLab, api: `https://localhost:${apis.port}/api/v4` },
    azure: { organisation: `https://localhost:${apis.port}/acme`, projects: [project] },
  };
}

const gate = (name = 'production'): string => `kind: Gate
name: ${name}
environments: [production, prod-*]
services: ['*']
threshold: 85
dataset: { required: false, reason: the data of these tests is another gate's }
evidence:
  - { name: scan, type: trivy, subject: image, maxAge: 24h, points: 60 }
  - { name: tests, type: junit, subject: commit, maxAge: 24h, points: 40 }
${stringify({ callers: callers() })}`;
const variables = (): Record<string, string> => ({
  ...{ BAUTA_CONN_GITHUB_APP: privateKey, BAUTA_CONN_GITLAB_TOKEN: lent.gitlab },
  ...{ BAUTA_CONN_GITHUB_HOOK: hooks.github, BAUTA_CONN_GITLAB_HOOK: hooks.gitlab },
});
const grantsText = (): string => `workspaces: { default: { references: ['env:BAUTA_CONN_*'], secrets: [
  { reference: env:BAUTA_CONN_GITHUB_APP, for: 'localhost:${apis.port}' }, { reference: env:BAUTA_CONN_GITLAB_TOKEN, for: 'localhost:${apis.port}' }] } }`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-gate-callers-'));
  authority = createAuthority();
  apis = await startVendorApis(authority, ['localhost'], { appKey: publicKey, ...lent });
  const grants = Grants.parse(grantsText(), 'grants.yaml');
  const secrets = { 'env:BAUTA_CONN_GITHUB_HOOK': hooks.github, 'env:BAUTA_CONN_GITLAB_HOOK': hooks.gitlab };
  world = await startServiceWorld(undefined, undefined, secrets, {
    grants,
    gates: (metadata) => (doors = new GateDoors(metadata, toReadEvidence(metadata), () => openPolicy({ question: 'deploy' }))),
  });
  for (const secret of [privateKey, ...Object.values(lent)]) world.secret(secret);
  sender = new CallbackSender({
    ...{ metadata: world.metadata, doors, grants, serverKey: world.serverKey, environment: variables() },
    http: new HttpClient({ hosts: `localhost:${apis.port}=127.0.0.1`, lookup: () => Promise.resolve(['127.0.0.1']), ca: authority.ca }),
    settings: parseSettings({ BAUTA_NOTIFY_MS: '60000' }),
    firstWaitMs: 20,
    failed: (error) => void failures.push(error),
  });
  for (const [name, role] of Object.entries({ bob: 'policy-admin', rita: 'requester', vic: 'viewer', ann: 'approver' }))
    tokens[name] = await world.person(name, [role]);
  const { body } = await apply(gate());
  const approved = await world.ask('POST', `/v1/approvals/${(body['approval'] as { id: string }).id}/approve`, { token: tokens['ann']! });
  expect(approved.status).toBe(200);
  await world.startSequencer();
  // Everything is a no until the log is signed for the first time.
  for (let reasons = 'LOG_'; reasons.includes('LOG_');) {
    reasons = JSON.stringify((await ask({ environment: 'production', commit: 'e'.repeat(40) })).body['reasons']);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}, 60_000);
beforeEach(() => {
  apis.told.length = 0;
  apis.before = () => Promise.resolve(undefined);
});
afterAll(async () => {
  await sender.stop();
  await endAll();
  await doors.close();
  await world.stop();
  await apis.stop();
  authority.remove();
  rmSync(folder, { recursive: true, force: true });
  expect([failures, apis.problems]).toEqual([[], []]);
});

/** A whole service of its own on the same metadata database, which tells what it finds. */
function environmentOfProcess(): Record<string, string> {
  writeFileSync(join(folder, 'grants.yaml'), grantsText());
  return {
    ...{ PATH: process.env['PATH'] ?? '', NODE_EXTRA_CA_CERTS: authority.caFile, BAUTA_HOME: join(folder, 'home'), BAUTA_HTTP_PORT: '0' },
    ...{
      BAUTA_METADATA: 'env:METADATA',
      METADATA: world.urls.service,
      BAUTA_SERVER_KEY: 'env:SERVER_KEY',
      SERVER_KEY: Buffer.from(world.serverKey).toString('base64'),
    },
    ...{ BAUTA_GRANTS: join(folder, 'grants.yaml'), BAUTA_RUNS: '0', BAUTA_NOTIFY_MS: '50', BAUTA_SCHEDULE_TICK_MS: '0' },
    ...{ BAUTA_HTTP_HOSTS: `localhost:${apis.port}=127.0.0.1+::1`, ...variables() },
  };
}

const apply = (text: string): Promise<Answer> =>
  world.ask('POST', '/v1/apply', { token: tokens['bob']!, text, headers: { 'content-type': 'application/yaml' } });

/** A commit of its own, with the evidence that there is of it. */
async function commitWith(...evidence: readonly ('tests' | 'scan' | 'question')[]): Promise<string> {
  const commit = (number += 1).toString(16).padStart(40, '0');
  const send = (query: string, text: string, type: string): Promise<Answer> =>
    world.ask('POST', `/v1/evidence?${query}`, { token: tokens['rita']!, text, headers: { 'content-type': type } });
  if (evidence.includes('tests'))
    expect(
      (await send(`format=junit&commit=${commit}`, `<testsuite><testcase name="${commit}"/></testsuite>`, 'application/xml')).status,
    ).toBe(201);
  if (evidence.includes('scan')) {
    const report = { SchemaVersion: 2, ArtifactName: commit, ArtifactType: 'container_image', Results: [{ Target: 'alpine' }] };
    expect((await send(`format=trivy&image=${digest}`, JSON.stringify(report), 'application/json')).status).toBe(201);
  }
  for (const environment of evidence.includes('question') ? ['prod-eu', 'production'] : [])
    expect((await ask({ environment, commit })).status).toBe(200);
  return commit;
}
const ask = (change: object): Promise<Answer> =>
  world.ask('POST', '/v1/gates/production/decisions', {
    token: tokens['rita']!,
    json: { service: 'shop', image: `registry.shop.example/web@${digest}`, ...change },
  });

interface Change {
  readonly environment?: string;
  readonly repository?: number;
  readonly callback?: string;
  readonly action?: string;
  readonly updated?: string;
  readonly ref?: string;
}

/** As docs.github.com has the payload, shortened by what nobody here looks at. */
function githubBody(
  commit: string,
  { environment = 'Production EU', repository = 74, callback, action = 'requested', updated, ref = 'main' }: Change = {},
): string {
  const run = (number += 1);
  return JSON.stringify({
    ...{ action, environment, event: 'push' },
    deployment_callback_url: callback ?? `https://localhost:${apis.port}/repos/acme/shop/actions/runs/${run}/deployment_protection_rule`,
    deployment: {
      ...{
        url: `https://localhost:${apis.port}/repos/acme/shop/deployments/1`,
        id: 1,
        sha: commit,
        ref,
        task: 'deploy',
        environment,
      },
      ...{ created_at: new Date().toISOString(), updated_at: updated ?? new Date().toISOString() },
    },
    pull_requests: [],
    repository: { id: repository, full_name: 'acme/shop' },
    ...{ organization: { login: 'acme' }, installation: { id: 99 }, sender: { login: 'octocat' } },
  });
}
function github(
  body: string,
  { id = `delivery-${(number += 1)}`, secret = hooks.github, event = 'deployment_protection_rule' } = {},
): Promise<Answer> {
  const headers = {
    ...{ 'content-type': 'application/json', 'x-github-event': event, 'x-github-delivery': id },
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  };
  return world.ask('POST', '/v1/gates/production/github', { text: body, headers });
}

const gitlabBody = (commit: string, change: { action?: string; check?: number } = {}): string =>
  JSON.stringify({
    ...{
      object_kind: 'merge_request',
      event_type: 'merge_request',
      user: { username: 'root' },
      project: { id: 7, path_with_namespace: 'acme/shop' },
    },
    object_attributes: { iid: 5, action: change.action ?? 'update', target_branch: 'main', last_commit: { id: commit } },
    external_approval_rule: { id: change.check ?? 12, name: 'bauta', external_url: 'https://bauta.example/v1/gates/production/gitlab' },
  });
const gitlab = (body: string, secret = hooks.gitlab): Promise<Answer> =>
  world.ask('POST', '/v1/gates/production/gitlab', {
    text: body,
    headers: { 'content-type': 'application/json', 'x-gitlab-signature': createHmac('sha256', secret).update(body).digest('hex') },
  });
const list = async (): Promise<Record<string, unknown>[]> =>
  (await world.ask('GET', '/v1/gates/production/callbacks?limit=200', { token: tokens['vic']! })).body['items'] as Record<
    string,
    unknown
  >[];
const find = async (id: unknown): Promise<Record<string, unknown> | undefined> => (await list()).find((one) => one['id'] === id);

it('tells GitHub yes about a commit by what its pipeline said before, with the decision and by the installation’s own token', async () => {
  const commit = await commitWith('tests', 'scan', 'question');
  const { status, body } = await github(githubBody(commit, { ref: 'v1.4.2' }));
  expect(status).toBe(202);
  // By which a report about the release finds the commit; what a branch is called may be somebody’s name, and is not logged.
  expect((await world.told('gate.called')).at(-1)?.data).toMatchObject({ tag: 'v1.4.2', commit });
  expect(await find(body['callback'])).toMatchObject({ state: 'waiting', allow: null, via: 'github' });
  await sender.look();
  const [{ path, body: said } = { path: '', body: {} as Record<string, unknown> }, ...more] = apis.told;
  expect([path, said['state'], said['environment_name'], more]).toEqual([
    expect.stringMatching(/^\/repos\/acme\/shop\/actions\/runs\/\d+\/deployment_protection_rule$/),
    ...['approved', 'Production EU', []],
  ]);
  expect(said['comment']).toMatch(/^\*\*allow\*\* by gate `production`: score 100 of 85/);
  const row = await find(body['callback']);
  expect(row).toMatchObject({ state: 'told', allow: true, attempts: 1, error: null });
  expect((await world.told('callback.told')).at(-1)?.data).toMatchObject({
    decision: row?.['decisionId'],
    allow: true,
    gate: 'production',
  });
  expect((await world.told('deployment.decided')).at(-1)?.data).toMatchObject({
    via: 'github',
    commit,
    environment: 'prod-eu',
    service: 'shop',
  });
});

it('tells GitHub no with every reason, in a comment that fits', async () => {
  await github(githubBody(await commitWith()));
  expect((await world.told('gate.called')).at(-1)?.data).not.toHaveProperty('tag');
  await sender.look();
  expect(apis.told.map(({ body }) => body['state'])).toEqual(['rejected']);
  expect(apis.told[0]?.body['comment']).toMatch(/deny[^]*EVIDENCE_MISSING[^]*missing: .*tests/);
});

it('answers a delivery that is repeated as it did the first time, and tells once', async () => {
  const body = githubBody(await commitWith('tests'));
  const first = await github(body, { id: 'the-same' });
  const again = [
    await github(body, { id: 'the-same' }),
    await github(body, { id: 'another' }),
    await github(githubBody('a'.repeat(40)), { id: 'the-same' }),
  ];
  expect(again.map((one) => [one.status, one.body['callback']])).toEqual(again.map(() => [202, first.body['callback']]));
  await Promise.all([sender.look(), sender.look()]);
  await github(body, { id: 'later' });
  await sender.look();
  expect(apis.told).toHaveLength(1);
});

it.each([
  ['unsigned', {}, { 'x-hub-signature-256': '' }],
  ['forged', {}, { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }],
  ['foreign', { repository: 75 }, {}],
  ['foreign', { callback: 'https://evil.example/repos/acme/shop/actions/runs/1/deployment_protection_rule' }, {}],
  ['foreign', { callback: 'https://localhost/../acme/shop/actions/runs/1/deployment_protection_rule' }, {}],
  ['foreign', { environment: '../prod' }, {}],
  ['old', { updated: '2020-01-01T00:00:00Z' }, {}],
  ['unreadable', { updated: 'yesterday' }, {}],
])('refuses what is %s from GitHub, and the log says so (%j, %j)', async (reason, change: Change, headers: Record<string, string>) => {
  const body = githubBody('a'.repeat(40), change);
  const signature = `sha256=${createHmac('sha256', hooks.github).update(body).digest('hex')}`;
  const usual = {
    'x-github-event': 'deployment_protection_rule',
    'x-github-delivery': `${reason}${(number += 1)}`,
    'x-hub-signature-256': signature,
  };
  const answer = await world.ask('POST', '/v1/gates/production/github', {
    text: body,
    headers: { 'content-type': 'application/json', ...usual, ...headers },
  });
  expect([answer.status, answer.body['code']]).toEqual([403, 'WEBHOOK_REFUSED']);
  expect((await world.told('gate.refused')).at(-1)?.data).toMatchObject({ gate: 'production', via: 'github', reason });
  await sender.look();
  expect(apis.told).toEqual([]);
});

it('hears what asks for nothing, and knows no gate, workspace or caller that is not there', async () => {
  expect((await github('{"zen":"…"}', { event: 'ping' })).body).toEqual({ callback: null });
  expect((await github(githubBody('a'.repeat(40), { action: 'completed' }))).body).toEqual({ callback: null });
  for (const path of [
    '/v1/gates/none/github',
    '/v1/gates/production/github?workspace=none',
    '/v1/gates/production/github?workspace=foreign',
  ])
    expect((await world.ask('POST', path, { text: '{}', headers: { 'content-type': 'application/json' } })).status).toBe(404);
});

it('comes again when GitHub says so, tells the same verdict then, and gives up what is refused', async () => {
  const commit = await commitWith('tests', 'scan', 'question');
  let calls = 0;
  apis.before = (path) =>
    Promise.resolve(
      path.startsWith('/repos/') && (calls += 1) < 3 ? { status: calls === 1 ? 502 : 429, headers: { 'Retry-After': '0' } } : undefined,
    );
  const { body } = await github(githubBody(commit));
  for (let n = 0; apis.told.length === 0 && n < 50; n += 1) {
    await sender.look();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const decided = (await world.told('deployment.decided')).filter(({ data }) => data['via'] === 'github' && data['commit'] === commit);
  expect([calls, decided.length, (await find(body['callback']))?.['attempts']]).toEqual([3, 1, 3]);
  apis.before = (path) => Promise.resolve(path.startsWith('/repos/') ? { status: 404 } : undefined);
  const gone = await github(githubBody(commit));
  await sender.look();
  expect(await find(gone.body['callback'])).toMatchObject({ state: 'dead', error: 'CALLBACK_REFUSED', attempts: 1 });
  expect((await world.told('callback.dead')).at(-1)?.data).toMatchObject({ error: 'CALLBACK_REFUSED', via: 'github' });
});

it('tells GitLab about the newest commit of a merge request, and is asked again by the same words', async () => {
  const commit = await commitWith('tests', 'scan', 'question');
  const body = gitlabBody(commit);
  const first = await gitlab(body);
  expect([first.status, (await gitlab(body)).body['callback']]).toEqual([202, first.body['callback']]);
  await sender.look();
  expect(apis.told.map(({ path, body: said }) => [path, said])).toEqual([
    ['/api/v4/projects/7/merge_requests/5/status_check_responses', { sha: commit, external_status_check_id: 12, status: 'passed' }],
  ]);
  await gitlab(body);
  await gitlab(gitlabBody(await commitWith()));
  await sender.look();
  expect(apis.told.map(({ body: said }) => said['status']).sort()).toEqual(['failed', 'passed', 'passed']);
  expect((await gitlab(gitlabBody(commit, { action: 'merge' }))).body).toEqual({ callback: null });
  expect((await gitlab(gitlabBody(commit, { check: 13 }))).status).toBe(403);
  expect((await gitlab(body, 'somebody-elses-secret')).status).toBe(403);
});

it('leaves what GitLab has given up, after two minutes', async () => {
  const { body } = await gitlab(gitlabBody(await commitWith()));
  await world.sql(`UPDATE bauta.callback SET until_at = now() - interval '1 second' WHERE id = '${String(body['callback'])}'`);
  await sender.look();
  expect([apis.told, await find(body['callback'])]).toEqual([[], expect.objectContaining({ state: 'dead', error: 'CALLBACK_LATE' })]);
});

/** As the example sets the check, with the variables that Azure DevOps puts in. */
function azure(json: object, change: Record<string, string> = {}): Promise<Answer> {
  const { urlSuffix, headers } = JSON.parse(read('azure-devops-async.json')) as { urlSuffix: string; headers: Record<string, string> };
  const variables: Record<string, string> = {
    ...{ BautaToken: tokens['rita']!, 'system.CollectionUri': `https://localhost:${apis.port}/acme/`, 'system.TeamProjectId': project },
    ...{ 'system.HostType': 'Gates', 'system.AccessToken': lent.azure, 'system.PlanId': project.replace('1', 'a') },
    ...{ 'system.JobId': project.replace('1', 'b'), 'system.TaskInstanceId': project.replace('1', 'c') },
  };
  const put = (text: string): string => text.replaceAll(/\$\(([\w.]+)\)/g, (_, name: string) => variables[name] ?? '');
  const filled = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), put(text)]));
  return world.ask('POST', urlSuffix, { text: JSON.stringify(json), headers: { ...filled, ...change } });
}

it('answers Azure DevOps at once and posts its event later, with the token of its job, which is gone then', async () => {
  const commit = await commitWith('tests', 'scan');
  const question = { environment: 'prod-eu', service: 'shop', commit, image: `registry.shop.example/web@${digest}` };
  const startedAt = performance.now();
  const { status, body } = await azure(question);
  expect([status, performance.now() - startedAt < 3000]).toEqual([200, true]);
  const row = async (): Promise<unknown> =>
    (await world.sql(`SELECT sealed IS NOT NULL AS sealed FROM bauta.callback WHERE id = '${String(body['callback'])}'`))[0]?.['sealed'];
  expect(await row()).toBe(true);
  // While it waits, too: at the end everything is looked through by the world.
  const stored = (await readEverything((text) => world.sql(text))).join();
  for (const secret of [lent.azure, Buffer.from(lent.azure).toString('hex'), Buffer.from(lent.azure).toString('base64')])
    expect(stored).not.toContain(secret);
  await sender.look();
  expect([await row(), apis.told.map(({ body: said }) => said)]).toEqual([
    false,
    [{ name: 'TaskCompleted', taskId: project.replace('1', 'c'), jobId: project.replace('1', 'b'), result: 'succeeded' }],
  ]);
  const told = (await world.told('deployment.decided')).at(-1);
  expect([told?.data['via'], told?.data['commit'], told?.actor ?? told?.data['actor']]).toEqual(['azure', commit, expect.any(String)]);
  await azure({ ...question, commit: 'f'.repeat(40) });
  await sender.look();
  expect(apis.told.map(({ body: said }) => said['result'])).toEqual(['succeeded', 'failed']);
  expect((await azure(question, { planurl: 'https://evil.example/acme' })).body['code']).toBe('WEBHOOK_REFUSED');
  expect((await azure(question, { projectid: project.replace('1', 'd') })).body['code']).toBe('WEBHOOK_REFUSED');
  expect((await azure(question, { hubname: '../x' })).status).toBe(400);
  expect((await azure({ ...question, environment: 'a b' })).status).toBe(422);
});

it('is told once by one of several processes, and by another when the one that had it was killed while it told', async () => {
  const commit = await commitWith('tests', 'scan', 'question');
  let asked: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (asked = resolve));
  apis.before = (path) => (path.startsWith('/app/') ? (asked(), new Promise(() => undefined)) : Promise.resolve(undefined));
  const { child } = await begin('main', environmentOfProcess());
  const { body } = await github(githubBody(commit));
  await reached;
  await end(child, 'SIGKILL');
  apis.before = () => Promise.resolve(undefined);
  await sender.look();
  expect(apis.told).toEqual([]);
  // What it had is free when its time is over.
  await world.sql(`UPDATE bauta.callback SET next_at = now() WHERE id = '${String(body['callback'])}'`);
  await Promise.all([sender.look(), sender.look()]);
  await sender.look();
  expect(apis.told.map(({ body: said }) => said['state'])).toEqual(['approved']);
  const decided = (await world.told('deployment.decided')).filter(({ data }) => data['via'] === 'github' && data['commit'] === commit);
  expect([decided.length, await find(body['callback'])]).toEqual([1, expect.objectContaining({ state: 'told', attempts: 2 })]);
}, 60_000);

it('takes a second person to name another caller, or another address of one, and nothing that does not fit', async () => {
  const other = await apply(gate().replace('id: 74', 'id: 75'));
  expect([other.status, JSON.stringify(other.body)]).toEqual([202, expect.stringContaining('caller github')]);
  const problems = async (from: string, to: string): Promise<string> => JSON.stringify((await apply(gate('other').replace(from, to))).body);
  expect(await problems('environment: production', 'environment: dev')).toMatch(
    /\"line\":\d+,\"path\":\"callers\/gitlab\/projects\/0\/environment\"/,
  );
  expect(await problems('secret: env:BAUTA_CONN_GITHUB_HOOK', 'secret: github-signs-with-this')).toContain('callers');
  expect(await problems(`api: https://localhost:${apis.port}/api/v4`, 'api: https://evil.example/api/v4')).toContain(
    'SECRET_NOT_GRANTED_FOR',
  );
  expect(await problems('- id: 74', '- { id: 74, name: acme/other, service: shop }\n      - id: 74')).toContain(
    'callers/github/repositories/1',
  );
});
