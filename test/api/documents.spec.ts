// Documents over REST: all or nothing, the same again changes nothing, versions stay, and a reference is a right.
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';

let world: ServiceWorld;
let [admin, viewer, stranger] = ['', '', ''];
beforeAll(async () => {
  world = await startServiceWorld();
  admin = await world.person('pat', ['policy-admin', 'viewer']);
  viewer = await world.person('vic', ['viewer']);
  stranger = await world.person('sam', ['policy-admin'], 'foreign');
});
afterAll(() => world.stop());

const classification = (name: string, tag = 'pii.email'): string => `kind: Classification
name: ${name}
tables:
  shop.customer: { person: true, columns: { id: pii.key, email: ${tag} } }
`;
const pipeline = (name: string, more = '', source = 'env:BAUTA_CONN_SOURCE'): string => `kind: Pipeline
name: ${name}
import: [classification.yaml]
source: ${source}
target: { connection: env:BAUTA_CONN_TARGET, environment: dev, class: dev, allows: [pii] }
classification: ${name}
purpose: tests of the service
owner: team
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 30
${more}`;

const apply = (text: string, token = admin, headers: Record<string, string> = {}, query = ''): Promise<Answer> =>
  world.ask('POST', `/v1/apply${query}`, { token, text, headers: { 'content-type': 'application/yaml', ...headers } });
const codes = ({ body }: Answer): unknown[] => ((body['findings'] ?? []) as { code: string }[]).map(({ code }) => code);
const count = async (): Promise<number> => Number((await world.sql('SELECT count(*)::int AS n FROM bauta.document'))[0]?.['n']);

it('applies several documents, and the same again changes nothing', async () => {
  const text = `${pipeline('shop')}---\n${classification('shop')}`;
  const first = await apply(text);
  expect([first.status, first.body['applied']]).toMatchObject([
    200,
    [
      { kind: 'Pipeline', name: 'shop', version: 1, change: 'created' },
      { kind: 'Classification', name: 'shop', version: 1, change: 'created' },
    ],
  ]);
  const again = await apply(`${classification('shop')}---\n${pipeline('shop')}`);
  expect(again.body['applied']).toMatchObject([
    { version: 1, change: 'unchanged', diff: [] },
    { version: 1, change: 'unchanged', diff: [] },
  ]);
  // The form does not matter: the same definition as JSON is the same version.
  const { body } = await world.ask('GET', '/v1/classifications/shop', { token: viewer });
  const asJson = await world.ask('POST', '/v1/apply', { token: admin, json: body['document'] });
  expect(asJson.body['applied']).toMatchObject([{ version: 1, change: 'unchanged' }]);
});

it('tells what changed, keeps every version, and tells beforehand with dryRun', async () => {
  const changed = classification('shop', 'pii.username');
  const dry = await apply(changed, admin, {}, '?dryRun=true');
  const expected = [
    { version: 2, change: 'changed', diff: [{ path: '/tables/shop.customer/columns/email', before: 'pii.email', after: 'pii.username' }] },
  ];
  expect([dry.body['dryRun'], dry.body['applied']]).toMatchObject([true, expected]);
  expect((await apply(changed)).body).toMatchObject({ dryRun: false, applied: expected });
  const { body } = await world.ask('GET', '/v1/classifications/shop/versions', { token: viewer });
  expect(body).toMatchObject({ items: [{ version: 2, author: 'pat' }, { version: 1 }], next: null });
  const old = await world.ask('GET', '/v1/classifications/shop?version=1', { token: viewer });
  expect(old.body['document']).toMatchObject({ tables: { 'shop.customer': { columns: { email: 'pii.email' } } } });
});

it('is one event in the outbox, with the person by id, and none when nothing changed', async () => {
  const events = await world.sql(`SELECT event FROM bauta.outbox WHERE event ->> 'type' = 'documents.applied' ORDER BY id`);
  const [pat] = await world.sql(`SELECT id FROM bauta.person WHERE name = 'pat'`);
  expect(events).toHaveLength(2);
  expect(events[1]).toMatchObject({
    event: { actor: pat?.['id'], data: { documents: [{ kind: 'Classification', name: 'shop', version: 2 }] } },
  });
});

it('applies all or nothing', async () => {
  const before = await count();
  const bad = await apply(`${classification('other')}---\n${pipeline('other').replace('retentionDays: 30', 'retentionDays: none')}`);
  expect([bad.status, codes(bad)]).toEqual([422, ['DOCUMENT_VALUE_INVALID']]);
  const lonely = await apply(pipeline('lonely'));
  expect([lonely.status, codes(lonely)]).toEqual([422, ['DOCUMENT_NOT_FOUND']]);
  expect(await count()).toBe(before);
  expect((await world.ask('GET', '/v1/classifications/other', { token: viewer })).status).toBe(404);
});

it('makes one version of what many apply at once', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => apply(classification('crowd'))));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  expect(answers.filter(({ body }) => (body['applied'] as { change: string }[])[0]?.change === 'created')).toHaveLength(1);
});

it('answers with an ETag, 304 to who has it, and 412 to who replaces another version', async () => {
  const { headers } = await world.ask('GET', '/v1/classifications/shop', { token: viewer });
  const etag = headers.get('etag') ?? '';
  expect((await world.ask('GET', '/v1/classifications/shop', { token: viewer, headers: { 'if-none-match': etag } })).status).toBe(304);
  const next = classification('shop', 'pii.first-name');
  expect((await apply(next, admin, { 'if-match': '"1-0000000000000000"' })).body['code']).toBe('VERSION_CHANGED');
  expect((await apply(next, admin, { 'if-match': etag })).body['applied']).toMatchObject([{ version: 3 }]);
});

it('carries a request with an Idempotency-Key out once', async () => {
  const key = { 'idempotency-key': 'apply-1' };
  const answers = await Promise.all([1, 2, 3].map(() => apply(classification('once'), admin, key)));
  for (const { status, body } of answers)
    expect([status, body['applied']]).toMatchObject([200, [{ name: 'once', version: 1, change: 'created' }]]);
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(2);
  const other = await apply(classification('twice'), admin, key);
  expect([other.status, other.body['code']]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
});

it('lists by pages, and nothing of another workspace', async () => {
  await apply(classification('strange'), stranger);
  const names: string[] = [];
  for (let cursor = ''; ;) {
    const { body } = await world.ask('GET', `/v1/classifications?limit=2${cursor}`, { token: viewer });
    names.push(...(body['items'] as { name: string }[]).map(({ name }) => name));
    if (body['next'] === null) break;
    cursor = `&cursor=${body['next'] as string}`;
  }
  expect(names).toEqual(['crowd', 'once', 'shop']);
  expect((await world.ask('GET', '/v1/classifications/strange', { token: viewer })).status).toBe(404);
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'cursor=%00', 'limit=1&limit=2'])
    expect([query, (await world.ask('GET', `/v1/classifications?${query}`, { token: viewer })).status]).toEqual([query, 400]);
});

it('keeps a lock beside its classification', async () => {
  const lock = JSON.parse(readFileSync(packageFile('examples', 'shop', 'classification.lock'), 'utf8')) as object;
  const applied = await world.ask('POST', '/v1/apply', { token: admin, json: { kind: 'ClassificationLock', name: 'shop', ...lock } });
  expect(applied.body['applied']).toMatchObject([{ kind: 'ClassificationLock', version: 1 }]);
  const bad = await world.ask('POST', '/v1/apply', { token: admin, json: { kind: 'ClassificationLock', name: 'nothing', ...lock } });
  expect(codes(bad)).toEqual(['DOCUMENT_NOT_FOUND']);
});

describe('a reference is a right', () => {
  it.each([
    'env:PATH',
    'env:BAUTA_METADATA',
    'env:BAUTA_CONN_',
    'file:/etc/passwd',
    'file:../server.key',
    'file:a/../../b',
    'file:./a',
    'file:.hidden',
    'file:a//b',
  ])('%s is refused', async (reference) => {
    const answer = await apply(pipeline('shop', '', reference));
    expect([answer.status, codes(answer)]).toEqual([422, ['REFERENCE_NOT_GRANTED']]);
  });

  it.each(['env:BAUTA_CONN_SOURCE', 'file:source', 'file:shop/source.url'])('%s is granted', async (reference) => {
    expect((await apply(pipeline('shop', '', reference), admin, {}, '?dryRun=true')).status).toBe(200);
  });

  it('a connection string, and files after the load, stand in no document', async () => {
    const secret = 'postgres://app:hunter2canary@db.internal/shop';
    const answers = [await apply(pipeline('shop', '', secret)), await apply(pipeline('shop', 'after: [grant.sql]\n'))];
    expect(answers.map(codes)).toEqual([expect.arrayContaining(['DOCUMENT_SECRET']), ['DOCUMENT_FILE_REFERENCE']]);
    expect(JSON.stringify(answers)).not.toContain('hunter2canary');
  });
});

describe('hostile bodies end in a 4xx within a second', () => {
  const bomb = `a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n`;
  it.each([
    ['a YAML alias', bomb, 422],
    ['a custom tag', 'kind: !!js/function "return 1"\n', 422],
    ['__proto__', '{"kind":"Pipeline","__proto__":{"admin":true}}', 422],
    ['a duplicate key', 'kind: Pipeline\nkind: Rulebook\n', 422],
    ['depth', '['.repeat(100_000), 422],
    ['flow depth in a member', `{"kind":${'{"a":'.repeat(5000)}`, 422],
    ['nothing', '', 422],
    ['a lone surrogate', '{"kind":"\\ud800"}', 422],
    ['NUL', '{"kind":"\\u0000"}', 422],
    ['an unknown kind', 'kind: Secret\n', 422],
    ['an XML entity', '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', 422],
  ])('%s', async (_, text, status) => {
    const before = await count();
    const startedAt = performance.now();
    const answer = await apply(text);
    expect([answer.status >= 400 && answer.status < 500, answer.headers.get('content-type')]).toEqual([
      true,
      'application/problem+json; charset=utf-8',
    ]);
    expect([400, status]).toContain(answer.status);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(await count()).toBe(before);
  });

  it('a body that is too large, compressed, of another type or in another charset', async () => {
    const statuses: number[] = [];
    for (const [text, headers] of [
      ['x'.repeat(1_000_001), {}],
      ['x', { 'content-encoding': 'gzip' }],
      ['x', { 'content-type': 'text/plain' }],
      ['x', { 'content-type': 'application/yaml; charset=utf-7' }],
      ['{a: b}', { 'content-type': 'application/json' }],
    ] as const)
      statuses.push((await apply(text, admin, headers)).status);
    expect(statuses).toEqual([413, 415, 415, 415, 400]);
  });
});
