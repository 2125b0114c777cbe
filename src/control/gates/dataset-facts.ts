// What the gate knows of the data that tests ran on: the signed marker in a statement, and the version of that run as this workspace knows it.
import type { Json } from '../../kernel/canonical-json.js';
import { type Verifier, openNote, parseNote } from '../../kernel/signed-note.js';
import { countRaw } from '../../pipeline/data-drift.js';
import { parseMarkerText } from '../../pipeline/marker.js';
import type { DatasetRow } from '../../systems/metadata/metadata.js';
import type { AskedStatement } from './asked.js';

export interface OpenedStatement {
  /** That the marker is of. */
  readonly run: string | null;
  readonly facts: Json;
}

/** `signer`: whether the key of this workspace's log signed the marker. */
export function openStatement(statement: AskedStatement, verifier: Verifier | undefined): OpenedStatement {
  const { state, marker: note, compared, time } = statement;
  const opened = note === null ? undefined : openNote(note, verifier ? [verifier] : []);
  const checked = opened !== undefined && opened.problem === undefined;
  const text = note === null || (opened?.problem !== undefined && opened.problem !== 'unsigned') ? undefined : parseNote(note)?.text;
  const marker = text === undefined ? undefined : parseMarkerText(text);
  const at = Date.parse(time);
  return {
    run: marker?.runId ?? null,
    facts: {
      ...{ state, compared, signer: checked ? 'checked' : 'unknown', atMs: Number.isNaN(at) ? null : at },
      run: marker?.runId ?? null,
      label: marker ? `${marker.target}@${marker.version}` : null,
      expiresAtMs: marker ? Date.parse(marker.expiresAt) : null,
    },
  };
}

/** Whether a database carries the marker of a masked copy, by a statement about it; what is not plainly no is yes. */
export function isMarked({ state, marker, findings = [] }: AskedStatement): boolean {
  return !(state === 'unknown' && marker === null && findings.length > 0 && findings.every(({ code }) => code === 'MARKER_MISSING'));
}

export function toVersionFacts(row: DatasetRow): Json {
  const { expiresAt, publishedAt, lookedAt, lookError, drift, rowsError, rowsDrift, checks, privacy, revokedAt, droppedAt, quarantinedAt } =
    row;
  return {
    ...{ expiresAtMs: expiresAt.getTime(), publishedAtMs: publishedAt.getTime(), lookedAtMs: lookedAt?.getTime() ?? null },
    ...{ lookError, rowsError, drift: (drift ?? []).map(({ what }) => what), rowsDrifted: (rowsDrift ?? []).length },
    liveValues: (rowsDrift ?? []).reduce((sum: number, table) => sum + (typeof table === 'string' ? countRaw(table) : 0), 0),
    checks: checks === null ? null : { ...checks },
    privacy: privacy === null ? null : { worst: { ...privacy.worst }, unmeasured: [...privacy.unmeasured] },
    ...{ revoked: revokedAt !== null, dropped: droppedAt !== null, quarantined: quarantinedAt !== null },
  };
}
