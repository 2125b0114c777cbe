// Checkpoints (https://c2sp.org/tlog-checkpoint): origin, size and root of a log, signed as a note.
import { type NoteProblem, type Signer, type Verifier, openNote, parseNote, signNote } from '../../kernel/signed-note.js';
import type { Checkpoint } from '../event.js';

export function signCheckpoint({ origin, size, root }: Checkpoint, signer: Signer): string {
  return signNote(`${origin}\n${size}\n${root}\n`, signer);
}

/** The checkpoint that one of the verifiers has signed, or why it may not be believed. */
export function openCheckpoint(
  note: string,
  verifiers: readonly Verifier[],
): { readonly checkpoint: Checkpoint; readonly problem?: never } | { readonly problem: NoteProblem } {
  const opened = openNote(note, verifiers);
  if (opened.problem) return { problem: opened.problem };
  const checkpoint = parseText(opened.text);
  return checkpoint ? { checkpoint } : { problem: 'malformed' };
}

/** What a checkpoint says, whoever signed it. Undefined when it is none. */
export function parseCheckpoint(note: string): Checkpoint | undefined {
  const parsed = parseNote(note);
  return parsed && parseText(parsed.text);
}

/** Lines after the third are allowed by the format, and ours has none: nobody could check them. */
function parseText(text: string): Checkpoint | undefined {
  const [, origin = '', size = '', root = ''] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text) ?? [];
  return origin === '' || !Number.isSafeInteger(Number(size)) ? undefined : { origin, size: Number(size), root };
}
