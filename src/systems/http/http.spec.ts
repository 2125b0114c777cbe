// Outgoing HTTP against real servers with TLS on loopback, which is allowed only where it is listed.
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type Authority, createAuthority } from '../../../test/support/certificates.js';
import { HttpClient, type HttpClientOptions } from './http.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const secret = 'canary-in-a-path';
let authority: Authority;
let server: Server;
let port = 0;
let asked = 0;
const answers: Record<string, Answer> = {
  [`/${secret}`]: (_, response) => response.end('fine'),
  '/echo': (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () =>
      response.writeHead(429, { 'Retry-After': '7' }).end(JSON.stringify([request.headers, Buffer.concat(chunks).toString()])),
    );
  },
  '/moved': (_, response) => response.writeHead(302, { Location: `https://hook.test:${port}/${secret}` }).end(secret),
  '/gzip': (_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(Buffer.alloc(1_000_000))),
  '/endless': (_, response) => {
    const more = (): void => void (response.destroyed || (response.write(Buffer.alloc(65_536)), setImmediate(more)));
    more();
  },
  '/slow': (_, response) => void response.write('x'),
};

beforeAll(async () => {
  authority = createAuthority();
  const { key, cert } = authority.issue(['DNS:hook.test', 'IP:127.0.0.1']);
  server = createServer({ key, cert }, (request, response) => {
    asked++;
    answers[request.url ?? '']?.(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  authority.remove();
});

const client = (more: Partial<HttpClientOptions> = {}): HttpClient =>
  new HttpClient({ hosts: `hook.test:${port}=127.0.0.1`, lookup: () => Promise.resolve(['127.0.0.1']), ca: authority.ca, ...more });
const refused = async (sent: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await sent.then(
    () => 'sent',
    (cause: unknown) => cause,
  );
  expect(`${JSON.stringify(error)} ${String(error)}`).not.toContain(secret);
  return (error as { code?: string }).code ?? error;
};

it('sends what it is given and reads what comes back, whatever the status', async () => {
  const { status, headers, body } = await client().send({
    method: 'POST',
    url: `https://hook.test:${port}/echo`,
    headers: { 'X-Id': '1' },
    body: 'ü',
  });
  const [seen, text] = JSON.parse(body.toString()) as [Record<string, string>, string];
  expect([status, headers['retry-after'], text]).toEqual([429, '7', 'ü']);
  expect(seen).toMatchObject({ 'x-id': '1', host: `hook.test:${port}`, 'content-length': '2', 'accept-encoding': 'identity' });
});

describe('nothing leaves for', () => {
  it.each([
    ['another host', 'https://other.test:PORT/', 'HTTP_HOST_NOT_ALLOWED'],
    ['another port of a listed host', 'https://hook.test/', 'HTTP_HOST_NOT_ALLOWED'],
    ['a host whose end is a listed one', 'https://evilhook.test:PORT/', 'HTTP_HOST_NOT_ALLOWED'],
    ['an address that nobody listed', 'https://127.0.0.1:PORT/', 'HTTP_HOST_NOT_ALLOWED'],
    ['that address in another spelling', 'https://0x7f.1:PORT/', 'HTTP_HOST_NOT_ALLOWED'],
    ['plain HTTP', 'http://hook.test:PORT/', 'HTTP_ADDRESS_INVALID'],
    ['a file', 'file:///etc/passwd', 'HTTP_ADDRESS_INVALID'],
    ['a user and a password', `https://u:${secret}@hook.test:PORT/`, 'HTTP_ADDRESS_INVALID'],
    ['no address', secret, 'HTTP_ADDRESS_INVALID'],
  ])('%s', async (_, url, code) => {
    const before = asked;
    expect(await refused(client().send({ url: url.replace('PORT', String(port)) }))).toBe(code);
    expect(asked).toBe(before);
  });

  it('a host without a list', async () => {
    expect(await refused(client({ hosts: '' }).send({ url: `https://hook.test:${port}/${secret}` }))).toBe('HTTP_HOST_NOT_ALLOWED');
  });

  it.each([
    ...[
      '127.0.0.1',
      '127.9.9.9',
      '10.1.2.3',
      '172.16.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '100.100.100.200',
      '168.63.129.16',
      '0.0.0.0',
    ],
    ...['192.0.0.192', '198.18.0.1', '224.0.0.1', '255.255.255.255', '::1', '::', '::ffff:127.0.0.1', '::ffff:169.254.169.254'],
    ...['fd00:ec2::254', 'fe80::1', 'fe80::1%lo', '64:ff9b::7f00:1', '2002:7f00:1::', '2001:db8::1', '4000::1', 'nonsense'],
  ])('%s, unless it is listed', async (address) => {
    const listed = `hook.test:${port}`;
    const lookup = () => Promise.resolve(['8.8.8.8', address]);
    expect(await refused(client({ hosts: listed, lookup }).send({ url: `https://hook.test:${port}/` }))).toBe('HTTP_ADDRESS_NOT_ALLOWED');
  });

  it('a network that was listed for another host', async () => {
    const hosts = `hook.test:${port} inside.test:${port}=127.0.0.0/8`;
    expect(await refused(client({ hosts }).send({ url: `https://hook.test:${port}/` }))).toBe('HTTP_ADDRESS_NOT_ALLOWED');
  });
});

it('connects to the address that it looked at: a name that answers otherwise the second time is asked once', async () => {
  let looks = 0;
  const rebinding = (first: string, then: string) => () => Promise.resolve([looks++ === 0 ? first : then]);
  const good = client({ lookup: rebinding('127.0.0.1', '10.0.0.1') });
  expect((await good.send({ url: `https://hook.test:${port}/${secret}` })).body.toString()).toBe('fine');
  expect(looks).toBe(1);
  looks = 0;
  // Listed when looked at, and nothing listens there; ever after where our server is: it hears nothing.
  const before = asked;
  const bad = client({ hosts: `hook.test:${port}=127.0.0.2`, lookup: rebinding('127.0.0.2', '127.0.0.1') });
  expect(await refused(bad.send({ url: `https://hook.test:${port}/${secret}` }))).toBe('HTTP_UNREACHABLE');
  expect([looks, asked]).toEqual([1, before]);
});

it('sends to a mapped or a literal address of a listed network as to any other', async () => {
  const mapped = client({ lookup: () => Promise.resolve(['::ffff:127.0.0.1']) });
  expect((await mapped.send({ url: `https://hook.test:${port}/${secret}` })).status).toBe(200);
  const literal = client({ hosts: `127.0.0.1:${port}=127.0.0.0/8`, lookup: () => Promise.reject(new Error('not asked')) });
  expect((await literal.send({ url: `https://127.0.0.1:${port}/${secret}` })).status).toBe(200);
  const anyBelow = client({ hosts: `*.flows.test:${port}=127.0.0.1` });
  expect(await refused(anyBelow.send({ url: `https://flows.test:${port}/` }))).toBe('HTTP_HOST_NOT_ALLOWED');
  expect(await refused(anyBelow.send({ url: `https://a.flows.test:${port}/` }))).toBe('HTTP_CERTIFICATE_REFUSED');
});

it('speaks only to a server whose certificate is trusted for the name', async () => {
  const unknown = new HttpClient({ hosts: `hook.test:${port}=127.0.0.1`, lookup: () => Promise.resolve(['127.0.0.1']) });
  expect(await refused(unknown.send({ url: `https://hook.test:${port}/${secret}` }))).toBe('HTTP_CERTIFICATE_REFUSED');
  const misnamed = client({ hosts: `other.test:${port}=127.0.0.1` });
  expect(await refused(misnamed.send({ url: `https://other.test:${port}/${secret}` }))).toBe('HTTP_CERTIFICATE_REFUSED');
});

it('follows no redirect, opens no compressed answer, and ends what is endless or slow', async () => {
  const at = (path: string): string => `https://hook.test:${port}${path}`;
  expect(await refused(client().send({ url: at('/moved') }))).toBe('HTTP_ANSWER_REFUSED');
  expect(await refused(client().send({ url: at('/gzip') }))).toBe('HTTP_ANSWER_REFUSED');
  expect(await refused(client().send({ url: at('/endless'), limitBytes: 100_000 }))).toBe('HTTP_ANSWER_REFUSED');
  const startedAt = performance.now();
  expect(await refused(client().send({ url: at('/slow'), timeoutMs: 200 }))).toBe('HTTP_TIMEOUT');
  const silentName = client({ lookup: () => new Promise(() => undefined) });
  expect(await refused(silentName.send({ url: at('/slow'), timeoutMs: 200 }))).toBe('HTTP_TIMEOUT');
  expect(performance.now() - startedAt).toBeLessThan(5000);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error(secret)), 50);
  expect(await refused(client().send({ url: at('/slow'), signal: stop.signal }))).toBe('HTTP_UNREACHABLE');
  const gone = client({ lookup: () => Promise.reject(new Error(`ENOTFOUND ${secret}`)) });
  expect(await refused(gone.send({ url: at('/') }))).toBe('HTTP_UNREACHABLE');
});

it.each(['*', '*.com', 'a b:99999', 'x=notanetwork', 'https://x', 'x/y', 'x=10.0.0.0/33'])(
  'refuses %s as a list of hosts',
  async (hosts) => {
    expect(await refused(Promise.resolve().then(() => client({ hosts })))).toBe('SETTING_INVALID');
  },
);
