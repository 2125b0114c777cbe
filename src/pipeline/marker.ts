// The marker: what a published database says of itself, signed with the log's key, so that it can be asked anywhere what it is. It stands in
// the table bauta.dataset, goes where pg_dump goes, and speaks of rows by their counts and digests only.
import { type Json, toCanonicalJson } from '../kernel/canonical-json.js';
import { digestJson } from '../kernel/digest.js';
import { type Verifier, openNote, parseNote } from '../kernel/signed-note.js';
import { type DefinitionDigest, isDefinitionDigest } from './definition-digest.js';
import type { Plan } from './plan.js';

/** The schema of the marker: no table of a source has its place there. */
export const markerSchema = 'bauta';

const claim = 'masked copy, not production';

/** What is signed. */
export interface Marker {
  readonly claim: typeof claim;
  /** Name of the database in which it was published. */
  readonly target: string;
  readonly version: number;
  readonly runId: string;
  readonly environment: string;
  /** Of the server on which it was published. */
  readonly systemIdentifier: string;
  readonly planDigest: string;
  /** Where the log has the intent to publish it. */
  readonly log: { readonly origin: string; readonly index: number };
  readonly madeAt: string;
  /** Made at, and the pipeline's retention. */
  readonly expiresAt: string;
  /** The run's public nonce in hex: key of the manifest's digests. */
  readonly nonce: string;
  /** Digest of the manifest. */
  readonly manifest: string;
  /** Sorted. The version is these schemas of its database; absent: all of the database. */
  readonly schemas?: readonly string[];
}

/** A table as it was published. Those that the plan does not name (an `after` file made them) are counted only. */
export interface ManifestTable {
  readonly schema: string;
  readonly table: string;
  readonly rows: number;
  readonly digest: string | null;
  /** The columns of the digest's lines, in order. */
  readonly columns: readonly string[] | null;
}

/** The one row of bauta.dataset. All but the note stand there for people; attest holds them against what was signed. */
export interface MarkerRow {
  readonly version: number;
  readonly planDigest: string;
  readonly logOrigin: string;
  readonly logIndex: number;
  readonly madeAt: string;
  readonly expiresAt: string;
  readonly claim: string;
  readonly manifest: Json;
  /** The signed note (https://c2sp.org/signed-note). */
  readonly note: string;
}

/** What a database has in the marker's place: nothing, something that is none, or a row. */
export type MarkerSeen = { readonly row: MarkerRow } | { readonly row: null; readonly schema: 'absent' | 'other' };

export type OpenedMarker =
  | { readonly state: 'missing' }
  /** `part`: the schema, the signature, or the column that is not what was signed. */
  | { readonly state: 'broken'; readonly part: string }
  | {
      readonly state: 'whole';
      /** `unknown`: there is no key to check it with, or another log's key signed it. */
      readonly signer: 'checked' | 'unknown';
      readonly marker: Marker;
      readonly manifest: readonly ManifestTable[];
      /** What stood there beside rows; null: it was published without a record of it. */
      readonly definitions: readonly DefinitionDigest[] | null;
    };

/** First line of the text: a signature under it can be taken for no checkpoint. */
const heading = 'bauta dataset marker v1';
const dayMs = 86_400_000;

/** Of which dataset a marker speaks. */
export type DatasetName = Pick<Marker, 'target' | 'version' | 'runId'>;

export function toManifest(
  plan: Plan,
  receipts: readonly Omit<ManifestTable, 'columns'>[],
  beside: readonly ManifestTable[],
): readonly ManifestTable[] {
  const columns = new Map(plan.tables.map((table) => [`${table.schema}\u0000${table.name}`, table.columns.map(({ name }) => name)]));
  const key = ({ schema, table }: Pick<ManifestTable, 'schema' | 'table'>): string => `${schema}\u0000${table}`;
  const planned = receipts.map(({ schema, table, rows, digest }): ManifestTable => {
    return { schema, table, rows, digest, columns: columns.get(key({ schema, table })) ?? [] };
  });
  return [...planned, ...beside].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** What the marker answers for: tables, and after them everything else that stands there. */
export type Manifest = readonly (ManifestTable | DefinitionDigest)[];

export function toManifestDigest(manifest: Manifest): string {
  return digestJson(manifest as unknown as Json);
}

export interface MarkerFacts {
  readonly plan: Plan;
  readonly version: DatasetName & Pick<Marker, 'planDigest'>;
  readonly systemIdentifier: string;
  readonly nonce: Uint8Array;
  readonly manifest: Manifest;
  /** Place of the intent. */
  readonly log: Marker['log'];
  readonly madeAtMs: number;
  readonly schemas?: readonly string[] | undefined;
}

/** Until when a version that is made now may be used. */
export function toExpiry({ facts }: Plan, madeAtMs: number): string {
  return new Date(madeAtMs + facts.retentionDays * dayMs).toISOString();
}

export function toMarker({ plan, version, systemIdentifier, nonce, manifest, log, madeAtMs, schemas }: MarkerFacts): Marker {
  return {
    claim,
    target: version.target,
    version: version.version,
    runId: version.runId,
    environment: plan.environment,
    systemIdentifier,
    planDigest: version.planDigest,
    log,
    madeAt: new Date(madeAtMs).toISOString(),
    expiresAt: toExpiry(plan, madeAtMs),
    nonce: Buffer.from(nonce).toString('hex'),
    manifest: toManifestDigest(manifest),
    ...(schemas && { schemas: [...schemas].sort() }),
  };
}

/** What is to be signed: the heading and the marker as canonical JSON. */
export function toMarkerText(marker: Marker): string {
  return `${heading}\n${toCanonicalJson(marker as unknown as Json)}\n`;
}

export function toMarkerRow(marker: Marker, manifest: Manifest, note: string): MarkerRow {
  return { ...toShown(marker), manifest: manifest as unknown as Json, note };
}

/** Signature first, then everything that stands beside the note. Says nothing of rows, of time or of the place. */
export function openMarker(seen: MarkerSeen, verifiers: readonly Verifier[]): OpenedMarker {
  if (seen.row === null) return seen.schema === 'absent' ? { state: 'missing' } : { state: 'broken', part: 'schema' };
  const { row } = seen;
  const opened = openNote(row.note, verifiers);
  if (opened.problem !== undefined && opened.problem !== 'unsigned') return { state: 'broken', part: 'signature' };
  const marker = parseMarkerText(opened.problem === undefined ? opened.text : (parseNote(row.note)?.text ?? ''));
  if (!marker) return { state: 'broken', part: 'note' };
  const shown = toShown(marker);
  const edited = (Object.keys(shown) as (keyof typeof shown)[]).find((name) => shown[name] !== row[name]);
  if (edited !== undefined) return { state: 'broken', part: edited };
  const manifest = parseManifest(row.manifest);
  if (!manifest || digestJson(row.manifest) !== marker.manifest) return { state: 'broken', part: 'manifest' };
  return { state: 'whole', signer: opened.problem === undefined ? 'checked' : 'unknown', marker, ...manifest };
}

/** Whether comment and marker of a database speak of the same dataset. */
export function isMarkerOf(marker: Marker, dataset: DatasetName): boolean {
  return marker.target === dataset.target && marker.version === dataset.version && marker.runId === dataset.runId;
}

function toShown(marker: Marker): Omit<MarkerRow, 'manifest' | 'note'> {
  const { version, planDigest, log, madeAt, expiresAt } = marker;
  return { version, planDigest, logOrigin: log.origin, logIndex: log.index, madeAt, expiresAt, claim: marker.claim };
}

const texts = ['target', 'runId', 'environment', 'systemIdentifier', 'planDigest', 'nonce', 'manifest'] as const;
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Undefined for any other text: a key may have signed much, and only this is a marker. */
export function parseMarkerText(text: string): Marker | undefined {
  const [first, second = '', ...rest] = text.split('\n');
  if (first !== heading || rest.length !== 1 || rest[0] !== '') return undefined;
  const marker = parseJson(second) as Partial<Marker> | undefined;
  if (marker === undefined || typeof marker !== 'object' || toCanonicalJson(marker) !== second) return undefined;
  const { version, log, madeAt = '', expiresAt = '', schemas } = marker;
  const fits =
    marker.claim === claim &&
    texts.every((name) => typeof marker[name] === 'string') &&
    Number.isSafeInteger(version) &&
    typeof log?.origin === 'string' &&
    Number.isSafeInteger(log.index) &&
    [madeAt, expiresAt].every((at) => instant.test(at) && !Number.isNaN(Date.parse(at))) &&
    /^[0-9a-f]{32}$/.test(marker.nonce ?? '') &&
    (schemas === undefined || (Array.isArray(schemas) && schemas.length > 0 && schemas.every((one) => typeof one === 'string')));
  return fits ? (marker as Marker) : undefined;
}

function parseManifest(
  json: Json,
): { readonly manifest: readonly ManifestTable[]; readonly definitions: readonly DefinitionDigest[] | null } | undefined {
  const isText = (value: unknown): value is string => typeof value === 'string';
  const isTable = (value: unknown): value is ManifestTable => {
    const { schema, table, rows, digest, columns } = (value ?? {}) as Partial<Record<keyof ManifestTable, unknown>>;
    const digested = isText(digest) && /^[0-9a-f]{32}$/.test(digest) && Array.isArray(columns) && columns.every(isText);
    return isText(schema) && isText(table) && Number.isSafeInteger(rows) && (digested || (digest === null && columns === null));
  };
  if (!Array.isArray(json)) return undefined;
  const definitions = (json as readonly unknown[]).filter(isDefinitionDigest);
  const manifest = (json as readonly unknown[]).filter((one) => !isDefinitionDigest(one));
  // No database is without any: every schema has rights.
  return manifest.every(isTable) ? { manifest, definitions: definitions.length === 0 ? null : definitions } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
