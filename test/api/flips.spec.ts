// What was let through is taken back by what happens afterwards: each cause, once, with what follows from it. A real run and its version, evidence and
// waivers by their routes, the compiled policy, a webhook over TLS.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { toStatement } from '../../src/cli/attest.js';
import { parseSettings } from '../../src/config/settings.js';
import { FlipClock, GateDoors, toReadEvidence } from '../../src/control/gates/gates.js';
import { Notifier } from '../../src/control/notifications/notifications.js';
import { Grants } from '../../src/control/references.js';
import type { RunWorker } from '../../src/control/runs/runs.js';
import type { Policy } from '../../src/pipeline/ports.js';
import { HttpClient } from '../../src/systems/http/http.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { type Authority, createAuthority } from '../support/certificates.js';
import { type Answer, type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const key = 'a-key-of-32-bytes-that-nobody-has';
const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
const tokens: Record<string, string> = {};
const heard: { readonly id: string; readonly type: string; readonly data: Record<string, unknown> }[] = [];
const failures: unknown[] = [];
const policy = { away: false };
let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let doors: GateDoors;
let flips: FlipClock[];
let notifier: Notifier;
let authority: Authority;
let hook: Server;
let home = '';
let statement: Awaited<ReturnType<typeof toStatement>>['statement'];
let run = '';
let commits = 0;

beforeAll(async () => {
  authority = createAuthority();
  const { key: tlsKey, cert } = authority.issue(['DNS:hooks.test']);
  hook = createServer({ key: tlsKey, cert }, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      heard.push({ id: String(request.headers['webhook-id']), ...(JSON.parse(body) as { type: string; data: Record<string, unknown> }) });
      response.end();
    });
  });
  await new Promise<void>((done) => hook.listen(0, '127.0.0.1', done));
  const { port } = hook.address() as AddressInfo;
  const grants = Grants.parse(
    `workspaces: { default: { references: ['env:BAUTA_CONN_*'], secrets: [{ reference: env:BAUTA_CONN_KEY, for: 'hooks.test:${port}' }] } }`,
    'grants.yaml',
  );
  tiny = await startTinyWorld();
  world = await startServiceWorld(
    tiny.server,
    clock,
    {},
    {
      grants,
      gates: (metadata) => {
        const opening = async (): Promise<Policy> => {
          const own = await openPolicy({ question: 'deploy' });
          return { ...own, decide: (input, id) => (policy.away ? Promise.reject(new Error('away')) : own.decide(input, id)) };
        };
        return (doors = new GateDoors(metadata, toReadEvidence(metadata), opening));
      },
    },
  );
  const failed = (error: unknown): void => void failures.push(error);
  flips = [1, 2].map(() => new FlipClock({ metadata: world.metadata, doors, clock, failed, lookMs: 0 }));
  notifier = new Notifier({
    ...{ metadata: world.metadata, grants, failed, firstWaitMs: 30, environment: { BAUTA_CONN_KEY: key } },
    http: new HttpClient({ hosts: `hooks.test:${port}=127.0.0.1`, ca: authority.ca, lookup: () => Promise.resolve(['127.0.0.1']) }),
    settings: parseSettings({ BAUTA_NOTIFY_MS: '60000' }),
  });
  home = mkdtempSync(join(tmpdir(), 'bauta-flips-'));
  worker = await startRunWorker(world, home, { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') });
  for (const [name, role] of Object.entries({ bob: 'policy-admin', rita: 'requester', otto: 'operator', ann: 'approver', vic: 'viewer' }))
    tokens[name] = await world.person(name, [role]);
  const channel = `kind: Channel\nname: hook\nvia: webhook\nevents: [deployment-flipped]
webhook: { url: 'https://hooks.test:${port}/flips', secret: env:BAUTA_CONN_KEY }\n`;
  const gate = `kind: Gate\nname: production\nenvironments: [prod]\nservices: ['*']\nthreshold: 85\ndataset: { points: 40 }
evidence:\n  - { name: scan, type: trivy, subject: commit, maxAge: 24h, points: 60 }
parameters: { revokeOn: [LIVE_VALUES] }\n`;
  const pipeline = [pipelineText, classificationText].join('---\n').replaceAll(/env:(SOURCE|TARGET)_URL/g, 'env:BAUTA_CONN_$1');
  for (const text of [channel, gate, pipeline]) {
    const headers = { 'content-type': 'application/yaml' };
    const { status, body } = await world.ask('POST', '/v1/apply', { token: tokens['bob']!, text, headers });
    expect([200, 202]).toContain(status);
    if (status === 202) await post(`/v1/approvals/${(body['approval'] as { id: string }).id}/approve`, {}, 'ann');
  }
  run = String((await post('/v1/runs', { pipeline: 'tiny' })).body['id']);
  for (let state = ''; state !== 'published'; await new Promise((resolve) => setTimeout(resolve, 50))) {
    state = String((await get(`/v1/runs/${run}`)).body['state']);
    expect(['failed', 'denied', 'withheld', 'cancelled']).not.toContain(state);
  }
  statement = (await toStatement({ reference: 'env:COPY', environment: { COPY: tiny.target('copy') } })).statement;
}, 60_000);
afterAll(async () => {
  await Promise.all(flips.map((one) => one.stop()));
  await notifier.stop();
  await worker.stop();
  await doors.close();
  await world.stop();
  await tiny.stop();
  hook.closeAllConnections();
  hook.close();
  authority.remove();
  rmSync(home, { recursive: true, force: true });
});

const post = (path: string, json: object, who = 'rita'): Promise<Answer> => world.ask('POST', path, { token: tokens[who]!, json });
const get = (path: string): Promise<Answer> => world.ask('GET', path, { token: tokens['vic']! });
/** Both replicas at the same moment, and once more. */
const look = async (): Promise<void> => {
  await Promise.all(flips.map((one) => one.look()));
  await flips[0]!.look();
};

interface Deployed {
  readonly id: string;
  readonly commit: string;
  readonly evidence: string;
}

const report = (...vulnerabilities: readonly object[]): object => ({
  ...{ SchemaVersion: 2, ArtifactName: `shop ${vulnerabilities.length}`, ArtifactType: 'filesystem' },
  Results: [{ Target: 'lock', Vulnerabilities: vulnerabilities }],
});
const critical = { VulnerabilityID: 'CVE-2026-1', PkgName: 'ssl', FixedVersion: '2', Severity: 'CRITICAL' };
const decide = async (service: string, commit: string): Promise<Answer> =>
  post('/v1/gates/production/decisions', { environment: 'prod', service, commit, statement });

/** A yes for a service of this name, with a commit of its own. `before`: after its evidence came. */
async function deploy(
  service: string,
  sent: object = report(),
  before: (commit: string) => Promise<unknown> = () => Promise.resolve(),
): Promise<Deployed> {
  const commit = (commits += 1).toString(16).padStart(40, '0');
  const reported = await post(`/v1/evidence?format=trivy&commit=${commit}`, sent);
  await before(commit);
  const { body } = await decide(service, commit);
  expect([service, body['reasons']]).toEqual([service, []]);
  await look();
  const id = String(body['decisionId']);
  expect(await flipOf(id)).toBeNull();
  return { id, commit, evidence: String(reported.body['id']) };
}

async function waive(rule: string, until: Date): Promise<string> {
  const { body } = await post('/v1/waivers', { rule, reason: 'not reached', until: until.toISOString() });
  await post(`/v1/approvals/${(body['approval'] as { id: string }).id}/approve`, {}, 'ann');
  return ((await get('/v1/waivers?limit=1')).body['items'] as { id: string }[])[0]!.id;
}

interface Flipped {
  readonly at: string;
  readonly codes: readonly string[];
  readonly revoked: string | null;
}
const flipOf = async (id: string): Promise<Flipped | null> => (await get(`/v1/decisions/${id}`)).body['flipped'] as Flipped | null;
const told = async (id: string): Promise<number> =>
  (await world.told('deployment.flipped')).filter(({ data }) => data['decision'] === id).length;

it('a critical finding on what was deployed flips its decision and tells the webhook, each once', async () => {
  const { id, commit } = await deploy('web');
  const other = await deploy('api');
  expect((await post(`/v1/evidence?format=trivy&commit=${commit}`, report(critical))).status).toBe(201);
  await look();
  expect(await flipOf(id)).toMatchObject({ codes: ['CRITICAL_WITH_FIX', 'SCORE_BELOW_THRESHOLD'], revoked: null });
  expect(await flipOf(other.id)).toBeNull();
  for (let n = 0; n < 3; n++) await notifier.look();
  await post(`/v1/evidence?format=trivy&commit=${commit}`, report(critical, { ...critical, PkgName: 'tls' }));
  await look();
  await notifier.look();
  expect(heard.filter(({ data }) => data['decision'] === id)).toMatchObject([
    { type: 'deployment-flipped', data: { gate: 'production', environment: 'prod', service: 'web', code: 'CRITICAL_WITH_FIX' } },
  ]);
  expect(await told(id)).toBe(1);
  const list = (await get('/v1/decisions?gate=production')).body['items'] as { id: string; allow: boolean; flipped: object | null }[];
  expect(list.filter(({ flipped }) => flipped !== null).map((one) => [one.id, one.allow])).toEqual([[id, true]]);
  // What was decided stays what it was.
  expect((await post(`/v1/decisions/${id}/replay`, {}, 'vic')).body['same']).toBe(true);
});

it('a waiver that is ended, and one whose time is up, flip what rested on them', async () => {
  const until = new Date(Date.now() + 3_600_000);
  let waiver = '';
  const ended = await deploy(
    'ended',
    report({ ...critical, VulnerabilityID: 'CVE-2026-2' }),
    async () => (waiver = await waive('CVE-2026-2', until)),
  );
  const over = await deploy('over', report({ ...critical, VulnerabilityID: 'CVE-2026-3' }), () => waive('CVE-2026-3', until));
  expect((await world.ask('DELETE', `/v1/waivers/${waiver}`, { token: tokens['otto']! })).status).toBe(204);
  await look();
  expect([(await flipOf(ended.id))?.codes, await flipOf(over.id)]).toEqual([['CRITICAL_WITH_FIX', 'SCORE_BELOW_THRESHOLD'], null]);
  await world.sql(`UPDATE bauta.waiver SET until = clock_timestamp() WHERE rule = 'CVE-2026-3'`);
  await look();
  expect((await flipOf(over.id))?.codes).toContain('CRITICAL_WITH_FIX');
});

it('looks again when a waiver ends by itself, without anything that happens', async () => {
  const soon = new Date(Date.now() + 1500);
  const { id } = await deploy('soon', report({ ...critical, VulnerabilityID: 'CVE-2026-4' }), () => waive('CVE-2026-4', soon));
  await new Promise((resolve) => setTimeout(resolve, soon.getTime() - Date.now() + 50));
  await look();
  expect((await flipOf(id))?.codes).toContain('CRITICAL_WITH_FIX');
});

it('evidence that is withdrawn counts no more, and flips what it let through', async () => {
  const { id, evidence } = await deploy('withdrawn');
  expect((await post(`/v1/evidence/${evidence}/withdraw`, { reason: 'no database' }, 'rita')).status).toBe(403);
  const { status, body } = await post(`/v1/evidence/${evidence}/withdraw`, { reason: 'no database' }, 'otto');
  expect([status, typeof body['withdrawnAt']]).toEqual([200, 'string']);
  expect((await post(`/v1/evidence/${evidence}/withdraw`, { reason: 'again' }, 'otto')).status).toBe(200);
  expect((await world.told('evidence.withdrawn')).filter(({ data }) => data['evidence'] === evidence).length).toBe(1);
  await look();
  expect((await flipOf(id))?.codes).toEqual(['EVIDENCE_MISSING', 'SCORE_BELOW_THRESHOLD']);
});

it('what merely grows old flips nothing', async () => {
  const { id } = await deploy('old');
  clock.ahead = 10 * 86_400_000;
  try {
    await world.sql('UPDATE bauta.deployment SET due_at = clock_timestamp() WHERE flipped_at IS NULL');
    await look();
    expect(await flipOf(id)).toBeNull();
  } finally {
    clock.ahead = 0;
  }
});

it('nothing is lost while no policy can be asked, and a decision that was taken over a finding that came meanwhile is looked at', async () => {
  const { id, commit } = await deploy('patient');
  policy.away = true;
  await post(`/v1/evidence?format=trivy&commit=${commit}`, report(critical));
  await look();
  expect([await flipOf(id), failures.splice(0).length > 0]).toEqual([null, true]);
  policy.away = false;
  // As if the finding had come between the facts and the record of the decision: nothing is left that says so.
  await world.sql('DELETE FROM bauta.recheck');
  await world.sql(`UPDATE bauta.deployment SET due_at = clock_timestamp() WHERE service = 'patient'`);
  await look();
  expect((await flipOf(id))?.codes).toContain('CRITICAL_WITH_FIX');
  expect(failures).toEqual([]);
});

it('the next yes for the same service stands in the place of the one before, and only that one flips', async () => {
  const first = await deploy('twice');
  const second = await deploy('twice');
  for (const { commit } of [first, second]) await post(`/v1/evidence?format=trivy&commit=${commit}`, report(critical));
  await look();
  expect([await flipOf(first.id), (await flipOf(second.id))?.codes[0]]).toEqual([null, 'CRITICAL_WITH_FIX']);
});

it('drift and the end of a version flip what was tested on it; live values revoke it too, and what follows from that flips as well', async () => {
  const row = `WHERE run_id = '${run}'`;
  const drifted = await deploy('drifted');
  await world.sql(`UPDATE bauta.dataset_version SET drift = '[{"what":"Pipeline tiny","digest":"sha256:00"}]' ${row}`);
  await look();
  await world.sql(`UPDATE bauta.dataset_version SET drift = NULL ${row}`);
  expect((await flipOf(drifted.id))?.codes).toContain('DATASET_DRIFTED');
  const expired = await deploy('expired');
  await world.sql(`UPDATE bauta.dataset_version SET expires_at = clock_timestamp() ${row}`);
  await look();
  await world.sql(`UPDATE bauta.dataset_version SET expires_at = clock_timestamp() + interval '20 days' ${row}`);
  expect((await flipOf(expired.id))?.codes).toContain('DATASET_EXPIRED');
  // A look that failed, and a version that was replaced and dropped, are nothing that speaks against what was tested.
  const fine = await deploy('fine');
  await world.sql(`UPDATE bauta.dataset_version SET look_error = 'SOURCE_UNREACHABLE', drift = '[]' ${row}`);
  await look();
  expect(await flipOf(fine.id)).toBeNull();
  await world.sql(`UPDATE bauta.dataset_version SET look_error = NULL, drift = NULL ${row}`);
  const live = await deploy('live');
  await world.sql(
    `UPDATE bauta.dataset_version SET rows_drift = '["app.person: rows differ; outside the reserved space: 3 × pan in card"]' ${row}`,
  );
  await look();
  expect((await flipOf(live.id))?.codes).toContain('LIVE_VALUES');
  const [version] = await world.sql(`SELECT revoked_at IS NOT NULL AS revoked FROM bauta.dataset_version ${row}`);
  expect(version).toEqual({ revoked: true });
  const revoked = (await world.told('dataset.revoked')).filter(({ data }) => data['run'] === run);
  expect(revoked.length).toBe(1);
  const decisions = (await get('/v1/decisions?limit=200')).body['items'] as { service: string; flipped: Flipped | null }[];
  const byRevocation = decisions.filter(({ flipped }) => flipped?.revoked === run).map(({ service }) => service);
  expect(byRevocation.length).toBe(1);
  expect(['fine', 'live', 'old', 'api']).toContain(byRevocation[0]);
  for (const service of ['live', 'fine', 'api', 'old'])
    expect(decisions.find((one) => one.service === service)?.flipped?.codes.length).toBeGreaterThan(0);
});
