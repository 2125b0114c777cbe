// A cluster asks a gate what it may let in: reviews as kubectl makes a cluster send them, over TLS of the service itself, which runs as its own process.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';

import { GateDoors, toReadEvidence } from '../../src/control/gates/gates.js';
import { Grants } from '../../src/control/references.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { type Authority, createAuthority } from '../support/certificates.js';
import { begin, endAll } from '../support/processes.js';
import { findProgram } from '../support/program.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';

const secret = 'the-cluster-shows-this';
const image = (letter: string): string => `registry.shop.example/web@sha256:${letter.repeat(64)}`;
const [scanned, unknown] = [image('b'), image('c')];
const commit = 'a'.repeat(40);
const read = (name: string): string => readFileSync(packageFile('examples', 'gate', 'kubernetes', name), 'utf8');
const manifest = parse(read('webhook.yaml')) as {
  webhooks: [
    {
      clientConfig: { service: { path: string } };
      namespaceSelector: { matchExpressions: object[] };
      failurePolicy: string;
      timeoutSeconds: number;
      sideEffects: string;
      rules: { operations: string[]; resources: string[] }[];
    },
  ];
};
let world: ServiceWorld;
let authority: Authority;
let doors: GateDoors;
let folder = '';
let address = '';
const tokens: Record<string, string> = {};

beforeAll(async () => {
  authority = createAuthority();
  folder = mkdtempSync(join(tmpdir(), 'bauta-admission-'));
  world = await startServiceWorld(
    undefined,
    undefined,
    {},
    {
      grants: Grants.usual,
      gates: (metadata) => (doors = new GateDoors(metadata, toReadEvidence(metadata), () => openPolicy({ question: 'deploy' }))),
    },
  );
  world.secret(secret);
  for (const [name, role] of Object.entries({ bob: 'policy-admin', rita: 'requester', ann: 'approver' }))
    tokens[name] = await world.person(name, [role]);
  const { callers } = parse(read('gate-callers.yaml')) as { callers: object };
  const gate = {
    ...{ kind: 'Gate', name: 'production', environments: ['production'], services: ['*'], threshold: 85, callers },
    dataset: { required: false, reason: 'the data of these tests is another gate’s' },
    evidence: [
      { name: 'scan', type: 'trivy', subject: 'image', maxAge: '24h', points: 60 },
      { name: 'tests', type: 'junit', subject: 'commit', maxAge: '24h', points: 40 },
    ],
  };
  const headers = { 'content-type': 'application/yaml' };
  const { body } = await world.ask('POST', '/v1/apply', { token: tokens['bob']!, text: stringify(gate), headers });
  await world.ask('POST', `/v1/approvals/${(body['approval'] as { id: string }).id}/approve`, { token: tokens['ann']! });
  await world.startSequencer();
  await send(`format=junit&commit=${commit}`, '<testsuite><testcase name="one"/></testsuite>', 'application/xml');
  const report = { SchemaVersion: 2, ArtifactName: scanned, ArtifactType: 'container_image', Results: [{ Target: 'alpine' }] };
  await send(`format=trivy&image=${scanned.slice(scanned.indexOf('@') + 1)}`, JSON.stringify(report), 'application/json');
  // The pipeline says which commit the image is of.
  const json = { environment: 'production', service: 'shop', commit, image: scanned };
  // A no until the log is signed for the first time.
  for (let allow: unknown = false, n = 0; allow !== true; n += 1) {
    const said = (await world.ask('POST', '/v1/gates/production/decisions', { token: tokens['rita']!, json })).body;
    allow = said['allow'];
    expect([n < 100, JSON.stringify(said['reasons'])]).toEqual([true, expect.stringMatching(/^\[\]$|LOG_/)]);
    if (allow !== true) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { certFile, keyFile } = authority.issue(['DNS:localhost', 'IP:127.0.0.1']);
  const { words } = await begin('main', {
    ...{
      PATH: process.env['PATH'] ?? '',
      BAUTA_HOME: join(folder, 'home'),
      BAUTA_HTTP_PORT: '0',
      BAUTA_RUNS: '0',
      BAUTA_SCHEDULE_TICK_MS: '0',
    },
    ...{ BAUTA_METADATA: 'env:METADATA', METADATA: world.urls.service, BAUTA_CONN_CLUSTER: secret },
    ...{ BAUTA_SERVER_KEY: 'env:SERVER_KEY', SERVER_KEY: Buffer.from(world.serverKey).toString('base64') },
    ...{ BAUTA_HTTP_CERTIFICATE: `file:${certFile}`, BAUTA_HTTP_KEY: `file:${keyFile}` },
  });
  [, address = ''] = /bauta is ready: (https:\/\/127\.0\.0\.1:\d+)/.exec(words) ?? [];
}, 60_000);
afterAll(async () => {
  await endAll();
  await doors.close();
  await world.stop();
  authority.remove();
  rmSync(folder, { recursive: true, force: true });
});

const send = async (query: string, text: string, type: string): Promise<void> => {
  const answer: Answer = await world.ask('POST', `/v1/evidence?${query}`, {
    token: tokens['rita']!,
    text,
    headers: { 'content-type': type },
  });
  expect(answer.status).toBe(201);
};

interface Reviewed {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly response: {
    readonly uid?: string;
    readonly allowed?: boolean;
    readonly status?: { readonly code: number; readonly message: string };
    readonly auditAnnotations?: Readonly<Record<string, string>>;
  };
}

/** As the example names the path, over TLS that is verified. */
function post(body: object, key = secret): Promise<Reviewed> {
  const path = manifest.webhooks[0].clientConfig.service.path.replace('REPLACE_WITH_THE_SECRET', key);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${address}${path}?timeout=5s`,
      { method: 'POST', ca: authority.ca, headers: { 'Content-Type': 'application/json' } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.on('end', () => {
          const said = JSON.parse(text) as Record<string, unknown>;
          resolve({ status: answer.statusCode ?? 0, body: said, response: said['response'] ?? {} });
        });
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

const pod = (...images: readonly string[]): object => ({ containers: images.map((one, n) => ({ name: `c${n}`, image: one })) });
const template = (spec: object): object => ({ template: { metadata: { labels: { app: 'shop' } }, spec } });
const kinds: Readonly<Record<string, (spec: object) => object>> = {
  Pod: (spec) => spec,
  ...Object.fromEntries(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'].map((kind) => [kind, template])),
  CronJob: (spec) => ({ schedule: '@daily', jobTemplate: { spec: template(spec) } }),
};
interface Change {
  readonly kind?: string;
  readonly namespace?: string;
  readonly operation?: string;
  readonly dryRun?: boolean;
  readonly old?: object;
}

/** As kube-apiserver sends it for `kubectl apply`, shortened by managedFields. */
function review(spec: object, { kind = 'Deployment', namespace = 'shop', operation = 'CREATE', dryRun = false, old }: Change = {}): object {
  const group = { Pod: '', Job: 'batch', CronJob: 'batch' }[kind] ?? 'apps';
  const resource = { group, version: 'v1', resource: `${kind.toLowerCase()}s` };
  const of = (one: object): object => ({
    ...{ apiVersion: group === '' ? 'v1' : `${group}/v1`, kind },
    metadata: { name: 'shop-web', namespace, labels: { 'app.kubernetes.io/name': 'shop' }, creationTimestamp: null },
    ...{ spec: (kinds[kind] ?? template)(one), status: {} },
  });
  return {
    ...{ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1' },
    request: {
      ...{
        uid: `705ab4f5-6393-11e8-b7cc-${kind.toLowerCase()}`,
        kind: { group, version: 'v1', kind },
        resource,
        requestKind: { group, version: 'v1', kind },
      },
      ...{
        requestResource: resource,
        name: 'shop-web',
        namespace,
        operation,
        userInfo: { username: 'kubernetes-admin', groups: ['system:masters'] },
      },
      ...{ object: of(spec), oldObject: old ? of(old) : null, dryRun, options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions' } },
    },
  };
}

it.each(Object.keys(kinds))('lets a %s in whose images the gate lets through, and no other, under the uid of the review', async (kind) => {
  const yes = await post(review(pod(scanned), { kind }));
  expect([yes.status, yes.body['apiVersion'], yes.body['kind']]).toEqual([200, 'admission.k8s.io/v1', 'AdmissionReview']);
  expect(yes.response).toMatchObject({ uid: `705ab4f5-6393-11e8-b7cc-${kind.toLowerCase()}`, allowed: true });
  for (const spec of [
    pod(scanned, unknown),
    { ...pod(scanned), initContainers: [{ name: 'i', image: unknown }] },
    { ...pod(scanned), ephemeralContainers: [{ name: 'e', image: unknown }] },
    { ...pod(scanned), volumes: [{ name: 'v', image: { reference: unknown } }] },
  ]) {
    const no = await post(review(spec, { kind }));
    expect([no.status, no.response.allowed, no.response.status?.code, no.response.status?.message]).toEqual([
      ...[200, false, 403],
      expect.stringContaining(`${unknown}: EVIDENCE_MISSING`),
    ]);
  }
});

it('judges images by their digests, and not by their tags', async () => {
  for (const tag of ['registry.shop.example/web:v3', 'nginx', 'registry.shop.example/web@sha256:abc', 'no image at all'])
    expect((await post(review(pod(tag)))).response).toMatchObject({
      allowed: false,
      status: { message: expect.stringContaining('IMAGE_NOT_PINNED') },
    });
});

it('names the decisions in the audit log of the cluster, where they can be looked up', async () => {
  const { response } = await post(review(pod(scanned)));
  expect(response.auditAnnotations).toMatchObject({ gate: 'production', codes: '' });
  const [told] = (await world.told('deployment.decided')).slice(-1);
  expect(told?.data).toMatchObject({ decision: response.auditAnnotations?.['decisions'], via: 'kubernetes', commit, allow: true });
});

it('leaves nothing behind of a dry run', async () => {
  const count = async (): Promise<unknown> => (await world.sql('SELECT (SELECT count(*) FROM bauta.decision) + (SELECT count(*) FROM bauta.audit_leaf) + (SELECT count(*) FROM bauta.outbox) AS n'))[0]?.['n']; // prettier-ignore
  const before = await count();
  const answers = [await post(review(pod(scanned), { dryRun: true })), await post(review(pod(unknown), { dryRun: true }))];
  expect(
    answers.map(({ response }) => [response.allowed, response.auditAnnotations?.['dry-run'], response.auditAnnotations?.['decisions']]),
  ).toEqual([
    [true, 'true', undefined],
    [false, 'true', undefined],
  ]);
  expect(await count()).toBe(before);
});

it('asks about what is new in an update, and not about what runs already or goes away', async () => {
  const update = (old: string, now: string): Promise<Reviewed> => post(review(pod(now), { operation: 'UPDATE', old: pod(old) }));
  expect((await update(unknown, unknown)).response).toMatchObject({ allowed: true, auditAnnotations: { codes: 'UNCHANGED' } });
  expect((await update(scanned, unknown)).response.allowed).toBe(false);
  expect((await update(unknown, scanned)).response.allowed).toBe(true);
  expect((await post(review(pod(unknown), { operation: 'DELETE' }))).response.allowed).toBe(true);
});

it('lets nothing in that it cannot look at', async () => {
  const denied = async (body: object): Promise<unknown> => {
    const { status, response } = await post(body);
    expect([status, response.allowed]).toEqual([200, false]);
    return response.auditAnnotations?.['codes'];
  };
  expect(await denied(review(pod(scanned), { kind: 'Workflow' }))).toBe('KIND_UNKNOWN');
  expect(await denied(review(pod(scanned), { operation: 'CONNECT' }))).toBe('KIND_UNKNOWN');
  expect(await denied(review(pod(scanned), { namespace: 'elsewhere' }))).toBe('NAMESPACE_UNKNOWN');
  expect(await denied(review({ containers: [{ name: 'c0' }] }))).toBe('IMAGES_UNREADABLE');
  expect(await denied(review({}))).toBe('IMAGES_UNREADABLE');
  expect(await denied(review(pod(...Array.from({ length: 51 }, (_, n) => `i${n}`))))).toBe('IMAGES_TOO_MANY');
  expect((await post({ kind: 'AdmissionReview' })).status).toBe(400);
  expect((await post(review(pod(scanned)), 'somebody-elses-secret')).status).toBe(403);
  expect((await world.told('gate.refused')).at(-1)?.data).toMatchObject({ via: 'kubernetes', reason: 'forged' });
});

it('the example fails closed, asks within seconds, leaves Bauta itself alone and names every kind that is looked at', () => {
  const [hook] = manifest.webhooks;
  expect([hook.failurePolicy, hook.sideEffects, hook.timeoutSeconds <= 5]).toEqual(['Fail', 'NoneOnDryRun', true]);
  expect(hook.namespaceSelector.matchExpressions).toEqual([
    { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: expect.arrayContaining(['bauta']) },
  ]);
  expect(hook.rules.map(({ operations }) => operations)).toEqual(hook.rules.map(() => ['CREATE', 'UPDATE']));
  const resources = hook.rules.flatMap((one) => one.resources);
  expect(resources).toEqual(
    expect.arrayContaining([...Object.keys(kinds).map((kind) => `${kind.toLowerCase()}s`), 'pods/ephemeralcontainers']),
  );
});

const validator = findProgram('kubernetes-validate');
(validator ? describe : describe.skip)('by the tools of Kubernetes', () => {
  it('the example fits the published schemas, strictly', () => {
    execFileSync(validator ?? '', ['--strict', packageFile('examples', 'gate', 'kubernetes', 'webhook.yaml')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }, 30_000);
});
