// A change that protects less waits for a second person, who is shown how far it reaches; one that does not is applied at once.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';

const classification = `kind: Classification
name: shop
tables:
  shop.customer:
    person: true
    columns: { id: pii.key, email: pii.email, full_name: pii.full-name, profile: { paths: { mail: pii.email, size: none } } }
    keep: [{ columns: [status], reason: says nothing of a person }]
  shop.card: { columns: { pan: pci.pan } }
`;
const pipeline = `kind: Pipeline
name: shop
source: env:BAUTA_CONN_SOURCE
target: { connection: env:BAUTA_CONN_TARGET, environment: dev, class: dev, allows: [pii, pci.pan] }
classification: shop
rulebook: house
purpose: tests of the service
owner: team
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 30
approval: required
overrides:
  - { columns: [shop.customer.full_name], transform: fixed, params: { value: x }, reason: nobody needs names here }
`;
const rulebook = `kind: Rulebook
name: house
rules:
  none: keep
  pii.key: [{ transform: text-key, scope: value }, { transform: integer-key, scope: value }]
  pii.email: { transform: email, scope: value }
  pii.username: { transform: username, scope: value }
  pii.full-name: { transform: full-name, scope: subject }
  pii.phone: { transform: phone, scope: value }
  pci.pan: { transform: pan, scope: value }
`;

let world: ServiceWorld;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  world = await startServiceWorld();
  for (const [name, roles] of [
    ['pat', ['policy-admin', 'viewer']],
    ['pia', ['policy-admin']],
    ['ann', ['approver', 'viewer']],
    ['dan', ['approver@dev', 'viewer']],
    ['tim', ['approver@test', 'viewer']],
  ] as const)
    tokens[name] = await world.person(name, roles);
  expect((await apply([classification, pipeline, rulebook].join('---\n'))).status).toBe(200);
  await world.sql(
    `INSERT INTO bauta.run (id, workspace_id, pipeline, environment, documents, state, ended_at, summary)
     VALUES ('0000000000000001', '${world.workspaces.home}', 'shop', 'dev', '[]', 'published', now(),
       '{"tables":[{"name":"shop.customer","rows":1200,"bytes":1,"seconds":1},{"name":"shop.card","rows":90,"bytes":1,"seconds":1}]}')`,
  );
});
afterAll(() => world.stop());

const apply = (text: string, query = '', who = 'pat'): Promise<Answer> =>
  world.ask('POST', `/v1/apply${query}`, { token: tokens[who] ?? '', text, headers: { 'content-type': 'application/yaml' } });
const decide = (who: string, { body }: Answer, what = 'approve'): Promise<Answer> =>
  world.ask('POST', `/v1/approvals/${(body['approval'] as { id: string }).id}/${what}`, { token: tokens[who] ?? '' });
const versionOf = async (kind: string, name: string): Promise<unknown> =>
  (await world.ask('GET', `/v1/${kind}/${name}`, { token: tokens['pat'] ?? '' })).body['version'];

const edits: Readonly<Record<string, string>> = { classification, pipeline, rulebook };
const edit = (document: string, from: string, to: string): string => {
  const text = edits[document] ?? '';
  if (!text.includes(from)) throw new Error(`the test replaces what is not there: ${from}`);
  return text.replace(from, to);
};

describe('lowers protection', () => {
  it.each([
    ['a tag removed', 'classification', 'email: pii.email, ', '', 'tag-removed', 'shop.customer.email'],
    ['none in a tag’s place', 'classification', 'email: pii.email', 'email: none', 'tag-removed', 'shop.customer.email'],
    ['the tag of a path removed', 'classification', '{ mail: pii.email', '{ mail: none', 'tag-removed', 'shop.customer.profile at mail'],
    ['a keep', 'classification', '[status]', '[status, shelf]', 'kept', 'shop.customer.shelf'],
    ['none against what the name says', 'classification', '[status]', '[status, phone]', 'against-detector', 'shop.customer.phone'],
    [
      'none for a whole family',
      'classification',
      'shop.card:',
      'shop.stock: { columns: { "box": none } }\n  shop.card:',
      'kept',
      'shop.stock.box',
    ],
    ['keep for everything', 'classification', '[status]', '["*"]', 'against-detector', 'shop.customer.*'],
    [
      'a tag whose transform lets more through',
      'classification',
      'full_name: pii.full-name',
      'full_name: pii.username',
      'weaker-transform',
      'shop.customer.full_name',
    ],
    ['persons that are none any more', 'classification', 'person: true', 'person: false', 'person-removed', 'shop.customer.email'],
    [
      'a weaker transform',
      'rulebook',
      '{ transform: full-name, scope: subject }',
      '{ transform: keep, reason: why not at all, expires: 2030-01-01 }',
      'weaker-transform',
      'shop.customer.full_name',
    ],
    [
      'a fake that can reach somebody',
      'rulebook',
      '{ transform: email, scope: value }',
      '{ transform: email, scope: value, params: { domain: corp.com }, reason: our own mail server }',
      'weaker-transform',
      'shop.customer.email',
    ],
    [
      'a parameter of a transform that shows a part',
      'rulebook',
      '{ transform: pan, scope: value }',
      '{ transform: truncate, scope: value, params: { length: 12 } }',
      'weaker-transform',
      'shop.card.pan',
    ],
    [
      'the shipped rulebook in place of a stricter override',
      'pipeline',
      'transform: fixed, params: { value: x }',
      'transform: keep',
      'weaker-transform',
      'shop.customer.full_name',
    ],
    ['a wider target', 'pipeline', 'allows: [pii, pci.pan]', 'allows: [pii, pci]', 'allows-widened', 'shop.card.pan'],
    [
      'a waiver of the gate',
      'pipeline',
      'environment: dev,',
      'environment: dev, sameServer: both are on one machine,',
      'waiver',
      undefined,
    ],
    ['no approval any more', 'pipeline', 'approval: required\n', '', 'approval-removed', undefined],
  ])('%s', async (_, document, from, to, what, column) => {
    const { status, body } = await apply(edit(document, from, to), '?dryRun=true');
    expect([status, body['code']]).toEqual([200, undefined]);
    expect((body['lowers'] as { what: string }[]).map((one) => one.what)).toContain(what);
    const radius = body['blastRadius'] as { columns: string[]; environments: string[] };
    expect(radius.environments).toEqual(['dev']);
    if (column !== undefined) expect(radius.columns).toContain(column);
  });
});

describe('lowers nothing', () => {
  it.each([
    [
      'one more tag',
      'classification',
      '[status]',
      '[status]\n      , reason: says nothing of a person }]\n  shop.more: { columns: { phone: pii.phone } }\n#',
    ],
    ['a kept column that is masked now', 'classification', 'size: none', 'size: pii.phone'],
    ['a tag whose transform lets less through', 'classification', 'pan: pci.pan', 'pan: pii.full-name'],
    ['a stronger transform', 'rulebook', '{ transform: email, scope: value }', '{ transform: fixed, params: { value: "" } }'],
    ['fewer tags that may go there', 'pipeline', 'allows: [pii, pci.pan]', 'allows: [pii]'],
    ['another purpose', 'pipeline', 'tests of the service', 'something else entirely'],
  ])('%s', async (_, document, from, to) => {
    const text = edit(document, from, to).replace(/\n#.*$/s, '\n');
    const { status, body } = await apply(
      document === 'classification' && to.includes('#')
        ? classification.replace('  shop.card:', '  shop.more: { columns: { phone: pii.phone } }\n  shop.card:')
        : text,
      '?dryRun=true',
    );
    expect([status, body['lowers'], body['blastRadius']]).toEqual([200, undefined, undefined]);
  });
});

it('is applied when somebody else approves, by who asked for it, and shows columns, rows and environments before', async () => {
  const change = edit('classification', 'email: pii.email, ', '');
  const asked = await apply(change);
  expect([asked.status, await versionOf('classifications', 'shop')]).toEqual([202, 1]);
  expect(asked.body).toMatchObject({
    dryRun: false,
    applied: [{ kind: 'Classification', version: 2, change: 'changed' }],
    lowers: [{ what: 'tag-removed', document: 'Classification shop', column: 'shop.customer.email', before: 'pii.email', after: null }],
    blastRadius: {
      columns: ['shop.customer.email'],
      tables: [{ pipeline: 'shop', table: 'shop.customer', rows: 1200 }],
      rows: 1200,
      environments: ['dev'],
    },
  });
  expect((await apply(change)).body['approval']).toEqual(asked.body['approval']);
  expect((await decide('tim', asked)).body['code']).toBe('ACCESS_DENIED');
  expect((await decide('pat', asked)).body['code']).toBe('ACCESS_DENIED');
  expect((await decide('dan', asked)).body).toMatchObject({ state: 'used', requestedBy: 'pat', decidedBy: 'dan' });
  const { body } = await world.ask('GET', '/v1/classifications/shop/versions', { token: tokens['pat'] ?? '' });
  expect(body['items']).toMatchObject([{ version: 2, author: 'pat' }, { version: 1 }]);
  const [event] = await world.sql(`SELECT event FROM bauta.outbox WHERE event ->> 'type' = 'documents.applied' ORDER BY id DESC LIMIT 1`);
  expect(event).toMatchObject({ event: { data: { approval: (asked.body['approval'] as { id: string }).id } } });
  // Back again protects more, and needs nobody.
  expect((await apply(classification)).status).toBe(200);
});

it('is void as soon as anything that it was about has changed', async () => {
  const asked = await apply(edit('classification', '[status]', '[status, shelf]'));
  expect((await apply(classification.replace('mail: pii.email', 'mail: pii.email, more: pii.phone'), '', 'pia')).status).toBe(200);
  const late = await decide('ann', asked);
  expect([late.status, late.body['code']]).toEqual([409, 'APPROVAL_VOID']);
  expect((await decide('ann', asked)).body['code']).toBe('APPROVAL_NOT_OPEN');
  // What the change lowers depends on the rulebook too.
  const second = await apply(
    edit('classification', 'full_name: pii.full-name', 'full_name: pii.username').replace(
      'mail: pii.email',
      'mail: pii.email, more: pii.phone',
    ),
  );
  expect(second.status).toBe(202);
  expect(
    (await apply(rulebook.replace('{ transform: username, scope: value }', '{ transform: fixed, params: { value: "" } }'))).status,
  ).toBe(200);
  await world.sql(
    `DELETE FROM bauta.role_grant WHERE role = 'policy-admin' AND person_id = (SELECT id FROM bauta.person WHERE name = 'pat')`,
  );
  expect((await decide('ann', second)).body['code']).toBe('APPROVAL_VOID');
});

it('asks of a first version only about what its names say', async () => {
  const first = (keep: string): string =>
    `kind: Classification\nname: ${keep}\ntables:\n  a.b: { keep: [{ columns: [${keep}], reason: nobody can be told by it }] }\n`;
  expect([(await apply(first('shelf'), '', 'pia')).status, (await apply(first('passport_number'), '', 'pia')).status]).toEqual([200, 202]);
});
