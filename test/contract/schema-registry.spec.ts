// A stand-in registry by HTTPS, asked through the one client that everything goes through: what is sent is what Confluent documents, and nothing of an
// answer goes further.
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { HttpClient } from '../../src/systems/http/http.js';
import { SchemaRegistry } from '../../src/systems/kafka/wire/rows/rows.js';
import { type Authority, createAuthority } from '../support/certificates.js';

const canary = 'zibeline';
let authority: Authority;
let server: Server;
let registry: SchemaRegistry;
let answer: { readonly status: number; readonly body: string } = { status: 200, body: '{"id":7}' };
const asked: { readonly request: IncomingMessage; readonly body: string }[] = [];

beforeAll(async () => {
  authority = createAuthority();
  const { key, cert } = authority.issue(['DNS:registry.test']);
  server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push({ request, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(answer.status, { 'Content-Type': 'application/vnd.schemaregistry.v1+json' }).end(answer.body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const http = new HttpClient({ hosts: `registry.test:${port}=127.0.0.1`, lookup: () => Promise.resolve(['127.0.0.1']), ca: authority.ca });
  registry = new SchemaRegistry({
    url: `https://registry.test:${port}/api`,
    authorization: 'Basic eDp5',
    send: (request) => http.send(request),
  });
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  authority.remove();
});

it('is given a schema under the name of its topic, and answers with the id', async () => {
  const schema = '{"type":"record","name":"Key","fields":[]}';
  expect(await registry.register('bauta.local.dev.rows.app.person', 'key', schema)).toBe(7);
  const [{ request, body }] = asked as [(typeof asked)[number]];
  expect([request.method, request.url]).toEqual(['POST', '/api/subjects/bauta.local.dev.rows.app.person-key/versions']);
  expect(request.headers).toMatchObject({ 'content-type': 'application/vnd.schemaregistry.v1+json', authorization: 'Basic eDp5' });
  expect(JSON.parse(body)).toEqual({ schemaType: 'AVRO', schema });
});

it.each([
  [409, `{"message":"${canary}"}`, 'ROWS_SCHEMA_REFUSED'],
  [422, `{"message":"${canary}"}`, 'ROWS_SCHEMA_REFUSED'],
  [401, canary, 'ROWS_REGISTRY_REFUSED'],
  [403, canary, 'ROWS_REGISTRY_REFUSED'],
  [500, canary, 'ROWS_REGISTRY_BROKEN'],
  [200, canary, 'ROWS_REGISTRY_BROKEN'],
  [200, '{"id":"7"}', 'ROWS_REGISTRY_BROKEN'],
  [200, '{"id":4294967296}', 'ROWS_REGISTRY_BROKEN'],
])('is not believed, and not quoted, when it answers %s %s', async (status, body, code) => {
  answer = { status, body };
  const error: unknown = await registry.register('t', 'value', '{}').catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code, where: { name: 't-value' } });
  expect(`${JSON.stringify(error)} ${String(error)}`).not.toContain(canary);
});
