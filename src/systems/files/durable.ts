// Files that are whole or not there, also after the power went: written beside, synced, renamed; and their folders synced.
//
// Only syncs are waited for in the pool of threads. What else is done to a file takes microseconds, and a turn in that pool for each of an append's
// twenty operations takes longer than all of them together.
import { randomBytes } from 'node:crypto';
import { closeSync, fdatasync, fsync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);

/** Replaces the file in one step. The caller syncs the folder. */
export async function writeWhole(path: string, bytes: Uint8Array | string, mode = 0o600): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = openSync(beside, 'wx', mode);
  try {
    writeFileSync(file, bytes);
    await syncData(file);
  } finally {
    closeSync(file);
  }
  try {
    renameSync(beside, path);
  } catch (error) {
    removeIfThere(beside);
    throw error;
  }
}

/** Writes all of them, makes their folders below `root`, and syncs every folder that got a new name. */
export async function writeAll(root: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const folders = new Set<string>();
  for (const path of files.keys()) {
    const made = mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    folders.add(dirname(path));
    for (let folder = dirname(path); made !== undefined && folder.length > root.length;) folders.add((folder = dirname(folder)));
  }
  await Promise.all([...files].map(([path, bytes]) => writeWhole(path, bytes)));
  await Promise.all([...folders].map(syncFolder));
}

/** Beside the file that it was to be: what writeWhole, or who makes a key, leaves when it is killed. */
const unfinished = /\.[0-9a-f]{12}(\.tmp)?$/;

/** Removes what killed writers left among these names. The caller MUST hold the lock under which they are written. */
export function dropUnfinished(folder: string, names: readonly string[]): void {
  for (const name of names.filter((one) => unfinished.test(one))) removeIfThere(join(folder, name));
}

/** Whether it could be or not: a name that stays behind does no harm. */
export function removeIfThere(path: string): void {
  try {
    rmSync(path, { recursive: true });
  } catch {
    // Nothing was promised about it.
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, 'r');
  try {
    await syncAll(folder);
  } catch (error) {
    // Windows has no such thing.
    if (process.platform !== 'win32') throw error;
  } finally {
    closeSync(folder);
  }
}
