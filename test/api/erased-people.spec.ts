// A person of the service asks to be erased: what stands in the way is said at once, then the name, what else he is called and what he said stand
// nowhere in the metadata database, nothing lets him in, and the log is whole.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { verifyChain } from '../../src/pipeline/audit/audit.js';
import { type Answer, type ServiceWorld, readEverything, startServiceWorld } from '../support/service.js';
import { type Said, bauta } from '../support/tiny-source.js';

const name = 'quillfeather';
const [full, email, sub] = ['Ottoline Quillfeather-Zyx', 'otti.q@example.org', 'auth0|7731-otti'];
const traces = /quillfeather|otti/i;
let world: ServiceWorld;
const tokens: Record<string, string> = {};
let id = '';

const as = (who: string, method: string, path: string, json?: unknown, headers = {}): Promise<Answer> =>
  world.ask(method, path, { token: tokens[who] ?? '', headers, ...(json === undefined ? {} : { json }) });
const erase = (who: string, json: object = { reason: 'asked for it' }): Promise<Answer> =>
  as('root', 'POST', `/v1/people/${who}/erase`, json);
const found = ({ body }: Answer): unknown => (body['findings'] as { code: string }[] | undefined)?.map(({ code }) => code);
const approvalOf = ({ body }: Answer): string => (body['approval'] as { id: string }).id;
const traced = async (): Promise<string[]> => {
  const rows = await readEverything((text) => world.sql(text));
  const foreign = await world.sql(`SELECT t::text AS text FROM bauta.person t WHERE workspace_id = '${world.workspaces.foreign}'`);
  return rows.filter((row) => traces.test(row) && !foreign.some(({ text }) => text === row));
};

beforeAll(async () => {
  world = await startServiceWorld();
  await world.startSequencer();
  tokens['root'] = await world.person('root', ['administrator']);
  tokens['rita'] = await world.person('rita', ['administrator']);
  await world.person(name, ['viewer'], 'foreign');

  // As it comes about: made by one administrator, agreed by the other, named in an answer that is kept for a day.
  const made = await as('root', 'POST', '/v1/people', { name, roles: ['operator'] }, { 'idempotency-key': `make-${name}` });
  expect((await as('rita', 'POST', `/v1/approvals/${approvalOf(made)}/approve`)).status).toBe(200);
  const wanted = { person: name, name: `laptop-of-${name}` };
  const asked = await as('root', 'POST', '/v1/apikeys', wanted);
  expect((await as('rita', 'POST', `/v1/approvals/${approvalOf(asked)}/approve`)).status).toBe(200);
  tokens[name] = world.secret(String((await as('root', 'POST', '/v1/apikeys', wanted)).body['token']));
  id = String((await as('root', 'GET', `/v1/people/${name}`)).body['id']);

  await world.metadata.within(world.workspaces.home, async (transaction) => {
    const { documents, people, log } = transaction;
    const author = (await people.find('rita'))!.id;
    const put = (kind: string, version: number, document: object): Promise<void> =>
      documents.insert({ kind, name: 'acme', version, digest: `sha256:${version}`, document }, version === 1 ? id : author);
    const trust = (person: string, of: string): object => ({ claims: { sub: of }, person, roles: ['viewer'] });
    await put('Issuer', 1, { kind: 'Issuer', name: 'acme', trusts: [trust(name, sub), trust('zoe', 'auth0|1')] });
    await put('Environment', 1, {
      kind: 'Environment',
      owner: `${full}, ${email}`,
      purpose: `tests\nQuillfeather's`,
      roles: { owner: 'acme' },
    });
    await put('Environment', 2, { kind: 'Environment', owner: full, roles: { owner: 'acme' } });
    const texts = [await log.keepText(`${full} wants it`), await log.keepText('of somebody else')];
    await transaction.append(
      { runId: '', stage: 'control', type: 'something.said', at: '2026-01-01T00:00:00.000Z', data: { reasons: texts } },
      crypto.randomUUID(),
    );
  });
  const { home } = world.workspaces;
  await world.sql(`
    INSERT INTO bauta.run (id, workspace_id, pipeline, documents, state, ended_at, summary) VALUES ('0000000000000001', '${home}', 'shop', '[]', 'failed', now(),
      '{"state":"failed","dataset":{"target":"shop"},"findings":[{"code":"X","message":"branch ${name}/fix: no","where":{"file":"${name}/shop.yaml"}}]}');
    INSERT INTO bauta.run_line (workspace_id, run_id, attempt, state, text) VALUES ('${home}', '0000000000000001', 1, 'failed', 'by ${email}');
    INSERT INTO bauta.run_told (workspace_id, run_id, seq, attempt, told) VALUES ('${home}', '0000000000000001', 1, 1, '{"warnings":[{"hint":"ask ${full}"}]}');
    INSERT INTO bauta.errand (id, workspace_id, kind, pipeline, environment, documents, requested_by, ended_at, result)
      VALUES ('0000000000000002', '${home}', 'plan', 'shop', 'dev', '[]', '${id}', now(), '{"plan":{"reason":"${full} said so"}}')`);
  // What the person said himself, which names nobody.
  const commitment = String(
    (await world.sql(`SELECT commitment FROM bauta.erasable_text WHERE text = 'of somebody else'`))[0]?.['commitment'],
  );
  const said = await as(name, 'POST', '/v1/audit/log/texts/erase', { commitment, reason: 'because I say so' });
  expect(said.status).toBe(200);
}, 60_000);
afterAll(() => world.stop());

it('is refused, with all that is in the way, as long as anything is', async () => {
  await world.person('bot', ['viewer'], 'home', name);
  const asked = await as('root', 'PUT', `/v1/people/${name}/roles`, { roles: ['operator', 'requester'] });
  const held = await erase(name);
  expect([held.status, held.body['code'], found(held)]).toEqual([
    ...[409, 'PERSON_NOT_ERASABLE'],
    ['PERSON_AWAITED', 'PERSON_ANSWERS', 'PERSON_TRUSTED'],
  ]);
  // Neither does an administrator erase the other, nor the last one himself.
  for (const who of ['rita', 'root']) expect(found(await erase(who))).toContain('PERSON_ADMINISTERS');
  const [{ id: rita } = {}] = await world.sql(`SELECT id FROM bauta.person WHERE name = 'rita'`);
  const refused = await world.metadata.within(world.workspaces.home, ({ people }) => people.erase(String(rita), []));
  expect([refused, (await as('root', 'GET', '/v1/people/rita')).body['roles']]).toEqual([undefined, ['administrator']]);
  expect((await world.ask('GET', '/v1/people', { token: tokens[name] ?? '' })).status).toBe(403);

  expect((await as('rita', 'POST', `/v1/approvals/${approvalOf(asked)}/refuse`)).status).toBe(200);
  expect((await erase('bot')).status).toBe(200);
  await world.metadata.within(world.workspaces.home, async ({ documents, people }) =>
    documents.insert(
      { kind: 'Issuer', name: 'acme', version: 2, digest: 'sha256:2', document: { kind: 'Issuer', name: 'acme', trusts: [] } },
      (await people.find('rita'))!.id,
    ),
  );
});

const order = [name, '--also', full, email, '--reason', `${full} asked for it`];
const command = (...words: string[]): Promise<Said> =>
  bauta(['audit', 'erase', ...words, '--server', world.url, '--token', 'env:ROOT'], { env: { ROOT: tokens['root'] ?? '' } });

it('says where a name still stands that is in force, and else leaves none in the whole database', async () => {
  expect((await traced()).length).toBeGreaterThan(8);
  const said = await command(...order);
  expect([said.exitCode, said.stderr]).toEqual([0, '']);
  expect(said.stdout).toMatch(
    new RegExp(`^erased: ${id}, by entry \\d{4}/\\d+\\n.*PERSON_STILL_NAMED.*Environment acme version 2\\n.*\\n$`),
  );
  expect((await traced()).map((row) => row.includes('Environment'))).toEqual([true]);

  await world.metadata.within(world.workspaces.home, async ({ documents, people }) =>
    documents.insert(
      { kind: 'Environment', name: 'acme', version: 3, digest: 'sha256:3', document: { kind: 'Environment', owner: 'the team' } },
      (await people.find('rita'))!.id,
    ),
  );
  const again = await erase(id, { reason: 'the rest', names: [full, email] });
  expect(again.body['erased']).toMatchObject({ documents: 1, stillIn: [] });
  expect(await traced()).toEqual([]);
  // Done is done: by the id, which is all that is left.
  expect((await erase(id)).body).toEqual({ of: id, erased: null, entry: null });
  expect((await command(id, '--reason', 'again')).stdout).toBe(`${id} was erased before\n`);
  expect((await erase(name)).body['code']).toBe('RESOURCE_UNKNOWN');
});

it('takes what the person said and keeps what others said, and what is not a text for people', async () => {
  const texts = (await world.sql('SELECT text FROM bauta.erasable_text ORDER BY text')).map(({ text }) => text);
  expect(texts).not.toContain('because I say so');
  expect(texts).toContain('[erased] asked for it');
  const written = await world.sql(`SELECT kind, version, digest, written FROM bauta.document ORDER BY kind, version`);
  expect(written.slice(0, 4)).toMatchObject([
    { version: 1, digest: 'sha256:1', written: { owner: '[erased], [erased]', roles: { owner: 'acme' } } },
    { version: 2, written: { owner: '[erased]' } },
    { version: 3, written: { owner: 'the team' } },
    { version: 1, written: { trusts: [{ claims: { sub: 'auth0|1' }, person: 'zoe', roles: ['viewer'] }] } },
  ]);
  // Whoever compares a digest is told why it does not fit.
  const [old, now] = await world.metadata.within(world.workspaces.home, async ({ documents }) => [
    await documents.find({ kind: 'Environment', name: 'acme' }, 1),
    await documents.find({ kind: 'Environment', name: 'acme' }),
  ]);
  expect([old?.erasedAt, now?.erasedAt]).toEqual([expect.stringMatching(/^\d{4}-/), null]);
  const [run] = await world.sql(`SELECT summary FROM bauta.run`);
  expect(run?.['summary']).toEqual({
    ...{ state: 'failed', dataset: { target: 'shop' } },
    findings: [{ code: 'X', message: 'branch [erased]/fix: no', where: { file: '[erased]/shop.yaml' } }],
  });
  // A person of that name elsewhere is somebody else.
  const [there] = await world.sql(`SELECT name, erased_at FROM bauta.person WHERE workspace_id = '${world.workspaces.foreign}'`);
  expect(there).toEqual({ name, erased_at: null });
});

it('leaves an id that nothing lets in, and to which nothing is given any more', async () => {
  const tombstone = `erased-person-${id}`;
  expect((await as(name, 'GET', '/v1/health')).status).toBe(401);
  const { body } = await as('root', 'GET', `/v1/people/${tombstone}`);
  expect(body).toMatchObject({ id, name: tombstone, roles: [], erasedAt: expect.stringMatching(/^\d{4}-/) });
  expect((await as('root', 'GET', '/v1/people')).body['items']).toContainEqual(body);
  const mine = ((await as('root', 'GET', '/v1/apikeys')).body['items'] as { person: string }[]).filter(
    ({ person }) => person === tombstone,
  );
  expect(mine).toMatchObject([{ name: 'erased', revokedAt: expect.any(String) }]);
  const refused = [
    await as('root', 'PUT', `/v1/people/${tombstone}/roles`, { roles: ['viewer'] }),
    await as('root', 'POST', '/v1/apikeys', { person: tombstone, name: 'laptop' }),
    await as('root', 'POST', '/v1/people', { name: 'erased-person-of-mine', roles: [] }),
    await as('root', 'POST', '/v1/people', { name: 'another', roles: [], owner: tombstone }),
  ];
  expect(refused.map(({ body: { code } }) => code)).toEqual(['PERSON_ERASED', 'PERSON_ERASED', 'NAME_TAKEN', 'OWNER_INVALID']);
  // Whatever a token says, its person is gone.
  await world.sql(`UPDATE bauta.token SET revoked_at = NULL WHERE person_id = '${id}'`);
  expect((await as(name, 'GET', '/v1/health')).status).toBe(401);
});

it('is told in the log by the id, before and after, and the log is whole', async () => {
  const told = (await world.told('person.erased.intended', 'person.erased.done')).filter(({ data }) => data['of'] === id);
  expect(told.map(({ type }) => type)).toEqual([
    ...['person.erased.intended', 'person.erased.done', 'person.erased.intended', 'person.erased.done'],
  ]);
  expect(told[0]?.data).toEqual({ of: id, actor: expect.any(String), reason: { committed: expect.stringMatching(/^sha256:/) } });
  expect(told[1]?.data).toEqual({ of: id, texts: 2, documents: 2, approvals: 3, runs: 1, stillIn: 1 });
  await world.metadata.within(world.workspaces.home, async ({ log }) => {
    const verifier = (await log.verifier())!;
    expect((await verifyChain(log.files(), { verifier, known: [] })).findings).toEqual([]);
  });
});
