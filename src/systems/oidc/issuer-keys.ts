// The public keys of issuers, as each one's discovery document names them. Kept for a while, read anew when a key is not among them, and no more often
// than is allowed, whoever asks: tokens are made up by strangers.
import { type JSONWebKeySet, type JWK, createLocalJWKSet } from 'jose';

import { BautaError, toError } from '../../kernel/errors.js';

/** Throws HTTP_*; nothing follows a redirect. */
export type ReadUrl = (url: string) => Promise<{ readonly status: number; readonly body: Buffer }>;

type Keys = ReturnType<typeof createLocalJWKSet>;

interface Known {
  keys?: Keys;
  readAtMs: number;
  triedAtMs: number;
  failed: boolean;
  reading?: Promise<void>;
}

export interface IssuerKeysOptions {
  readonly read: ReadUrl;
  /** For so long keys hold that were read. */
  readonly keepMs: number;
  /** An issuer is asked at most once in so long, also where it does not answer. */
  readonly refreshMs: number;
  /** Why an issuer could not be read: an error of ours. */
  readonly failed: (error: unknown, issuer: string) => void;
  /** Goes forward only; default: since the process started. */
  readonly nowMs?: () => number;
}

const KEYS_AT_MOST = 100;
/** Of a JWK what a public key is made of. */
const members = ['kty', 'kid', 'alg', 'use', 'key_ops', 'n', 'e', 'crv', 'x', 'y'] as const;

export class IssuerKeys {
  private readonly known = new Map<string, Known>();
  private readonly nowMs: () => number;

  constructor(private readonly options: IssuerKeysOptions) {
    this.nowMs = options.nowMs ?? (() => performance.now());
  }

  /** `afresh`: a key was not among them. Throws ISSUER_UNREACHABLE where they are not known, or no longer. */
  async of(issuer: string, afresh: boolean): Promise<Keys> {
    const known = this.known.get(issuer) ?? { readAtMs: -Infinity, triedAtMs: -Infinity, failed: false };
    this.known.set(issuer, known);
    const { keepMs, refreshMs } = this.options;
    const isOld = (): boolean => known.keys === undefined || this.nowMs() - known.readAtMs >= keepMs;
    if ((isOld() || afresh) && !known.reading && this.nowMs() - known.triedAtMs >= refreshMs) known.reading = this.read(issuer, known);
    await known.reading;
    if (known.keys === undefined || isOld() || (afresh && known.failed)) throw toError('ISSUER_UNREACHABLE');
    return known.keys;
  }

  private async read(issuer: string, known: Known): Promise<void> {
    known.triedAtMs = this.nowMs();
    try {
      known.keys = createLocalJWKSet(await readKeys(issuer, this.options.read));
      known.readAtMs = known.triedAtMs;
      known.failed = false;
    } catch (error) {
      known.failed = true;
      this.options.failed(error instanceof BautaError ? error : refused(issuer), issuer);
    } finally {
      delete known.reading;
    }
  }
}

/** OpenID Connect Discovery 1.0: the document has to be that of exactly this issuer. */
async function readKeys(issuer: string, read: ReadUrl): Promise<JSONWebKeySet> {
  const discovered = await readJson(issuer, `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, read);
  const { issuer: said, jwks_uri: address } = discovered;
  if (said !== issuer || typeof address !== 'string') throw refused(issuer);
  const { keys } = await readJson(issuer, address, read);
  if (!Array.isArray(keys) || keys.length > KEYS_AT_MOST) throw refused(issuer);
  return { keys: keys.flatMap((key: unknown) => toPublicKey(key) ?? []) };
}

async function readJson(issuer: string, url: string, read: ReadUrl): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await read(url);
  if (status !== 200) throw refused(issuer);
  const value: unknown = JSON.parse(body.toString('utf8'));
  if (typeof value !== 'object' || value === null) throw refused(issuer);
  return value as Readonly<Record<string, unknown>>;
}

/** Undefined: it signs nothing, or is no public key. */
function toPublicKey(value: unknown): JWK | undefined {
  const key = (typeof value === 'object' ? value : null) as Partial<Record<string, unknown>> | null;
  if (!key || !['RSA', 'EC', 'OKP'].includes(String(key['kty'])) || (key['use'] !== undefined && key['use'] !== 'sig')) return undefined;
  return Object.fromEntries(members.flatMap((name) => (key[name] === undefined ? [] : [[name, key[name]]])));
}

const refused = (issuer: string): BautaError =>
  toError('HTTP_ANSWER_REFUSED', { name: new URL(issuer).host, expected: 'a discovery document of exactly this issuer, and its keys' });
