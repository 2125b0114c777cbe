// Master keys in files: a folder per key hierarchy that only its owner can enter, a file per version. Vault takes this place elsewhere.
import { hkdfSync, randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { type Clock, systemClock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { KeyHierarchy, KeyProvider, KeyVersion, OpenKeys } from '../../pipeline/ports.js';
import { toHierarchyName } from '../../pipeline/recorded-keys.js';
import { syncFolder, writeWhole } from './durable.js';

const keyName = /^v([1-9][0-9]{0,8})\.key$/;
const tombstoneName = /^v([1-9][0-9]{0,8})\.destroyed$/;
/** What a process that died while it made a key may leave: the same bytes under another name. */
const besideName = /^\.v([1-9][0-9]{0,8})\.[0-9a-f]{12}$/;
const keyBytes = 32;
const purposes: readonly KeyHierarchy['purpose'][] = ['masking', 'token', 'transport'];

/** The keys of a home: those of a hierarchy are in `root/<purpose>/<workspace>/<environment>`. */
export function openFileKeys(root: string): OpenKeys {
  return (hierarchy) => new FileKeyProvider(root, hierarchy);
}

/** Those that have a folder. */
export async function listFileKeys(root: string): Promise<readonly KeyHierarchy[]> {
  const found: KeyHierarchy[] = [];
  for (const purpose of purposes)
    for (const workspace of await readFolder(join(root, purpose)))
      for (const environment of await readFolder(join(root, purpose, workspace)))
        found.push({ purpose, workspace: fromFolderName(workspace), environment: fromFolderName(environment) });
  return found;
}

/**
 * `vN.key`: 32 random bytes in base64 or hexadecimal, 0600, in folders of 0700. `vN.json` MAY hold `{"expiresAt": "<RFC 3339>"}`. `vN.destroyed` is
 * what stays of a key that was destroyed: it counts, whatever lies beside it. The first use makes version 1. A key that is lost takes its
 * pseudonyms with it: nobody can make them again.
 */
export class FileKeyProvider implements KeyProvider {
  private readonly folder: string;

  constructor(
    private readonly root: string,
    readonly hierarchy: KeyHierarchy,
    private readonly clock: Clock = systemClock,
  ) {
    this.folder = join(root, hierarchy.purpose, toFolderName(hierarchy.workspace), toFolderName(hierarchy.environment));
  }

  /** HKDF-SHA-256 (RFC 5869) of the master, without salt, with the label as info. */
  async derive(label: string, version: number): Promise<Uint8Array> {
    const master = await this.readMaster(version);
    try {
      return new Uint8Array(hkdfSync('sha256', master, new Uint8Array(0), Buffer.from(label, 'utf8'), keyBytes));
    } finally {
      master.fill(0);
    }
  }

  async currentVersion(): Promise<number> {
    const current = toCurrent(await this.look());
    if (current !== undefined) return current;
    await this.create(1);
    return 1;
  }

  async expiresAt(version: number): Promise<number | null> {
    const path = this.path(version, 'json');
    const text = await readIfThere(path);
    if (text === undefined) return null;
    const at = parseInstant(text, 'expiresAt');
    if (at === undefined) throw toError('KEY_FILE_INVALID', { file: path });
    return at;
  }

  async versions(): Promise<readonly KeyVersion[]> {
    const there = await this.look();
    const newest = toNewest(there);
    const last = newest ?? 0;
    const current = there.keys.has(last) ? last : undefined;
    return Promise.all(Array.from({ length: last }, (_, index) => this.describe(index + 1, there, current)));
  }

  async rotate(): Promise<number> {
    const next = (toCurrent(await this.look()) ?? 0) + 1;
    await this.create(next);
    return next;
  }

  /** The tombstone first: a crash leaves a key that counts as destroyed, and the next call takes it away. */
  async destroyUpTo(version: number): Promise<void> {
    const there = await this.look();
    const current = toCurrent(there);
    if (current === undefined) throw toError('KEY_VERSION_MISSING', { amount: String(version), file: this.path(version, 'key') });
    if (version >= current) throw toError('KEY_VERSION_CURRENT', { amount: String(version), name: toHierarchyName(this.hierarchy) });
    const doomed = Array.from({ length: version }, (_, index) => index + 1);
    try {
      const destroyedAt = new Date(this.clock.now()).toISOString();
      for (const one of doomed.filter((number) => !there.tombstones.has(number)))
        await writeWhole(this.path(one, 'destroyed'), `${JSON.stringify({ destroyedAt })}\n`);
      await syncFolder(this.folder);
      const names = (await readdir(this.folder)).filter((name) => Number((keyName.exec(name) ?? besideName.exec(name))?.[1]) <= version);
      for (const name of names) await destroyFile(join(this.folder, name));
      await syncFolder(this.folder);
    } catch (error) {
      throw isCoded(error) ? toError('HOME_UNWRITABLE', { file: this.folder }) : error;
    }
  }

  private path(version: number, ending: 'key' | 'json' | 'destroyed'): string {
    return join(this.folder, `v${version}.${ending}`);
  }

  private async describe(version: number, there: Found, current: number | undefined): Promise<KeyVersion> {
    const buried = there.tombstones.has(version);
    const kept = there.keys.has(version) && !buried;
    const state = buried ? 'destroyed' : !kept ? 'missing' : version === current ? 'current' : 'kept';
    return {
      version,
      state,
      madeAt: kept ? Math.trunc((await stat(this.path(version, 'key'))).mtimeMs) : null,
      expiresAt: kept ? await this.expiresAt(version) : null,
      destroyedAt: buried ? (parseInstant((await readIfThere(this.path(version, 'destroyed'))) ?? '', 'destroyedAt') ?? null) : null,
    };
  }

  private async look(): Promise<Found> {
    await this.checkPlace();
    try {
      await this.checkFolders();
      const names = await readdir(this.folder);
      return { keys: toNumbers(names, keyName), tombstones: toNumbers(names, tombstoneName), expected: this.folder };
    } catch (error) {
      if (isMissing(error)) return { keys: new Set(), tombstones: new Set(), expected: this.folder };
      throw isCoded(error) ? toError('KEY_FILE_INVALID', { file: this.folder }) : error;
    }
  }

  /** Keys of before there were hierarchies: a run that made new ones beside them would give everybody another pseudonym, and nobody would notice. */
  private async checkPlace(): Promise<void> {
    const names = await readdir(this.root).catch(() => []);
    const old = names.find((name) => keyName.test(name));
    if (old !== undefined) throw toError('KEY_PLACE_OLD', { file: join(this.root, old), expected: this.folder });
  }

  private async readMaster(version: number): Promise<Uint8Array> {
    const path = this.path(version, 'key');
    let text: string;
    try {
      await this.checkPlace();
      await this.checkFolders();
      if ((await readIfThere(this.path(version, 'destroyed'))) !== undefined)
        throw toError('KEY_VERSION_DESTROYED', { amount: String(version), name: toHierarchyName(this.hierarchy) });
      await checkSafe(path);
      text = (await readFile(path, 'utf8')).trim();
    } catch (error) {
      if (isMissing(error)) throw toError('KEY_VERSION_MISSING', { amount: String(version), file: path });
      if (isCoded(error)) throw toError('KEY_FILE_INVALID', { file: path });
      throw error;
    }
    const key = /^[0-9a-f]{64}$/i.test(text)
      ? Buffer.from(text, 'hex')
      : /^[A-Za-z0-9+/]{43}=$/.test(text)
        ? Buffer.from(text, 'base64')
        : null;
    if (key?.length !== keyBytes) throw toError('KEY_FILE_INVALID', { file: path });
    return key;
  }

  /** Written beside and linked, so that two first uses agree on one key and a crash leaves no half of one. Throws HOME_UNWRITABLE. */
  private async create(version: number): Promise<void> {
    const beside = join(this.folder, `.v${version}.${randomBytes(6).toString('hex')}`);
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      // Whatever the umask is.
      for (const folder of this.folders()) await chmod(folder, 0o700);
      await writeKey(beside);
      await link(beside, this.path(version, 'key'));
    } catch (error) {
      if (!isCoded(error) || error.code !== 'EEXIST') throw toError('HOME_UNWRITABLE', { file: this.folder });
    } finally {
      await unlink(beside).catch(() => undefined);
    }
    await syncFolder(this.folder);
  }

  /** From the root to the hierarchy's own. */
  private folders(): readonly string[] {
    const parents = [join(this.folder, '..', '..'), join(this.folder, '..')];
    return [this.root, ...parents, this.folder];
  }

  private async checkFolders(): Promise<void> {
    for (const folder of this.folders()) await checkSafe(folder);
  }
}

interface Found {
  readonly keys: ReadonlySet<number>;
  readonly tombstones: ReadonlySet<number>;
  /** The hierarchy's folder. */
  readonly expected: string;
}

const toNumbers = (names: readonly string[], form: RegExp): ReadonlySet<number> =>
  new Set(names.flatMap((name) => form.exec(name)?.[1] ?? []).map(Number));

/** The newest that there was; undefined: there never was one. The current version is never destroyed: where only tombstones are left, it got lost. */
function toNewest({ keys, tombstones }: Found): number | undefined {
  const [kept, destroyed] = [Math.max(0, ...keys), Math.max(0, ...tombstones)];
  if (kept === 0 && destroyed === 0) return undefined;
  return kept > destroyed ? kept : destroyed + 1;
}

/** Throws KEY_VERSION_MISSING where it got lost. */
function toCurrent(found: Found): number | undefined {
  const newest = toNewest(found);
  if (newest === undefined || found.keys.has(newest)) return newest;
  throw toError('KEY_VERSION_MISSING', { amount: String(newest), file: join(found.expected, `v${newest}.key`) });
}

/**
 * One name, one folder, also where the file system takes capitals and small letters for the same, or dots for something of its own: what is not a
 * small letter, a digit, `-`, `_` or a dot inside is spelled as `=` and two hexadecimal digits per byte.
 */
function toFolderName(name: string): string {
  const spelled = [...Buffer.from(name, 'utf8')].map((byte, at, bytes) => {
    const character = String.fromCharCode(byte);
    const plain = character === '.' ? at > 0 && at < bytes.length - 1 : /[a-z0-9_-]/.test(character);
    return plain ? character : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return spelled.length === 0 ? '=' : spelled.join('');
}

function fromFolderName(folder: string): string {
  const bytes = folder.replace(/=([0-9A-F]{2})?/g, (_, hex: string | undefined) =>
    hex === undefined ? '' : String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Empty where there is none. */
async function readFolder(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw isCoded(error) ? toError('KEY_FILE_INVALID', { file: path }) : error;
  }
}

async function writeKey(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(keyBytes).toString('base64')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Overwritten where it stands, then taken away. What a disk keeps of it elsewhere (copies, worn cells, snapshots) is out of reach. */
async function destroyFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    await file.write(randomBytes(Math.max(size, keyBytes)), 0, undefined, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await unlink(path);
}

async function checkSafe(path: string): Promise<void> {
  const { mode } = await stat(path);
  // Windows has no such bits.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw toError('KEY_FILE_UNSAFE', { file: path });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw toError('KEY_FILE_INVALID', { file: path });
  }
}

/** The instant in ms; null: the member is not there; undefined: it is none. */
function parseInstant(text: string, member: 'expiresAt' | 'destroyedAt'): number | null | undefined {
  try {
    const sidecar: unknown = JSON.parse(text);
    if (typeof sidecar !== 'object' || sidecar === null) return undefined;
    const value = (sidecar as Record<string, unknown>)[member];
    if (value === undefined || value === null) return null;
    const at = typeof value === 'string' ? Date.parse(value) : NaN;
    return Number.isNaN(at) ? undefined : at;
  } catch {
    return undefined;
  }
}

/** An error of the file system, whichever realm made it. */
function isCoded(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error;
}

function isMissing(error: unknown): boolean {
  return isCoded(error) && error.code === 'ENOENT';
}
