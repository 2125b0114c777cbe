// Who says that he is a GitHub App signs it with the App's private key, for some minutes.
import { createPrivateKey } from 'node:crypto';

import { SignJWT } from 'jose';

import { toError } from '../../kernel/errors.js';

/** GitHub takes ten minutes at most, and its clock may be behind. */
const [BEFORE_S, AFTER_S] = [60, 540];

/** Throws CALLBACK_KEY_UNUSABLE. */
export async function signAppToken(app: number, pem: string, nowMs: number): Promise<string> {
  const now = Math.floor(nowMs / 1000);
  try {
    const key = createPrivateKey(pem);
    return await new SignJWT()
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(String(app))
      .setIssuedAt(now - BEFORE_S)
      .setExpirationTime(now + AFTER_S)
      .sign(key);
  } catch {
    throw toError('CALLBACK_KEY_UNUSABLE');
  }
}
