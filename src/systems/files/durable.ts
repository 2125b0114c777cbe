// Files that are whole or not there, also after the power went: written beside, synced, renamed; and their folders synced.
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Replaces the file in one step. The caller syncs the folder. */
export async function writeWhole(path: string, bytes: Uint8Array | string, mode = 0o600): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(beside, 'wx', mode);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
  try {
    await rename(beside, path);
  } catch (error) {
    await unlink(beside).catch(() => undefined);
    throw error;
  }
}

/** Writes all of them, makes their folders below `root`, and syncs every folder that got a new name. */
export async function writeAll(root: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const folders = new Set<string>();
  for (const path of files.keys()) {
    const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    folders.add(dirname(path));
    for (let folder = dirname(path); made !== undefined && folder.length > root.length;) folders.add((folder = dirname(folder)));
  }
  await Promise.all([...files].map(([path, bytes]) => writeWhole(path, bytes)));
  await Promise.all([...folders].map(syncFolder));
}

/** Beside the file that it was to be: what writeWhole, or who makes a key, leaves when it is killed. */
const unfinished = /\.[0-9a-f]{12}(\.tmp)?$/;

/** Removes what killed writers left among these names. The caller MUST hold the lock under which they are written. */
export async function dropUnfinished(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names.filter((one) => unfinished.test(one))) await unlink(join(folder, name)).catch(() => undefined);
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    // Windows has no such thing.
    if (process.platform !== 'win32') throw error;
  } finally {
    await folder.close();
  }
}
