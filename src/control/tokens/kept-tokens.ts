// Drawn tokens: of the value's form, kept with it at the service. A token is what FF1 makes of the value under a key that is thrown away at once, so
// it follows from nothing; the same value gets the one that it has; and what was destroyed is never given out again.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

import type { Json } from '../../kernel/canonical-json.js';
import { toError } from '../../kernel/errors.js';
import { type KeyScope, NotOfForm, toExchange, toKeyLabel } from '../../pipeline/mask/mask.js';
import type { KeyProvider } from '../../pipeline/ports.js';
import type { NewTokenEntry, TokenPlace, Transaction } from '../../systems/metadata/metadata.js';

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
  /** Under which new tokens are kept; absent: the newest. */
  readonly keyVersion?: number;
}

export interface Kept {
  readonly tokens: readonly string[];
  /** How many of them were not there before. */
  readonly made: number;
}

type TokenEntries = Transaction['tokenEntries'];

/** What the values of one question are found by, and what was found. */
class Search {
  private readonly tokens = new Map<string, string>();
  private readonly digests = new Map<number, Map<string, Buffer>>();

  constructor(
    private readonly entries: TokenEntries,
    private readonly place: TokenPlace,
    private readonly wanted: ReadonlySet<string>,
  ) {}

  open(): readonly string[] {
    return [...this.wanted].filter((value) => !this.tokens.has(value));
  }

  get(value: string): string {
    return this.tokens.get(value) as string;
  }

  settle(value: string, token: string): void {
    this.tokens.set(value, token);
  }

  /** By which a value is found under one version: computed once. */
  digest({ version, find }: VersionKeys, value: string): Buffer {
    let known = this.digests.get(version);
    if (!known) this.digests.set(version, (known = new Map<string, Buffer>()));
    let digest = known.get(value);
    if (!digest) known.set(value, (digest = toDigest(find, 'value', value)));
    return digest;
  }

  async look(versions: readonly VersionKeys[]): Promise<void> {
    const open = this.open();
    if (open.length === 0) return;
    const digests = versions.flatMap((version) => open.map((value) => [this.digest(version, value), value] as const));
    const byDigest = new Map(digests.map(([digest, value]) => [digest.toString('latin1'), value]));
    const found = await this.entries.findByValue(
      this.place,
      digests.map(([digest]) => digest),
    );
    // Should a value have two, then everybody takes the older one.
    for (const { token, foundBy } of [...found].sort((a, b) => b.keyVersion - a.keyVersion)) {
      const value = byDigest.get(foundBy?.toString('latin1') ?? '');
      if (value !== undefined) this.tokens.set(value, token);
    }
  }
}

export class KeptTokens {
  private known: Promise<readonly VersionKeys[]> | undefined;

  constructor(
    private readonly keys: KeyProvider,
    private readonly of: KeptDomain,
  ) {}

  /** In the order of the values. `subjects`: whom each is about, so that what is known of one can be destroyed. Throws NotOfForm. */
  async toTokens({ tokenEntries }: Transaction, values: readonly string[], subjects: readonly (string | null)[]): Promise<Kept> {
    const place = { environment: this.of.scope.environment, domain: this.of.domain };
    const search = new Search(tokenEntries, place, new Set(values));
    await search.look(await this.usable());
    let made = 0;
    if (search.open().length > 0) {
      const versions = await this.lockedVersions(tokenEntries, place);
      if (versions.length > 1) await search.look(versions);
      const aboutOf = new Map(values.map((value, i) => [value, subjects[i] ?? null]));
      for (let draw = 0, open = search.open(); open.length > 0; draw++, open = search.open()) {
        if (draw === DRAWS) throw toError('UNEXPECTED', { name: 'no token is left in the domain' });
        const drawn = this.draw(open, values);
        const current = await this.toCurrent(versions);
        const entries = open.map((value, i) => this.toEntry(current, search.digest(current, value), value, drawn[i] as string, aboutOf));
        const stored = new Set(await tokenEntries.insert(place, this.of.purpose, entries));
        made += stored.size;
        open.forEach((value, i) => stored.has(drawn[i] as string) && search.settle(value, drawn[i] as string));
        // What somebody else was quicker with; and what met a token that stands for another value stays open.
        await search.look(versions);
      }
    }
    return { tokens: values.map((value) => search.get(value)), made };
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

  private draw(open: readonly string[], values: readonly string[]): readonly string[] {
    try {
      return toExchange(randomBytes(32), this.of.domain, this.of.params).toTokens(open);
    } catch (error) {
      throw error instanceof NotOfForm ? new NotOfForm(values.indexOf(open[error.index] as string)) : error;
    }
  }

  private toEntry(
    { version, find, seal }: VersionKeys,
    foundBy: Uint8Array,
    value: string,
    token: string,
    aboutOf: ReadonlyMap<string, string | null>,
  ): NewTokenEntry {
    const subject = aboutOf.get(value) ?? null;
    return {
      ...{ token, keyVersion: version, foundBy },
      subjectBy: subject === null ? null : toDigest(find, 'subject', subject),
      sealed: close(seal, value, this.toContext(token)),
    };
  }

  /** An entry that was put in another's place does not open. */
  private toContext(token: string): Buffer {
    const { scope, domain } = this.of;
    return Buffer.from([scope.workspace, scope.environment, domain, token].join('\0'));
  }

  /** Those to look by once nobody can make a token by an older list of them. */
  private async lockedVersions(tokenEntries: TokenEntries, place: TokenPlace): Promise<readonly VersionKeys[]> {
    const known = await this.usable();
    await tokenEntries.lock(place, known.length > 1 ? 'alone' : 'shared');
    if ((await tokenEntries.newestVersion(place)) <= (known[0]?.version ?? 0)) return known;
    this.known = undefined;
    const versions = await this.usable();
    if (versions.length > 1 && known.length <= 1) await tokenEntries.lock(place, 'alone');
    return versions;
  }

  /** Throws KEY_VERSION_DESTROYED and its like where the version that was asked for is none of these. */
  private async toCurrent(versions: readonly VersionKeys[]): Promise<VersionKeys> {
    const { keyVersion } = this.of;
    const current = keyVersion === undefined ? versions[0] : versions.find(({ version }) => version === keyVersion);
    if (current) return current;
    await this.derive('token-seal', keyVersion ?? 1);
    throw toError('KEY_VERSION_MISSING', { amount: String(keyVersion ?? 1) });
  }

  /** Newest first; of one that was destroyed nothing is left to look by. Asked of the provider once, however many batches there are. */
  private usable(): Promise<readonly VersionKeys[]> {
    return (this.known ??= this.deriveAll().catch((error: unknown) => {
      this.known = undefined;
      throw error;
    }));
  }

  private async deriveAll(): Promise<readonly VersionKeys[]> {
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
