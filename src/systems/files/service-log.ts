// What the process that signs the service's logs remembers of them outside of the metadata database: a backup of that cannot bring it back.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Verifier, formatVerifierKey } from '../../kernel/signed-note.js';
import { syncFolder, writeWhole } from './durable.js';

/** `name`: of the workspace's log, an id. Undefined before the first. */
export async function readLastNote(home: string, name: string): Promise<string | undefined> {
  return readFile(toPath(home, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** The note that was signed last, durable when it resolves; and once the public key, for auditors. */
export async function keepServiceLog(home: string, name: string, note: string, verifier: Verifier): Promise<void> {
  const [keys, pub] = [join(home, 'keys'), join(home, `log-${name}.pub`)];
  await mkdir(keys, { recursive: true, mode: 0o700 });
  await readFile(pub).catch(() => writeWhole(pub, `${formatVerifierKey(verifier)}\n`, 0o644));
  await writeWhole(toPath(home, name), note);
  await syncFolder(keys);
}

const toPath = (home: string, name: string): string => join(home, 'keys', `log-${name}.last`);
