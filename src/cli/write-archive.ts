// A marked version becomes an archive: read back by a session of its own, each table's digest made anew from the rows that go in, and held against
// what the verifier saw there.
import { join } from 'node:path';
import { readFileSync } from 'node:fs';

import { findArchiveRecipient } from '../control/archive-keys.js';
import { digestBytes } from '../kernel/digest.js';
import { toError } from '../kernel/errors.js';
import { packageFile } from '../kernel/package-root.js';
import { type ArchiveTable, archiveFormat, memberNames, toManifestText } from '../pipeline/archive.js';
import { type ManifestTable, type MarkerRow, openMarker } from '../pipeline/marker.js';
import type { KeyProvider } from '../pipeline/ports.js';
import type { Archived, Doors } from '../pipeline/run.js';
import { TableDigest } from '../pipeline/verify/verify.js';
import { type ArchivePlace, type MemberWriter, dropUnfinished, prune, toArchivePath, writeArchive } from '../systems/archive/archive.js';
import { type ConnectionTarget, type DumpedTable, VersionDump, toCopyHead } from '../systems/postgres/postgres.js';

export interface ArchiverOptions {
  /** The folder of archives. */
  readonly root: string;
  readonly workspace: string;
  readonly target: ConnectionTarget;
  /** Of the environment's transport keys. */
  readonly keys: KeyProvider;
  /** As the pipeline names them. */
  readonly recipients: readonly string[];
}

/** The door of archives for one run. */
export function toArchiver(options: ArchiverOptions): NonNullable<Doors['archive']> {
  return async ({ database }, { plan, runId, marker, sign }): Promise<Archived> => {
    const { root, workspace } = options;
    const place: ArchivePlace = { workspace, environment: plan.environment, pipeline: plan.pipeline };
    await dropUnfinished(root, place);
    const { recipient, version: keyVersion } = await findArchiveRecipient(options.keys);
    const name = toArchivePath({ ...place, version: marker.version, runId });
    const dump = await VersionDump.open(options.target, database);
    try {
      const recipients = [...options.recipients];
      const written = await writeArchive(join(root, name), [recipient, ...recipients], (members) =>
        writeMembers(members, dump, marker, sign),
      );
      const { bytes, sha256 } = written;
      const keep = (plan.facts.target.keepVersions ?? 1) + 1;
      return {
        facts: { name, bytes, sha256, keyVersion, recipients },
        publish: () => written.publish(),
        prune: (held) => prune(root, place, keep, held),
        drop: () => written.drop(),
      };
    } finally {
      await dump.close();
    }
  };
}

async function writeMembers(
  members: MemberWriter,
  dump: VersionDump,
  marker: MarkerRow,
  sign: (text: string) => Promise<string>,
): Promise<void> {
  const { before, after } = await dump.scripts(marker);
  await members.add(memberNames.restore, Buffer.from(restoreScript));
  await members.add(memberNames.schema, Buffer.from(before));
  const tables: ArchiveTable[] = [];
  const expected = toExpected(marker);
  for (const [index, table] of dump.tables.entries()) {
    const digest = new TableDigest(expected.nonce);
    await members.addTable(index + 1, toCopyHead(table), watch(dump.lines(table), digest));
    const { schema, columns } = table;
    const seen = { schema, table: table.table, columns, rows: digest.rows, bytes: digest.bytes, digest: digest.digest() };
    await requireVerified(dump, seen, expected);
    tables.push(seen);
  }
  requireAll(tables, expected);
  await members.add(memberNames.after, Buffer.from(after));
  const { encoding, locale = null, version: server } = dump.server;
  const bauta = (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version;
  const own = { format: archiveFormat, madeBy: { bauta, server }, database: { encoding, locale }, marker, tables } as const;
  const manifest = toManifestText({ ...own, members: [...members.members] });
  await members.add(memberNames.manifest, Buffer.from(manifest));
  await members.add(memberNames.note, Buffer.from(await sign(digestBytes(manifest))));
  await members.end();
}

async function* watch(lines: AsyncIterable<Uint8Array>, digest: TableDigest): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of lines) {
    digest.update(chunk);
    yield chunk;
  }
}

interface Expected {
  readonly nonce: Uint8Array;
  readonly tables: ReadonlyMap<string, ManifestTable>;
}

const keyOf = ({ schema, table }: { readonly schema: string; readonly table: string }): string => JSON.stringify([schema, table]);

function toExpected(row: MarkerRow): Expected {
  const opened = openMarker({ row }, []);
  if (opened.state !== 'whole') throw toError('ARCHIVE_CONTENT_DIFFERS', { stage: 'deliver' });
  const tables = new Map(opened.manifest.map((table) => [keyOf(table), table]));
  return { nonce: Buffer.from(opened.marker.nonce, 'hex'), tables };
}

/** What goes in is what was verified, or nothing is published. Of columns that an `after` file added the marker knows nothing. */
async function requireVerified(dump: VersionDump, seen: ArchiveTable, { nonce, tables }: Expected): Promise<void> {
  const verified = tables.get(keyOf(seen));
  const where = { stage: 'deliver', schema: seen.schema, table: seen.table };
  if (!verified || verified.rows !== seen.rows) throw toError('ARCHIVE_CONTENT_DIFFERS', where);
  if (verified.digest === null || verified.columns === null) return;
  const same = verified.columns.join('\0') === seen.columns.join('\0');
  const digest = same ? seen.digest : await digestOf(dump, seen, verified.columns, nonce);
  if (digest !== verified.digest) throw toError('ARCHIVE_CONTENT_DIFFERS', where);
}

async function digestOf(dump: VersionDump, table: DumpedTable, columns: readonly string[], nonce: Uint8Array): Promise<string> {
  const digest = new TableDigest(nonce);
  for await (const chunk of dump.lines(table, columns)) digest.update(chunk);
  return digest.digest();
}

/** A partitioned table has no rows of its own. */
function requireAll(tables: readonly ArchiveTable[], expected: Expected): void {
  const there = new Set(tables.map(keyOf));
  const missing = [...expected.tables].find(([key, { rows }]) => rows > 0 && !there.has(key))?.[1];
  if (missing) throw toError('ARCHIVE_CONTENT_DIFFERS', { stage: 'deliver', schema: missing.schema, table: missing.table });
}

const restoreScript = `#!/bin/sh
# Restores this archive with psql and gzip alone, into a database that is there and empty: sh restore.sh -d DATABASE (all words are psql's own).
# One transaction: if a file is cut or a statement fails, nothing is there. Nothing is checked here; bauta load checks signature and digests.
set -eu
cd "$(dirname "$0")"
script() {
  cat ${memberNames.schema} || return 1
  for part in data/*.sql.gz; do
    if [ -e "$part" ]; then gzip -dc "$part" || return 1; fi
  done
  cat ${memberNames.after}
}
{ script || printf '\\n\\\\.\\nthis archive cannot be unpacked;\\n'; } | psql -X -q -v ON_ERROR_STOP=1 "$@"
`;
