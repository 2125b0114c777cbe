// Connections, environments and the organisation as documents, and pipelines that name them.
import { resolve } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { type LoadedDocuments, findSecretsNamed, loadDocuments, readText, selectDocuments } from './documents.js';

const root = resolve('/documents');
const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const load = (...texts: string[]): Promise<LoadedDocuments> =>
  loadDocuments(resolve(root, 'a.yaml'), () => Promise.resolve(texts.join('---\n')));
const codes = ({ findings }: Pick<LoadedDocuments, 'findings'>): string[] =>
  findings.map(({ code, where }) => `${code}:${where.line ?? ''}`);

const classification = 'kind: Classification\nname: shop\ntables: { public.customer: { columns: { id: none } } }\n';
const pipeline = `kind: Pipeline
name: shop
source: shop-prod
target: dev
classification: shop
purpose: tests of the shop
owner: team-shop
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 30
`;
const environment = `kind: Environment
name: dev
owner: team-shop
purpose: development of the shop
class: dev
connection: shop-dev
allows: [pii]
sameServer: a demonstration on one laptop
retentionDays: 7
`;
const source = 'kind: Connection\nname: shop-prod\nurl: env:SOURCE_URL\nregion: eu-central-1\n';
const target = `kind: Connection
name: shop-dev
host: db.internal
database: shop
user: bauta_target
password: file:shop/password
region: eu-west-1
`;

it('a pipeline that names them is the same as one that says it all itself', async () => {
  const loaded = await load(pipeline, classification, environment, source, target);
  const { selected, findings } = await selectDocuments(loaded, readText);
  expect([loaded.findings, findings]).toEqual([[], []]);
  expect(selected?.pipeline.body).toMatchObject({
    source: { connection: 'shop-prod', region: 'eu-central-1' },
    target: {
      ...{ environment: 'dev', class: 'dev', allows: ['pii'], connection: 'shop-dev', region: 'eu-west-1' },
      sameServer: { reason: 'a demonstration on one laptop' },
    },
    retentionDays: 7,
  });
  expect(Object.keys(selected?.pipeline.body.target ?? {})).not.toContain('purpose');
  expect(selected?.connections).toMatchObject({ source: { url: 'env:SOURCE_URL' }, target: { host: 'db.internal', port: 5432 } });
  // Each is part of what the plan says it was bound from.
  expect(Object.keys(selected?.digests ?? {}).sort()).toEqual([
    ...['Classification shop', 'Connection shop-dev', 'Connection shop-prod', 'Environment dev', 'Pipeline shop', 'Rulebook default'],
  ]);
});

it('what is named and not there, or says something else, is told with its line', async () => {
  const missing = await selectDocuments(await load(pipeline, classification, environment, source), readText);
  expect(missing.findings.map(({ code, where }) => [code, where.name, where.line])).toEqual([
    ['DOCUMENT_NOT_FOUND', 'connection shop-dev', 21],
  ]);
  const misspelt = await selectDocuments(
    await load(pipeline.replace('target: dev', 'target: deb'), classification, environment, source),
    readText,
  );
  expect(misspelt.findings).toMatchObject([{ code: 'DOCUMENT_NOT_FOUND', where: { name: 'environment deb', expected: 'dev', line: 4 } }]);
  const moved = pipeline.replace('source: shop-prod', 'source: { connection: shop-prod, region: us-east-1 }');
  const contradicting = await selectDocuments(await load(moved, classification, environment, source, target), readText);
  expect(contradicting.findings).toMatchObject([{ code: 'DOCUMENT_CONTRADICTION', where: { line: 3 } }]);
});

describe('a Connection', () => {
  it.each([
    ['has a url, or host, database, user and password', 'kind: Connection\nname: c\n', 4],
    ['has one of the two ways, not both', `${target}url: env:X\n`, 4],
    ['has no password in it', target.replace('file:shop/password', 'hunter2canary'), 1],
    ['has no connection string in it', source.replace('env:SOURCE_URL', 'postgres://a:hunter2canary@b/c'), 1],
    ['has one host', target.replace('db.internal', 'db.internal,evil.example'), 1],
    ['has no socket for a host', target.replace('db.internal', '/var/run/postgresql'), 1],
    ['says why it is less than strict', `${source}tls: { mode: require }\n`, 1],
    ['has certificates, and nothing else, as ca', `${source}tls: { ca: /etc/ssl/ca.pem }\n`, 1],
    ['has members that are used, and no others', `${source}pool: 4\n`, 1],
  ])('%s', async (_, text, least) => {
    const loaded = await load(text);
    expect(loaded.findings.length).toBeGreaterThanOrEqual(least);
    expect(JSON.stringify(loaded.findings)).not.toContain('hunter2canary');
    expect(loaded.definitions).toEqual([]);
  });

  it('may be less than strict for a reason', async () => {
    expect(codes(await load(`${source}tls: { mode: require, reason: the certificate is made new in March }\n`))).toEqual([]);
  });
});

it('an Organisation names its customers exactly if it is a processor', async () => {
  const acme = 'kind: Organisation\nname: acme\nlegalName: Acme GmbH\ncontact: privacy@acme.example\n';
  const customers = 'customers: [{ name: Shop AG, contact: privacy@shop.example }]\n';
  expect(codes(await load(`${acme}acts: controller\n`))).toEqual([]);
  expect(codes(await load(`${acme}acts: processor\n${customers}`))).toEqual([]);
  expect(codes(await load(`${acme}acts: processor\n`))).toEqual(['DOCUMENT_MEMBER_MISSING:1']);
  expect(codes(await load(`${acme}acts: controller\n${customers}`))).toEqual(['DOCUMENT_VALUE_INVALID:6']);
});

describe('a broker as a Connection', () => {
  const broker = (more = ''): string => `kind: Connection\nname: masked\nsystem: kafka\n${more}`;
  const spelled = 'hosts: [a.example:9093, b.example:9093]\nmechanism: scram-sha-512\nuser: service\npassword: file:kafka/password\n';

  it('is a secret address, or hosts and a login', async () => {
    for (const more of [
      'url: env:BAUTA_CONN_BROKER\n',
      spelled,
      'hosts: [a.example:9093]\nmechanism: plain\ncredentials: vault:secret/data/kafka\n',
      'hosts: [a.example:9093]\nmechanism: oauthbearer\ntoken: file:kafka/token\n',
      'hosts: [a.example:9093]\n',
      'hosts: [a.example:9092]\ntls: { mode: disable, reason: a broker of one laptop }\n',
    ])
      expect([more, codes(await load(broker(more)))]).toEqual([more, []]);
  });

  it.each([
    ['neither', ''],
    ['both', `url: env:BAUTA_CONN_BROKER\n${spelled}`],
    ['a host without a port', 'hosts: [a.example]\n'],
    ['what a database has', `${spelled}database: shop\n`],
    ['a password without a mechanism', 'hosts: [a.example:9093]\nuser: service\npassword: file:p\n'],
    ['a token for a mechanism of passwords', `${spelled}token: file:t\n`],
    ['a password beside a token', 'hosts: [a.example:9093]\nmechanism: oauthbearer\ntoken: file:t\npassword: file:p\n'],
    ['less than a verified certificate', `${spelled}tls: { mode: require, reason: nobody knows any more }\n`],
  ])('is refused with %s', async (_, more) => {
    expect(codes(await load(broker(more))).length).toBeGreaterThan(0);
  });

  it('is asked for by every host that its secrets would be shown to', async () => {
    const written = await load(broker(`${spelled}certificate: { cert: ${JSON.stringify(pem)}, key: file:kafka/key }\n`));
    expect(written.findings).toEqual([]);
    const named = findSecretsNamed({ kind: 'Connection', ...(written.definitions[0]?.body as object) });
    expect(named).toEqual(
      ['a.example:9093', 'b.example:9093'].flatMap((place) => [
        { path: 'password', reference: 'file:kafka/password', place },
        { path: 'certificate.key', reference: 'file:kafka/key', place },
      ]),
    );
  });

  it('is no database, and a database is no broker', async () => {
    const asSource = await load(pipeline, classification, environment, broker(spelled).replace('masked', 'shop-prod'), target);
    const { findings } = await selectDocuments(asSource, readText);
    expect(findings).toMatchObject([{ code: 'CONNECTION_SYSTEM_OTHER', where: { name: 'shop-prod', expected: 'postgres', line: 3 } }]);
    expect(codes(await load('kind: Connection\nname: x\nhosts: [a.example:9093]\n')).length).toBeGreaterThan(0);
  });
});
