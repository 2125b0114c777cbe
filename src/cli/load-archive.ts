// The loading itself: the members once more, each of them what the manifest says, because what was checked is another reading of the same file.
import { toError } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import { type ArchiveMember, type ArchiveTable, memberNames, parsePartName, partKinds } from '../pipeline/archive.js';
import { type ArchiveFile, type TarMember, toMember, unpack } from '../systems/archive/archive.js';
import { ArchiveLoading, type ConnectionTarget } from '../systems/postgres/postgres.js';
import { stateOf } from './attest.js';
import type { CheckedArchive } from './check-archive.js';

export interface LoadingOptions {
  readonly into: ConnectionTarget;
  readonly verifier: Verifier;
  readonly confirm: string | undefined;
}

/** Resolves with the database's name. Throws what `ArchiveLoading` throws, and ARCHIVE_NOT_ATTESTED; then nothing is there. */
export async function loadArchive(
  file: ArchiveFile,
  { manifest }: CheckedArchive,
  { into, verifier, confirm }: LoadingOptions,
): Promise<string> {
  const loading = await ArchiveLoading.open(into, { encoding: manifest.database.encoding, confirm });
  try {
    const members = toVerified(file.members(), manifest.members);
    let member = await next(members);
    for (; member && !parsePartName(member.name) && member.name !== memberNames.after; member = await next(members))
      if (member.name === memberNames.schema) await loading.begin(member.content.toString('utf8'));
    for (const table of manifest.tables) member = await copy(loading, table, members);
    if (member?.name !== memberNames.after) throw toError('ARCHIVE_FORM');
    await loading.finish(member.content.toString('utf8'));
    const { statement } = await stateOf(loading.reader(), { verifier, counts: false });
    if (statement.state !== 'valid') throw toError('ARCHIVE_NOT_ATTESTED', { name: loading.database }, statement.findings);
    await loading.commit();
    return loading.database;
  } finally {
    await loading.close();
  }
}

/** From its first part on; resolves with the member after it. */
async function copy(loading: ArchiveLoading, table: ArchiveTable, members: AsyncIterator<TarMember>): Promise<TarMember | undefined> {
  const rows = await loading.copy(table, toRows(members));
  const { schema, table: name } = table;
  if (rows !== table.rows) throw toError('ARCHIVE_STATEMENT_FAILED', { stage: 'deliver', schema, table: name });
  return next(members);
}

/** The rows of one table: what comes until the end of its rows. */
async function* toRows(members: AsyncIterator<TarMember>): AsyncGenerator<Uint8Array, void, undefined> {
  // One part is unpacked while the server takes the one before it.
  let unpacking: Promise<Uint8Array> | undefined;
  for (let member = await next(members); member; member = await next(members)) {
    const part = parsePartName(member.name)?.part;
    if (part === partKinds.head) continue;
    const before = unpacking;
    unpacking = part === partKinds.tail ? undefined : unpack(member);
    unpacking?.catch(() => undefined);
    if (before) yield await before;
    if (part === partKinds.tail) return;
  }
}

async function next(members: AsyncIterator<TarMember>): Promise<TarMember | undefined> {
  const read = await members.next();
  return read.done ? undefined : read.value;
}

async function* toVerified(
  members: AsyncIterable<TarMember>,
  listed: readonly ArchiveMember[],
): AsyncGenerator<TarMember, void, undefined> {
  let at = 0;
  for await (const member of members) {
    const expected = listed[at++];
    if (!expected) return;
    const seen = toMember(member);
    if (seen.name !== expected.name || seen.sha256 !== expected.sha256) throw toError('ARCHIVE_DIGEST', { name: seen.name });
    yield member;
  }
}
