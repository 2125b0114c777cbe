// Reports in a folder that whoever makes and whoever sends them share: each file written once, whole or not there.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, linkSync, mkdirSync } from 'node:fs';
import { copyFile, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';

import { toError } from '../../kernel/errors.js';
import { removeIfThere, syncFolder } from './durable.js';

export class ReportFolder {
  /** It MUST be there: a disk that is not mounted is no empty folder. */
  constructor(private readonly root: string) {}

  /** What is there already has to be the same. Throws REPORT_STORE_UNREACHABLE or REPORT_STORE_DIFFERENT. */
  async put(name: string, from: string): Promise<void> {
    const path = join(this.root, name);
    if (!existsSync(this.root)) throw this.away();
    const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      await copyFile(from, beside);
      const file = await open(beside, 'r+');
      await file.chmod(0o600);
      await file.sync().finally(() => file.close());
      linkSync(beside, path);
      for (let folder = dirname(path); folder.length >= this.root.length; folder = dirname(folder)) await syncFolder(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw this.away();
      if ((await digestOf(path)) !== (await digestOf(from))) throw toError('REPORT_STORE_DIFFERENT', { file: name });
    } finally {
      removeIfThere(beside);
    }
  }

  /** Throws REPORT_STORE_UNREACHABLE where it is gone, or not as long as it was. */
  async read(name: string, bytes: number): Promise<Readable> {
    const path = join(this.root, name);
    const size = await stat(path).then(
      (found) => found.size,
      () => undefined,
    );
    if (size !== bytes) throw this.away();
    return createReadStream(path);
  }

  private away(): Error {
    return toError('REPORT_STORE_UNREACHABLE', { expected: 'a folder that is there, can be written, and holds what was put there' });
  }
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer);
  return digest.digest('hex');
}
