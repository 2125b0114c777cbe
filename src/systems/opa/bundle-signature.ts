// OPA's signature of a bundle: one JWT over the digests of all files. Data and manifest are hashed as OPA does it: keys sorted, nothing between, text as it is, and
// the literals of numbers verbatim, so that 1.0, 1e3 and twenty digits stay what was signed.
import { createHash, timingSafeEqual } from 'node:crypto';
import { posix } from 'node:path';

import { toError } from '../../kernel/errors.js';
import { algorithms, checkSignature, parseKeys } from './builtins/builtins.js';
import { parseNotation } from './notation.js';
import { compareTexts, RegoObject, toJson, type Value } from './value.js';

export const signaturesPath = '.signatures.json';
const structured = new Set(['data.json', '.manifest']);
const digests: Readonly<Record<string, string>> = {
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
  'SHA-512-256': 'sha512-256',
};

interface Signed {
  readonly files?: readonly { readonly name?: unknown; readonly hash?: unknown; readonly algorithm?: unknown }[];
  readonly scope?: unknown;
}

const refuse = (file: string): never => {
  throw toError('POLICY_BUNDLE_SIGNATURE', { file });
};

/** Throws POLICY_BUNDLE_SIGNATURE unless exactly these files are signed by the key. `key`: a public key or certificate in PEM, or a JWK. */
export function verifyBundle(files: ReadonlyMap<string, Buffer>, key: string): void {
  const signed = new Map(readSigned(files, key).map(({ name, hash, algorithm }) => [String(name), { hash, algorithm }]));
  for (const [path, content] of files) {
    if (path === signaturesPath) continue;
    const entry = signed.get(path) ?? refuse(path);
    const digest = digests[String(entry.algorithm)] ?? refuse(path);
    const found = createHash(digest).update(toHashed(path, content)).digest();
    const wanted = Buffer.from(typeof entry.hash === 'string' ? entry.hash : '', 'hex');
    if (wanted.length !== found.length || !timingSafeEqual(wanted, found)) refuse(path);
    signed.delete(path);
  }
  const [missing] = signed.keys();
  if (missing !== undefined) refuse(missing);
}

function readSigned(files: ReadonlyMap<string, Buffer>, key: string): NonNullable<Signed['files']> {
  const document = parseJson(files.get(signaturesPath)) as { signatures?: unknown; plugin?: unknown };
  const tokens: unknown[] = Array.isArray(document.signatures) ? document.signatures : [];
  const [token] = tokens;
  if (tokens.length !== 1 || typeof token !== 'string' || !['', '_default', undefined].includes(document.plugin as string))
    return refuse(signaturesPath);
  const [head = '', body = '', tail = '', ...more] = token.split('.');
  const header = parseJson(Buffer.from(head, 'base64url')) as { alg?: unknown };
  const algorithm = algorithms[String(header.alg)];
  const signature = Buffer.from(tail, 'base64url');
  // A secret that signs could be guessed from the key that is set; only a key that cannot sign is one.
  if (more.length > 0 || algorithm === undefined || algorithm.kind === 'HS') return refuse(signaturesPath);
  if (!readKeys(key).some((one) => checkSignature(algorithm, one.key, `${head}.${body}`, signature))) return refuse(signaturesPath);
  const payload = parseJson(Buffer.from(body, 'base64url')) as Signed;
  if (!Array.isArray(payload.files) || (payload.scope !== undefined && payload.scope !== '')) return refuse(signaturesPath);
  return payload.files as NonNullable<Signed['files']>;
}

function readKeys(key: string): ReturnType<typeof parseKeys> {
  try {
    return parseKeys(key);
  } catch {
    throw toError('POLICY_KEY_UNUSABLE');
  }
}

function parseJson(bytes: Buffer | undefined): unknown {
  try {
    const value = JSON.parse((bytes ?? Buffer.alloc(0)).toString('utf8')) as unknown;
    return typeof value === 'object' && value !== null ? value : refuse(signaturesPath);
  } catch {
    return refuse(signaturesPath);
  }
}

function toHashed(path: string, content: Buffer): Buffer | string {
  if (!structured.has(posix.basename(path))) return content;
  try {
    return toCanonical(parseNotation(content.toString('utf8'), true));
  } catch {
    return refuse(path);
  }
}

/** Go writes the two separators of lines that JavaScript once minded as escapes. */
function toCanonical(value: Value): string {
  if (value instanceof RegoObject) {
    const entries = value.entries().map(([key, item]) => [key as string, item] as const);
    const members = entries.sort(([a], [b]) => compareTexts(a, b)).map(([key, item]) => `${toCanonical(key)}:${toCanonical(item)}`);
    return `{${members.join(',')}}`;
  }
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(toCanonical).join(',')}]`;
  return toJson(value).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
}
