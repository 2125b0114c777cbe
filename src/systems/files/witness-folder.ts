// What a witness has: its key, and per log the last checkpoint that it cosigned. On disk before anybody is told, because a witness that forgets is none.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { type Cosigner, formatCosignerKey, formatWitnessKey, parseCosignerKey, toCosigner } from '../../kernel/cosignature.js';
import { toError } from '../../kernel/errors.js';
import { parseCheckpoint } from '../../pipeline/audit/audit.js';
import { syncFolder, writeWhole } from './durable.js';

export class WitnessFolder {
  private constructor(
    private readonly folder: string,
    readonly cosigner: Cosigner,
  ) {}

  /** `name`: of a key that is made where there is none; a witness that has one keeps it. The caller MUST hold the folder's write lock. */
  static async open(folder: string, name: string | undefined): Promise<WitnessFolder> {
    await mkdir(join(folder, 'seen'), { recursive: true, mode: 0o700 });
    const path = join(folder, 'witness.key');
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw toError('KEY_FILE_INVALID', { file: path });
    });
    if (text !== undefined && ((await stat(path)).mode & 0o077) !== 0) throw toError('KEY_FILE_UNSAFE', { file: path });
    const cosigner = text === undefined ? await WitnessFolder.create(folder, name) : parseCosignerKey(text);
    if (!cosigner) throw toError('KEY_FILE_INVALID', { file: path });
    if (name !== undefined && cosigner.witness.name !== name) throw toError('WITNESS_FOLDER_INVALID', { file: folder });
    return new WitnessFolder(folder, cosigner);
  }

  /** The note with the log's signature and ours; undefined: nothing of this log was ever cosigned. */
  async seen(origin: string): Promise<string | undefined> {
    return this.read(this.pathOf(toOriginHash(origin)), origin);
  }

  /** By SHA-256 of the origin, in hex, which is how the standard asks for it. */
  async seenByHash(hash: string): Promise<string | undefined> {
    return /^[0-9a-f]{64}$/.test(hash) ? this.read(this.pathOf(hash)) : undefined;
  }

  async remember(origin: string, note: string): Promise<void> {
    await writeWhole(this.pathOf(toOriginHash(origin)), note);
    await syncFolder(join(this.folder, 'seen'));
  }

  private pathOf(hash: string): string {
    return join(this.folder, 'seen', hash);
  }

  private async read(path: string, origin?: string): Promise<string | undefined> {
    const note = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw toError('WITNESS_STATE_INVALID', { file: path });
    });
    if (note === undefined) return undefined;
    const checkpoint = parseCheckpoint(note);
    if (!checkpoint || (origin !== undefined && checkpoint.origin !== origin)) throw toError('WITNESS_STATE_INVALID', { file: path });
    return note;
  }

  private static async create(folder: string, name: string | undefined): Promise<Cosigner> {
    // A key that was lost is not made anew beside what it signed: whoever trusts the witness has to be told.
    if ((await readdir(join(folder, 'seen'))).length > 0) throw toError('WITNESS_FOLDER_INVALID', { file: folder });
    if (name === undefined) throw toError('OPTION_MISSING', { name: '--name', expected: 'bauta witness --help' });
    const cosigner = nameCosigner(name);
    await writeWhole(join(folder, 'witness.key'), `${formatCosignerKey(cosigner)}\n`);
    await writeWhole(join(folder, 'witness.pub'), `${formatWitnessKey(cosigner.witness)}\n`, 0o644);
    await syncFolder(folder);
    return cosigner;
  }
}

function nameCosigner(name: string): Cosigner {
  try {
    return toCosigner(name);
  } catch {
    throw toError('OPTION_INVALID', { name: '--name', expected: 'a name such as witness.example/auditor, without spaces and plus signs' });
  }
}

const toOriginHash = (origin: string): string => createHash('sha256').update(origin, 'utf8').digest('hex');

/** The cosigned checkpoint beside the checkpoint of a log that lies here. */
export async function writeCosigned(folder: string, log: string, note: string): Promise<void> {
  await writeWhole(join(folder, log, 'cosigned'), note);
  await syncFolder(join(folder, log));
}
