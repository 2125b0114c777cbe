// Keys that never leave KMS: a key of its own for each version, since those for HMACs do not rotate, found by an alias that says whose it is.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { toError } from '../../kernel/errors.js';
import type { KeyHierarchy, KeyProvider, KeyVersion } from '../../pipeline/ports.js';
import type { Kms, KmsKey } from './kms.js';

/** On a key: this version and every one before it was destroyed. KMS deletes the aliases of a key with it, so that nothing else would tell. */
const DESTROYED_TAG = 'bauta:destroyed-up-to';
const LABEL_BYTES = 4096;
/** What was made a moment ago KMS may not know everywhere. */
const WAITS_MS = [100, 200, 400, 800, 1600];

interface Found {
  readonly newest: number;
  readonly destroyedUpTo: number;
  readonly keys: ReadonlyMap<number, KmsKey>;
}

/**
 * `alias/bauta/<purpose>/<workspace>/<environment>/v<N>`. A key that was imported, that is of several regions or of another kind is refused: somebody
 * may have its bytes, or they outlive their destruction here. KMS keeps no expiry of a version.
 */
export class KmsKeyProvider implements KeyProvider {
  /** KMS takes nothing shorter. */
  readonly pendingDays = 7;
  private readonly beginning: string;
  /** Derived by this provider; one provider lives as long as one run at most. */
  private readonly derived = new Map<string, Promise<Uint8Array>>();
  private found: Promise<Found | undefined> | undefined;

  constructor(
    private readonly open: () => Promise<Kms>,
    readonly hierarchy: KeyHierarchy,
  ) {
    this.beginning = toAliasBeginning(hierarchy);
  }

  async derive(label: string, version: number): Promise<Uint8Array> {
    const at = `${version} ${label}`;
    const known = this.derived.get(at) ?? this.compute(label, version);
    this.derived.set(at, known);
    try {
      return (await known).slice();
    } catch (error) {
      this.derived.delete(at);
      throw error;
    }
  }

  async currentVersion(): Promise<number> {
    const found = await this.find();
    if (found) return found.newest;
    this.found = this.makeFirst();
    return (await this.find())?.newest ?? 1;
  }

  expiresAt(): Promise<number | null> {
    return Promise.resolve(null);
  }

  async versions(): Promise<readonly KeyVersion[]> {
    const found = await this.look();
    return Array.from({ length: found?.newest ?? 0 }, (_, index) => {
      const version = index + 1;
      const key = found!.keys.get(version);
      const usable = version === found!.newest ? 'current' : 'kept';
      const state = version <= found!.destroyedUpTo ? 'destroyed' : key?.state === 'Enabled' ? usable : 'missing';
      return { version, state, madeAt: key?.madeAt ?? null, expiresAt: null, destroyedAt: null };
    });
  }

  async rotate(): Promise<number> {
    const next = ((await this.look())?.newest ?? 0) + 1;
    await this.make(next);
    this.found = undefined;
    return next;
  }

  /** First the tag, on a key that stays: what a crash leaves counts as destroyed, and the next call goes on. */
  async destroyUpTo(version: number): Promise<void> {
    const found = await this.look();
    const newest = found?.keys.get(found.newest);
    if (!found || !newest) throw this.missing(version);
    if (version >= found.newest) throw toError('KEY_VERSION_CURRENT', { amount: String(version), name: this.title() });
    const kms = await this.open();
    if (version > found.destroyedUpTo) await kms.writeTag(newest.id, DESTROYED_TAG, String(version));
    this.derived.clear();
    this.found = undefined;
    for (const [one, { id, state }] of found.keys)
      if (one <= version && state !== 'PendingDeletion') await kms.scheduleDeletion(id, this.pendingDays);
  }

  private async compute(label: string, version: number): Promise<Uint8Array> {
    const message = Buffer.from(label, 'utf8');
    if (message.length < 1 || message.length > LABEL_BYTES) throw toError('AWS_LABEL_LONG', { amount: String(LABEL_BYTES) });
    const found = await this.find();
    if (found && version >= 1 && version <= found.destroyedUpTo) throw this.destroyed(version);
    const key = found?.keys.get(version);
    if (!key) throw this.missing(version);
    const kms = await this.open();
    const mac = await patiently(async () => {
      const answer = await kms.computeMac(key.id, message);
      return answer === 'missing' ? undefined : answer;
    });
    if (mac instanceof Uint8Array) return mac;
    // Somebody may have destroyed it since we looked.
    const now = await this.look();
    if (now && version <= now.destroyedUpTo) throw this.destroyed(version);
    throw mac === undefined ? this.missing(version) : toError('AWS_KEY_UNUSABLE', { name: this.alias(version) });
  }

  /** As this provider saw it first; a new version is for who opens the keys anew. */
  private async find(): Promise<Found | undefined> {
    this.found ??= this.look();
    try {
      const found = await this.found;
      if (!found) this.found = undefined;
      return found;
    } catch (error) {
      this.found = undefined;
      throw error;
    }
  }

  private async look(): Promise<Found | undefined> {
    const kms = await this.open();
    const keys = new Map<number, KmsKey>();
    let destroyedUpTo = 0;
    for (const [alias, id] of await kms.listAliases(`${this.beginning}/v`)) {
      const version = Number(/^v([1-9][0-9]{0,8})$/.exec(alias.slice(this.beginning.length + 1))?.[1]);
      const key = Number.isNaN(version) ? undefined : await kms.findKey(id);
      if (!key) continue;
      if (!key.isSafe) throw toError('AWS_KEY_UNSAFE', { name: alias });
      keys.set(version, key);
      // The tag of a key that goes, too, is on one that stays.
      if (key.state !== 'PendingDeletion') destroyedUpTo = Math.max(destroyedUpTo, toVersion(await kms.readTag(id, DESTROYED_TAG)));
    }
    return keys.size === 0 ? undefined : { newest: Math.max(...keys.keys()), destroyedUpTo, keys };
  }

  private async makeFirst(): Promise<Found> {
    return { newest: 1, destroyedUpTo: 0, keys: new Map([[1, await this.make(1)]]) };
  }

  /** The alias decides which of two that make it at once is the one. A key that got none, by that or by a crash, is used by nobody. */
  private async make(version: number): Promise<KmsKey> {
    const kms = await this.open();
    const alias = this.alias(version);
    const id = await kms.createKey(`Bauta: ${alias.slice('alias/bauta/'.length)}`);
    const isOurs = await kms.createAlias(alias, id);
    const key = await patiently(() => kms.findKey(isOurs ? id : alias));
    if (!key) throw this.missing(version);
    if (!key.isSafe) throw toError('AWS_KEY_UNSAFE', { name: alias });
    // Who may delete keys by their alias only may not delete this one.
    if (!isOurs) await kms.scheduleDeletion(id, this.pendingDays).catch(() => undefined);
    return key;
  }

  private alias(version: number): string {
    return `${this.beginning}/v${version}`;
  }

  private title(): string {
    const { purpose, workspace, environment } = this.hierarchy;
    return `${purpose} ${workspace}/${environment}`;
  }

  private missing(version: number): Error {
    return toError('KEY_VERSION_MISSING', { amount: String(version), file: this.alias(version) });
  }

  private destroyed(version: number): Error {
    return toError('KEY_VERSION_DESTROYED', { amount: String(version), name: this.title() });
  }
}

/** Until there is something; undefined: there was nothing to the end. */
async function patiently<Thing>(look: () => Promise<Thing | undefined>): Promise<Thing | undefined> {
  for (const wait of WAITS_MS) {
    const thing = await look();
    if (thing !== undefined) return thing;
    await sleep(wait);
  }
  return look();
}

/**
 * Every byte of a name that is no small letter, digit or hyphen is `_` and two hexadecimal digits: no two hierarchies have one beginning, and a
 * policy for a purpose or a workspace is a beginning of it. A name too long for that is `_sha256-` and its digest.
 */
export function toAliasBeginning({ purpose, workspace, environment }: KeyHierarchy): string {
  return `alias/bauta/${purpose}/${toPart(workspace)}/${toPart(environment)}`;
}

function toPart(name: string): string {
  const bytes = [...Buffer.from(name, 'utf8')];
  const spelled = bytes.map((byte) => {
    const letter = String.fromCharCode(byte);
    return /[a-z0-9-]/.test(letter) ? letter : `_${byte.toString(16).padStart(2, '0')}`;
  });
  // An alias has 256 characters at most.
  if (spelled.join('').length > 100) return `_sha256-${createHash('sha256').update(name, 'utf8').digest('hex')}`;
  return spelled.join('') || '_';
}

function toVersion(tag: string | undefined): number {
  if (tag === undefined) return 0;
  if (!/^[1-9][0-9]{0,8}$/.test(tag)) throw toError('AWS_KEY_UNSAFE', { name: DESTROYED_TAG });
  return Number(tag);
}
