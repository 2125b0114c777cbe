// Drawn tokens: of the value's form, kept with it at the service. A token is what FF1 makes of the value under a key that is thrown away at once, so
// it follows from nothing; the same value gets the one that it has; and what was destroyed is never given out again.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

import type { Json } from '../../kernel/canonical-json.js';
import { toError } from '../../kernel/errors.js';
import { type KeyScope, toExchange, toKeyLabel } from '../../pipeline/mask/mask.js';
import type { KeyProvider } from '../../pipeline/ports.js';
import type { NewTokenEntry, Transaction } from '../../systems/metadata/metadata.js';

/** Draws that met a token which stands for something else; the next ones are of another key. */
const DRAWS = 20;
const NONCE = 12;
const TAG = 16;

interface VersionKeys {
  readonly version: number;
  readonly find: Uint8Array;
  readonly seal: Uint8Array;
}

export interface KeptDomain {
  readonly scope: KeyScope;
  readonly domain: string;
  readonly params: Readonly<Record<string, Json>>;
  readonly purpose: string;
}

export class KeptTokens {
  constructor(
    private readonly keys: KeyProvider,
    private readonly of: KeptDomain,
  ) {}

  /** In the order of the values. `subjects`: whom each is about, so that what is known of one can be destroyed. Throws NotOfForm. */
  async toTokens(
    { tokenEntries }: Transaction,
    values: readonly string[],
    subjects: readonly (string | null)[],
  ): Promise<readonly string[]> {
    const { scope, domain, purpose } = this.of;
    const place = { environment: scope.environment, domain };
    const all = await this.usable();
    const [current] = all;
    if (!current) throw toError('KEY_VERSION_MISSING', { amount: '1' });
    const wanted = [...new Set(values)];
    const tokens = new Map<string, string>();
    const byDigest = new Map(all.flatMap(({ find }) => wanted.map((value) => [toDigest(find, 'value', value).toString('hex'), value])));
    const look = async (): Promise<void> => {
      const open = [...byDigest].flatMap(([digest, value]) => (tokens.has(value) ? [] : [Buffer.from(digest, 'hex')]));
      for (const { token, foundBy } of await tokenEntries.findByValue(place, open)) {
        const value = byDigest.get(foundBy?.toString('hex') ?? '');
        if (value !== undefined) tokens.set(value, token);
      }
    };
    await look();
    for (let draw = 0; tokens.size < wanted.length; draw++) {
      if (draw === DRAWS) throw toError('UNEXPECTED', { name: 'no token is left in the domain' });
      const open = wanted.filter((value) => !tokens.has(value));
      const drawn = toExchange(randomBytes(32), domain, this.of.params).toTokens(open);
      const aboutOf = new Map(values.map((value, i) => [value, subjects[i] ?? null]));
      await tokenEntries.insert(
        place,
        purpose,
        open.map((value, i) => this.toEntry(current, value, drawn[i] as string, aboutOf.get(value) ?? null)),
      );
      await look();
    }
    return values.map((value) => tokens.get(value) as string);
  }

  /** In the order of the tokens. Throws TOKEN_UNKNOWN, TOKEN_SHREDDED, KEY_VERSION_DESTROYED. */
  async toValues({ tokenEntries }: Transaction, tokens: readonly string[]): Promise<readonly string[]> {
    const { scope, domain } = this.of;
    const found = await tokenEntries.findByToken({ environment: scope.environment, domain }, [...new Set(tokens)]);
    const entries = new Map(found.map((entry) => [entry.token, entry]));
    const seals = new Map<number, Uint8Array>();
    for (const version of new Set(found.flatMap(({ sealed, keyVersion }) => (sealed ? [keyVersion] : []))))
      seals.set(version, await this.derive('token-seal', version));
    return tokens.map((token, i) => {
      const entry = entries.get(token);
      if (!entry) throw toError('TOKEN_UNKNOWN', { row: i + 1 });
      const seal = seals.get(entry.keyVersion);
      if (!entry.sealed || !seal) throw toError('TOKEN_SHREDDED', { row: i + 1 });
      return open(seal, entry.sealed, this.toContext(token));
    });
  }

  /** What a subject is found by, under every version that is left. */
  async toSubjects(subject: string): Promise<readonly Uint8Array[]> {
    return (await this.usable()).map(({ find }) => toDigest(find, 'subject', subject));
  }

  private toEntry({ version, find, seal }: VersionKeys, value: string, token: string, subject: string | null): NewTokenEntry {
    return {
      token,
      keyVersion: version,
      foundBy: toDigest(find, 'value', value),
      subjectBy: subject === null ? null : toDigest(find, 'subject', subject),
      sealed: close(seal, value, this.toContext(token)),
    };
  }

  /** An entry that was put in another's place does not open. */
  private toContext(token: string): Buffer {
    const { scope, domain } = this.of;
    return Buffer.from([scope.workspace, scope.environment, domain, token].join('\0'));
  }

  /** Newest first; of one that was destroyed nothing is left to look by. */
  private async usable(): Promise<readonly VersionKeys[]> {
    await this.keys.currentVersion();
    const left = (await this.keys.versions()).filter(({ state }) => state === 'current' || state === 'kept').reverse();
    return Promise.all(
      left.map(async ({ version }) => ({
        version,
        find: await this.derive('token-find', version),
        seal: await this.derive('token-seal', version),
      })),
    );
  }

  private derive(purpose: 'token-find' | 'token-seal', version: number): Promise<Uint8Array> {
    return this.keys.derive(toKeyLabel(this.of.scope, this.of.domain, purpose), version);
  }
}

function toDigest(key: Uint8Array, kind: 'value' | 'subject', text: string): Buffer {
  return createHmac('sha256', key).update(`${kind}\0${text}`).digest();
}

function close(key: Uint8Array, value: string, context: Buffer): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context);
  return Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Uint8Array, sealed: Buffer, context: Buffer): string {
  try {
    const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE)).setAAD(context);
    cipher.setAuthTag(sealed.subarray(-TAG));
    return Buffer.concat([cipher.update(sealed.subarray(NONCE, -TAG)), cipher.final()]).toString('utf8');
  } catch {
    throw toError('UNEXPECTED', { name: 'a kept token does not open' });
  }
}
