// May this version go to that environment? A real run, a real `bauta attest` of what it published, the compiled policy, the signed log. Evidence comes
// from a list where its counts matter, and by /v1/evidence where its life does.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { attest } from '../../src/pipeline/verify/verify.js';
import { GateDoors, toReadEvidence } from '../../src/control/gates/gates.js';
import type { RunWorker } from '../../src/control/runs/runs.js';
import { toError } from '../../src/kernel/errors.js';
import { formatVerifierKey } from '../../src/kernel/signed-note.js';
import type { EvidenceItem, ReadEvidence } from '../../src/pipeline/evidence-item.js';
import type { Policy } from '../../src/pipeline/ports.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { toStatement } from '../../src/cli/attest.js';
import { type Answer, type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const commit = 'a'.repeat(40);
const digest = `sha256:${'b'.repeat(64)}`;
const image = `registry.shop.example/web@${digest}`;
const none = { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 };
/** What was sent so far. */
const sent: EvidenceItem[] = [];
const state: { fails: Error | undefined; received: boolean } = { fails: undefined, received: false };
let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let doors: GateDoors;
let home = '';
let statement: Awaited<ReturnType<typeof toStatement>>['statement'];
let run = '';
const tokens: Record<string, string> = {};

const gateText = (more = '', name = 'production'): string => `kind: Gate
name: ${name}
environments: [prod, prod-*]
services: ['*']
threshold: 85
dataset: { points: 40 }
evidence:
  - { name: scan, type: trivy, subject: image, maxAge: 24h, points: 60 }
${more}`;
const item = (change: Partial<EvidenceItem> = {}): EvidenceItem => ({
  ...{ id: '00000000-0000-4000-8000-00000000000a', type: 'trivy', tool: 'trivy', subject: { kind: 'image', value: digest } },
  producer: { issuer: null, repository: null, repositoryName: null, ref: null, workflow: null, person: 'ci' },
  ...{
    receivedAtMs: Date.now() - 1000,
    madeAtMs: null,
    databaseAtMs: null,
    state: 'whole',
    why: null,
    counts: none,
    fixableCriticals: 0,
    failed: 0,
  },
  ...{ waived: 0, waivedUntilMs: null },
  ...change,
});
const send = (...items: EvidenceItem[]): void => void sent.splice(0, sent.length, ...items);

beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server, undefined, undefined, {
    gates: (metadata) => {
      const opening = async (): Promise<Policy> => {
        const policy = await openPolicy({ question: 'deploy' });
        return { ...policy, decide: (input, id) => (state.fails ? Promise.reject(state.fails) : policy.decide(input, id)) };
      };
      const received = toReadEvidence(metadata);
      const read: ReadEvidence = async (workspace, subjects, nowMs) =>
        state.received
          ? received(workspace, subjects, nowMs)
          : sent.filter(({ subject }) => subjects.some(({ kind, value }) => kind === subject.kind && value === subject.value));
      return (doors = new GateDoors(metadata, read, opening));
    },
  });
  home = mkdtempSync(join(tmpdir(), 'bauta-gate-'));
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') };
  worker = await startRunWorker(world, home, connections);
  for (const [name, role] of Object.entries({ bob: 'policy-admin', rita: 'requester', vic: 'viewer', ann: 'approver' }))
    tokens[name] = await world.person(name, [role]);
  const text = [pipelineText, classificationText].join('---\n').replaceAll(/env:(SOURCE|TARGET)_URL/g, 'env:BAUTA_CONN_$1');
  expect((await apply(text)).status).toBe(200);
  await enact(gateText());
  run = String((await post('/v1/runs', { pipeline: 'tiny' })).body['id']);
  for (let at = ''; at !== 'published';) {
    at = String((await world.ask('GET', `/v1/runs/${run}`, { token: tokens['vic']! })).body['state']);
    expect(['failed', 'denied', 'withheld', 'cancelled']).not.toContain(at);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  statement = (await toStatement({ reference: 'env:COPY', environment: { COPY: tiny.target('copy') } })).statement;
}, 60_000);
afterAll(async () => {
  await worker.stop();
  await doors.close();
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

const apply = (text: string, who = 'bob'): Promise<Answer> =>
  world.ask('POST', '/v1/apply', { token: tokens[who]!, text, headers: { 'content-type': 'application/yaml' } });
/** A gate that is new, with the second person that it takes. */
async function enact(text: string): Promise<void> {
  const { status, body } = await apply(text);
  expect([status, (body['lowers'] as object[])[0]]).toMatchObject([202, { what: 'gate-added', before: null }]);
  expect((await post(`/v1/approvals/${(body['approval'] as { id: string }).id}/approve`, {}, 'ann')).status).toBe(200);
}
const post = (path: string, json: object, who = 'rita'): Promise<Answer> => world.ask('POST', path, { token: tokens[who]!, json });
const decide = (change: object = {}, gate = 'production', query = ''): Promise<Answer> =>
  post(`/v1/gates/${gate}/decisions${query}`, { environment: 'prod-eu', service: 'web', commit, image, statement, ...change });
const codes = ({ body }: Answer): string[] => [...new Set((body['reasons'] as { code: string }[]).map(({ code }) => code))].sort();

it('lets a deployment through whose tests ran on the masked copy and whose scan is clean, and says so in the shape that is documented', async () => {
  send(item());
  const { status, body } = await decide();
  expect([status, body['reasons']]).toEqual([200, []]);
  expect(body).toMatchObject({ allow: true, status: 'SUCCEEDED', score: 100, threshold: 85, missing: [], waived: [] });
  expect(body['items']).toEqual([
    { code: 'dataset', points: 40, earned: 40, evidenceId: null },
    { code: 'scan', points: 60, earned: 60, evidenceId: item().id },
  ]);
  const { index, origin } = body['log'] as { index: number; origin: string };
  expect(Number.isInteger(index)).toBe(true);
  expect(origin).toContain('/');
  const told = await world.told('deployment.decided');
  expect(told.at(-1)?.data).toMatchObject({ decision: body['decisionId'], gate: 'production', allow: true, dataset: run, service: 'web' });
});

it('denies with the score, the points and the evidence, and with 403 where the caller looks at the status only', async () => {
  send(item({ counts: { ...none, critical: 1 }, fixableCriticals: 1 }));
  const answer = await decide();
  expect([answer.status, answer.body['allow'], answer.body['status']]).toEqual([200, false, 'TERMINAL']);
  expect(codes(answer)).toEqual(['CRITICAL_WITH_FIX', 'SCORE_BELOW_THRESHOLD']);
  expect(answer.body['score']).toBe(76);
  expect((answer.body['reasons'] as object[])[0]).toMatchObject({ code: 'CRITICAL_WITH_FIX', points: 60, evidenceId: item().id });
  const failing = await decide({}, 'production', '?failStatus=1');
  expect([failing.status, failing.body['allow']]).toEqual([403, false]);
  expect((await decide({}, 'production', '?failStatus=yes')).status).toBe(400);
  send(item());
  expect((await decide({}, 'production', '?failStatus=1')).status).toBe(200);
});

it('goes by what is signed, and not by what the request says', async () => {
  send(item());
  expect(codes(await decide({ statement: null, datasetVersion: run }))).toEqual(['DATASET_UNATTESTED', 'SCORE_BELOW_THRESHOLD']);
  expect(codes(await decide({ datasetVersion: run }))).toEqual([]);
  expect(codes(await decide({ datasetVersion: 'other@7' }))).toContain('DATASET_OTHER');
  const forged = { ...statement, marker: statement.marker?.replace('"version":1', '"version":2') };
  expect(codes(await decide({ statement: forged }))).toContain('DATASET_NOT_MASKED');
  expect(codes(await decide({ statement: { ...statement, state: 'broken' } }))).toContain('DATASET_NOT_MASKED');
  const unmasked = attest(
    { marker: { row: null, schema: 'absent' }, database: 'shop', systemIdentifier: '1', tables: [] },
    { counts: true, clock: { now: () => Date.now() } },
  );
  expect(codes(await decide({ statement: unmasked }))).toContain('DATASET_NOT_MASKED');
  expect(codes(await decide({ environmentStatement: statement }))).toEqual(['MASKED_DATA_IN_PRODUCTION']);
  expect(codes(await decide({ environmentStatement: unmasked }))).toEqual([]);
});

it('denies for want of evidence about this very image, and names what is missing', async () => {
  send(item({ subject: { kind: 'image', value: `sha256:${'c'.repeat(64)}` } }));
  const answer = await decide();
  expect(codes(answer)).toEqual(['EVIDENCE_MISSING', 'SCORE_BELOW_THRESHOLD']);
  expect([answer.body['missing'], answer.body['score']]).toEqual([['scan'], 40]);
  expect(codes(await decide({ image: 'registry.shop.example/web:v3' }))).toContain('IMAGE_NOT_PINNED');
});

it('knows what was said of the version since', async () => {
  send(item());
  const row = `WHERE run_id = '${run}'`;
  for (const [change, back, code] of [
    [`revoked_at = now()`, 'revoked_at = NULL', 'DATASET_REVOKED'],
    [`drift = '[{"what":"Pipeline tiny","digest":"sha256:00"}]'`, 'drift = NULL', 'DATASET_DRIFTED'],
    [`rows_drift = '["app.person: rows differ; outside the reserved space: 3 × pan in card"]'`, 'rows_drift = NULL', 'LIVE_VALUES'],
    [`look_error = 'SOURCE_UNREACHABLE'`, 'look_error = NULL', 'DRIFT_UNKNOWN'],
    [`expires_at = now()`, `expires_at = now() + interval '1 day'`, 'DATASET_EXPIRED'],
  ] as const) {
    await world.sql(`UPDATE bauta.dataset_version SET ${change} ${row}`);
    expect(codes(await decide())).toContain(code);
    await world.sql(`UPDATE bauta.dataset_version SET ${back} ${row}`);
  }
  const { body } = await decide();
  expect(body['allow']).toBe(true);
});

it('an answer ends with what it rests on', async () => {
  const waivedUntilMs = Date.now() + 60_000;
  send(item({ waived: 2, waivedUntilMs }));
  const { body } = await decide();
  expect(body['expiresAt']).toBe(new Date(waivedUntilMs).toISOString());
  expect(body['waived']).toEqual([{ evidenceId: item().id, findings: 2, until: new Date(waivedUntilMs).toISOString() }]);
  send(item());
  const later = Date.parse(String((await decide()).body['expiresAt'])) - Date.now();
  expect(later).toBeGreaterThan(14 * 60_000);
  expect(later).toBeLessThanOrEqual(15 * 60_000);
});

it('a gate that advises says what it would have denied, until its day is over', async () => {
  send();
  const advise = (until: string): string => `advise: { until: ${until}, reason: the scanner is being set up, owner: team-web }\n`;
  await enact(gateText(advise('2031-01-31'), 'soft'));
  const { status, body } = await decide({}, 'soft', '?failStatus=1');
  expect([status, body['allow'], body['status'], body['enforced']]).toEqual([200, true, 'SUCCEEDED', false]);
  expect(body['wouldDeny']).toEqual(['EVIDENCE_MISSING', 'SCORE_BELOW_THRESHOLD']);
  const told = await world.told('deployment.decided');
  expect(told.at(-1)?.data).toMatchObject({ allow: true, enforced: false, codes: ['EVIDENCE_MISSING', 'SCORE_BELOW_THRESHOLD'] });
  await enact(gateText(advise('2020-01-31'), 'hard-again'));
  expect((await decide({}, 'hard-again')).body['allow']).toBe(false);
});

it('keeps what was decided, and the same question gives the same answer from the record alone', async () => {
  send(item({ counts: { ...none, high: 1 } }));
  const decided = (await decide()).body;
  const id = String(decided['decisionId']);
  const get = async (path: string, who = 'vic'): Promise<Answer> => world.ask('GET', path, { token: tokens[who]! });
  const { body } = await get(`/v1/decisions/${id}`);
  expect(body['answer']).toEqual(decided);
  expect(body['record']).toMatchObject({
    ...{ decision_id: id, path: 'deploy/gate/decision', labels: { app: 'bauta' } },
    result: { allow: true, score: { hundredths: 9400 } },
  });
  send();
  const replayed = (await post(`/v1/decisions/${id}/replay`, {}, 'vic')).body;
  expect([replayed['same'], replayed['now']]).toEqual([true, replayed['then']]);
  const list = (await get('/v1/decisions?limit=1&gate=production')).body;
  expect((list['items'] as { id: string }[]).map((one) => one.id)).toEqual([id]);
  const next = (await get(`/v1/decisions?limit=1&cursor=${String(list['next'])}`)).body;
  expect((next['items'] as { id: string }[])[0]?.id).not.toBe(id);
  for (const change of [`UPDATE bauta.decision SET allow = true`, 'DELETE FROM bauta.decision'])
    await expect(
      world.metadata.within(world.workspaces.home, (transaction) => transaction.run({ sql: change, parameters: [] })),
    ).rejects.toThrow();
});

it('answers a client of OPA as OPA would, and what is undefined has no result', async () => {
  send(item());
  const input = { environment: 'prod-eu', service: 'web', commit, image, statement };
  const data = (path: string, json: object, who = 'rita'): Promise<Answer> => post(`/v1/data/${path}`, json, who);
  const whole = await data('gates/production', { input });
  expect([whole.status, (whole.body['result'] as { allow: boolean }).allow]).toEqual([200, true]);
  expect((whole.body['result'] as { decisionId: string }).decisionId).toBe(whole.body['decision_id']);
  expect((await data('gates/production/allow', { input })).body['result']).toBe(true);
  expect((await data('gates/production/allow', { input: { ...input, statement: null } })).body['result']).toBe(false);
  for (const [path, json] of [
    ['gates/production/allow', input],
    ['gates/production/allow', {}],
    ['gates/production/allow', { input: { ...input, environment: 1 } }],
    ['gates/no-such-gate/allow', { input }],
    ['gates/production/constructor', { input }],
    ['gates/production/allow/valueOf', { input }],
    ['system/main', { input }],
  ] as const) {
    const { status, body } = await data(path, json);
    expect([path, status, 'result' in body]).toEqual([path, 200, false]);
  }
  expect((await data('gates/production/allow', { input }, 'vic')).status).toBe(403);
  expect(
    (
      await world.ask('POST', '/v1/data/gates/production/allow', {
        token: tokens['rita']!,
        text: '{"input":',
        headers: { 'content-type': 'application/json' },
      })
    ).status,
  ).toBeGreaterThanOrEqual(400);
});

it('keeps of what an OPA of one’s own sends by what it decided, once, and nothing of what it was asked', async () => {
  const secret = world.secret('what-the-opa-was-asked');
  const event = {
    decision_id: 'd-1',
    labels: { id: 'opa-1' },
    bundles: { authz: { revision: '7' } },
    path: 'app/allow',
    input: { secret },
    result: true,
    timestamp: '2026-11-22T00:00:00Z',
  };
  const logs = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${world.url}/v1/opa/logs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens['rita']!}`, 'content-type': 'application/json', ...headers },
      body,
    });
  const packed = await logs(
    new Uint8Array(gzipSync(JSON.stringify([event, { ...event, decision_id: 'd-2', result: { rows: [secret] } }]))),
    { 'content-encoding': 'gzip' },
  );
  expect([packed.status, await packed.json()]).toEqual([200, { received: 2, new: 2 }]);
  expect(await (await logs(JSON.stringify([event]))).json()).toEqual({ received: 1, new: 0 });
  const rows = await world.sql(`SELECT decision_id, event FROM bauta.opa_event ORDER BY decision_id`);
  expect(rows).toMatchObject([
    { decision_id: 'd-1', event: { allow: true, bundles: { authz: { revision: '7' } } } },
    { decision_id: 'd-2' },
  ]);
  expect((await world.told('opa.received')).at(-1)?.data).toMatchObject({ kind: 'decision', count: 2, new: 2 });
  expect((await post('/v1/opa/status', { labels: { id: 'opa-1' }, bundles: {} })).body).toEqual({ received: 1, new: 1 });
  // 20 MB of zeros in 20 kB.
  const bomb = await logs(new Uint8Array(gzipSync(Buffer.alloc(20_000_000, 0x20))), { 'content-encoding': 'gzip' });
  expect(bomb.status).toBe(413);
  for (const text of ['{}', '[1]', '[{}]', 'no JSON', '[{"decision_id":""}]']) expect((await logs(text)).status).toBe(400);
  expect((await logs('no gzip', { 'content-encoding': 'gzip' })).status).toBe(400);
  expect((await logs('x', { 'content-encoding': 'br' })).status).toBe(415);
});

it('many at once are all durable before they are answered, each once', async () => {
  send(item());
  const before = await count();
  const answers = await Promise.all(Array.from({ length: 40 }, () => decide()));
  expect(answers.every(({ status, body }) => status === 200 && body['allow'] === true)).toBe(true);
  expect((await count()) - before).toBe(40);
  expect(new Set(answers.map(({ body }) => body['decisionId'])).size).toBe(40);
  const told = (await world.told('deployment.decided')).slice(-40).map(({ data }) => data['decision']);
  expect([...told].sort()).toEqual(answers.map(({ body }) => body['decisionId']).sort());
});

it.each([
  ['the policy takes too long', toError('POLICY_TIMEOUT', { amount: '1 ms' })],
  ['it has no answer', toError('POLICY_UNDEFINED')],
  ['it contradicts itself', toError('POLICY_CONFLICT')],
  ['it calls what is not there', toError('POLICY_BUILTIN_MISSING', { name: 'time.now_ns' })],
  ['it needs too much memory', toError('POLICY_TOO_LARGE', { amount: '512 MiB of memory' })],
  ['it is broken', toError('POLICY_UNUSABLE', { name: 'it was closed' })],
  ['nobody knows what happened', new Error('a value of a row')],
])('answers with an error, and records no decision, when %s', async (_, error) => {
  const before = await count();
  state.fails = error;
  try {
    for (const query of ['', '?failStatus=1']) {
      const { status, body } = await decide({}, 'production', query);
      expect([status, body['code'], body['allow']]).toEqual([503, 'DEPLOYMENT_UNDECIDED', undefined]);
      expect(JSON.stringify(body)).not.toContain('a value of a row');
    }
  } finally {
    state.fails = undefined;
  }
  expect(await count()).toBe(before);
});

it('answers with an error what cannot be asked', async () => {
  expect((await decide({}, 'no-such-gate')).status).toBe(404);
  expect((await decide({ commit: 'main' })).status).toBe(422);
  expect((await decide({ environment: undefined })).status).toBe(422);
  expect((await decide({ surprise: 1 })).status).toBe(422);
  expect((await world.ask('POST', '/v1/gates/production/decisions', { json: {} })).status).toBe(401);
  expect((await post('/v1/gates/production/decisions', { environment: 'prod', service: 'web' }, 'vic')).status).toBe(403);
});

it('a report with a critical finding that has a fix denies, until two people waive it, and again when that has ended', async () => {
  state.received = true;
  try {
    const text = gateText('', 'shipping')
      .replace('subject: image', 'subject: commit')
      .replace('points: 60', 'points: 60, producers: [{ person: rita }]');
    await enact(text);
    const ask = (): Promise<Answer> => decide({ image: null }, 'shipping');
    expect(codes(await ask())).toEqual(['EVIDENCE_MISSING', 'SCORE_BELOW_THRESHOLD']);
    const report = {
      ...{ SchemaVersion: 2, ArtifactName: 'shop', ArtifactType: 'filesystem' },
      Results: [
        { Target: 'lock', Vulnerabilities: [{ VulnerabilityID: 'CVE-2026-1', PkgName: 'ssl', FixedVersion: '2', Severity: 'CRITICAL' }] },
      ],
    };
    const reported = await post(`/v1/evidence?format=trivy&commit=${commit}`, report);
    expect(reported.status).toBe(201);
    const denied = await ask();
    expect(codes(denied)).toEqual(['CRITICAL_WITH_FIX', 'SCORE_BELOW_THRESHOLD']);
    expect((denied.body['reasons'] as object[])[0]).toMatchObject({ evidenceId: reported.body['id'], points: 60 });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const asked = await post('/v1/waivers', { rule: 'CVE-2026-1', reason: 'the code is not reached', until });
    const approval = (asked.body['approval'] as { id?: string } | undefined)?.id ?? String(asked.body['id']);
    expect((await ask()).body['allow']).toBe(false);
    expect((await post(`/v1/approvals/${approval}/approve`, {}, 'ann')).status).toBe(200);
    const waived = await ask();
    expect([waived.body['allow'], waived.body['waived']]).toEqual([true, [{ evidenceId: reported.body['id'], findings: 1, until }]]);
    await world.sql('UPDATE bauta.waiver SET until = clock_timestamp()');
    expect(codes(await ask())).toEqual(['CRITICAL_WITH_FIX', 'SCORE_BELOW_THRESHOLD']);
    expect(codes(await decide({ image: null, commit: 'b'.repeat(40) }, 'shipping'))).toContain('EVIDENCE_MISSING');
  } finally {
    state.received = false;
  }
});

it('a new gate asks nothing before somebody else agreed, and its author is not that person', async () => {
  tokens['bea'] ??= await world.person('bea', ['policy-admin', 'approver']);
  const { status, body } = await apply(gateText('', 'own'), 'bea');
  const path = `/v1/approvals/${(body['approval'] as { id: string }).id}/approve`;
  expect([status, (await post(path, {}, 'bea')).body['code'], (await decide({}, 'own')).status]).toEqual([202, 'APPROVAL_OF_OWN', 404]);
  expect((await post(path, {}, 'ann')).status).toBe(200);
  expect((await decide({}, 'own')).status).toBe(200);
  expect((await apply(gateText('', 'own'), 'bea')).status).toBe(200);
});

it('a gate that asks for less than before takes a second person', async () => {
  const weaker: readonly [string, string, string][] = [
    ['threshold: 85', 'threshold: 84.99', 'threshold: 84.99'],
    ['maxAge: 24h', 'maxAge: 25h', 'evidence scan maxAge: 90000000'],
    ['[prod, prod-*]', '[prod]', ''],
    ['points: 60', 'points: 1', 'points: dataset 40, checks 0, scan 1'],
  ];
  for (const [from, to, after] of weaker) {
    const { status, body } = await apply(gateText().replace(from, to));
    expect([status, (body['lowers'] as object[])[0]]).toMatchObject([
      202,
      { what: 'gate-lowered', document: 'Gate production', after: after || null },
    ]);
  }
  const { status, body } = await apply(gateText().replace('threshold: 85', 'threshold: 90'));
  expect([status, (body['applied'] as { change: string }[])[0]?.change]).toEqual([200, 'changed']);
  const back = (await apply(gateText())).body['approval'] as { id: string };
  expect((await post(`/v1/approvals/${back.id}/approve`, {}, 'ann')).status).toBe(200);
  send(item());
  expect((await decide()).body['threshold']).toBe(85);
});

it('a gate is written so that it means something', async () => {
  for (const [text, path] of [
    [gateText().replace('threshold: 85', 'threshold: 85.125'), 'threshold'],
    [gateText().replace('name: scan', 'name: dataset'), 'evidence/0/name'],
    [gateText().replace('dataset: { points: 40 }', 'dataset: { required: false }'), 'dataset'],
    [gateText('advise: { until: 2026-02-31, reason: it is not there, owner: me }\n'), 'advise/until'],
  ] as const) {
    const { status, body } = await apply(text);
    expect([status, (body['findings'] as { where: { path: string } }[]).map(({ where }) => where.path)]).toEqual([422, [path]]);
  }
});

it('without a signature on the log nothing is let through', async () => {
  send(item());
  const [key] = await world.sql(`SELECT verifier FROM bauta.audit_key WHERE workspace_id = '${world.workspaces.home}'`);
  const other = formatVerifierKey((await import('../../src/kernel/signed-note.js')).toSigner('other').verifier);
  await world.sql(`UPDATE bauta.audit_key SET verifier = '${other}' WHERE workspace_id = '${world.workspaces.home}'`);
  try {
    expect(codes(await decide())).toEqual(['DATASET_NOT_MASKED', 'LOG_NOT_WHOLE', 'SCORE_BELOW_THRESHOLD']);
  } finally {
    await world.sql(`UPDATE bauta.audit_key SET verifier = '${String(key?.['verifier'])}' WHERE workspace_id = '${world.workspaces.home}'`);
  }
});

async function count(): Promise<number> {
  const [row] = await world.sql('SELECT count(*)::int AS n FROM bauta.decision');
  return Number(row?.['n']);
}
