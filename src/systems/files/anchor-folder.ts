// Checkpoints of logs in a folder, on a disk that whoever runs the log does not have: one file each, written once.
import { linkSync, mkdirSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import type { AnchorStore } from '../../pipeline/audit/audit.js';
import { removeIfThere, syncFolder, writeWhole } from './durable.js';

/** The folder MUST be there: a disk that is not mounted is no empty place. */
export function openAnchorFolder(place: string, folder: string): AnchorStore {
  const away = (): Error => toError('ANCHOR_UNREACHABLE', { name: place, expected: 'a folder that is there and can be written' });
  const find = (below: string): readonly string[] => {
    const names: string[] = [];
    for (const { name, ...entry } of readdirSync(join(folder, below), { withFileTypes: true }).map((one) => ({
      name: one.name,
      isFolder: one.isDirectory(),
    }))) {
      if (entry.isFolder) names.push(...find(join(below, name)));
      else if (!name.endsWith('.tmp')) names.push(join(below, name));
    }
    return names.sort();
  };
  const read = async (name: string): Promise<Buffer | undefined> =>
    readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw away();
    });
  return {
    place,
    list: (below) => {
      try {
        readdirSync(folder);
      } catch {
        return Promise.reject(away());
      }
      try {
        return Promise.resolve(find(below));
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ENOENT' ? Promise.resolve([]) : Promise.reject(away());
      }
    },
    read: async (name) => {
      const bytes = await read(name);
      return bytes && { bytes, lockedUntil: null, covered: false };
    },
    keep: async (name, note) => {
      try {
        await writeOnce(join(folder, name), note);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw away();
      }
      if ((await read(name))?.equals(note) !== true) throw toError('ANCHOR_CONTRADICTS', { name: place, file: name });
      return { lockedUntil: null };
    },
    close: () => Promise.resolve(),
  };
}

/** Whole or not at all, and never over another: a link fails where there is a file. */
async function writeOnce(path: string, bytes: Buffer): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeWhole(beside, bytes, 0o644);
    linkSync(beside, path);
    await syncFolder(dirname(path));
  } finally {
    removeIfThere(beside);
  }
}
