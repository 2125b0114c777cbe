// Who may give whom which right: nobody to himself, no two that do not go together, and with two administrators none of them alone.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';

let world: ServiceWorld;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  world = await startServiceWorld();
  const made = await world.ask('POST', '/v1/apikeys', { token: (await world.firstToken()) ?? '', json: { person: 'ada', name: 'laptop' } });
  tokens['ada'] = String(made.body['token']);
});
afterAll(() => world.stop());

const as = (who: string, method: string, path: string, json?: unknown): Promise<Answer> =>
  world.ask(method, path, { token: tokens[who] ?? '', ...(json === undefined ? {} : { json }) });
const make = (name: string, roles: readonly string[], owner?: string): Promise<Answer> =>
  as('ada', 'POST', '/v1/people', { name, roles, ...(owner === undefined ? {} : { owner }) });
const said = ({ status, body }: Answer): unknown[] => [status, body['code'] ?? body['roles']];
const rolesOf = async (name: string): Promise<unknown> => (await as('ada', 'GET', `/v1/people/${name}`)).body['roles'];
const approvalOf = ({ body }: Answer): string => String((body['approval'] as { id: string } | undefined)?.id);

describe('one administrator', () => {
  it('gives roles of the workspace and of one environment, and never to himself', async () => {
    expect(said(await make('rita', ['viewer', 'requester@dev', 'approver@staging']))).toEqual([
      201,
      ['approver@staging', 'requester@dev', 'viewer'],
    ]);
    const own = await as('ada', 'PUT', '/v1/people/ada/roles', { roles: ['administrator', 'viewer'] });
    expect(said(own)).toEqual([403, 'GRANT_TO_ONESELF']);
    expect((await as('ada', 'POST', '/v1/people', { name: 'bot', roles: ['operator'], owner: 'ada' })).body['code']).toBe(
      'GRANT_TO_ONESELF',
    );
    const [denied] = await world.sql(`SELECT event FROM bauta.outbox WHERE event ->> 'type' = 'access.denied' ORDER BY id DESC LIMIT 1`);
    expect(denied).toMatchObject({ event: { data: { code: 'GRANT_TO_ONESELF', route: 'PeopleController.create' } } });
  });

  it.each([
    [['administrator', 'viewer']],
    [['administrator', 'auditor']],
    [['policy-admin', 'approver']],
    [['policy-admin', 'approver@dev']],
    [['requester', 'approver']],
    [['requester@dev', 'approver']],
    [['requester', 'approver@dev']],
    [['requester@dev', 'requester@test', 'approver@test']],
    [['detokeniser', 'auditor']],
    [['detokeniser@dev', 'requester@test']],
  ])('%s do not go together', async (roles) => expect(said(await make('nobody', roles))).toEqual([422, 'ROLES_INCOMPATIBLE']));

  it.each([[['owner']], [['administrator@dev']], [['auditor@dev']], [['policy-admin@dev']], [['viewer@']], [['viewer@a b']]])(
    '%s is no list of roles',
    async (roles) => expect(said(await make('nobody', roles))).toEqual([422, 'REQUEST_REFUSED']),
  );

  it('counts the roles of a service account as its owner’s', async () => {
    expect(said(await make('olaf', ['requester@dev']))).toEqual([201, ['requester@dev']]);
    expect(said(await make('olafs-bot', ['approver'], 'olaf'))).toEqual([422, 'ROLES_INCOMPATIBLE']);
    expect((await make('olafs-bot', ['operator'], 'olaf')).body).toMatchObject({ owner: 'olaf', roles: ['operator'] });
    expect(said(await as('ada', 'PUT', '/v1/people/olaf/roles', { roles: ['requester@dev', 'detokeniser'] }))).toEqual([
      422,
      'ROLES_INCOMPATIBLE',
    ]);
    expect(said(await make('bots-bot', [], 'olafs-bot'))).toEqual([422, 'OWNER_INVALID']);
    expect(said(await make('bots-bot', [], 'no-such-person'))).toEqual([422, 'OWNER_INVALID']);
  });

  it('makes the second administrator, and then no right is given by the word of one', async () => {
    expect(said(await make('bob', ['administrator']))).toEqual([201, ['administrator']]);
    const { metadata, workspaces } = world;
    // Bob has his own token from here on; a token for him would take both of them now.
    tokens['bob'] = await world.token('bob');
    expect(await metadata.within(workspaces.home, ({ people }) => people.countOfRole('administrator'))).toBe(2);
    const asked = await make('zoe', ['viewer']);
    expect([asked.status, asked.body['roles']]).toEqual([202, []]);
    expect(await rolesOf('zoe')).toEqual([]);
    const id = approvalOf(asked);
    expect(said(await as('ada', 'POST', `/v1/approvals/${id}/approve`))).toEqual([403, 'APPROVAL_OF_OWN']);
    expect((await as('bob', 'POST', `/v1/approvals/${id}/approve`)).body).toMatchObject({
      state: 'used',
      requestedBy: 'ada',
      decidedBy: 'bob',
    });
    expect(await rolesOf('zoe')).toEqual(['viewer']);
  });
});

describe('two administrators', () => {
  it('take a right away at once, but not the other administrator’s', async () => {
    await make('yann', []);
    expect((await as('ada', 'PUT', '/v1/people/olaf/roles', { roles: [] })).status).toBe(200);
    expect((await as('ada', 'PUT', '/v1/people/rita/roles', { roles: ['viewer@dev', 'requester@dev'] })).status).toBe(200);
    const unseat = await as('ada', 'PUT', '/v1/people/bob/roles', { roles: [] });
    expect([unseat.status, await rolesOf('bob')]).toEqual([202, ['administrator']]);
    expect((await as('bob', 'POST', `/v1/approvals/${approvalOf(unseat)}/refuse`)).body['state']).toBe('refused');
    expect(await rolesOf('bob')).toEqual(['administrator']);
  });

  it('issue a token for somebody else only together, and its secret is shown once, to who asked', async () => {
    const wanted = { person: 'zoe', name: 'laptop' };
    const asked = await as('ada', 'POST', '/v1/apikeys', wanted);
    expect([asked.status, Object.keys(asked.body)]).toEqual([202, ['approval']]);
    const again = await as('ada', 'POST', '/v1/apikeys', wanted);
    expect(approvalOf(again)).toBe(approvalOf(asked));
    const agreed = await as('bob', 'POST', `/v1/approvals/${approvalOf(asked)}/approve`);
    expect([agreed.body['state'], JSON.stringify(agreed.body)]).toEqual(['approved', expect.not.stringContaining('bauta_')]);
    // For exactly this: not for another person, another life, or another administrator.
    for (const [who, other] of [
      ['ada', { ...wanted, person: 'yann' }],
      ['ada', { ...wanted, expiresInDays: 365 }],
      ['bob', wanted],
    ] as const)
      expect((await as(who, 'POST', '/v1/apikeys', other)).status).toBe(202);
    const issued = await as('ada', 'POST', '/v1/apikeys', wanted);
    expect([issued.status, issued.body['person']]).toEqual([201, 'zoe']);
    expect((await as('ada', 'POST', '/v1/apikeys', wanted)).status).toBe(202);
    expect((await as('ada', 'POST', '/v1/apikeys', { person: 'ada', name: 'second' })).status).toBe(201);
  });

  it('agree to what was asked and to nothing else', async () => {
    const asked = await as('ada', 'PUT', '/v1/people/zoe/roles', { roles: ['viewer', 'auditor'] });
    expect((await as('bob', 'PUT', '/v1/people/zoe/roles', { roles: [] })).status).toBe(200);
    const path = `/v1/approvals/${approvalOf(asked)}`;
    expect(said(await as('bob', 'POST', `${path}/approve`))).toEqual([409, 'APPROVAL_VOID']);
    expect((await as('bob', 'GET', path)).body['state']).toBe('void');
    expect(await rolesOf('zoe')).toEqual([]);
    // Who asked has to be an administrator still when it is carried out.
    const second = await as('bob', 'PUT', '/v1/people/zoe/roles', { roles: ['viewer'] });
    await world.sql(`UPDATE bauta.role_grant SET role = 'viewer' WHERE person_id = (SELECT id FROM bauta.person WHERE name = 'bob')`);
    expect(said(await as('ada', 'POST', `/v1/approvals/${approvalOf(second)}/approve`))).toEqual([409, 'APPROVAL_VOID']);
    await world.sql(
      `UPDATE bauta.role_grant SET role = 'administrator' WHERE person_id = (SELECT id FROM bauta.person WHERE name = 'bob')`,
    );
  });

  it('do not see what waits for approvers, nor approvers what waits for them', async () => {
    tokens['ann'] = await world.person('ann', ['approver', 'viewer']);
    const pending = await as('ada', 'PUT', '/v1/people/yann/roles', { roles: ['viewer'] });
    expect((await as('ann', 'GET', '/v1/approvals')).body['items']).toEqual([]);
    expect((await as('ann', 'POST', `/v1/approvals/${approvalOf(pending)}/approve`)).status).toBe(404);
    expect(await rolesOf('yann')).toEqual([]);
  });
});

describe('workspaces', () => {
  it('are made by an administrator of the first one, and know nothing of each other', async () => {
    const made = await as('ada', 'POST', '/v1/workspaces', { name: 'team' });
    expect(made.status).toBe(201);
    // Lost before it was used: while nobody administers it there is another.
    const again = await as('ada', 'POST', '/v1/workspaces', { name: 'team' });
    expect([again.status, again.body['id']]).toEqual([201, made.body['id']]);
    const tom = await world.ask('POST', '/v1/apikeys', {
      token: String(again.body['firstToken']),
      json: { person: 'tom', name: 'laptop' },
    });
    expect(tom.status).toBe(201);
    tokens['tom'] = String(tom.body['token']);
    const used = await world.ask('POST', '/v1/apikeys', {
      token: String(made.body['firstToken']),
      json: { person: 'eve', name: 'laptop' },
    });
    expect(used.status).toBe(401);
    expect(said(await as('ada', 'POST', '/v1/workspaces', { name: 'team' }))).toEqual([409, 'NAME_TAKEN']);

    const names = async (who: string, path: string): Promise<unknown[]> =>
      ((await as(who, 'GET', path)).body['items'] as { name: string }[]).map(({ name }) => name);
    expect(await names('ada', '/v1/workspaces')).toEqual(['default', 'foreign', 'team']);
    expect(await names('tom', '/v1/workspaces')).toEqual(['team']);
    expect(await names('tom', '/v1/people')).toEqual(['tom']);
    expect(await names('ada', '/v1/people')).not.toContain('tom');
    expect(said(await as('tom', 'POST', '/v1/workspaces', { name: 'mine' }))).toEqual([403, 'ACCESS_DENIED']);
    // Names of people and documents are the workspace's own.
    expect(said(await as('tom', 'POST', '/v1/people', { name: 'ada', roles: ['viewer'] }))).toEqual([201, ['viewer']]);
  });
});
