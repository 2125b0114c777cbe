// Ed25519 keys (RFC 8032) as their 32 bytes, which is what is written to files, tokens and messages; DER (RFC 8410) is only what Node wants.
import { type KeyObject, createPrivateKey, createPublicKey } from 'node:crypto';

const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

export function toPrivateKey(seed: Uint8Array): KeyObject {
  if (seed.length !== 32) throw new TypeError('an Ed25519 key has 32 secret bytes');
  return createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' });
}

export function toPublicKey(bytes: Uint8Array): KeyObject {
  if (bytes.length !== 32) throw new TypeError('an Ed25519 public key has 32 bytes');
  return createPublicKey({ key: Buffer.concat([PUBLIC_DER, bytes]), format: 'der', type: 'spki' });
}

/** The 32 public bytes of a key, private or public. */
export function toPublicBytes(key: KeyObject): Buffer {
  const known = key.type === 'private' ? createPublicKey(key) : key;
  return known.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length);
}

export function toSeed(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'pkcs8' }).subarray(PRIVATE_DER.length);
}
