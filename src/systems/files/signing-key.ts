// The log's own key, and what was last signed with it: both lie with the keys, out of reach of whoever can only write the log.
import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import { type Signer, formatSignerKey, formatVerifierKey, parseSignerKey, toSigner } from '../../kernel/signed-note.js';
import { syncFolder, writeWhole } from './durable.js';

export interface SigningKeyPlaces {
  /** `BAUTA_HOME/keys`. */
  readonly keys: string;
  /** Where the public key goes: `BAUTA_HOME/log.pub`. */
  readonly publicKey: string;
}

export const toLastSignedPath = (keys: string): string => join(keys, 'log.last');

/** Reads `log.key`, or makes one: 0600, under a name that nobody else has. Throws LOG_KEY_MISSING when there is a log and no key to it. */
export async function loadSigner({ keys, publicKey }: SigningKeyPlaces, hasLog: boolean): Promise<Signer> {
  const path = join(keys, 'log.key');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) {
    if (hasLog) throw toError('LOG_KEY_MISSING', { file: path });
    return create(path, { keys, publicKey });
  }
  if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0) throw toError('KEY_FILE_UNSAFE', { file: path });
  const signer = parseSignerKey(text);
  if (!signer) throw toError('KEY_FILE_INVALID', { file: path });
  await readFile(publicKey).catch(() => writePublicKey(publicKey, signer));
  return signer;
}

/** Linked, so that two first uses agree on one key. */
async function create(path: string, places: SigningKeyPlaces): Promise<Signer> {
  await mkdir(places.keys, { recursive: true, mode: 0o700 });
  const signer = toSigner(`bauta.invalid/${randomBytes(6).toString('hex')}`);
  const beside = `${path}.${randomBytes(6).toString('hex')}`;
  await writeWhole(beside, `${formatSignerKey(signer)}\n`);
  try {
    await link(beside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return await loadSigner(places, false);
    throw error;
  } finally {
    await unlink(beside);
  }
  await syncFolder(places.keys);
  await writePublicKey(places.publicKey, signer);
  return signer;
}

async function writePublicKey(path: string, { verifier }: Signer): Promise<void> {
  await writeWhole(path, `${formatVerifierKey(verifier)}\n`, 0o644);
}
