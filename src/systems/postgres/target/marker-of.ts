// Whether a database of ours is what its comment says: the comment may be anybody's who owns the database, the marker inside is signed.
import type { Verifier } from '../../../kernel/signed-note.js';
import { BautaError } from '../../../kernel/errors.js';
import { type MarkerSeen, isMarkerOf, openMarker } from '../../../pipeline/marker.js';
import { readMarker } from '../marker-table.js';
import type { OwnComment } from './own-comment.js';
import type { TargetServer } from './session.js';

/** A database that our role may not look into has no marker that we could know. */
export async function readMarkerOf(server: TargetServer, database: string, schema?: string): Promise<MarkerSeen> {
  try {
    const session = await server.open(database, { default_transaction_read_only: 'on' });
    try {
      return await readMarker(session.client, schema);
    } catch (error) {
      throw session.toError(error);
    } finally {
      await session.end();
    }
  } catch (error) {
    if (error instanceof BautaError && error.code === 'PRIVILEGE_MISSING') return { row: null, schema: 'other' };
    throw error;
  }
}

/**
 * What is wrong with the marker of a database whose comment is ours, in words; undefined: nothing. A signature that our log's key did not make
 * passes: another home may have published here, and its key is not ours to know.
 */
export async function findMarkerProblem(
  server: TargetServer,
  database: string,
  comment: OwnComment,
  verifiers: readonly Verifier[],
  nowMs?: number,
  schema?: string,
): Promise<string | undefined> {
  return toMarkerProblem(await readMarkerOf(server, database, schema), comment, verifiers, nowMs);
}

/** The same of a marker that was read already. */
export function toMarkerProblem(seen: MarkerSeen, comment: OwnComment, verifiers: readonly Verifier[], nowMs?: number): string | undefined {
  const opened = openMarker(seen, verifiers);
  if (opened.state === 'missing') return 'it has no marker';
  if (opened.state === 'broken') return `its marker was changed: ${opened.part}`;
  if (!isMarkerOf(opened.marker, comment)) return 'its marker is that of another dataset';
  return nowMs !== undefined && Date.parse(opened.marker.expiresAt) < nowMs ? `it expired at ${opened.marker.expiresAt}` : undefined;
}
