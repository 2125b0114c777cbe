// Whether a database is still the dataset that was published: its marker against the log's key, its rows against the manifest, its place and
// the time against both. A pure function of what was seen there.
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { type Finding, sortFindings, toFinding } from '../../kernel/errors.js';
import type { Verifier } from '../../kernel/signed-note.js';
import { type ManifestTable, type Marker, type MarkerSeen, openMarker } from '../marker.js';

export interface DatasetSeen {
  readonly marker: MarkerSeen;
  readonly database: string;
  /** Null: the server does not tell it. */
  readonly systemIdentifier: string | null;
  /** All tables but the marker's. `rows` null: not to be read whole; `digest` null: not asked for, or its columns are gone. */
  readonly tables: readonly { schema: string; table: string; rows: number | null; digest: string | null }[];
}

export interface AttestOptions {
  /** Absent: nobody checks who signed. */
  readonly verifier?: Verifier | undefined;
  /** Of the gate: that the statement was made for it, and after it asked. */
  readonly nonce?: string | undefined;
  /** Row counts only, no digests. */
  readonly counts: boolean;
  readonly clock: Clock;
}

/** `unknown`: no valid marker. `broken`: a marker, and something that does not fit it. `unchecked`: all fits, and nobody checked the signer. */
export type AttestState = 'valid' | 'unchecked' | 'broken' | 'unknown';

export interface TableStatement {
  readonly schema: string;
  readonly table: string;
  /** Null: the table is not there, or not to be read whole. */
  readonly rows: number | null;
  readonly published: number | null;
  readonly state: 'equal' | 'counted' | 'rows differ' | 'content differs' | 'missing' | 'unknown' | 'unreadable';
}

/** For the gate. It is worth the identity token of the job that sends it. */
export interface Statement {
  readonly state: AttestState;
  readonly findings: readonly Finding[];
  /** As signed at publication. */
  readonly marker: string | null;
  readonly nonce: string | null;
  readonly database: string | null;
  readonly systemIdentifier: string | null;
  readonly compared: 'rows' | 'counts';
  /** As signed: the statement speaks of these schemas only; null: of all of the database. */
  readonly schemas: readonly string[] | null;
  readonly tables: readonly TableStatement[];
  readonly time: string;
}

/** The clock of the machine that published and of this one may differ by so much. */
const clocksDifferMs = 5 * 60_000;

export function attest(seen: DatasetSeen, options: AttestOptions): Statement {
  const { database, systemIdentifier } = seen;
  const opened = openMarker(seen.marker, options.verifier ? [options.verifier] : []);
  const statement = {
    marker: seen.marker.row?.note ?? null,
    nonce: options.nonce ?? null,
    database,
    systemIdentifier,
    compared: options.counts ? 'counts' : 'rows',
    schemas: (opened.state === 'whole' && opened.marker.schemas) || null,
    time: toTimestamp(options.clock.now()),
  } as const;
  const where = { stage: 'verify', name: database };
  if (opened.state !== 'whole') {
    const finding =
      opened.state === 'missing' ? toFinding('MARKER_MISSING', where) : toFinding('MARKER_BROKEN', { ...where, expected: opened.part });
    return { ...statement, state: 'unknown', findings: [finding], tables: [] };
  }
  const { marker, manifest, signer } = opened;
  const { schemas } = marker;
  const own = seen.tables.filter(({ schema }) => schemas?.includes(schema) ?? true);
  const tables = compareTables(manifest, own, options.counts);
  const findings = [
    ...(schemas ? [toFinding('DATASET_SCHEMAS_ONLY', { ...where, expected: schemas.join(', ') }, 'warning')] : []),
    ...(options.verifier && signer === 'unknown' ? [toFinding('MARKER_SIGNER_UNKNOWN', { ...where, expected: marker.log.origin })] : []),
    ...findTime(marker, options.clock.now(), database),
    ...findPlace(marker, seen, options.counts),
    ...tables.flatMap(toTableFindings),
  ];
  const broken = findings.some(({ severity }) => severity === 'error');
  const unchecked = options.verifier ? [] : [toFinding('MARKER_SIGNER_UNCHECKED', where, 'warning')];
  return {
    ...statement,
    state: broken ? 'broken' : options.verifier ? 'valid' : 'unchecked',
    findings: sortFindings([...findings, ...unchecked]),
    tables,
  };
}

function findTime(marker: Marker, nowMs: number, name: string): Finding[] {
  if (Date.parse(marker.madeAt) > nowMs + clocksDifferMs)
    return [toFinding('MARKER_CLOCK', { stage: 'verify', name, expected: marker.madeAt })];
  if (Date.parse(marker.expiresAt) <= nowMs) return [toFinding('MARKER_EXPIRED', { stage: 'verify', name, expected: marker.expiresAt })];
  return [];
}

/**
 * The rows say more of a copy than its name: where every row was compared, a dataset that was restored elsewhere is known data, and that it
 * stands elsewhere is told. Equal counts are no evidence that a marker came with its own data (docs/decisions/0016).
 */
function findPlace(marker: Marker, { database, systemIdentifier }: DatasetSeen, counts: boolean): Finding[] {
  const sameServer = systemIdentifier === marker.systemIdentifier;
  if (sameServer && database === marker.target) return [];
  const where = { stage: 'verify', name: database, expected: marker.target };
  if (sameServer && database.endsWith(`_bauta_${marker.runId}`)) return [toFinding('MARKER_REPLACED', where, 'warning')];
  return [toFinding('MARKER_RESTORED_ELSEWHERE', where, counts ? 'error' : 'warning')];
}

const keyOf = ({ schema, table }: { readonly schema: string; readonly table: string }): string => `${schema}\u0000${table}`;

function compareTables(manifest: readonly ManifestTable[], seen: DatasetSeen['tables'], counts: boolean): TableStatement[] {
  const there = new Map(seen.map((one) => [keyOf(one), one]));
  const known = new Set(manifest.map(keyOf));
  const compared = manifest.map((published): TableStatement => {
    const found = there.get(keyOf(published));
    const { schema, table } = published;
    return { schema, table, rows: found?.rows ?? null, published: published.rows, state: compareTable(published, found, counts) };
  });
  const beside = seen.filter((one) => !known.has(keyOf(one)));
  return [...compared, ...beside.map(({ schema, table, rows }) => ({ schema, table, rows, published: null, state: 'unknown' as const }))];
}

function compareTable(
  published: ManifestTable,
  found: DatasetSeen['tables'][number] | undefined,
  counts: boolean,
): TableStatement['state'] {
  if (!found) return 'missing';
  if (found.rows === null) return 'unreadable';
  if (found.rows !== published.rows) return 'rows differ';
  if (counts || published.digest === null) return 'counted';
  return found.digest === published.digest ? 'equal' : 'content differs';
}

const codes = {
  'rows differ': 'DATASET_ROWS_DIFFER',
  'content differs': 'DATASET_CONTENT_DIFFERS',
  missing: 'DATASET_TABLE_MISSING',
  unknown: 'DATASET_TABLE_UNKNOWN',
  unreadable: 'DATASET_TABLE_UNREADABLE',
} as const;

function toTableFindings({ schema, table, rows, published, state }: TableStatement): Finding[] {
  if (state === 'equal' || state === 'counted') return [];
  const amount = state === 'rows differ' ? { amount: `${published} published, ${rows} there` } : {};
  return [toFinding(codes[state], { stage: 'verify', schema, table, ...amount })];
}
