// Identity tokens of an issuer on loopback: what is refused, whose keys are believed, and how often an issuer is asked.
import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { type SigningKey, type TestIssuer, newSigningKey, startIssuer, toHmacToken, toToken } from '../../../test/support/issuer.js';
import { type Expected, IssuerKeys, canBeTakenOnce, isIdentityToken, readIssuer, verifyIdentityToken } from './oidc.js';

let issuer: TestIssuer;
let [first, second]: SigningKey[] = [];
let failures: unknown[] = [];
let nowMs = 0;
let keys: IssuerKeys;

const [KEEP, REFRESH] = [600_000, 30_000];
const createKeys = (): IssuerKeys =>
  new IssuerKeys({
    read: (url) => issuer.http.send({ url }),
    ...{ keepMs: KEEP, refreshMs: REFRESH, nowMs: () => nowMs, failed: (error) => void failures.push(error) },
  });
beforeAll(async () => {
  issuer = await startIssuer();
  [first, second] = [issuer.keys[0] as SigningKey, newSigningKey('second')];
});
afterAll(() => issuer.stop());
beforeEach(() => {
  Object.assign(issuer, { keys: [first], broken: false, said: {} });
  issuer.asked.length = 0;
  [failures, nowMs, keys] = [[], 0, createKeys()];
});

/** The code of an error, or the subject. */
async function look(token: string, { job = true, ...more }: Partial<Expected> & { readonly job?: boolean } = {}): Promise<unknown> {
  const expected = { issuer: issuer.url, audiences: ['bauta'], nowMs: Date.now(), skewSeconds: 30, ...more };
  return verifyIdentityToken(token, expected, keys).then(
    (claims) => (job && !canBeTakenOnce(claims) ? 'TOKEN_INVALID' : claims.sub),
    (error: unknown) => {
      expect(JSON.stringify(error)).not.toContain(token);
      return (error as { code?: string }).code ?? error;
    },
  );
}
const seconds = (): number => Math.floor(Date.now() / 1000);

it('takes what the issuer signed for us, and knows beforehand only who says that he signed it', async () => {
  const token = issuer.token({ sub: 'rita' });
  expect(await look(token)).toBe('rita');
  expect([isIdentityToken(token), readIssuer(token), readIssuer('a.b.c')]).toEqual([true, issuer.url, undefined]);
  expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
});

describe('is not valid', () => {
  it.each<[string, () => string]>([
    ['of no algorithm', () => issuer.token({}, { header: { alg: 'none' } })],
    [
      'of no algorithm and with no signature',
      () =>
        `${issuer
          .token({}, { header: { alg: 'none' } })
          .split('.')
          .slice(0, 2)
          .join('.')}.`,
    ],
    ['signed with the public key as a secret (PEM)', () => toHmacToken(claims(), first as SigningKey, 'pem')],
    ['signed with the public key as a secret (DER)', () => toHmacToken(claims(), first as SigningKey, 'der')],
    ['of another algorithm than its key', () => issuer.token({}, { header: { alg: 'PS256' } })],
    ['of another key under the same id', () => issuer.token({}, { key: { ...newSigningKey('x'), kid: 'first' } })],
    ['for somebody else', () => issuer.token({ aud: 'other' })],
    ['for nobody in particular', () => issuer.token({ aud: undefined })],
    ['for somebody else too', () => issuer.token({ aud: ['bauta', 'other'] })],
    ['of another issuer', () => issuer.token({ iss: `${issuer.url}/` })],
    ['expired', () => issuer.token({ exp: seconds() - 31 })],
    ['without an end that can be waited for', () => issuer.token({ exp: 1e20 })],
    ['without an end', () => issuer.token({ exp: undefined })],
    ['not valid yet', () => issuer.token({ nbf: seconds() + 32 })],
    ['without a beginning', () => issuer.token({ nbf: undefined })],
    ['issued in the future', () => issuer.token({ iat: seconds() + 32 })],
    ['without an id', () => issuer.token({ jti: undefined })],
    ['without a subject', () => issuer.token({ sub: undefined })],
    ['of another type', () => issuer.token({}, { header: { typ: 'logout+jwt' } })],
    ['with an extension that is not understood', () => issuer.token({}, { header: { crit: ['exp'], exp: 1 } })],
    ['changed', () => issuer.token({}).replace(/\.([^.]+)\./, (_, part: string) => `.${flip(part)}.`)],
    ['no token at all', () => 'a.b.c'],
  ])('%s', async (_, make) => {
    // What it differs from is taken.
    expect(await look(issuer.token({}))).toBe('someone');
    expect(await look(make())).toBe('TOKEN_INVALID');
  });

  it('a person’s token needs no id, and may be for others too; a clock may be off by so much', async () => {
    expect(await look(issuer.token({ jti: undefined, nbf: undefined, aud: ['bauta', 'other'] }), { job: false })).toBe('someone');
    expect(await look(issuer.token({ exp: seconds() - 20 }))).toBe('someone');
    expect(await look(issuer.token({ exp: seconds() - 20 }), { skewSeconds: 0 })).toBe('TOKEN_INVALID');
  });
});

it('takes no key from the token itself, and asks nobody whom it names', async () => {
  const mine = newSigningKey('mine');
  const jwk = { ...createPublicKey(mine.privateKey).export({ format: 'jwk' }), kid: 'mine' };
  for (const kid of ['mine', 'first', undefined])
    for (const header of [
      { jwk },
      { jku: `${issuer.url}/mine` },
      { x5u: `${issuer.url}/mine` },
      { x5c: ['MIIB'] },
      { jwk, jku: `${issuer.url}/mine`, x5u: `${issuer.url}/mine` },
    ])
      expect(await look(toToken({ alg: 'RS256', ...(kid === undefined ? {} : { kid }), ...header }, claims(), mine))).toBe('TOKEN_INVALID');
  expect(new Set(issuer.asked)).toEqual(new Set(['/.well-known/openid-configuration', '/keys']));
  // They say nothing on a good token either.
  expect(await look(issuer.token({}, { header: { jwk, jku: `${issuer.url}/mine` } }))).toBe('someone');
});

describe('keys', () => {
  it('that came since are found at once, and an unknown one makes nobody ask more often than is allowed', async () => {
    expect(await look(issuer.token({}))).toBe('someone');
    issuer.keys = [second as SigningKey, first as SigningKey];
    nowMs += REFRESH;
    expect(await look(issuer.token({}))).toBe('someone');
    expect(issuer.asked.length).toBe(4);
    const unknown = newSigningKey('unknown');
    for (let i = 0; i < 5; i++) expect(await look(issuer.token({}, { key: unknown }))).toBe('TOKEN_INVALID');
    expect(issuer.asked.length).toBe(4);
    nowMs += REFRESH;
    await Promise.all(Array.from({ length: 5 }, () => look(issuer.token({}, { key: unknown }))));
    expect(issuer.asked.length).toBe(6);
  });

  it('that were taken back are believed no longer than they are kept', async () => {
    const token = issuer.token({});
    expect(await look(token)).toBe('someone');
    issuer.keys = [second as SigningKey];
    nowMs += KEEP - 1;
    expect(await look(token)).toBe('someone');
    nowMs += 1;
    expect(await look(token)).toBe('TOKEN_INVALID');
  });

  it('let nobody in when the issuer cannot be reached, and are asked for again after a while', async () => {
    issuer.broken = true;
    expect(await look(issuer.token({}))).toBe('ISSUER_UNREACHABLE');
    expect(failures.map((error) => (error as { code: string }).code)).toEqual(['HTTP_ANSWER_REFUSED']);
    issuer.broken = false;
    expect(await look(issuer.token({}))).toBe('ISSUER_UNREACHABLE');
    expect(issuer.asked.length).toBe(1);
    nowMs += REFRESH;
    expect(await look(issuer.token({}))).toBe('someone');
    issuer.broken = true;
    nowMs += REFRESH;
    // Known ones hold meanwhile; whether an unknown one is good nobody can say.
    expect(await look(issuer.token({}))).toBe('someone');
    expect(await look(issuer.token({}, { key: second as SigningKey }))).toBe('ISSUER_UNREACHABLE');
    nowMs += KEEP;
    expect(await look(issuer.token({}))).toBe('ISSUER_UNREACHABLE');
  });

  it.each([
    [{ issuer: 'https://other.test' }],
    [{ issuer: undefined }],
    [{ jwks_uri: undefined }],
    [{ jwks_uri: 'http://issuer.test/keys' }],
    [{ jwks_uri: 'https://other.test/keys' }],
  ])('are taken from no discovery document that says %j', async (said) => {
    issuer.said = said;
    expect(await look(issuer.token({}))).toBe('ISSUER_UNREACHABLE');
  });

  it('that are secrets are no keys', async () => {
    const secret = Buffer.alloc(32, 7);
    const jwk = { kty: 'oct', kid: 'shared', k: secret.toString('base64url'), alg: 'HS256' };
    const read = (url: string): Promise<{ status: number; body: Buffer }> =>
      Promise.resolve({
        status: 200,
        body: Buffer.from(
          JSON.stringify(url.endsWith('/keys') ? { keys: [jwk, null, 7, 'x'] } : { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }),
        ),
      });
    keys = new IssuerKeys({ read, keepMs: KEEP, refreshMs: REFRESH, failed: () => undefined });
    expect(await look(issuer.token({}, { header: { kid: 'shared', alg: 'HS256' } }))).toBe('TOKEN_INVALID');
    expect(await look(issuer.token({}, { header: { kid: 'shared' } }))).toBe('TOKEN_INVALID');
  });
});

const claims = (): Record<string, unknown> =>
  JSON.parse(Buffer.from(issuer.token({}).split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
const flip = (part: string): string =>
  Buffer.from(Buffer.from(part, 'base64url').toString().replace('someone', 'anybody')).toString('base64url');
