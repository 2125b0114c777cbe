// An archive: a published version as one file, for places that no database server reaches. What is in it, in which order, and how it is known to be
// ours: the manifest names every member by its SHA-256, and the log's key signed the manifest's digest. docs/decisions/0065.
import { type Json, toCanonicalJson } from '../kernel/canonical-json.js';
import { digestBytes } from '../kernel/digest.js';
import { type Verifier, openNote, parseNote } from '../kernel/signed-note.js';
import type { DatabaseLocale } from './catalogue.js';
import type { MarkerRow } from './marker.js';

export const archiveFormat = 1;

/** Rows of a table are cut into parts of so many bytes of COPY text, wherever that is: what is unpacked is never larger. */
export const partBytes = 8 * 1024 * 1024;

export const memberNames = {
  restore: 'restore.sh',
  schema: '01-schema.sql',
  after: '02-after.sql',
  manifest: 'manifest.json',
  note: 'manifest.note',
} as const;

/** Parts of one table, in the order in which they are unpacked: the statement, its rows, the end of the rows. */
export const partKinds = { head: 0, rows: 1, tail: 999_999 } as const;

/** `data/00001-000001.sql.gz`: table and part, so that names sort as they are unpacked. */
export function toPartName(table: number, part: number): string {
  return `data/${String(table).padStart(5, '0')}-${String(part).padStart(6, '0')}.sql.gz`;
}

/** Undefined for any other name. Tables count from 1. */
export function parsePartName(name: string): { readonly table: number; readonly part: number } | undefined {
  const [, table, part] = /^data\/(\d{5})-(\d{6})\.sql\.gz$/.exec(name) ?? [];
  return table === undefined || part === undefined || table === '00000' ? undefined : { table: Number(table), part: Number(part) };
}

export interface ArchiveMember {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A table with rows of its own. */
export interface ArchiveTable {
  readonly schema: string;
  readonly table: string;
  /** That COPY reads: all but generated ones, in their order. */
  readonly columns: readonly string[];
  readonly rows: number;
  readonly bytes: number;
  /** Of its lines, under the marker's nonce, as `Receipt.digest`. */
  readonly digest: string;
}

export interface ArchiveManifest {
  readonly format: typeof archiveFormat;
  /** Of Bauta, and `server_version_num` of the server that it was read from. */
  readonly madeBy: { readonly bauta: string; readonly server: number };
  readonly database: { readonly encoding: string; readonly locale: DatabaseLocale | null };
  readonly marker: MarkerRow;
  readonly tables: readonly ArchiveTable[];
  /** Everything before the manifest, in order. */
  readonly members: readonly ArchiveMember[];
}

/** What is signed: which manifest, and where the log has it. */
export interface ArchiveNote {
  /** Digest of the manifest's text. */
  readonly manifest: string;
  readonly runId: string;
  readonly log: { readonly origin: string; readonly index: number };
}

/** First line of the text: a signature under it can be taken for no checkpoint and no marker. */
const heading = 'bauta dataset archive v1';

export function toArchiveNoteText({ manifest, runId, log: { origin, index } }: ArchiveNote): string {
  return `${heading}\n${toCanonicalJson({ manifest, runId, log: { origin, index } })}\n`;
}

/** Undefined for any other text: a key may have signed much. */
export function parseArchiveNoteText(text: string): ArchiveNote | undefined {
  const value = parseJson(text.split('\n')[1] ?? '');
  if (!isRecord(value) || !isRecord(value['log'])) return undefined;
  const { manifest, runId, log } = value;
  const { origin, index } = log;
  if (typeof manifest !== 'string' || typeof runId !== 'string' || typeof origin !== 'string' || !Number.isSafeInteger(index))
    return undefined;
  const note = { manifest, runId, log: { origin, index: index as number } };
  return toArchiveNoteText(note) === text ? note : undefined;
}

export function toManifestText(manifest: ArchiveManifest): string {
  return `${toCanonicalJson(manifest as unknown as Json)}\n`;
}

export type OpenedManifest =
  /** `other`: whole, but no known key signed it. `broken`: it is no manifest, or not the one that was signed. */
  { readonly signer: 'checked' | 'other'; readonly manifest: ArchiveManifest } | { readonly signer: 'broken' };

/** Signature first, then the text under it, then its form. */
export function openManifest(manifestText: string, note: string, verifiers: readonly Verifier[]): OpenedManifest {
  const opened = openNote(note, verifiers);
  if (opened.problem !== undefined && opened.problem !== 'unsigned') return { signer: 'broken' };
  const signed = opened.problem === undefined ? opened.text : parseNote(note)?.text;
  if (parseArchiveNoteText(signed ?? '')?.manifest !== digestBytes(manifestText)) return { signer: 'broken' };
  const manifest = parseManifest(manifestText);
  return manifest ? { signer: opened.problem === undefined ? 'checked' : 'other', manifest } : { signer: 'broken' };
}

/** Only the text that `toManifestText` makes of it. */
function parseManifest(text: string): ArchiveManifest | undefined {
  const value = parseJson(text);
  if (!isRecord(value) || `${toCanonicalJson(value as Json)}\n` !== text) return undefined;
  const { format, madeBy, database, marker, tables, members } = value;
  const fits =
    format === archiveFormat &&
    isRecord(madeBy) &&
    isRecord(database) &&
    typeof database['encoding'] === 'string' &&
    isRecord(marker) &&
    typeof marker['note'] === 'string' &&
    Array.isArray(tables) &&
    tables.every(isTable) &&
    Array.isArray(members) &&
    members.every(isMember);
  return fits ? (value as unknown as ArchiveManifest) : undefined;
}

function isTable(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { schema, table, columns, rows, bytes, digest } = value;
  return (
    typeof schema === 'string' &&
    typeof table === 'string' &&
    Array.isArray(columns) &&
    columns.every((one) => typeof one === 'string') &&
    Number.isSafeInteger(rows) &&
    Number.isSafeInteger(bytes) &&
    typeof digest === 'string' &&
    /^[0-9a-f]{32}$/.test(digest)
  );
}

function isMember(value: unknown): boolean {
  return (
    isRecord(value) && typeof value['name'] === 'string' && Number.isSafeInteger(value['bytes']) && typeof value['sha256'] === 'string'
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
