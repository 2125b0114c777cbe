// Checkpoints kept elsewhere, where whoever runs the log cannot take them back: in an object store with a lock, a repository, a folder of another machine.
// Whoever has one can tell a log that was cut, restored or rewritten since; a place that has them refuses, by what it holds, to take a contradiction.
import { digestBytes } from '../../kernel/digest.js';
import { toError } from '../../kernel/errors.js';
import type { Verifier } from '../../kernel/signed-note.js';
import type { Checkpoint } from '../event.js';
import { openCheckpoint, parseCheckpoint } from './checkpoint.js';
import type { LogFiles } from './log-files.js';
import { rootAt } from './read-entries.js';

/** A place that checkpoints are kept at, one file for each. Its functions reject where it cannot be reached. */
export interface AnchorStore {
  /** As it was named. */
  readonly place: string;
  /** Names of files below a folder, in their order; none where there is no such folder. */
  readonly list: (folder: string) => Promise<readonly string[]>;
  readonly read: (name: string) => Promise<AnchorFile | undefined>;
  /** MUST NOT lay one thing over another. Rejects with ANCHOR_CONTRADICTS where something else is there. */
  readonly keep: (name: string, note: Buffer) => Promise<Pick<AnchorFile, 'lockedUntil'>>;
  readonly close: () => Promise<void>;
}

export interface AnchorFile {
  readonly bytes: Buffer;
  /** Until then nobody can delete it, ISO 8601; null: the place knows no locks. */
  readonly lockedUntil: string | null;
  /** Something was laid over it, or it was marked deleted; what counts is what was put first. */
  readonly covered: boolean;
}

/** What the log's operator says to have put where; the note in it is signed with the log's key. */
export interface Anchor {
  readonly place: string;
  /** RFC 3339. */
  readonly at: string;
  readonly lockedUntil: string | null;
  readonly note: string;
}

const DIGITS = 15;

/** `SHA-256 of the key's name / log / size`, the size in five groups of three digits, so that names are in the order of sizes and folders stay small. */
export function toAnchorName({ origin, size }: Checkpoint): string {
  const digits = String(size).padStart(DIGITS, '0');
  return `${toFolder(origin)}/${digits.match(/\d{3}/g)?.join('/') ?? ''}`;
}

const toFolder = (origin: string): string => {
  const cut = origin.lastIndexOf('/');
  return `${toKeyFolder(origin.slice(0, cut))}/${origin.slice(cut + 1)}`;
};
const toKeyFolder = (name: string): string => digestBytes(Buffer.from(name, 'utf8')).slice('sha256:'.length);

/**
 * Puts the newest checkpoint of the log there, unless it is there. First the newest one that is there is held against the log: throws ANCHOR_AHEAD (the log was
 * cut or restored) and ANCHOR_CONTRADICTS (it was rewritten), and whatever the place rejects with. What the log's key did not sign is passed over: who
 * verifies is told of it.
 */
export async function anchorLog(
  files: LogFiles,
  log: string,
  verifier: Verifier,
  store: AnchorStore,
): Promise<Omit<Anchor, 'at' | 'place'>> {
  const note = (await files.read(`${log}/checkpoint`))?.toString('utf8') ?? '';
  const opened = openCheckpoint(note, [verifier]);
  if (opened.problem) throw toError('LOG_INCONSISTENT', { file: log });
  const { checkpoint } = opened;
  const where = { name: store.place, file: log, amount: String(checkpoint.size) };
  const before = await findNewest(store, checkpoint.origin, verifier);
  if (before && before.checkpoint.size > checkpoint.size)
    throw toError('ANCHOR_AHEAD', { ...where, expected: String(before.checkpoint.size) });
  if (before && before.checkpoint.size > 0 && (await rootAt(files, { log, size: before.checkpoint.size })) !== before.checkpoint.root)
    throw toError('ANCHOR_CONTRADICTS', where);
  if (before?.checkpoint.size === checkpoint.size) return { note: before.note, lockedUntil: before.lockedUntil };
  const { lockedUntil } = await store.keep(toAnchorName(checkpoint), Buffer.from(note, 'utf8'));
  return { note, lockedUntil };
}

async function findNewest(
  store: AnchorStore,
  origin: string,
  verifier: Verifier,
): Promise<{ readonly checkpoint: Checkpoint; readonly note: string; readonly lockedUntil: string | null } | undefined> {
  for (const name of (await store.list(toFolder(origin))).toReversed()) {
    const file = await store.read(name);
    const note = file?.bytes.toString('utf8') ?? '';
    const opened = openCheckpoint(note, [verifier]);
    if (file && !opened.problem && opened.checkpoint.origin === origin)
      return { checkpoint: opened.checkpoint, note, lockedUntil: file.lockedUntil };
  }
  return undefined;
}

/** Everything that a place holds of the chain of this key, whatever log it is of: a log that is gone as a whole is missed, too. */
export async function readAnchors(
  store: AnchorStore,
  keyName: string,
): Promise<readonly (Omit<AnchorFile, 'bytes'> & { readonly name: string; readonly note: string })[]> {
  const names = await store.list(toKeyFolder(keyName));
  const found: (Omit<AnchorFile, 'bytes'> & { readonly name: string; readonly note: string })[] = [];
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const files = await Promise.all(names.slice(from, from + AT_ONCE).map(async (name) => ({ name, file: await store.read(name) })));
    for (const { name, file } of files)
      if (file) found.push({ name, note: file.bytes.toString('utf8'), lockedUntil: file.lockedUntil, covered: file.covered });
  }
  return found;
}

const AT_ONCE = 16;

/** `LOG/anchors`: the newest of each place. Undefined when it is no such text. */
export function parseAnchors(text: string): readonly Anchor[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every(isAnchor) ? list : undefined;
  } catch {
    return undefined;
  }
}

function isAnchor(one: unknown): one is Anchor {
  const { place, at, lockedUntil, note } = (one ?? {}) as Partial<Record<keyof Anchor, unknown>>;
  const isText = [place, at, note].every((text) => typeof text === 'string');
  return isText && (lockedUntil === null || typeof lockedUntil === 'string') && parseCheckpoint(note as string) !== undefined;
}
