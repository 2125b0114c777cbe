// People and jobs that come by an identity token of an issuer: who lets them in, what they may do, that a job's token is taken once, and what the log says.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { IdentityLogin } from '../../src/control/issuers/issuers.js';
import { systemClock } from '../../src/kernel/clock.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { Metadata } from '../../src/systems/metadata/metadata.js';
import { IssuerKeys } from '../../src/systems/oidc/oidc.js';
import { type TestIssuer, newSigningKey, startIssuer } from '../support/issuer.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';
import { classificationText, pipelineText } from '../support/tiny-source.js';

let issuer: TestIssuer;
let world: ServiceWorld;
const tokens: Record<string, string> = {};

const trust = { repository: '74', roles: '[requester@dev]', person: 'ci-shop' };
const github = ({ repository, roles, person } = trust, more = ''): string => `kind: Issuer
name: github
form: github
issuer: ${issuer.url}
audience: bauta
trusts:
  - { claims: { repository_id: ${repository}, ref: refs/heads/main }, person: ${person}, roles: ${roles} }
${more}`;
const people = (roles: string): string => `kind: Issuer
name: acme
form: oidc
issuer: ${issuer.url}
audience: bauta-people
trusts:
  - { claims: { sub: 00u1 }, person: rita, roles: ${roles} }
`;
const push = { repository_id: '74', repository: 'acme/shop', ref: 'refs/heads/main', event_name: 'push', run_id: '901', run_attempt: '1' };

beforeAll(async () => {
  issuer = await startIssuer();
  world = await startServiceWorld(undefined, systemClock, {}, { http: issuer.http });
  for (const [name, roles] of [
    ['ada', ['administrator']],
    ['pat', ['policy-admin', 'viewer']],
    ['ann', ['approver', 'viewer']],
    ['olaf', ['viewer']],
    ['rita', ['viewer', 'approver']],
  ] as const)
    tokens[name] = await world.person(name, roles);
  await world.person('ci-shop', ['requester', 'operator'], 'home', 'olaf');
});
afterAll(async () => {
  await world.stop();
  await issuer.stop();
});

const apply = (text: string, who = 'pat'): Promise<Answer> =>
  world.ask('POST', '/v1/apply', { token: tokens[who] ?? '', text, headers: { 'content-type': 'application/yaml' } });
const approvalOf = ({ body }: Answer): string => String((body['approval'] as { id: string } | undefined)?.id);
const decide = (who: string, asked: Answer): Promise<Answer> =>
  world.ask('POST', `/v1/approvals/${approvalOf(asked)}/approve`, { token: tokens[who] ?? '' });
/** No part of it may be said, logged or stored. */
const token = (...[claims, more]: Parameters<TestIssuer['token']>): string => {
  const made = issuer.token(claims, more);
  for (const part of made.split('.').slice(1)) world.secret(part);
  return world.secret(made);
};
const come = (claims: object, path = '/v1/runs', method = 'GET'): Promise<Answer> =>
  world.ask(method, path, { token: token({ ...push, ...claims }), ...(method === 'POST' ? { json: { pipeline: 'shop' } } : {}) });
const said = ({ status, body }: Answer): unknown[] => [status, body['code']];

describe('a trust', () => {
  it('is nobody’s until an administrator has approved of it, who is neither its author nor whom it lets in', async () => {
    expect(said(await come({}))).toEqual([401, 'TOKEN_INVALID']);
    const asked = await apply(github());
    expect([asked.status, asked.body['lowers']]).toMatchObject([
      202,
      [{ what: 'trust-added', document: 'Issuer github', after: 'requester@dev as ci-shop: repository_id 74, ref refs/heads/main' }],
    ]);
    expect(said(await come({}))).toEqual([401, 'TOKEN_INVALID']);
    // An approver of documents does not even see it.
    expect((await decide('ann', asked)).status).toBe(404);
    expect((await decide('ada', asked)).body).toMatchObject({ state: 'used', kind: 'trust', decidedBy: 'ada' });
    expect((await come({}, '/v1/runs', 'POST')).body['code']).toBe('RESOURCE_UNKNOWN');
  });

  it('cannot be approved by whom it lets in', async () => {
    await world.sql(
      `INSERT INTO bauta.role_grant (workspace_id, person_id, role) SELECT workspace_id, id, 'administrator' FROM bauta.person WHERE name = 'olaf'`,
    );
    const asked = await apply(github({ ...trust, roles: '[requester]' }));
    expect(said(await decide('olaf', asked))).toEqual([403, 'APPROVAL_OF_OWN']);
    await world.sql(
      `DELETE FROM bauta.role_grant WHERE role = 'administrator' AND person_id = (SELECT id FROM bauta.person WHERE name = 'olaf')`,
    );
  });

  it('that is narrower or gone is applied at once, and a wider one waits', async () => {
    const more =
      '  - { claims: { repository_id: 74, ref: refs/heads/main, workflow_ref: acme/shop/.github/workflows/copy.yml@refs/heads/main }, person: ci-shop, roles: [requester@dev] }\n';
    expect((await apply(github(trust, more))).status).toBe(200);
    for (const wider of [{ roles: '[requester]' }, { roles: '[requester@dev, viewer]' }, { repository: '75' }])
      expect([wider, (await apply(github({ ...trust, ...wider }))).status]).toEqual([wider, 202]);
    expect((await apply(github().replace('audience: bauta', 'audience: other'))).status).toBe(202);
  });

  it('names a service account of this workspace, and stands in a request without what is for an approver', async () => {
    for (const person of ['nobody-at-all', 'olaf'])
      expect((await apply(github({ ...trust, person }))).body['findings']).toMatchObject([
        { code: 'TRUST_PERSON_INVALID', where: { name: person } },
      ]);
    const kept = `kind: Classification\nname: shop\ntables:\n  shop.customer: { keep: [{ columns: [email], reason: nobody minds it here }] }\n`;
    expect(said(await apply(`${github({ ...trust, repository: '75' })}---\n${kept}`))).toEqual([422, 'TRUST_WITH_OTHERS']);
    expect(said(await apply(github(), 'ann'))).toEqual([403, 'ACCESS_DENIED']);
  });
});

describe('a job', () => {
  it('has the roles of its trust and no more of its service account’s', async () => {
    // ci-shop is an operator; its trust lets a job ask for runs in one environment only.
    expect((await come({})).status).toBe(200);
    expect(said(await come({}, '/v1/runs', 'POST'))).toEqual([404, 'RESOURCE_UNKNOWN']);
    expect(said(await come({}, '/v1/schedules/nightly/pause', 'POST'))).toEqual([403, 'ACCESS_DENIED']);
    expect(said(await come({}, '/v1/people'))).toEqual([403, 'ACCESS_DENIED']);
  });

  it('comes once with a token, at whichever replica, and the log says which job it was', async () => {
    const once = token(push);
    expect((await world.ask('POST', '/v1/runs', { token: once, json: { pipeline: 'shop' } })).status).toBe(404);
    expect(said(await world.ask('POST', '/v1/runs', { token: once, json: { pipeline: 'shop' } }))).toEqual([401, 'IDENTITY_USED']);
    const other = await Metadata.open(world.urls.service, 4);
    const login = new IdentityLogin({
      ...{ metadata: other, clock: systemClock, skewSeconds: 30 },
      keys: new IssuerKeys({ read: (url) => issuer.http.send({ url }), keepMs: 60_000, refreshMs: 1000, failed: () => undefined }),
    });
    try {
      const tell = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'in', (error: unknown) => (error as { code: string }).code); // prettier-ignore
      expect(await tell(login.identify(once, 'default'))).toBe('IDENTITY_USED');
      const contested = token(push);
      const both = await Promise.all(Array.from({ length: 4 }, () => tell(login.identify(contested, 'default'))));
      expect(both.sort()).toEqual(['IDENTITY_USED', 'IDENTITY_USED', 'IDENTITY_USED', 'in']);
      expect(said(await world.ask('GET', '/v1/runs', { token: contested }))).toEqual([401, 'IDENTITY_USED']);
    } finally {
      await other.close();
    }
    const [person] = await world.sql(`SELECT id FROM bauta.person WHERE name = 'ci-shop'`);
    expect((await world.told('identity.used')).at(-1)).toMatchObject({
      actor: person?.['id'],
      data: { issuer: 'github', version: 2, repository_id: '74', run_id: '901', run_attempt: '1' },
    });
  });

  it.each([
    ['a pull request', { event_name: 'pull_request', ref: 'refs/pull/3/merge', head_ref: 'main', base_ref: 'main' }, 'IDENTITY_OF_FORK'],
    ['a pull request on the target’s branch', { event_name: 'pull_request_target' }, 'IDENTITY_OF_FORK'],
    ['another branch', { ref: 'refs/heads/other' }, 'IDENTITY_NOT_TRUSTED'],
  ])('of %s is refused, and the log says so', async (_, claims, code) => {
    expect(said(await come(claims, '/v1/runs', 'POST'))).toEqual([403, code]);
    const denied = (await world.told('access.denied')).at(-1);
    expect(denied).toMatchObject({ data: { code, issuer: 'github', repository_id: '74', run_id: '901' } });
    expect(JSON.stringify(denied)).not.toContain('acme');
  });

  it('of a stranger’s repository is nobody: 401, and no line in the log', async () => {
    const before = (await world.told()).length;
    expect(said(await come({ repository_id: '75' }))).toEqual([401, 'TOKEN_INVALID']);
    expect(said(await world.ask('GET', '/v1/runs', { token: token(push, { key: newSigningKey('first') }) }))).toEqual([
      401,
      'TOKEN_INVALID',
    ]);
    expect((await world.told()).length).toBe(before);
  });

  it('of one workspace is nobody in another, which does not know the issuer', async () => {
    for (const workspace of ['foreign', 'no-such-workspace', '', 'default, default'])
      expect(said(await world.ask('GET', '/v1/runs', { token: token(push), headers: { 'bauta-workspace': workspace } }))).toEqual([
        401,
        'TOKEN_INVALID',
      ]);
    expect(
      (await world.ask('POST', '/v1/runs', { token: token(push), json: { pipeline: 'shop' }, headers: { 'bauta-workspace': 'default' } }))
        .status,
    ).toBe(404);
  });

  it('without what makes a token one of its kind is nobody', async () => {
    for (const claims of [{ jti: undefined }, { jti: '' }, { nbf: undefined }, { aud: ['bauta', 'other'] }])
      expect([claims, ...said(await come(claims))]).toEqual([claims, 401, 'TOKEN_INVALID']);
  });
});

describe('the scripts of docs/operations.md', () => {
  const scripts = [...readFileSync(packageFile('docs', 'operations.md'), 'utf8').matchAll(/```bash\n([^`]*v1\/runs[^`]*)```/g)].map(
    ([, text]) => (text ?? '').replaceAll('"shop"', '"tiny"'),
  );

  /** What a runner gives a job. */
  async function start(script: string, environment: Readonly<Record<string, string>>): Promise<{ code: number | null; said: string }> {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { env: { ...process.env, ...environment, BAUTA: world.url } });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()));
    const code = await new Promise<number | null>((done) => child.on('close', done));
    return { code, said: text };
  }

  /** The next run goes to this state, as a worker would bring it there. */
  async function end(to: 'published' | 'failed'): Promise<void> {
    for (;;) {
      const [run] = await world.sql(`SELECT id FROM bauta.run WHERE state = 'queued'`);
      if (run)
        return world.metadata.within(world.workspaces.home, async ({ runs }) => {
          await runs.transition(String(run['id']), { to: 'planning' });
          await runs.transition(String(run['id']), { to });
        });
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  let forge: Server;
  let url = '';
  beforeAll(async () => {
    const documents = [pipelineText, classificationText].join('---\n').replaceAll('env:', 'env:BAUTA_CONN_');
    expect((await apply(documents)).status).toBe(200);
    const gitlab = github(trust)
      .replaceAll('github', 'gitlab')
      .replace(/claims: {[^}]*}/, 'claims: { project_id: 22, ref: main, ref_type: branch }');
    expect((await decide('ada', await apply(gitlab))).body['state']).toBe('used');
    // As GitHub's runner answers a job that may have an identity.
    forge = createServer((request, response) => {
      const isAsked = request.headers.authorization === 'bearer of-the-job' && request.url?.endsWith('&audience=bauta');
      response.writeHead(isAsked ? 200 : 401).end(JSON.stringify({ count: 1, value: token(push) }));
    });
    await new Promise<void>((done) => forge.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(forge.address() as AddressInfo).port}/id?v=1`;
  });
  afterAll(() => new Promise((done) => forge.close(done)));

  const jobs: Readonly<Record<string, () => Record<string, string>>> = {
    GitHub: () => ({ ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-job' }),
    GitLab: () => {
      const claims = { project_id: '22', ref: 'main', ref_type: 'branch', ref_path: 'refs/heads/main', pipeline_source: 'push' };
      return { ASK: token(claims), WATCH: token(claims) };
    },
  };
  it.each(Object.keys(jobs))('of %s ask for a run, watch it, and end as it ends', async (name) => {
    const script = scripts[Object.keys(jobs).indexOf(name)] ?? 'false';
    for (const [state, code] of [
      ['published', 0],
      ['failed', 1],
    ] as const) {
      const [ended] = await Promise.all([start(script, jobs[name]?.() ?? {}), end(state)]);
      expect([state, ended.code, ended.said]).toEqual([
        state,
        code,
        state === 'published' ? expect.stringContaining('"state":"published"') : '',
      ]);
    }
  });
});

it('a job is nobody when its trust is taken back', async () => {
  expect((await apply(github().replace(/trusts:[\s\S]*/, 'trusts: []\n'))).status).toBe(200);
  expect(said(await come({}))).toEqual([401, 'TOKEN_INVALID']);
});

describe('a person', () => {
  const rita = (claims: object = {}): string => token({ sub: '00u1', aud: 'bauta-people', jti: undefined, ...claims });

  it('comes with one token as often as it holds, and is the person of the directory', async () => {
    const asked = await apply(people('[viewer, approver@dev]'));
    expect((await decide('ada', asked)).body['state']).toBe('used');
    const once = rita();
    for (let i = 0; i < 3; i++) expect((await world.ask('GET', '/v1/runs', { token: once })).status).toBe(200);
    expect(said(await world.ask('GET', '/v1/runs', { token: rita({ sub: '00u2' }) }))).toEqual([401, 'TOKEN_INVALID']);
    expect(said(await world.ask('GET', '/v1/runs', { token: rita({ aud: 'bauta' }) }))).toEqual([401, 'TOKEN_INVALID']);
    expect(said(await world.ask('GET', '/v1/people', { token: once }))).toEqual([403, 'ACCESS_DENIED']);
    const [person] = await world.sql(`SELECT id FROM bauta.person WHERE name = 'rita'`);
    expect((await world.told('access.denied')).at(-1)).toMatchObject({ actor: person?.['id'] });
  });

  it('approves with a login of one environment in that one only, though he may in all', async () => {
    const wait = async (environment: string): Promise<string> => {
      const [row] = await world.sql(
        `INSERT INTO bauta.approval (workspace_id, kind, digest, subject, environments, expires_at)
         VALUES ('${world.workspaces.home}', 'documents', 'sha256:0', '{"documents":[],"written":[]}', '{dev,${environment}}', now() + interval '1 h') RETURNING id`,
      );
      return `/v1/approvals/${String(row?.['id'])}/approve`;
    };
    expect(said(await world.ask('POST', await wait('test'), { token: rita() }))).toEqual([403, 'ACCESS_DENIED']);
    // What is approved here is nothing: it is void, but not denied.
    expect(said(await world.ask('POST', await wait('dev'), { token: rita() }))).toEqual([409, 'APPROVAL_VOID']);
    expect(said(await world.ask('POST', await wait('test'), { token: tokens['rita'] ?? '' }))).toEqual([409, 'APPROVAL_VOID']);
  });
});

it('lets nobody in whose issuer cannot be reached, and says to come again', async () => {
  issuer.broken = true;
  const login = new IdentityLogin({
    ...{ metadata: world.metadata, clock: systemClock, skewSeconds: 30 },
    keys: new IssuerKeys({ read: (url) => issuer.http.send({ url }), keepMs: 60_000, refreshMs: 1000, failed: () => undefined }),
  });
  await expect(login.identify(token({ sub: '00u1', aud: 'bauta-people' }), 'default')).rejects.toMatchObject({
    code: 'ISSUER_UNREACHABLE',
    class: 'UnavailableError',
  });
});
