// A token that somebody lent us to answer him with. It lies in the metadata database under a key that is not there (BAUTA_SERVER_KEY), for this one
// row, and only until he is told.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

import { toError } from '../../kernel/errors.js';

const keyOf = (serverKey: Uint8Array): Uint8Array => new Uint8Array(hkdfSync('sha256', serverKey, '', 'bauta callback token', 32));

/** `row`: which row it is for; it opens for no other. */
export function seal(token: string, row: string, serverKey: Uint8Array): Uint8Array {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(serverKey), nonce).setAAD(Buffer.from(row));
  const text = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

/** Throws SERVER_KEY_INVALID: it was sealed under another key, or for another row. */
export function unseal(sealed: Uint8Array, row: string, serverKey: Uint8Array): string {
  const bytes = Buffer.from(sealed);
  try {
    const opening = createDecipheriv('aes-256-gcm', keyOf(serverKey), bytes.subarray(0, 12));
    opening.setAAD(Buffer.from(row)).setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([opening.update(bytes.subarray(28)), opening.final()]).toString('utf8');
  } catch {
    throw toError('SERVER_KEY_INVALID', { name: 'the token of a callback' });
  }
}
