// Both sides of a witness (https://c2sp.org/tlog-witness): what one does with a checkpoint that is submitted, and how a log asks for a cosignature. Neither
// believes the other: the witness recomputes the proof, and who asked checks what was signed.
import { type Cosigner, type Witness, cosign, readCosignatures } from '../../kernel/cosignature.js';
import { toError } from '../../kernel/errors.js';
import { type Verifier, parseNote, toSignatureLine } from '../../kernel/signed-note.js';
import type { Checkpoint } from '../event.js';
import { openCheckpoint, parseCheckpoint } from './checkpoint.js';
import { type LogFiles, toNodeAt } from './log-files.js';
import type { TrustPolicy } from './trust-policy.js';
import { emptyRoot, isConsistent, toConsistencyProof } from './tree.js';

const MOST_PROOF_LINES = 63;

/** What a witness answers, and what it has to have on disk before it does: the note with the log's signature and its own. */
export type WitnessAnswer =
  | { readonly status: 200; readonly lines: string; readonly checkpoint: Checkpoint; readonly note: string }
  | { readonly status: 409; readonly size: number }
  | { readonly status: 400 | 403 | 404 | 422 };

export interface WitnessSide {
  readonly cosigner: Cosigner;
  readonly logs: readonly Verifier[];
  /** The note that was cosigned last for this origin. What it answers MUST hold until what follows from it is on disk: one submission at a time. */
  readonly seen: (origin: string) => Promise<string | undefined>;
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** The rules of add-checkpoint, in the order of the standard: unknown, unsigned, older or beside what was seen. */
export async function answerSubmission(body: string, { cosigner, logs, seen, now }: WitnessSide): Promise<WitnessAnswer> {
  const submitted = parseSubmission(body);
  if (!submitted) return { status: 400 };
  const { old, proof, note, checkpoint } = submitted;
  const trusted = logs.filter(({ name }) => isOriginOf(checkpoint.origin, name));
  if (trusted.length === 0) return { status: 404 };
  const opened = openCheckpoint(note, trusted);
  if (opened.problem) return { status: 403 };
  if (old > checkpoint.size) return { status: 400 };
  const before = parseCheckpoint((await seen(checkpoint.origin)) ?? '');
  if ((before?.size ?? 0) !== old) return { status: 409, size: before?.size ?? 0 };
  if (!follows(before, checkpoint, proof)) return { status: 422 };
  const { text, signatures } = parseNote(note)!;
  const lines = cosign(text, cosigner, now());
  const ofLog = signatures.filter(({ name, keyId }) => trusted.some((one) => one.name === name && one.keyId === keyId));
  const kept = ofLog.map(({ name, keyId, signature }) => toSignatureLine({ name, keyId, publicKey: signature }, signature));
  return { status: 200, lines, checkpoint, note: `${text}\n${kept.join('')}${lines}` };
}

/** A log is named by its key and the period that it began in: `NAME/2026`. One that is no chain has the key's name alone. */
export const isOriginOf = (origin: string, name: string): boolean =>
  origin === name || /^\/\d{4}(-\d{2})?$/.test(origin.startsWith(name) ? origin.slice(name.length) : '');

function follows(before: Checkpoint | undefined, { size, root }: Checkpoint, proof: readonly Buffer[]): boolean {
  if (size === 0 && root !== emptyRoot.toString('base64')) return false;
  if (!before || before.size === 0) return proof.length === 0;
  return isConsistent(before.size, size, Buffer.from(before.root, 'base64'), Buffer.from(root, 'base64'), proof);
}

interface Submission {
  readonly old: number;
  readonly proof: readonly Buffer[];
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

function parseSubmission(body: string): Submission | undefined {
  const [, old = '', digests = '', note = ''] = /^old (0|[1-9]\d{0,15})\n((?:[A-Za-z0-9+/]{43}=\n)*)\n([\s\S]+)$/.exec(body) ?? [];
  const checkpoint = parseCheckpoint(note);
  const lines = digests.split('\n').slice(0, -1);
  if (!checkpoint || lines.length > MOST_PROOF_LINES || !Number.isSafeInteger(Number(old))) return undefined;
  return { old: Number(old), proof: lines.map((line) => Buffer.from(line, 'base64')), note, checkpoint };
}

/** Sends a body to `PREFIX/add-checkpoint`; an answer of any status is an answer. */
export type SendToWitness = (body: string) => Promise<{ readonly status: number; readonly body: string }>;

export interface Gathered {
  /** The newest checkpoint with the lines of all who cosigned it; undefined: too few did, and the one before stays what others can be shown. */
  readonly note: string | undefined;
  readonly cosigned: readonly Witness[];
  readonly failed: readonly { readonly witness: Witness; readonly error: unknown }[];
}

/** Asks every witness of the policy that has a URL, at once. A witness that fails is told of and stops no other. */
export async function gatherCosignatures(
  files: LogFiles,
  log: string,
  policy: TrustPolicy,
  sendTo: (url: string, witness: Witness) => SendToWitness,
): Promise<Gathered> {
  const before = (await files.read(`${log}/cosigned`))?.toString('utf8') ?? '';
  const note = (await files.read(`${log}/checkpoint`))?.toString('utf8') ?? '';
  const knows = toWitnesses(before, policy);
  const size = parseCheckpoint(before)?.size ?? 0;
  const same = before.startsWith(note) && note !== '';
  const lines: string[] = [];
  const cosigned: Witness[] = [];
  const failed: { witness: Witness; error: unknown }[] = [];
  const asked = policy.witnesses.flatMap(({ witness, url }) => (url === undefined ? [] : [{ witness, url }]));
  await Promise.all(
    asked.map(async ({ witness, url }) => {
      if (same && knows.has(witness)) return void cosigned.push(witness);
      try {
        lines.push(await askWitness(files, log, note, witness, knows.has(witness) ? size : 0, sendTo(url, witness)));
        cosigned.push(witness);
      } catch (error) {
        failed.push({ witness, error });
      }
    }),
  );
  const enough = policy.isQuorum(new Set(cosigned)) || !policy.isQuorum(knows);
  const gathered = lines.length > 0 && enough ? `${same ? before : note}${lines.join('')}` : undefined;
  return { note: gathered, cosigned, failed };
}

function toWitnesses(note: string, { witnesses }: TrustPolicy): ReadonlySet<Witness> {
  const read = note === '' ? [] : readCosignatures(note, witnesses.map(({ witness }) => witness)); // prettier-ignore
  return new Set(typeof read === 'string' ? [] : read.map(({ witness }) => witness));
}

/**
 * The line of one witness under the note, a checkpoint of `log`, checked. `from`: the size that it cosigned last, as far as is known; it says so itself where that is not so. Throws WITNESS_AHEAD (it has seen more of this log than there is: the log was cut or restored), WITNESS_CONTRADICTS (it has seen another past),
 * WITNESS_REFUSED for any other status, WITNESS_ANSWER_INVALID for a cosignature that is none.
 */
async function askWitness(
  files: LogFiles,
  log: string,
  note: string,
  witness: Witness,
  from: number,
  send: SendToWitness,
): Promise<string> {
  const checkpoint = parseCheckpoint(note);
  if (!checkpoint) throw toError('LOG_INCONSISTENT', { file: log });
  const where = { name: witness.name, file: log };
  const submit = async (old: number): Promise<{ status: number; body: string }> => {
    const proof =
      old === 0 || old === checkpoint.size ? [] : await toConsistencyProof(old, checkpoint.size, toNodeAt(files, log, checkpoint.size));
    return send(`old ${old}\n${proof.map((digest) => `${digest.toString('base64')}\n`).join('')}\n${note}`);
  };
  let answer = await submit(Math.min(from, checkpoint.size));
  if (answer.status === 409) {
    const [, size = ''] = /^(0|[1-9]\d{0,15})\n?$/.exec(answer.body) ?? [];
    if (size === '') throw toError('WITNESS_ANSWER_INVALID', where);
    if (Number(size) > checkpoint.size) throw toError('WITNESS_AHEAD', { ...where, amount: String(checkpoint.size), expected: size });
    answer = await submit(Number(size));
  }
  if (answer.status === 422) throw toError('WITNESS_CONTRADICTS', where);
  if (answer.status !== 200) throw toError('WITNESS_REFUSED', { ...where, amount: String(answer.status) });
  const line = answer.body.split('\n').find((one) => one.startsWith(`\u2014 ${witness.name} `) && isLineOf(note, one, witness));
  if (line === undefined) throw toError('WITNESS_ANSWER_INVALID', where);
  return `${line}\n`;
}

function isLineOf(note: string, line: string, witness: Witness): boolean {
  const { text = '' } = parseNote(note) ?? {};
  const found = readCosignatures(`${text}\n${line}\n`, [witness]);
  return typeof found !== 'string' && found.length === 1;
}
