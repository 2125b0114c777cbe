// C2SP signed notes (https://c2sp.org/signed-note) with Ed25519: text that anyone can check with one line of public key.
import { type KeyObject, createHash, hkdfSync, randomBytes, sign, verify } from 'node:crypto';

import { toPrivateKey, toPublicBytes, toPublicKey, toSeed } from './ed25519.js';

/** Who may have signed: a name and an Ed25519 public key. Its text form is the verifier key `name+hash+base64`. */
export interface Verifier {
  readonly name: string;
  /** First four bytes of SHA-256(name, LF, 0x01, public key). */
  readonly keyId: number;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

export interface Signer {
  readonly verifier: Verifier;
  readonly privateKey: KeyObject;
}

/** A note taken apart; nothing in it is known to be true. */
export interface ParsedNote {
  /** Ends in a newline, which is part of what was signed. */
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly keyId: number; readonly signature: Uint8Array }[];
}

/**
 * `malformed`: not a note. `forged`: a line in the name and key id of a known key does not verify, and that rejects the whole note.
 * `unsigned`: no line is of a known key.
 */
export type NoteProblem = 'malformed' | 'forged' | 'unsigned';

const ED25519 = 0x01;
const MARK = '\u2014 ';
const MOST_SIGNATURES = 100;
const MOST_CHARACTERS = 1 << 20;

/** A signer from its 32 secret bytes; new ones when there are none. Throws a TypeError when `name` cannot name a key. */
export function toSigner(name: string, seed: Uint8Array = randomBytes(32)): Signer {
  const privateKey = toPrivateKey(seed);
  return { verifier: toVerifier(name, toPublicBytes(privateKey)), privateKey };
}

/** A key of its own for each name below that of the master: what one has signed is never taken for what another has. */
export function deriveSigner(master: Signer, name: string): Signer {
  const seed = hkdfSync('sha256', toSeed(master.privateKey), new Uint8Array(0), Buffer.from(`bauta log ${name}`, 'utf8'), 32);
  return toSigner(`${master.verifier.name}/${name}`, new Uint8Array(seed));
}

export function toVerifier(name: string, publicKey: Uint8Array): Verifier {
  return toNamedKey(name, ED25519, publicKey);
}

/** A public key that signs notes under this name, in the way that `type` stands for (https://c2sp.org/signed-note, signature types). */
export function toNamedKey(name: string, type: number, publicKey: Uint8Array): Verifier {
  if (!isKeyName(name)) throw new TypeError('a key name is not empty and has no space, plus or control character');
  if (publicKey.length !== 32) throw new TypeError('an Ed25519 public key has 32 bytes');
  return { name, keyId: toKeyId(name, type, publicKey), publicKey: Uint8Array.from(publicKey) };
}

/** `name+hash+base64(0x01, public key)`: what is given to whoever shall check. */
export function formatVerifierKey(verifier: Verifier): string {
  return formatPublicKey(verifier, ED25519);
}

export function formatPublicKey({ name, keyId, publicKey }: Verifier, type: number): string {
  return `${name}+${toHex(keyId)}+${Buffer.from([type, ...publicKey]).toString('base64')}`;
}

/** Undefined when the text is no verifier key of an Ed25519 key, or its hash is not that of its key. */
export function parseVerifierKey(text: string): Verifier | undefined {
  return parsePublicKey(text, ED25519);
}

export function parsePublicKey(text: string, type: number): Verifier | undefined {
  const [, name = '', hash = '', base64 = ''] = /^([^+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const bytes = parseBase64(base64);
  if (!isKeyName(name) || bytes?.length !== 33 || bytes[0] !== type) return undefined;
  const verifier = toNamedKey(name, type, bytes.subarray(1));
  return toHex(verifier.keyId) === hash ? verifier : undefined;
}

/** `PRIVATE+KEY+name+hash+base64(0x01, seed)`, as Go's `note` package writes it. MUST be kept as a secret. */
export function formatSignerKey(signer: Signer): string {
  return formatPrivateKey(signer, ED25519);
}

export function formatPrivateKey({ verifier, privateKey }: Signer, type: number): string {
  return `PRIVATE+KEY+${verifier.name}+${toHex(verifier.keyId)}+${Buffer.from([type, ...toSeed(privateKey)]).toString('base64')}`;
}

export function parseSignerKey(text: string): Signer | undefined {
  return parsePrivateKey(text, ED25519);
}

export function parsePrivateKey(text: string, type: number): Signer | undefined {
  const [, name = '', hash = '', base64 = ''] = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const bytes = parseBase64(base64);
  if (!isKeyName(name) || bytes?.length !== 33 || bytes[0] !== type) return undefined;
  const privateKey = toPrivateKey(bytes.subarray(1));
  const verifier = toNamedKey(name, type, toPublicBytes(privateKey));
  return toHex(verifier.keyId) === hash ? { verifier, privateKey } : undefined;
}

/** The note: text, blank line, one signature line. Throws a TypeError when `text` cannot be the text of a note. */
export function signNote(text: string, { verifier, privateKey }: Signer): string {
  if (!isNoteText(text)) throw new TypeError('the text of a note ends in a newline and has no other control character');
  return `${text}\n${toSignatureLine(verifier, sign(null, Buffer.from(text, 'utf8'), privateKey))}`;
}

/** What is added at a note's end: mark, name, key id and signature, and a newline. */
export function toSignatureLine({ name, keyId }: Verifier, signature: Uint8Array): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(keyId);
  return `${MARK}${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}

/** Takes a note apart without believing it. Undefined when it is none. */
export function parseNote(note: string): ParsedNote | undefined {
  const at = note.lastIndexOf('\n\n');
  if (at < 0 || note.length > MOST_CHARACTERS || !note.endsWith('\n')) return undefined;
  const text = note.slice(0, at + 1);
  const lines = note.slice(at + 2, -1).split('\n');
  if (!isNoteText(text) || lines.length > MOST_SIGNATURES) return undefined;
  const signatures: ParsedNote['signatures'][number][] = [];
  for (const line of lines) {
    const [, name = '', base64 = ''] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = parseBase64(base64);
    if (!isKeyName(name) || !bytes || bytes.length < 5) return undefined;
    signatures.push({ name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(4) });
  }
  return { text, signatures };
}

/** The text, once a known key has signed it; or why it may not be read. Lines of unknown keys are passed over. */
export function openNote(
  note: string,
  verifiers: readonly Verifier[],
): { readonly text: string; readonly signedBy: readonly Verifier[]; readonly problem?: never } | { readonly problem: NoteProblem } {
  const parsed = parseNote(note);
  if (!parsed) return { problem: 'malformed' };
  const signedBy = new Set<Verifier>();
  for (const { name, keyId, signature } of parsed.signatures) {
    const known = verifiers.find((verifier) => verifier.name === name && verifier.keyId === keyId);
    if (!known || signedBy.has(known)) continue;
    if (!isSignedBy(known, parsed.text, signature)) return { problem: 'forged' };
    signedBy.add(known);
  }
  return signedBy.size === 0 ? { problem: 'unsigned' } : { text: parsed.text, signedBy: [...signedBy] };
}

function isSignedBy({ publicKey }: Verifier, text: string, signature: Uint8Array): boolean {
  const key = toPublicKey(publicKey);
  return signature.length === 64 && verify(null, Buffer.from(text, 'utf8'), key, signature);
}

/** A note is UTF-8 and has no ASCII control character but the newline. */
function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}

function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\s\u0085+\u0000-\u001f]/.test(name);
}

function toKeyId(name: string, type: number, publicKey: Uint8Array): number {
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([type]))
    .update(publicKey)
    .digest()
    .readUInt32BE(0);
}

const toHex = (keyId: number): string => keyId.toString(16).padStart(8, '0');

/** Only the one text that the bytes have: Node reads base64 with gaps and without an end, too. */
function parseBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
