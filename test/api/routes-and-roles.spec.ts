// Every route × every role, and × another workspace: who has no right is refused and it is audited; what belongs to others is not there.
import { readFileSync } from 'node:fs';

import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { documentKinds } from '../../src/documents/documents.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';

const roles = ['viewer', 'requester', 'approver', 'operator', 'policy-admin', 'auditor', 'detokeniser', 'administrator'];

const readers = roles.filter((role) => role !== 'detokeniser' && role !== 'administrator');

/** Who may do what, said a second time and by hand: a route that is not here fails the test. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'GET /openapi': roles,
  'GET /openapi.json': roles,
  'GET /openapi/{file}': roles,
  'GET /metrics': readers,
  'GET /v1/health': readers,
  'GET /v1/events': readers,
  'POST /v1/plans': ['requester', 'approver', 'operator', 'policy-admin'],
  'GET /v1/plans/{id}': readers,
  'POST /v1/rollbacks': ['operator'],
  'GET /v1/rollbacks/{id}': readers,
  'GET /v1/agents': readers,
  'GET /v1/agents/invites': readers,
  'POST /v1/agents/invites': ['operator'],
  'DELETE /v1/agents/{name}/{id}': ['operator'],
  'GET /v1/agents/changes/{id}': readers,
  'GET /v1/keys': readers,
  'POST /v1/keys/rotate': ['operator'],
  'POST /v1/keys/destroy': ['operator'],
  'GET /v1/keys/changes/{id}': readers,
  'POST /v1/gates/{name}/decisions': ['requester', 'operator'],
  'POST /v1/gates/{name}/azure': ['requester', 'operator'],
  'GET /v1/gates/{name}/callbacks': readers,
  'POST /v1/data/{path}': ['requester', 'operator'],
  'POST /v1/access-reviews': ['administrator'],
  'GET /v1/access-reviews': ['administrator', 'auditor'],
  'GET /v1/access-reviews/{id}': ['administrator', 'auditor'],
  'GET /v1/access-reviews/{id}/items': ['administrator', 'auditor'],
  'POST /v1/access-reviews/{id}/items/{item}': ['administrator'],
  'POST /v1/breakglasses': ['requester', 'operator'],
  'GET /v1/breakglasses': readers,
  'GET /v1/breakglasses/{id}': readers,
  'GET /v1/breakglasses/{id}/note': ['requester', 'operator'],
  'POST /v1/breakglasses/{id}/review': ['approver', 'auditor'],
  'POST /v1/breakglasses/uses': ['requester', 'operator'],
  'POST /v1/opa/logs': ['requester', 'operator'],
  'POST /v1/opa/status': ['requester', 'operator'],
  'GET /v1/decisions': readers,
  'GET /v1/decisions/{id}': readers,
  'POST /v1/decisions/{id}/replay': readers,
  'POST /v1/breaches': ['operator', 'auditor'],
  'POST /v1/subjects/erase': ['operator'],
  'GET /v1/subjects/erase/{id}': ['operator'],
  'POST /v1/subjects/reach': ['operator', 'auditor'],
  'GET /v1/subjects/reach/{id}': ['operator', 'auditor'],
  'POST /v1/rotations': ['operator'],
  'GET /v1/rotations/{id}': readers,
  'POST /v1/expiries': ['operator'],
  'GET /v1/expiries/{id}': readers,
  'GET /v1/datasets/{id}/attestation': readers,
  'POST /v1/datasets/{id}/hold': ['operator'],
  'POST /v1/datasets/{id}/hold/lift': ['operator'],
  'POST /v1/datasets/{id}/revoke': ['operator'],
  'GET /v1/environments/{name}/inventory': readers,
  'POST /v1/environments/{name}/clones': ['requester', 'operator'],
  'GET /v1/environments/{name}/clones': readers,
  'GET /v1/environments/{name}/clones/{id}': readers,
  'DELETE /v1/environments/{name}/clones/{id}': ['requester', 'operator'],
  'POST /v1/evidence': ['requester', 'operator'],
  'GET /v1/evidence': readers,
  'GET /v1/evidence/{id}': readers,
  'GET /v1/evidence/{id}/findings': readers,
  'POST /v1/evidence/{id}/withdraw': ['operator', 'policy-admin'],
  'POST /v1/waivers': ['requester', 'operator', 'policy-admin'],
  'GET /v1/waivers': readers,
  'DELETE /v1/waivers/{id}': ['operator', 'approver', 'policy-admin'],
  'GET /v1/anomalies': readers,
  'POST /v1/incidents': ['operator'],
  'GET /v1/incidents': readers,
  'GET /v1/incidents/{id}': readers,
  'GET /v1/incidents/{id}/files/{name}': ['operator', 'auditor'],
  'POST /v1/incidents/{id}/retry': ['operator'],
  'POST /v1/incidents/{id}/close': ['operator'],
  'POST /v1/archives': ['requester', 'operator'],
  'GET /v1/archives/{id}': ['requester', 'operator'],
  'GET /v1/archives/{id}/file': ['requester', 'operator'],
  'GET /v1/runs': readers,
  'POST /v1/runs': ['requester', 'operator'],
  'GET /v1/runs/{id}': readers,
  'GET /v1/runs/{id}/events': readers,
  'GET /v1/datasets': readers,
  'GET /v1/datasets/current': readers,
  'POST /v1/runs/{id}/cancel': ['requester', 'operator'],
  'POST /v1/runs/{id}/pause': ['requester', 'operator'],
  'POST /v1/runs/{id}/resume': ['requester', 'operator'],
  'POST /v1/runs/{id}/rerun': ['requester', 'operator'],
  'POST /v1/apply': ['policy-admin'],
  ...Object.fromEntries(
    [
      'pipelines',
      'classifications',
      'classificationlocks',
      'rulebooks',
      'connections',
      'environments',
      'organisations',
      'issuers',
      'channels',
      'gates',
      'watches',
      'playbooks',
    ].flatMap((noun) => ['', '/{name}', '/{name}/versions'].map((rest) => [`GET /v1/${noun}${rest}`, readers])),
  ),
  'GET /v1/approvals': [...readers, 'administrator'],
  'GET /v1/approvals/{id}': [...readers, 'administrator'],
  'POST /v1/approvals/{id}/approve': ['approver', 'administrator'],
  'POST /v1/approvals/{id}/refuse': ['approver', 'administrator'],
  'GET /v1/notifications': readers,
  'POST /v1/notifications/{id}/retry': ['operator'],
  ...Object.fromEntries(
    [
      '',
      '/entries',
      '/checkpoint',
      '/cosigned',
      '/anchors',
      '/tile/{path}',
      '/{log}/checkpoint',
      '/{log}/cosigned',
      '/{log}/anchors',
      '/{log}/tile/{path}',
      '/{log}/payload/{digest}',
    ].map((rest) => [`GET /v1/audit/log${rest}`, ['auditor']]),
  ),
  'POST /v1/reports': ['auditor'],
  'GET /v1/reports': ['auditor'],
  'GET /v1/reports/{report}': ['auditor'],
  'GET /v1/reports/rows/{of}': ['auditor'],
  'GET /v1/reports/daily/{day}/{file}': ['auditor'],
  'POST /v1/audit/log/{log}/delete': ['operator'],
  'POST /v1/audit/log/texts/erase': ['operator'],
  'GET /v1/people': ['administrator', 'auditor'],
  'POST /v1/people': ['administrator'],
  'GET /v1/people/{name}': ['administrator', 'auditor'],
  'PUT /v1/people/{name}/roles': ['administrator'],
  'POST /v1/people/{name}/erase': ['administrator'],
  'GET /v1/schedules': readers,
  'GET /v1/schedules/{name}': readers,
  'GET /v1/schedules/{name}/versions': readers,
  'GET /v1/schedules/{name}/state': readers,
  'GET /v1/schedules/{name}/next': readers,
  'POST /v1/schedules/preview': readers,
  'POST /v1/schedules/{name}/pause': ['operator'],
  'POST /v1/schedules/{name}/resume': ['operator'],
  'GET /v1/triggers': readers,
  'GET /v1/triggers/{name}': readers,
  'GET /v1/triggers/{name}/versions': readers,
  'GET /v1/triggers/{name}/state': readers,
  'POST /v1/triggers/{name}/pause': ['operator'],
  'POST /v1/triggers/{name}/resume': ['operator'],
  'POST /v1/tokens': ['detokeniser'],
  'POST /v1/tokens/batch': ['detokeniser'],
  'POST /v1/tokens/shred': ['operator'],
  'POST /v1/detokenize': ['detokeniser'],
  'POST /v1/detokenize/batch': ['detokeniser'],
  'GET /v1/workspaces': ['administrator', 'auditor'],
  'POST /v1/workspaces': ['administrator'],
  'GET /v1/apikeys': ['administrator', 'auditor'],
  'POST /v1/apikeys': ['administrator'],
  'DELETE /v1/apikeys/{id}': ['administrator'],
};
/** Known by the signature of what they bring: test/api/webhooks.spec.ts, test/api/gate-callers.spec.ts, test/api/kubernetes-admission.spec.ts. */
const signed = [
  'POST /v1/webhooks/{id}',
  'POST /v1/gates/{name}/github',
  'POST /v1/gates/{name}/gitlab',
  'POST /v1/gates/{name}/kubernetes/{workspace}/{key}',
];
const open = ['GET /v1/health/live', 'GET /v1/health/ready'];
/** A link is known by its secret: test/api/clones.spec.ts. */
const linked = ['GET /v1/links/{id}', 'POST /v1/links/{id}'];

/** Things of the other workspace, by which its routes are asked: everything that has a name has this one, and an id has the form of its noun. */
const foreignName = 'foreign-thing';
const foreignIds: Record<string, string> = {};
const nobodys: Record<string, string> = {
  runs: '0000000000000001',
  plans: '0000000000000001',
  rollbacks: '0000000000000001',
  expiries: '0000000000000001',
  rotations: '0000000000000001',
  subjects: '0000000000000001',
  keys: '0000000000000001',
  agents: '0000000000000001',
  datasets: '0000000000000001',
  environments: '0000000000000001',
  archives: '0000000000000001',
};

function toAddress(path: string, name = foreignName, ids: Readonly<Record<string, string>> = foreignIds): string {
  const [, , first = '', second = ''] = path.split('/');
  const noun = second === 'reach' ? second : first;
  return path
    .replace('{name}', name)
    .replace('{file}', 'swagger-ui.css')
    .replace('{log}', '2026')
    .replace('{path}', '0/000')
    .replace('{digest}', '0')
    .replace('{item}', '1')
    .replace('{id}', ids[noun] ?? '00000000-0000-4000-8000-000000000000');
}

let world: ServiceWorld;
const tokens: Record<string, string> = {};
const foreignTokens: Record<string, string> = {};
beforeAll(async () => {
  world = await startServiceWorld();
  for (const role of roles) tokens[role] = await world.person(`${role}-person`, [role]);
  for (const role of roles) foreignTokens[role] = await world.person(`${role}-there`, [role], 'foreign');
  await world.person(foreignName, ['viewer'], 'foreign');
  const workspace = world.workspaces.foreign;
  const [person] = await world.sql(`SELECT id FROM bauta.person WHERE name = '${foreignName}'`);
  const author = String(person?.['id']);
  for (const kind of documentKinds)
    await world.sql(
      `INSERT INTO bauta.document (workspace_id, kind, name, version, digest, written, author_id)
       VALUES ('${workspace}', '${kind}', '${foreignName}', 1, 'sha256:0', '{"target":{"environment":"dev"}}', '${author}')`,
    );
  await world.sql(
    `INSERT INTO bauta.run (id, workspace_id, pipeline, documents, state, ended_at) VALUES ('0000000000000000', '${workspace}', '${foreignName}', '[]', 'cancelled', now());
     INSERT INTO bauta.approval (workspace_id, kind, digest, subject, environments, expires_at) VALUES ('${workspace}', 'run', 'sha256:0', '{}', '{dev}', now() + interval '1 h');
     INSERT INTO bauta.schedule (workspace_id, name, version, pipeline, overlap, decided_to) VALUES ('${workspace}', '${foreignName}', 1, 'foreign', true, now());
     INSERT INTO bauta.errand (id, workspace_id, kind, pipeline, environment, documents, requested_by)
       VALUES ('0000000000plan00', '${workspace}', 'plan', '${foreignName}', 'dev', '[]', '${author}'),
         ('0000000archive00', '${workspace}', 'archive', '${foreignName}', 'dev', '[]', '${author}'),
         ('0000000rollback0', '${workspace}', 'rollback', '${foreignName}', 'dev', '[]', '${author}'),
         ('00000000expire00', '${workspace}', 'expire', '${foreignName}', 'dev', '[]', '${author}'),
         ('0000000000erase0', '${workspace}', 'erase', '${foreignName}', 'dev', '[]', '${author}'),
         ('0000000000reach0', '${workspace}', 'reach', '${foreignName}', 'dev', '[]', '${author}'),
         ('0000000rotation0', '${workspace}', 'secret-rotation', '', '', '[]', '${author}'),
         ('00000000agents00', '${workspace}', 'agents', '${foreignName}', 'dev', '[]', '${author}'),
         ('00000000rotate00', '${workspace}', 'key-rotation', '', 'dev', '[]', '${author}');
     INSERT INTO bauta.dataset_version (workspace_id, run_id, pipeline, environment, documents, catalogue_digest, policy_digest, server, target, version,
         expires_at, published_at, dropped_at)
       VALUES ('${workspace}', '0000000000000000', '${foreignName}', 'dev', '{}', '', '', '1', 'dev', 1, now(), now(), now());
     INSERT INTO bauta.trigger (workspace_id, name, version, watches, since) VALUES ('${workspace}', '${foreignName}', 1, 'foreign', now())`,
  );
  await world.sql(
    `INSERT INTO bauta.evidence (workspace_id, digest, bytes, format, tool, subject_kind, subject, line, subject_stated, received_by, errors, counts, suppressed, findings, fingerprints)
       VALUES ('${workspace}', sha256('report'), 1, 'sarif', 'x', 'environment', 'dev', 'dev', false, '${author}', 0, '{}', 0, decode('${gzipSync('').toString('hex')}', 'hex'), '');
     INSERT INTO bauta.waiver (workspace_id, rule, reason, asked_by, approval, until) VALUES ('${workspace}', 'a', 'sha256:0', '${author}', gen_random_uuid(), now() + interval '1 h')`,
  );
  await world.sql(
    `INSERT INTO bauta.clone (id, workspace_id, environment, pipeline, purpose, hours, requested_by)
       VALUES ('0000000000000c00', '${workspace}', '${foreignName}', '${foreignName}', 'pr-1', 1, '${author}')`,
  );
  Object.assign(foreignIds, {
    environments: '0000000000000c00',
    plans: '0000000000plan00',
    rollbacks: '0000000rollback0',
    archives: '0000000archive00',
    expiries: '00000000expire00',
    keys: '00000000rotate00',
    agents: '00000000agents00',
    rotations: '0000000rotation0',
    subjects: '0000000000erase0',
    reach: '0000000000reach0',
    datasets: '0000000000000000',
  });
  await world.sql(
    `INSERT INTO bauta.decision (workspace_id, id, key, gate, environment, service, decided_at, allow, enforced, answer, record)
       VALUES ('${workspace}', gen_random_uuid(), gen_random_uuid(), 'g', 'dev', 's', now(), true, true, '{"reasons":[],"score":0}', '{"labels":{}}')`,
  );
  await world.sql(
    `INSERT INTO bauta.breakglass (workspace_id, id, key, gate, environment, service, commit, reason, asked_by, approved_by, issued_at, expires_at)
       VALUES ('${workspace}', gen_random_uuid(), gen_random_uuid(), 'g', 'dev', 's', 'c', 'sha256:0', '${author}',
         ARRAY[gen_random_uuid(), gen_random_uuid()], now() - interval '2 h', now() - interval '1 h')`,
  );
  await world.sql(
    `WITH r AS (INSERT INTO bauta.access_review (workspace_id, id, opened_at, due_at) VALUES ('${workspace}', gen_random_uuid(), now(), now() + interval '1 d') RETURNING id),
       i AS (INSERT INTO bauta.access_review_item (workspace_id, review_id, item, kind, person_id, holds) SELECT '${workspace}', id, 1, 'role', '${author}', 'viewer' FROM r RETURNING review_id)
       SELECT FROM i`,
  );
  const [review] = await world.sql(`SELECT id FROM bauta.access_review WHERE workspace_id = '${workspace}'`);
  foreignIds['access-reviews'] = String(review?.['id']);
  await world.sql(
    `INSERT INTO bauta.incident (workspace_id, id, rule, environment, pipeline, playbook, playbook_version, opened_at, answered_by, evidence_from)
       VALUES ('${workspace}', '0000000incident0', 'manual', 'dev', '${foreignName}', 'pii-leak', 0, now(), '${author}', now())`,
  );
  await world.sql(
    `INSERT INTO bauta.incident_file (workspace_id, incident_id, name, media_type, bytes, digest)
       VALUES ('${workspace}', '0000000incident0', '${foreignName}', 'text/plain', 'x', 'sha256:0')`,
  );
  foreignIds['incidents'] = '0000000incident0';
  for (const noun of ['token', 'run', 'approval', 'waiver', 'evidence', 'decision', 'breakglass']) {
    const [row] = await world.sql(`SELECT id FROM bauta.${noun} WHERE workspace_id = '${workspace}'`);
    foreignIds[noun === 'evidence' ? noun : noun === 'breakglass' ? 'breakglasses' : `${noun}s`] = String(row?.['id']);
  }
});
afterAll(() => world.stop());

const described = JSON.parse(readFileSync(packageFile('docs', 'openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, unknown>>;
};
const routes = Object.entries(described.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
);

const call = (route: string, token?: string): Promise<Answer> => {
  const [method = '', path = ''] = route.split(' ');
  return world.ask(method, toAddress(path), {
    ...(token === undefined ? {} : { token }),
    ...(/POST|PUT/.test(method) ? { text: 'neither: [JSON' } : {}),
  });
};

it('knows every route', () => expect([...Object.keys(allowed), ...open, ...signed, ...linked].sort()).toEqual(routes.sort()));

it('answers nothing but health without a token', async () => {
  for (const route of [...Object.keys(allowed), 'GET /', 'GET /v1/nothing', 'POST /v1/health/live', 'GET /v1/health', 'OPTIONS /v1/people'])
    expect([route, (await call(route)).status]).toEqual([route, 401]);
  for (const route of open) expect([route, (await call(route)).body]).toEqual([route, { status: 'ok' }]);
  for (const token of ['x', 'bauta_', `bauta_${'A'.repeat(43)}`, `bauta_first_${'A'.repeat(43)}`, `${tokens['viewer']}A`])
    expect((await world.ask('GET', '/v1/people', { token })).status).toBe(401);
});

it.each(Object.keys(allowed))('%s is for the roles that have the right, and 403 and an audit event for every other', async (route) => {
  for (const role of roles) {
    const before = await denials();
    const { status, body } = await call(route, tokens[role]);
    if (allowed[route]?.includes(role)) expect([role, status]).not.toEqual([role, 403]);
    else {
      expect([role, status, body['code']]).toEqual([role, 403, 'ACCESS_DENIED']);
      expect((await denials()) - before).toBe(1);
    }
  }
});

it('answers for what belongs to another workspace as if it did not exist', async () => {
  for (const route of Object.keys(allowed).filter((key) => /\{(name|id)\}/.test(key))) {
    const role = allowed[route]?.at(0) ?? '';
    const [method = '', path = ''] = route.split(' ');
    const answers: unknown[] = [];
    for (const at of [toAddress(path), toAddress(path, 'nobody-at-all', nobodys)]) {
      const { status, body } = await world.ask(method, at, {
        token: tokens[role] ?? '',
        ...(method === 'PUT' ? { json: { roles: [] } } : path.endsWith('/erase') ? { json: { reason: 'asked for it' } } : {}),
      });
      answers.push([status, { ...body, requestId: '' }]);
    }
    expect([route, answers[0]]).toEqual([route, answers[1]]);
    expect([route, (answers[0] as [number])[0]]).toEqual([route, 404]);
  }
});

it('answers for them in their own workspace, so that the test above asks for things that are there', async () => {
  for (const route of Object.keys(allowed).filter((key) => /^GET .*\{(name|id)\}/.test(key))) {
    const role = allowed[route]?.at(0) ?? '';
    const { status } = await world.ask('GET', toAddress(route.slice(4)), { token: foreignTokens[role] ?? '' });
    expect([route, status === 404]).toEqual([route, false]);
  }
});

it('lists nothing of another workspace', async () => {
  for (const path of ['/v1/people', '/v1/apikeys'])
    expect(JSON.stringify((await world.ask('GET', path, { token: tokens['administrator'] ?? '' })).body)).not.toContain('foreign');
});

async function denials(): Promise<number> {
  const [row] = await world.sql(`SELECT count(*)::int AS n FROM bauta.outbox WHERE event ->> 'type' = 'access.denied'`);
  return Number(row?.['n']);
}
