// That an event is in the log, as one text that can be checked without the log: https://c2sp.org/tlog-proof, with the entry as its extra data.
import { readCosignatures } from '../../kernel/cosignature.js';
import { type Finding, toError, toFinding } from '../../kernel/errors.js';
import type { Verifier } from '../../kernel/signed-note.js';
import type { Checkpoint, Event } from '../event.js';
import { openCheckpoint, parseCheckpoint } from './checkpoint.js';
import { parseLeaf } from './leaf.js';
import { type LogFiles, readTile, toNodeAt } from './log-files.js';
import { TILE } from './tile.js';
import type { TrustPolicy } from './trust-policy.js';
import { isIncluded, toInclusionProof, toLeafDigest } from './tree.js';

const HEADER = 'c2sp.org/tlog-proof@v1';

/**
 * By the checkpoint that witnesses have cosigned where it covers the entry: that proves more. Throws LOG_ENTRY_UNKNOWN, or LOG_INCONSISTENT when the files
 * prove nothing.
 */
export async function prove(files: LogFiles, log: string, index: number): Promise<string> {
  const cosigned = (await files.read(`${log}/cosigned`))?.toString('utf8') ?? '';
  const covers = index < (parseCheckpoint(cosigned)?.size ?? 0);
  const note = covers ? cosigned : ((await files.read(`${log}/checkpoint`))?.toString('utf8') ?? '');
  const checkpoint = parseCheckpoint(note);
  if (!checkpoint) throw toError('LOG_INCONSISTENT', { file: log });
  const { size, root } = checkpoint;
  if (index >= size) throw toError('LOG_ENTRY_UNKNOWN', { name: `${log}/${index}`, expected: `0 to ${size - 1}` });
  const bundle = Math.floor(index / TILE);
  const { items } = await readTile(files, log, { level: 'entries', index: bundle, width: Math.min(TILE, size - bundle * TILE) });
  const entry = items[index % TILE];
  const proof = await toInclusionProof(index, size, toNodeAt(files, log, size));
  if (!entry || !isIncluded(index, size, toLeafDigest(entry), proof, Buffer.from(root, 'base64')))
    throw toError('LOG_INCONSISTENT', { file: log });
  const lines = [HEADER, `extra ${entry.toString('base64')}`, `index ${index}`, ...proof.map((digest) => digest.toString('base64'))];
  return `${lines.join('\n')}\n\n${note}`;
}

export interface ProofReport {
  readonly findings: readonly Finding[];
  readonly checkpoint: Checkpoint | null;
  readonly entry: number | null;
  /** What the proof proves; null when it proves nothing. Data of more than 16 KB is not part of it, its digest is. */
  readonly event: Partial<Event> | null;
  readonly signatureChecked: boolean;
}

export function verifyProof(text: string, file: string, verifier?: Verifier, policy?: TrustPolicy): ProofReport {
  const none = { checkpoint: null, entry: null, event: null, signatureChecked: verifier !== undefined };
  const broken = (code: 'LOG_PROOF_INVALID' | 'LOG_CHECKPOINT_FORGED' | 'LOG_CHECKPOINT_UNSIGNED'): ProofReport => ({
    ...none,
    findings: [toFinding(code, { file, name: verifier?.name })],
  });
  const [, extra = '', at = '', digests = '', note = ''] =
    /^c2sp\.org\/tlog-proof@v1\nextra ([A-Za-z0-9+/=]+)\nindex (0|[1-9]\d{0,15})\n((?:[A-Za-z0-9+/]{43}=\n)*)\n([\s\S]+)$/.exec(text) ?? [];
  const opened = verifier ? openCheckpoint(note, [verifier]) : { checkpoint: parseCheckpoint(note) };
  if ('problem' in opened && opened.problem && opened.problem !== 'malformed')
    return broken(opened.problem === 'forged' ? 'LOG_CHECKPOINT_FORGED' : 'LOG_CHECKPOINT_UNSIGNED');
  const checkpoint = 'checkpoint' in opened ? opened.checkpoint : undefined;
  if (!checkpoint) return broken('LOG_PROOF_INVALID');
  const bytes = Buffer.from(extra, 'base64');
  const proof = digests
    .split('\n')
    .slice(0, -1)
    .map((digest) => Buffer.from(digest, 'base64'));
  const leaf = parseLeaf(bytes);
  if (!leaf || !isIncluded(Number(at), checkpoint.size, toLeafDigest(bytes), proof, Buffer.from(checkpoint.root, 'base64')))
    return broken('LOG_PROOF_INVALID');
  return {
    ...none,
    findings: policy ? judgeQuorum(note, file, policy) : [],
    checkpoint,
    entry: Number(at),
    event: { ...leaf.event, ...(leaf.payload ? { data: { payload: leaf.payload } } : {}) },
  };
}

function judgeQuorum(note: string, file: string, policy: TrustPolicy): readonly Finding[] {
  const found = readCosignatures(note, policy.witnesses.map(({ witness }) => witness)); // prettier-ignore
  if (typeof found === 'string') return [toFinding('LOG_COSIGNATURE_FORGED', { file })];
  if (policy.isQuorum(new Set(found.map(({ witness }) => witness)))) return [];
  return [toFinding('LOG_UNWITNESSED', { file, expected: policy.quorum, amount: String(found.length) })];
}
