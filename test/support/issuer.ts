// An issuer of identity tokens on loopback: discovery, keys, and tokens signed by Node itself, so that what checks them is held to another's work.
import { type KeyObject, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { HttpClient } from '../../src/systems/http/http.js';
import { createAuthority } from './certificates.js';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const newSigningKey = (kid: string): SigningKey => ({ kid, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) });

export type Words = Readonly<Record<string, unknown>>;

export interface TestIssuer {
  readonly url: string;
  /** Trusts the issuer's certificate, and may speak to it. */
  readonly http: HttpClient;
  /** What is published as the keys. */
  keys: readonly SigningKey[];
  /** 500 to everybody. */
  broken: boolean;
  /** What the discovery document says instead. */
  said: Words;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** Of this issuer for these claims, good for five minutes from now unless they say otherwise; signed by the first key. */
  token(claims: Words, more?: { readonly header?: Words; readonly key?: SigningKey; readonly nowMs?: number }): string;
  stop(): Promise<void>;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signed by RSA with SHA-256, whatever the head says. */
export function toToken(header: Words, claims: Words, { privateKey }: SigningKey): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

/** As whoever has the public key only could sign. */
export function toHmacToken(claims: Words, { kid, publicKey }: SigningKey, format: 'pem' | 'der'): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT', kid })}.${encode(claims)}`;
  const secret = publicKey.export({ type: 'spki', format: format as 'der' });
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export async function startIssuer(): Promise<TestIssuer> {
  const authority = createAuthority();
  const { key, cert } = authority.issue(['DNS:issuer.test']);
  let url = '';
  const server: Server = createServer({ key, cert }, (request, response) => {
    issuer.asked.push(request.url ?? '');
    if (issuer.broken) return void response.writeHead(500).end('out of order');
    const answers: Words = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys`, ...issuer.said },
      '/keys': {
        keys: issuer.keys.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' })),
      },
    };
    const answer = answers[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  url = `https://issuer.test:${port}`;
  let count = 0;
  const issuer: TestIssuer = {
    url,
    http: new HttpClient({ hosts: `issuer.test:${port}=127.0.0.1`, lookup: () => Promise.resolve(['127.0.0.1']), ca: authority.ca }),
    keys: [newSigningKey('first')],
    broken: false,
    said: {},
    asked: [],
    token: (claims, { header = {}, key: by = issuer.keys[0] as SigningKey, nowMs = Date.now() } = {}) => {
      const now = Math.floor(nowMs / 1000);
      const usual = { iss: url, aud: 'bauta', sub: 'someone', iat: now, nbf: now, exp: now + 300, jti: `token-${++count}` };
      const all = Object.fromEntries(Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined));
      return toToken({ alg: 'RS256', typ: 'JWT', kid: by.kid, ...header }, all, by);
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      authority.remove();
    },
  };
  return issuer;
}
