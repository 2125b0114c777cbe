// C2SP cosignatures (https://c2sp.org/tlog-cosignature) with Ed25519: a witness says that it has seen this checkpoint, when, and nothing that contradicts
// it. It signs another message than a log does, with a key of another type: the one can never stand for the other.
import { type KeyObject, randomBytes, sign, verify } from 'node:crypto';

import { toPrivateKey, toPublicBytes, toPublicKey } from './ed25519.js';
import {
  type Verifier,
  formatPrivateKey,
  formatPublicKey,
  parseNote,
  parsePrivateKey,
  parsePublicKey,
  toNamedKey,
  toSignatureLine,
} from './signed-note.js';

const COSIGNATURE = 0x04;

/** Who may have cosigned: its key id is of another type than that of a log with the same name and key. */
export interface Witness extends Verifier {
  readonly cosigns: true;
}

export interface Cosigner {
  readonly witness: Witness;
  readonly privateKey: KeyObject;
}

/** That a witness had seen the checkpoint, and no larger one, at `seconds` since 1970. */
export interface Cosignature {
  readonly witness: Witness;
  readonly seconds: number;
}

/** From 32 secret bytes; new ones when there are none. Throws a TypeError when `name` cannot name a key. */
export function toCosigner(name: string, seed: Uint8Array = randomBytes(32)): Cosigner {
  const privateKey = toPrivateKey(seed);
  return { witness: { ...toNamedKey(name, COSIGNATURE, toPublicBytes(privateKey)), cosigns: true }, privateKey };
}

/** `name+hash+base64(0x04, public key)`. */
export function formatWitnessKey(witness: Witness): string {
  return formatPublicKey(witness, COSIGNATURE);
}

/** Undefined when the text is no key of this type. */
export function parseWitnessKey(text: string): Witness | undefined {
  const key = parsePublicKey(text, COSIGNATURE);
  return key && { ...key, cosigns: true };
}

/** MUST be kept as a secret. */
export function formatCosignerKey({ witness, privateKey }: Cosigner): string {
  return formatPrivateKey({ verifier: witness, privateKey }, COSIGNATURE);
}

export function parseCosignerKey(text: string): Cosigner | undefined {
  const signer = parsePrivateKey(text, COSIGNATURE);
  return signer && { witness: { ...signer.verifier, cosigns: true }, privateKey: signer.privateKey };
}

/** The line to add to the note of a checkpoint. `text`: what the note says, its last newline included. */
export function cosign(text: string, { witness, privateKey }: Cosigner, seconds: number): string {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  return toSignatureLine(witness, Buffer.concat([time, sign(null, toMessage(text, BigInt(seconds)), privateKey)]));
}

/** One for each of these witnesses that has cosigned, in the order of the note; or that a line in the name of one of them is not its. */
export function readCosignatures(note: string, witnesses: readonly Witness[]): readonly Cosignature[] | 'malformed' | 'forged' {
  const parsed = parseNote(note);
  if (!parsed) return 'malformed';
  const found: Cosignature[] = [];
  for (const { name, keyId, signature } of parsed.signatures) {
    const witness = witnesses.find((one) => one.name === name && one.keyId === keyId);
    if (!witness || found.some((one) => one.witness === witness)) continue;
    const seconds = toSeconds(witness, parsed.text, signature);
    if (seconds === undefined) return 'forged';
    found.push({ witness, seconds });
  }
  return found;
}

function toSeconds({ publicKey }: Witness, text: string, signature: Uint8Array): number | undefined {
  if (signature.length !== 72) return undefined;
  const bytes = Buffer.from(signature);
  const time = bytes.readBigUInt64BE(0);
  // Zero says that nothing is said about the time, which a witness of checkpoints may not.
  if (time === 0n || time > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return verify(null, toMessage(text, time), toPublicKey(publicKey), bytes.subarray(8)) ? Number(time) : undefined;
}

const toMessage = (text: string, time: bigint): Buffer => Buffer.from(`cosignature/v1\ntime ${time}\n${text}`, 'utf8');
