// Where archives lie: a folder for each workspace, environment and pipeline, a file for each version that may still be had.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { toError } from '../../kernel/errors.js';

export interface ArchivePlace {
  readonly workspace: string;
  readonly environment: string;
  readonly pipeline: string;
}

export interface ArchiveName extends ArchivePlace {
  readonly version: number;
  readonly runId: string;
}

/** Below the folder of archives; whatever the names are, it is not outside. */
export function toArchivePath({ version, runId, ...place }: ArchiveName): string {
  return join(toFolder(place), `v${String(version).padStart(6, '0')}-${runId}.tar.age`);
}

/** What killed processes left unfinished. MUST be called where nobody else writes there: under the target's lock. */
export async function dropUnfinished(root: string, place: ArchivePlace): Promise<void> {
  for (const name of await list(root, place)) if (/\.[0-9a-f]{12}\.part$/.test(name)) await rm(join(root, toFolder(place), name));
}

/** All but the newest and those of runs that are held; returns their paths below the root. */
export async function prune(root: string, place: ArchivePlace, keep: number, held: ReadonlySet<string>): Promise<readonly string[]> {
  const old = (await list(root, place))
    .filter((name) => /^v\d{6,}-\w+\.tar\.age$/.test(name))
    .sort((a, b) => toVersion(b) - toVersion(a))
    .slice(keep)
    .filter((name) => !held.has(toRun(name)))
    .map((name) => join(toFolder(place), name));
  for (const path of old) await rm(join(root, path), { force: true });
  return old;
}

/** Whatever there is of a run, finished or not, under whichever pipeline. Throws ARCHIVE_UNWRITABLE where something of it stays. */
export async function dropOfRun(root: string, workspace: string, runId: string): Promise<readonly string[]> {
  const folder = encode(workspace);
  const find = async (): Promise<readonly string[]> => {
    const names = await readdir(join(root, folder), { recursive: true }).catch(() => []);
    return names.filter((name) => name.includes(`-${runId}.tar.age`)).map((name) => join(folder, name));
  };
  const found = await find();
  for (const name of found) await rm(join(root, name), { force: true }).catch(() => undefined);
  const [left] = await find();
  if (left !== undefined) throw toError('ARCHIVE_UNWRITABLE', { file: left });
  return found;
}

const toRun = (name: string): string => /^v\d+-(\w+)/.exec(name)?.[1] ?? '';

function toVersion(name: string): number {
  return Number(/^v(\d+)/.exec(name)?.[1] ?? 0);
}

async function list(root: string, place: ArchivePlace): Promise<readonly string[]> {
  return readdir(join(root, toFolder(place))).catch(() => []);
}

function toFolder({ workspace, environment, pipeline }: ArchivePlace): string {
  return join(...[workspace, environment, pipeline].map(encode));
}

const encode = (name: string): string => encodeURIComponent(name).replaceAll('.', '%2E');
