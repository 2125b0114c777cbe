// io.jwt.decode, verify_* and decode_verify (RFC 7515, 7519), by node:crypto: verification has to answer at once, which jose does not.
import {
  constants,
  createHmac,
  createPublicKey,
  type KeyObject,
  timingSafeEqual,
  verify as verifySignature,
  X509Certificate,
} from 'node:crypto';

import { parseNotation } from '../notation.js';
import { compareNumbers, Num, RegoObject, type Value } from '../value.js';
import type { Builtin, Family } from './builtin.js';
import { attempt, isArray, numberOf, objectOf, optionalText, textOf, unfit } from './operand.js';

export interface Algorithm {
  readonly kind: 'HS' | 'RS' | 'PS' | 'ES' | 'EdDSA';
  readonly hash: string | null;
}

export const algorithms: Readonly<Record<string, Algorithm>> = {
  ...Object.fromEntries(
    (['HS', 'RS', 'PS', 'ES'] as const).flatMap((kind) =>
      ['256', '384', '512'].map((bits) => [`${kind}${bits}`, { kind, hash: `sha${bits}` }]),
    ),
  ),
  EdDSA: { kind: 'EdDSA', hash: null },
};

interface Token {
  readonly header: RegoObject;
  readonly payload: string;
  /** What was signed. */
  readonly signed: string;
  readonly signature: Buffer;
}

export interface VerificationKey {
  readonly alg: string;
  readonly kid: string;
  readonly key: KeyObject;
}

function decodeBase64Url(text: string): Buffer {
  const bare = text.replace(/={1,2}$/, '');
  if (!/^[\w-]*$/.test(bare) || bare.length % 4 === 1) return unfit();
  if (text !== bare && text.length % 4 !== 0) return unfit();
  return Buffer.from(bare, 'base64url');
}

function parseObject(text: string): RegoObject {
  return objectOf(attempt(() => parseNotation(text, true)));
}

function parseToken(text: string): Token {
  const parts = text.split('.');
  if (parts.length !== 3) return unfit();
  const [head = '', body = '', tail = ''] = parts;
  const header = parseObject(decodeBase64Url(head).toString('utf8'));
  // Encrypted ones are not read.
  if (header.get('enc') !== undefined) return unfit();
  return { header, payload: body, signed: `${head}.${body}`, signature: decodeBase64Url(tail) };
}

function decode([given]: readonly Value[]): Value {
  const token = parseToken(textOf(given));
  const payload = decodeBase64Url(token.payload).toString('utf8');
  const nested = token.header.get('cty');
  if (nested !== undefined && textOf(nested) === 'JWT') return decode([payload.replace(/^["']+|["']+$/g, '')]);
  return [token.header, parseObject(payload), token.signature.toString('hex')];
}

/** One certificate or public key in PEM, a JWK, or a set of them. */
export function parseKeys(text: string): VerificationKey[] {
  const pem = /^\s*-----BEGIN ([A-Z ]+)-----[\s\S]*?-----END \1-----\s*(.*)$/s.exec(text);
  if (pem !== null) {
    if (pem[2] !== '') return unfit();
    if (pem[1] === 'CERTIFICATE') return [{ alg: '', kid: '', key: attempt(() => new X509Certificate(text).publicKey) }];
    return pem[1] === 'PUBLIC KEY' ? [{ alg: '', kid: '', key: attempt(() => createPublicKey(text)) }] : unfit();
  }
  const document = attempt(() => JSON.parse(text) as { keys?: unknown });
  const list: unknown[] = Array.isArray(document.keys) ? document.keys : [document];
  return list.flatMap((jwk): VerificationKey[] => {
    const { alg = '', kid = '' } = jwk as { alg?: string; kid?: string };
    const key = attempt(() => createPublicKey({ key: jwk as object, format: 'jwk' } as never));
    return alg === '' || Object.hasOwn(algorithms, alg) ? [{ alg, kid, key }] : [];
  });
}

/** False for a key that is of another kind than the algorithm. */
export function checkSignature(algorithm: Algorithm, key: KeyObject, signed: string, signature: Buffer): boolean {
  const type = { RS: 'rsa', PS: 'rsa', ES: 'ec', EdDSA: 'ed25519', HS: '' }[algorithm.kind];
  if (key.asymmetricKeyType !== type) return false;
  try {
    return verifySignature(algorithm.hash, Buffer.from(signed), { key, ...paddingOf(algorithm) }, signature);
  } catch {
    return false;
  }
}

export function paddingOf({ kind }: Algorithm): object {
  if (kind === 'PS') return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
  return kind === 'ES' ? { dsaEncoding: 'ieee-p1363' } : {};
}

function checkMac({ hash }: Algorithm, secret: string, signed: string, signature: Buffer): boolean {
  const mac = createHmac(hash ?? '', secret)
    .update(signed)
    .digest();
  return mac.length === signature.length && timingSafeEqual(mac, signature);
}

/** The key that the token names, if there is one; else any whose own algorithm is the token's or unsaid. */
function checkKeys(algorithm: Algorithm, keys: readonly VerificationKey[], token: Token): boolean {
  const [alg, kid] = [token.header.get('alg'), token.header.get('kid')];
  const named = kid === undefined || kid === '' ? undefined : keys.find((key) => key.kid === kid);
  const candidates = named === undefined ? keys.filter((key) => key.alg === '' || key.alg === alg) : [named];
  return candidates.some(({ key }) => checkSignature(algorithm, key, token.signed, token.signature));
}

function verifyBy(name: string): Builtin {
  const algorithm = algorithms[name] as Algorithm;
  return ([given, key]) => {
    const [text, secret] = [textOf(given), textOf(key)];
    if (algorithm.kind === 'HS') {
      const token = text.split('.');
      if (token.length !== 3) return unfit();
      return checkMac(algorithm, secret, `${token[0]}.${token[1]}`, decodeBase64Url(token[2] ?? ''));
    }
    const keys = parseKeys(secret);
    const token = parseToken(text);
    checkHeader(token.header);
    return checkKeys(algorithm, keys, token);
  };
}

interface Constraints {
  readonly keys: readonly VerificationKey[] | undefined;
  readonly secret: string;
  readonly alg: string;
  readonly iss: string;
  readonly aud: string;
  readonly timeNs: number;
}

function parseConstraints(given: RegoObject, nowNs: bigint): Constraints {
  for (const [key] of given.entries()) if (!['cert', 'secret', 'alg', 'iss', 'aud', 'time'].includes(textOf(key))) return unfit();
  const text = (name: string): string => optionalText(given, name);
  const cert = given.get('cert');
  const keys = cert === undefined ? undefined : parseKeys(textOf(cert));
  const time = given.get('time');
  const timeNs = time === undefined ? Number(nowNs) : Number(numberOf(time).literal);
  if (!Number.isFinite(timeNs) || timeNs < 0) return unfit();
  const secret = text('secret');
  // One key and one only.
  if ((keys === undefined) === (secret === '')) return unfit();
  return { keys, secret, alg: text('alg'), iss: text('iss'), aud: text('aud'), timeNs };
}

/** True when the header may be trusted as far as it goes: an algorithm, and nothing critical that is unknown. */
function checkHeader(header: RegoObject): boolean {
  for (const name of ['alg', 'kid', 'typ', 'cty']) optionalText(header, name);
  const critical = header.get('crit');
  const names = critical === undefined ? [] : isArray(critical) ? critical.map(textOf) : unfit();
  if (critical !== undefined && names.length === 0) return unfit();
  const known = ['alg', 'kid', 'typ', 'cty', 'crit'];
  return optionalText(header, 'alg') !== '' && !names.some((name) => !known.includes(name) && header.get(name) !== undefined);
}

function isSigned(token: Token, { keys, secret }: Constraints): boolean {
  const algorithm = algorithms[textOf(token.header.get('alg'))];
  if (algorithm === undefined) return false;
  if (keys !== undefined) return algorithm.kind !== 'HS' && checkKeys(algorithm, keys, token);
  return algorithm.kind === 'HS' && checkMac(algorithm, secret, token.signed, token.signature);
}

/** The innermost token, each one around it verified; undefined when one is not. */
function unwrap(text: string, constraints: Constraints): { readonly header: RegoObject; readonly payload: RegoObject } | undefined {
  const token = parseToken(text);
  if (!checkHeader(token.header)) return undefined;
  if (constraints.alg !== '' && constraints.alg !== token.header.get('alg')) return undefined;
  if (!isSigned(token, constraints)) return undefined;
  const payload = decodeBase64Url(token.payload).toString('utf8');
  if (optionalText(token.header, 'cty').toUpperCase() === 'JWT') return unwrap(payload, constraints);
  return { header: token.header, payload: parseObject(payload) };
}

function isAudience(aud: Value | undefined, wanted: string): boolean {
  if (aud === undefined) return wanted === '';
  return isArray(aud) ? aud.some((one) => one === wanted) : aud === wanted;
}

function isInTime(payload: RegoObject, seconds: Num): boolean {
  const [exp, nbf] = [payload.get('exp'), payload.get('nbf')];
  if (exp !== undefined && compareNumbers(seconds, numberOf(exp)) >= 0) return false;
  return nbf === undefined || compareNumbers(seconds, numberOf(nbf)) >= 0;
}

const decodeVerify: Builtin = ([given, settings], { nowNs }) => {
  const unverified: Value = [false, new RegoObject(), new RegoObject()];
  const constraints = parseConstraints(objectOf(settings), nowNs);
  const token = unwrap(textOf(given), constraints);
  if (token === undefined) return unverified;
  const { header, payload } = token;
  if (constraints.iss !== '' && (payload.get('iss') === undefined || textOf(payload.get('iss')) !== constraints.iss)) return unverified;
  if (!isAudience(payload.get('aud'), constraints.aud)) return unverified;
  return isInTime(payload, new Num(constraints.timeNs / 1e9)) ? [true, header, payload] : unverified;
};

export const jwtBuiltins: Family = {
  'io.jwt.decode': decode,
  'io.jwt.decode_verify': decodeVerify,
  ...Object.fromEntries(Object.keys(algorithms).map((name) => [`io.jwt.verify_${name.toLowerCase()}`, verifyBy(name)])),
};
