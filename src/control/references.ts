// A reference is a right, not a string: which secrets a document of the service may name, and how they are read.
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join } from 'node:path';

import { toError } from '../kernel/errors.js';
import { type ConnectionTarget, resolveConnection } from '../systems/postgres/postgres.js';

const LIMIT = 64 * 1024;

/** `env:BAUTA_CONN_…`, or `file:` and a path inside the secrets folder by plain words. */
export function isGranted(reference: string): boolean {
  if (/^env:BAUTA_CONN_[A-Z0-9_]{1,100}$/.test(reference)) return true;
  const words = /^file:(.{1,300})$/.exec(reference)?.[1]?.split('/') ?? [];
  return words.length > 0 && words.every((word) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(word) && !word.includes('..'));
}

/** Throws REFERENCE_NOT_GRANTED, also for a file that a link leads out of the folder, or CONNECTION_REFERENCE_INVALID. */
export async function resolveGranted(
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
  secrets: string,
): Promise<ConnectionTarget> {
  if (!isGranted(reference)) throw toError('REFERENCE_NOT_GRANTED', { file: 'the pipeline', path: 'connection' });
  return resolveConnection(reference, environment, (path) => readSecret(secrets, path));
}

/** The text behind a reference; undefined: there is none. Throws REFERENCE_NOT_GRANTED. */
export async function readGranted(
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
  secrets: string,
): Promise<string | undefined> {
  if (!isGranted(reference)) throw toError('REFERENCE_NOT_GRANTED', { file: 'the trigger', path: 'secret' });
  if (reference.startsWith('env:')) return environment[reference.slice(4)];
  return readSecret(secrets, reference.slice(5)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
}

/** No component of the path below the folder may be a link: what a link points to was granted to nobody. */
async function readSecret(folder: string, path: string): Promise<string> {
  const root = await realpath(folder);
  const wanted = join(root, path);
  if ((await realpath(wanted)) !== wanted) throw toError('REFERENCE_NOT_GRANTED', { file: 'the pipeline', path: 'connection' });
  const file = await open(wanted, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > LIMIT) throw toError('REFERENCE_NOT_GRANTED', { file: 'the pipeline', path: 'connection' });
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
