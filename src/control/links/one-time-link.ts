// What is handed out once: a secret of 256 bits that is shown and stored nowhere, and a text that only it opens. Whoever seals has the public half
// of a key pair that is derived from the secret (X25519, RFC 7748), so that no worker and no table ever knows the secret.
import {
  type KeyObject, createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, randomBytes,
} from 'node:crypto'; // prettier-ignore

/** DER of a raw key of 32 bytes (RFC 8410). */
const privateHead = Buffer.from('302e020100300506032b656e04220420', 'hex');
const publicHead = Buffer.from('302a300506032b656e032100', 'hex');

export interface OneTimeLink {
  /** Shown once. */
  readonly secret: string;
  /** Public. */
  readonly key: Uint8Array;
}

export function makeLink(): OneTimeLink {
  const secret = `link_${randomBytes(32).toString('base64url')}`;
  return { secret, key: toRaw(createPublicKey(toPrivate(secret))) };
}

/** Ephemeral public key, nonce, tag and ciphertext (AES-256-GCM). `id` is bound in: a text of another link opens here as little as there. */
export function seal(key: Uint8Array, id: string, text: string): Buffer {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const [ephemeral, iv] = [toRaw(publicKey), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', toShared(privateKey, toPublic(key), ephemeral, key), iv).setAAD(Buffer.from(id));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([ephemeral, iv, cipher.getAuthTag(), body]);
}

/** Throws when it was sealed for another secret or id. */
export function unseal(secret: string, id: string, sealed: Uint8Array): string {
  const [ephemeral, iv, tag, body] = [sealed.subarray(0, 32), sealed.subarray(32, 44), sealed.subarray(44, 60), sealed.subarray(60)];
  const own = toPrivate(secret);
  const key = toShared(own, toPublic(ephemeral), ephemeral, toRaw(createPublicKey(own)));
  const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id)).setAuthTag(tag);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
}

function toShared(own: KeyObject, theirs: KeyObject, ephemeral: Uint8Array, recipient: Uint8Array): Buffer {
  const shared = diffieHellman({ privateKey: own, publicKey: theirs });
  return Buffer.from(hkdfSync('sha256', shared, Buffer.concat([ephemeral, recipient]), 'bauta/1 one-time link', 32));
}

function toPrivate(secret: string): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', 'bauta/1 key of a one-time link', 32));
  return createPrivateKey({ key: Buffer.concat([privateHead, seed]), format: 'der', type: 'pkcs8' });
}

const toPublic = (raw: Uint8Array): KeyObject => createPublicKey({ key: Buffer.concat([publicHead, raw]), format: 'der', type: 'spki' });

const toRaw = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' }).subarray(-32);
