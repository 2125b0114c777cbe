// io.jwt.encode_sign and encode_sign_raw. Signatures that are random by their nature (ES*, PS*) are refused: a decision by them could not be replayed.
import { createHmac, createPrivateKey, sign } from 'node:crypto';

import { parseNotation } from '../notation.js';
import type { Family } from './builtin.js';
import { marshal } from './encoding.js';
import { algorithms } from './jwt.js';
import { attempt, objectOf, textOf, unfit } from './operand.js';

interface Jwk {
  readonly kty?: string;
  readonly k?: string;
  readonly keys?: readonly Jwk[];
}

function encodeSign(header: string, payload: string, key: string): string {
  const named = objectOf(attempt(() => parseNotation(header, true)));
  const algorithm = algorithms[textOf(named.get('alg'))] ?? unfit();
  const type = named.get('typ');
  if (type === undefined || type === 'JWT') attempt(() => JSON.parse(payload) as unknown);
  const document = attempt(() => JSON.parse(key) as Jwk);
  const jwk = document.keys === undefined ? document : (document.keys[0] ?? unfit());
  const text = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
  return `${text}.${toSignature(text, algorithm.kind, algorithm.hash, jwk).toString('base64url')}`;
}

function toSignature(text: string, kind: string, hash: string | null, jwk: Jwk): Buffer {
  if (kind === 'HS') {
    if (jwk.kty !== 'oct' || typeof jwk.k !== 'string') return unfit();
    return createHmac(hash ?? '', Buffer.from(jwk.k, 'base64url'))
      .update(text)
      .digest();
  }
  if (kind !== 'RS' && kind !== 'EdDSA') return unfit();
  const key = attempt(() => createPrivateKey({ key: jwk as object, format: 'jwk' } as never));
  if (key.asymmetricKeyType !== (kind === 'RS' ? 'rsa' : 'ed25519')) return unfit();
  return attempt(() => sign(hash, Buffer.from(text), key));
}

export const jwtSignBuiltins: Family = {
  'io.jwt.encode_sign': ([header = null, payload = null, key = null]) => encodeSign(marshal(header), marshal(payload), marshal(key)),
  'io.jwt.encode_sign_raw': ([header, payload, key]) => encodeSign(textOf(header), textOf(payload), textOf(key)),
};
