// What others have seen of a log that was cut at a checkpoint: the newest note that witnesses have cosigned, and those that were put elsewhere, each with the
// proof that it goes on from the cut log, so that nobody needs what came after.
import { toTimestamp } from '../../kernel/clock.js';
import { type Cosignature, readCosignatures } from '../../kernel/cosignature.js';
import { type Finding, toFinding } from '../../kernel/errors.js';
import type { Verifier } from '../../kernel/signed-note.js';
import type { Checkpoint } from '../event.js';
import { type Anchor, parseAnchors } from './anchors.js';
import { openCheckpoint, parseCheckpoint } from './checkpoint.js';
import { type LogFiles, toNodeAt } from './log-files.js';
import { rootAt } from './read-entries.js';
import type { TrustPolicy } from './trust-policy.js';
import { isConsistent, toConsistencyProof } from './tree.js';

interface Linked {
  readonly note: string;
  /** RFC 9162, 2.1.4: from the cut log to this note, digests in base64; none where the note is not larger. */
  readonly consistency: readonly string[];
}

export interface Witnessed {
  readonly cosigned: Linked | null;
  readonly anchors: readonly (Anchor & Linked)[];
}

/** `size`: of the log as it is cut. What nobody can prove to go on from there is left out. */
export async function readWitnessed(files: LogFiles, log: string, size: number): Promise<Witnessed> {
  const link = async (note: string): Promise<Linked> => {
    const larger = parseCheckpoint(note)?.size ?? 0;
    const proof = larger <= size ? [] : await toConsistencyProof(size, larger, toNodeAt(files, log, larger));
    return { note, consistency: proof.map((digest) => digest.toString('base64')) };
  };
  const cosigned = (await files.read(`${log}/cosigned`))?.toString('utf8');
  const anchors = parseAnchors((await files.read(`${log}/anchors`))?.toString('utf8') ?? '[]') ?? [];
  return {
    cosigned: cosigned === undefined ? null : await link(cosigned),
    anchors: await Promise.all(anchors.map(async (anchor) => ({ ...anchor, ...(await link(anchor.note)) }))),
  };
}

/** Undefined: it is none. */
export function parseWitnessed(text: string): Witnessed | undefined {
  const isLinked = (one: unknown): one is Linked => {
    const { note, consistency } = (one ?? {}) as Partial<Record<keyof Linked, unknown>>;
    const isProof =
      Array.isArray(consistency) && consistency.every((line) => typeof line === 'string' && /^[A-Za-z0-9+/]{43}=$/.test(line));
    return isProof && typeof note === 'string' && parseCheckpoint(note) !== undefined;
  };
  try {
    const { cosigned, anchors } = JSON.parse(text) as Partial<Record<keyof Witnessed, unknown>>;
    const isWhole = (cosigned === null || isLinked(cosigned)) && Array.isArray(anchors) && anchors.every(isLinked);
    return isWhole && parseAnchors(JSON.stringify(anchors)) ? { cosigned, anchors: anchors as unknown as Witnessed['anchors'] } : undefined;
  } catch {
    return undefined;
  }
}

export interface Cut {
  readonly log: string;
  /** How many entries were read: what does not cover them says nothing of the last of them. */
  readonly read: number;
  /** Of the log as it is cut. */
  readonly checkpoint: Checkpoint;
}

export interface JudgedWitnessed {
  readonly findings: readonly Finding[];
  /** Witnesses of the policy that have cosigned a checkpoint which covers what was read. */
  readonly cosigned: readonly { readonly name: string; readonly at: string }[];
  /** Places of checkpoints that cover it, as the log's operator says. */
  readonly anchored: readonly Omit<Anchor, 'note'>[];
}

/** Each note is held against the cut log, signatures with the key, cosignatures with the policy; `file` is what findings name. */
export async function judgeWitnessed(
  { cosigned, anchors }: Witnessed,
  { files, cut, file }: { readonly files: LogFiles; readonly cut: Cut; readonly file: string },
  { verifier, policy }: { readonly verifier?: Verifier; readonly policy?: TrustPolicy },
): Promise<JudgedWitnessed> {
  const findings: Finding[] = [];
  const hold = async (linked: Linked, name: string): Promise<boolean> => {
    const problem = verifier && openCheckpoint(linked.note, [verifier]).problem;
    if (problem) findings.push(toFinding('LOG_CHECKPOINT_UNSIGNED', { file, name: verifier.name }));
    else if (!(await isOneHistory(files, cut, linked)))
      findings.push(toFinding('LOG_FORKED', { file: `${file}, ${name}`, expected: String(parseCheckpoint(linked.note)!.size) }));
    else return parseCheckpoint(linked.note)!.size >= cut.read;
    return false;
  };
  const covers = cosigned !== null && (await hold(cosigned, 'cosigned'));
  const read = covers && policy ? readCosignatures(cosigned.note, policy.witnesses.map(({ witness }) => witness)) : []; // prettier-ignore
  if (typeof read === 'string') findings.push(toFinding('LOG_COSIGNATURE_FORGED', { file }));
  const found: readonly Cosignature[] = typeof read === 'string' ? [] : read;
  if (policy && !policy.isQuorum(new Set(found.map(({ witness }) => witness))))
    findings.push(toFinding('LOG_UNWITNESSED', { file, expected: policy.quorum, amount: String(found.length) }));
  const anchored: Omit<Anchor, 'note'>[] = [];
  for (const { place, at, lockedUntil, ...linked } of anchors) if (await hold(linked, place)) anchored.push({ place, at, lockedUntil });
  return { findings, cosigned: found.map(({ witness, seconds }) => ({ name: witness.name, at: toTimestamp(seconds * 1000) })), anchored };
}

async function isOneHistory(files: LogFiles, { log, checkpoint }: Cut, { note, consistency }: Linked): Promise<boolean> {
  const { origin, size, root } = parseCheckpoint(note)!;
  if (origin !== checkpoint.origin) return false;
  if (size < checkpoint.size) return size === 0 || (await rootAt(files, { log, size }).catch(() => '')) === root;
  const proof = consistency.map((line) => Buffer.from(line, 'base64'));
  return isConsistent(checkpoint.size, size, Buffer.from(checkpoint.root, 'base64'), Buffer.from(root, 'base64'), proof);
}
