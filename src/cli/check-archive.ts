// The whole of an archive is read and held against its manifest, and its manifest against a key, before a statement of it is run anywhere.
import type { Verifier } from '../kernel/signed-note.js';
import { type Clock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { type ArchiveManifest, type ArchiveMember, memberNames, openManifest, parsePartName, partKinds } from '../pipeline/archive.js';
import { type Marker, openMarker } from '../pipeline/marker.js';
import { type ArchiveFile, type TarMember, toMember, unpack } from '../systems/archive/archive.js';
import { toCopyHead } from '../systems/postgres/postgres.js';

export interface CheckedArchive {
  readonly manifest: ArchiveManifest;
  readonly marker: Marker;
  readonly signer: 'checked' | 'other';
}

/** Throws a code of its own for whatever is not as it was written: ARCHIVE_*. */
export async function checkArchive(file: ArchiveFile, verifiers: readonly Verifier[], clock: Clock): Promise<CheckedArchive> {
  const seen: ArchiveMember[] = [];
  const shapes: TableShape[] = [];
  const texts = new Map<string, string>();
  for await (const member of file.members()) {
    if (member.name === memberNames.manifest || member.name === memberNames.note) {
      texts.set(member.name, member.content.toString('utf8'));
      continue;
    }
    seen.push(toMember(member));
    await look(member, shapes);
  }
  const opened = openManifest(texts.get(memberNames.manifest) ?? '', texts.get(memberNames.note) ?? '', verifiers);
  if (opened.signer === 'broken') throw toError('ARCHIVE_UNSIGNED', { file: file.file });
  const { manifest, signer } = opened;
  requireMembers(manifest.members, seen);
  requireTables(manifest, shapes);
  const marker = requireMarker(manifest, verifiers);
  if (Date.parse(marker.expiresAt) <= clock.now()) throw toError('ARCHIVE_EXPIRED', { file: file.file, expected: marker.expiresAt });
  return { manifest, marker, signer };
}

/** What the parts of one table begin with, end with and hold between. */
interface TableShape {
  head: string;
  bytes: number;
  ended: boolean;
}

async function look(member: TarMember, shapes: TableShape[]): Promise<void> {
  const part = parsePartName(member.name);
  if (!part) return;
  const content = await unpack(member);
  const shape = shapes[part.table - 1];
  if (part.part === partKinds.head && part.table === shapes.length + 1) {
    shapes.push({ head: Buffer.from(content).toString('utf8'), bytes: 0, ended: false });
    return;
  }
  if (!shape || shape.ended || part.part === partKinds.head || part.table !== shapes.length) throw toError('ARCHIVE_FORM');
  if (part.part !== partKinds.tail) {
    shape.bytes += content.length;
    return;
  }
  if (Buffer.from(content).toString('latin1') !== '\\.\n') throw toError('ARCHIVE_FORM');
  shape.ended = true;
}

function requireMembers(listed: readonly ArchiveMember[], seen: readonly ArchiveMember[]): void {
  if (listed.length !== seen.length) throw toError('ARCHIVE_DIGEST', { name: memberNames.manifest });
  for (const [at, { name, bytes, sha256 }] of seen.entries()) {
    const one = listed[at];
    if (one?.name !== name || one.bytes !== bytes || one.sha256 !== sha256) throw toError('ARCHIVE_DIGEST', { name });
  }
}

/** Each statement is the one that we would write for that table. */
function requireTables({ tables }: ArchiveManifest, shapes: readonly TableShape[]): void {
  const fits = (at: number): boolean => {
    const [table, shape] = [tables[at], shapes[at]];
    return table !== undefined && shape?.ended === true && shape.bytes === table.bytes && shape.head === toCopyHead(table);
  };
  if (tables.length !== shapes.length || !tables.every((_, at) => fits(at))) throw toError('ARCHIVE_FORM');
}

function requireMarker({ marker: row }: ArchiveManifest, verifiers: readonly Verifier[]): Marker {
  const opened = openMarker({ row }, verifiers);
  if (opened.state !== 'whole') throw toError('ARCHIVE_UNSIGNED', { name: 'marker' });
  return opened.marker;
}
