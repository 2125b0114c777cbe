// Connection, Environment and Organisation over REST: kept as every document, named by pipelines, used by runs; and a password goes to its own server.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { Grants } from '../../src/control/references.js';
import { type Answer, type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let tiny: TinyWorld;
let world: ServiceWorld;
let folder: string;
let [bob, stranger] = ['', ''];
let target: URL;
const connections: Record<string, string> = {};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-connections-'));
  tiny = await startTinyWorld();
  connections['BAUTA_CONN_SOURCE'] = await tiny.source('shop');
  target = new URL(tiny.target('copy'));
  connections['BAUTA_CONN_PASSWORD'] = decodeURIComponent(target.password);
  writeFileSync(join(folder, 'grants.yaml'), grantsText());
  world = await startServiceWorld(tiny.server, undefined, undefined, { grants: Grants.parse(grantsText(), 'grants.yaml') });
  bob = await world.person('bob', ['policy-admin', 'requester', 'viewer']);
  stranger = await world.person('eve', ['policy-admin', 'viewer'], 'foreign');
});
afterAll(async () => {
  await world.stop();
  await tiny.stop();
  rmSync(folder, { recursive: true, force: true });
});

const grantsText = (): string => `workspaces:
  default:
    references: ['env:BAUTA_CONN_*']
    secrets: [{ reference: env:BAUTA_CONN_PASSWORD, for: '${target.hostname}:${target.port}/copy' }]
`;
const source = 'kind: Connection\nname: prod\nurl: env:BAUTA_CONN_SOURCE\nregion: eu-central-1\n';
const copy = (host = target.hostname, database = 'copy'): string => `kind: Connection
name: copy
host: ${host}
port: ${target.port}
database: ${database}
user: ${decodeURIComponent(target.username)}
password: env:BAUTA_CONN_PASSWORD
`;
const environment = `kind: Environment
name: dev
owner: team
purpose: tests of the service
class: dev
connection: copy
region: eu-central-1
allows: [pii]
sameServer: a test, where both are on one server
`;
const pipeline = (): string => pipelineText.replace(/^source: .*$/m, 'source: prod').replace(/^target:\n( {2}.*\n)+/m, 'target: dev\n');

const apply = (text: string, token = bob): Promise<Answer> =>
  world.ask('POST', '/v1/apply', { token, text, headers: { 'content-type': 'application/yaml' } });
const findings = ({ body }: Answer): unknown[] =>
  ((body['findings'] ?? []) as { code: string; where: { name?: string; path?: string } }[]).map(({ code, where }) => [code, where.path]);

it('shows a password to no server but the one that it was granted for', async () => {
  const own = await apply(copy('evil.example'));
  expect([own.status, findings(own)]).toEqual([422, [['SECRET_NOT_GRANTED_FOR', 'password']]]);
  expect(findings(await apply(copy(undefined, 'other')))).toEqual([['SECRET_NOT_GRANTED_FOR', 'password']]);
  expect(JSON.stringify(own.body)).not.toContain(connections['BAUTA_CONN_PASSWORD']);
  // Another workspace was granted nothing at all.
  expect(findings(await apply(source, stranger))).toEqual([['REFERENCE_NOT_GRANTED', 'url']]);
});

it('keeps nothing that names what is not there', async () => {
  const answer = await apply(`${pipeline()}---\n${classificationText}---\n${environment}---\n${source}`);
  expect([answer.status, findings(answer)]).toEqual([422, [['DOCUMENT_NOT_FOUND', 'connection']]]);
  expect((await world.ask('GET', '/v1/environments', { token: bob })).body['items']).toEqual([]);
});

it('keeps each kind under its noun with all its versions', async () => {
  const organisation = 'kind: Organisation\nname: acme\nlegalName: Acme GmbH\nacts: controller\ncontact: privacy@acme.example\n';
  const all = [pipeline(), classificationText, environment, source, copy(), organisation].join('---\n');
  const applied = await apply(all);
  expect([applied.status, applied.body['findings']]).toEqual([200, undefined]);
  expect((await apply(all)).body['applied']).toMatchObject(Array.from({ length: 6 }, () => ({ change: 'unchanged', version: 1 })));
  expect((await apply(environment.replace('owner: team', 'owner: team-b'))).body['applied']).toMatchObject([
    { version: 2, diff: [{ path: '/owner', before: 'team', after: 'team-b' }] },
  ]);
  const get = async (path: string): Promise<Record<string, unknown>> => (await world.ask('GET', path, { token: bob })).body;
  expect(await get('/v1/environments/dev/versions')).toMatchObject({ items: [{ version: 2 }, { version: 1 }] });
  expect(await get('/v1/connections')).toMatchObject({ items: [{ name: 'copy' }, { name: 'prod' }] });
  expect(await get('/v1/connections/copy')).toMatchObject({ document: { password: 'env:BAUTA_CONN_PASSWORD' } });
  expect(await get('/v1/organisations/acme')).toMatchObject({ document: { legalName: 'Acme GmbH' } });
});

it('a run goes where they say, with the versions that held when it was asked for', async () => {
  const settings = { BAUTA_GRANTS: join(folder, 'grants.yaml') };
  const worker = await startRunWorker(world, folder, connections, settings);
  try {
    const asked = await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline: 'tiny' } });
    const documents = asked.body['documents'] as { kind: string; name: string; version: number }[];
    expect(documents.map(({ kind, name, version }) => `${kind} ${name} ${version}`).sort()).toEqual([
      ...['Classification tiny 1', 'Connection copy 1', 'Connection prod 1', 'Environment dev 2', 'Pipeline tiny 1'],
    ]);
    const path = `/v1/runs/${String(asked.body['id'])}`;
    await world.ask('GET', `${path}/events`, { token: bob });
    expect((await world.ask('GET', path, { token: bob })).body).toMatchObject({
      state: 'published',
      environment: 'dev',
      summary: { dataset: { target: 'copy' } },
    });
    // What was granted when it was applied is asked for again when it is used.
    writeFileSync(settings.BAUTA_GRANTS, "workspaces: { default: { references: ['env:BAUTA_CONN_*'] } }\n");
    const again = await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline: 'tiny' } });
    await world.ask('GET', `/v1/runs/${String(again.body['id'])}/events`, { token: bob });
    expect((await world.ask('GET', `/v1/runs/${String(again.body['id'])}`, { token: bob })).body).toMatchObject({
      state: 'failed',
      summary: { error: { code: 'SECRET_NOT_GRANTED_FOR' } },
    });
  } finally {
    await worker.stop();
  }
});
