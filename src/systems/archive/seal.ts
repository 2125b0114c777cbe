// Archives are age files (https://age-encryption.org/v1): sealed to the environment's key, and to whoever else the pipeline names. An environment's
// identity is made of bytes that its transport key derives, so it exists as long as that version of the key does.
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';

import { toError } from '../../kernel/errors.js';
import { toBech32 } from './bech32.js';

/** First line of every age file. */
export const sealMark = 'age-encryption.org/v1\n';
/** Most bytes of a header: some hundred recipients. */
export const mostHeaderBytes = 64 * 1024;

/** Of 32 secret bytes, an X25519 identity as age writes it: `AGE-SECRET-KEY-1…`. */
export function toIdentity(secret: Uint8Array): string {
  return toBech32('age-secret-key-', secret).toUpperCase();
}

/** One that nobody else has. */
export const newIdentity = (): Promise<string> => generateX25519Identity();

/** `age1…` of an identity. */
export function toRecipient(identity: string): Promise<string> {
  return identityToRecipient(identity);
}

/** Throws ARCHIVE_RECIPIENT_INVALID. */
export async function seal(plain: ReadableStream<Uint8Array>, recipients: readonly string[]): Promise<ReadableStream<Uint8Array>> {
  return toEncrypter(recipients).encrypt(plain);
}

/** A few bytes, for one recipient. */
export async function sealBytes(plain: Uint8Array, recipient: string): Promise<Uint8Array> {
  return toEncrypter([recipient]).encrypt(plain);
}

/** The key of one file, which opens that file and no other. Throws ARCHIVE_IDENTITY_INVALID, ARCHIVE_KEY_UNKNOWN. */
export async function openHeader(header: Uint8Array, identities: readonly string[]): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
  } catch {
    throw toError('ARCHIVE_IDENTITY_INVALID');
  }
  try {
    return await decrypter.decryptHeader(header);
  } catch {
    throw toError('ARCHIVE_KEY_UNKNOWN');
  }
}

/** Throws ARCHIVE_SEAL_BROKEN where the file is not, byte for byte, what was sealed. */
export async function* unseal(sealed: ReadableStream<Uint8Array>, fileKey: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  const decrypter = new Decrypter();
  decrypter.addIdentity({ unwrapFileKey: () => fileKey });
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    reader = (await decrypter.decrypt(sealed)).getReader();
    for (;;) {
      const next = await reader.read().catch(() => undefined);
      if (next === undefined) throw toError('ARCHIVE_SEAL_BROKEN');
      if (next.done) return;
      yield next.value;
    }
  } catch {
    throw toError('ARCHIVE_SEAL_BROKEN');
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

/** Of a small file for one identity. Throws as `openHeader`. */
export async function unsealBytes(sealed: Uint8Array, identity: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(sealed);
  } catch {
    throw toError('ARCHIVE_KEY_UNKNOWN');
  }
}

/** The header at the beginning of a sealed file. Throws ARCHIVE_FORM. */
export function findHeader(start: Uint8Array): Uint8Array {
  const text = Buffer.from(start.buffer, start.byteOffset, Math.min(start.length, mostHeaderBytes)).toString('latin1');
  const [header] = text.startsWith(sealMark) ? (/^[^]*?\n--- [A-Za-z0-9+/]{43}\n/.exec(text) ?? []) : [];
  if (header === undefined) throw toError('ARCHIVE_FORM');
  return start.subarray(0, header.length);
}

function toEncrypter(recipients: readonly string[]): Encrypter {
  const encrypter = new Encrypter();
  try {
    for (const recipient of recipients) encrypter.addRecipient(recipient);
  } catch {
    throw toError('ARCHIVE_RECIPIENT_INVALID');
  }
  return encrypter;
}
