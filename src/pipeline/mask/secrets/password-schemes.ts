// Stored passwords, recognised by how they begin, and what stands in their place. Where Node's own crypto has the scheme (PBKDF2, scrypt, salted and plain digests)
// it is the hash of the test password. bcrypt, Argon2 and crypt(3) are not in Node: there it is a dead hash, well-formed, that no password is known for.
import { createHash, pbkdf2Sync, scryptSync } from 'node:crypto';

/** `salt` is 16 bytes, one of a few per column, so that a slow scheme runs a few times and not once per row; `random(n)` draws for the row. */
export interface PasswordContext {
  readonly password: string;
  readonly salt: Uint8Array;
  readonly random: (length: number) => Uint8Array;
}

/** Undefined: no scheme that is known here. */
export function toTestPassword(stored: string, context: PasswordContext): string | undefined {
  if (stored === '' || /^[!*]/.test(stored)) return stored.slice(0, 1);
  for (const [shape, make] of schemes) {
    const match = shape.exec(stored);
    if (match) return make(match, context);
  }
  return undefined;
}

type Scheme = readonly [RegExp, (match: RegExpExecArray, context: PasswordContext) => string];

const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const bcrypt64 = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const crypt64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const digests: Readonly<Record<number, string>> = { 32: 'md5', 40: 'sha1', 64: 'sha256', 128: 'sha512' };

const schemes: readonly Scheme[] = [
  // bcrypt: 128 bits of salt in 22 characters, 184 of hash in 31; the spare bits are zero.
  [/^(\$2[abxy]?\$\d\d\$)[./A-Za-z0-9]{53}$/, ([, head = ''], { random }) => head + toDead(bcrypt64, 22, 0x30, random) + toDead(bcrypt64, 31, 0x3c, random)], // prettier-ignore
  [/^(\$argon2(?:id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$)([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/, toDeadArgon2],
  [/^(\$[56]\$(?:rounds=\d+\$)?)([./A-Za-z0-9]{0,16})\$([./A-Za-z0-9]{43}|[./A-Za-z0-9]{86})$/, toDeadCrypt],
  [/^pbkdf2_(sha1|sha256|sha512)\$(\d{1,7})\$([^$]*)\$[A-Za-z0-9+/]+=*$/, toDjango],
  [/^\$pbkdf2(-sha256|-sha512|)\$(\d{1,7})\$[./A-Za-z0-9]*\$[./A-Za-z0-9]+$/, toPasslib],
  [/^\$scrypt\$ln=(\d\d?),r=(\d\d?),p=(\d\d?)\$[A-Za-z0-9+/]*\$[A-Za-z0-9+/]+$/, toScrypt],
  [/^\{SSHA\}[A-Za-z0-9+/]+=*$/, (_, { password, salt }) => `{SSHA}${Buffer.concat([toDigest('sha1', password, salt.subarray(0, 8)), salt.subarray(0, 8)]).toString('base64')}`], // prettier-ignore
  [/^\{SHA\}[A-Za-z0-9+/]{27}=$/, (_, { password }) => `{SHA}${toDigest('sha1', password).toString('base64')}`],
  [
    /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$/i,
    ([all], { password }) => toDigest(digests[all.length] as string, password).toString('hex'),
  ],
];

function toDigest(algorithm: string, password: string, salt: Uint8Array = new Uint8Array(0)): Buffer {
  return createHash(algorithm).update(password).update(salt).digest();
}

/** Random characters of an alphabet of 64; `lastMask` keeps the bits of the last one that carry data. */
function toDead(alphabet: string, length: number, lastMask: number, random: (length: number) => Uint8Array): string {
  return Array.from(random(length), (byte, i) => alphabet[i === length - 1 ? byte & lastMask : byte & 63]).join('');
}

function toDeadArgon2([, head = '', salt = '', hash = '']: RegExpExecArray, { random }: PasswordContext): string {
  const masks = [0x3f, 0x3f, 0x30, 0x3c];
  const part = (text: string): string => toDead(base64, text.length, masks[text.length % 4] as number, random);
  return `${head}${part(salt)}$${part(hash)}`;
}

function toDeadCrypt([, head = '', salt = '', hash = '']: RegExpExecArray, { random }: PasswordContext): string {
  return `${head}${toDead(crypt64, salt.length, 0x3f, random)}$${toDead(crypt64, hash.length, hash.length === 43 ? 0x0f : 0x03, random)}`;
}

function toDjango([, digest = '', rounds = '', salt = '']: RegExpExecArray, context: PasswordContext): string {
  const fresh = Buffer.from(context.salt).toString('hex').repeat(1 + (salt.length >> 5)).slice(0, salt.length || 16); // prettier-ignore
  const length = { sha1: 20, sha256: 32, sha512: 64 }[digest] ?? 32;
  return `pbkdf2_${digest}$${rounds}$${fresh}$${pbkdf2Sync(context.password, fresh, Math.max(1, Number(rounds)), length, digest).toString('base64')}`;
}

function toPasslib([, kind = '', rounds = '']: RegExpExecArray, { password, salt }: PasswordContext): string {
  const [digest, length] = kind === '' ? ['sha1', 20] : kind === '-sha256' ? ['sha256', 32] : ['sha512', 64];
  const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/\+/g, '.').replace(/=+$/, '');
  const hash = pbkdf2Sync(password, salt, Math.max(1, Number(rounds)), length, digest);
  return `$pbkdf2${kind}$${rounds}$${encode(salt)}$${encode(hash)}`;
}

/** Work beyond 2^17 blocks of 1 KB is not done: such a hash becomes a dead one. */
function toScrypt([, log = '', r = '', p = '']: RegExpExecArray, { password, salt, random }: PasswordContext): string {
  const cost = 2 ** Math.max(1, Number(log));
  const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
  const light = Number(log) <= 17 && Number(r) >= 1 && Number(r) <= 16 && Number(p) >= 1 && Number(p) <= 4;
  const hash = light
    ? scryptSync(password, salt, 32, { N: cost, r: Number(r), p: Number(p), maxmem: 256 * cost * Number(r) * Number(p) })
    : random(32);
  return `$scrypt$ln=${log},r=${r},p=${p}$${encode(salt)}$${encode(hash)}`;
}
