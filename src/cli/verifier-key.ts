// The public key of a log, out of a file that somebody named.
import { readFile } from 'node:fs/promises';

import { toError } from '../kernel/errors.js';
import { type Verifier, parseVerifierKey } from '../kernel/signed-note.js';

/** Throws PUBLIC_KEY_UNREADABLE where there is no such file, PUBLIC_KEY_INVALID where it holds something else. */
export async function readVerifier(file: string): Promise<Verifier> {
  const verifier = await readOwnVerifier(file);
  if (!verifier) throw toError('PUBLIC_KEY_UNREADABLE', { file });
  return verifier;
}

/** That of a home; undefined before its first run. Throws PUBLIC_KEY_INVALID. */
export async function readOwnVerifier(file: string): Promise<Verifier | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const verifier = parseVerifierKey(text);
  if (!verifier) throw toError('PUBLIC_KEY_INVALID', { file });
  return verifier;
}
