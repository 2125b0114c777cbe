// Master keys in files, for one laptop: one file per version in a folder that only its owner can enter. Vault takes this place elsewhere.
import { hkdfSync, randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import type { KeyProvider } from '../../pipeline/ports.js';

const keyName = /^v([1-9][0-9]{0,8})\.key$/;
const keyBytes = 32;

/**
 * `folder/vN.key`: 32 random bytes in base64 or hexadecimal, 0600, in a folder of 0700. `folder/vN.json` MAY hold `{"expiresAt": "<RFC 3339>"}`.
 * The first use makes version 1; a new version is a new file. A key that is lost takes its pseudonyms with it: nobody can make them again.
 */
export class FileKeyProvider implements KeyProvider {
  constructor(private readonly folder: string) {}

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
    const versions = await this.findVersions();
    if (versions.length > 0) return Math.max(...versions);
    await this.create(1);
    return 1;
  }

  async expiresAt(version: number): Promise<number | null> {
    const path = join(this.folder, `v${version}.json`);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return null;
      throw toError('KEY_FILE_INVALID', { file: path });
    }
    const at = parseExpiry(text);
    if (at === undefined) throw toError('KEY_FILE_INVALID', { file: path });
    return at;
  }

  private async findVersions(): Promise<number[]> {
    try {
      await this.checkSafe(this.folder);
      return (await readdir(this.folder)).flatMap((name) => keyName.exec(name)?.[1] ?? []).map(Number);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  private async readMaster(version: number): Promise<Uint8Array> {
    const path = join(this.folder, `v${version}.key`);
    let text: string;
    try {
      await this.checkSafe(this.folder);
      await this.checkSafe(path);
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
      await chmod(this.folder, 0o700);
      await writeKey(beside);
      await link(beside, join(this.folder, `v${version}.key`));
    } catch (error) {
      if (!isCoded(error) || error.code !== 'EEXIST') throw toError('HOME_UNWRITABLE', { file: this.folder });
    } finally {
      await unlink(beside).catch(() => undefined);
    }
  }

  private async checkSafe(path: string): Promise<void> {
    const { mode } = await stat(path);
    // Windows has no such bits.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw toError('KEY_FILE_UNSAFE', { file: path });
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

function parseExpiry(text: string): number | null | undefined {
  try {
    const sidecar: unknown = JSON.parse(text);
    if (typeof sidecar !== 'object' || sidecar === null) return undefined;
    const { expiresAt } = sidecar as { expiresAt?: unknown };
    if (expiresAt === undefined || expiresAt === null) return null;
    const at = typeof expiresAt === 'string' ? Date.parse(expiresAt) : NaN;
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
