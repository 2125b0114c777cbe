// The door of OpenID Connect: is this token what its issuer signed, for us, and now? Nothing that a token says is believed before its signature is.
import { type JWTPayload, decodeJwt, errors, jwtVerify } from 'jose';

import { BautaError, toError } from '../../kernel/errors.js';
import type { IssuerKeys } from './issuer-keys.js';

export { signAppToken } from './app-token.js';
export { IssuerKeys, type ReadUrl } from './issuer-keys.js';

export type Claims = Readonly<JWTPayload>;

/** What only its owner can sign with. Nothing symmetric: whoever checks such a token could make one. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
/** RFC 7519 and RFC 9068; a token of another type (a logout token) says something else. */
const types: readonly unknown[] = [undefined, 'jwt', 'at+jwt', 'application/at+jwt'];

/** Seconds; what ends later than any calendar has cannot be remembered until then. */
const FAR = 1e11;

export interface Expected {
  /** Exactly as the token has it in `iss`. */
  readonly issuer: string;
  /** Any of these. */
  readonly audiences: readonly string[];
  readonly nowMs: number;
  readonly skewSeconds: number;
}

/** Three parts, the last of which is there: what may be an identity token. */
export const isIdentityToken = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);

/** Who a token says that signed it: good for looking up whether anybody trusts that issuer, and for nothing else. */
export function readIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** A token that can be told from every other one, says from when it holds, and is for nobody else, who could come with it in its place. */
export const canBeTakenOnce = ({ aud, exp, jti, nbf }: Claims): boolean =>
  typeof jti === 'string' && jti !== '' && nbf !== undefined && (exp ?? Infinity) < FAR && [aud].flat().length === 1;

/** Throws TOKEN_INVALID, or ISSUER_UNREACHABLE where the issuer's keys are not known. `jku`, `jwk` and `x5u` in the token's head name no key here. */
export async function verifyIdentityToken(token: string, expected: Expected, keys: IssuerKeys): Promise<Claims> {
  const { issuer, audiences, nowMs, skewSeconds } = expected;
  const verify = async (afresh: boolean): Promise<Claims> => {
    const known = await keys.of(issuer, afresh);
    const { payload, protectedHeader } = await jwtVerify(token, known, {
      ...{ algorithms, issuer, audience: [...audiences], clockTolerance: skewSeconds, currentDate: new Date(nowMs) },
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
    });
    if (!types.includes(protectedHeader.typ?.toLowerCase())) throw toError('TOKEN_INVALID');
    if ((payload.iat ?? Infinity) > nowMs / 1000 + skewSeconds) throw toError('TOKEN_INVALID');
    return payload;
  };
  try {
    return await verify(false).catch((error: unknown) => {
      // A key that came since the keys were read.
      if (error instanceof errors.JWKSNoMatchingKey) return verify(true);
      throw error;
    });
  } catch (error) {
    throw error instanceof BautaError ? error : toError('TOKEN_INVALID');
  }
}
