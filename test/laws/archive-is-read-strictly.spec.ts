import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';

import { checkArchive } from '../../src/cli/check-archive.js';
import { systemClock } from '../../src/kernel/clock.js';
import { digestBytes } from '../../src/kernel/digest.js';
import { BautaError, toError } from '../../src/kernel/errors.js';
import { signNote, toSigner } from '../../src/kernel/signed-note.js';
import { type ArchiveManifest, memberNames, partBytes, toArchiveNoteText, toManifestText, toPartName } from '../../src/pipeline/archive.js';
import { toMarker, toMarkerRow, toMarkerText } from '../../src/pipeline/marker.js';
import type { Plan } from '../../src/pipeline/plan.js';
import { ArchiveFile, writeArchive } from '../../src/systems/archive/archive.js';
import { readTar, tarEnd, toTarHeader, toTarPadding } from '../../src/systems/archive/tar.js';
import { toCopyHead } from '../../src/systems/postgres/postgres.js';

const signer = toSigner('test-log', new Uint8Array(32).fill(7));
const secret = 'somebody@example.org';
const lines = Array.from({ length: 400 }, (_, i) => `${i}\t${i === 7 ? secret : `row ${i * 7919}`}\n`).join('');
const table = { schema: 'public', table: 'person', columns: ['id', 'note'] };

let folder: string;
let identity: string;
let sealed: Buffer;
let plain: Buffer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-archive-'));
  identity = await generateIdentity();
  sealed = await make();
  plain = await unsealed(sealed);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Made {
  readonly retentionDays?: number;
  /** Of the manifest, before it is signed. */
  readonly change?: (manifest: ArchiveManifest) => ArchiveManifest;
}

function toRow(retentionDays: number): ArchiveManifest['marker'] {
  const plan = { environment: 'test', facts: { retentionDays } } as unknown as Plan;
  const version = { target: 'shop', version: 1, runId: 'r1', planDigest: 'sha256:00' };
  const log = { origin: 'test-log/2026', index: 3 };
  const made = { plan, version, systemIdentifier: '1', nonce: new Uint8Array(16), manifest: [], madeAtMs: Date.now() - 86_400_000, log };
  const marker = toMarker(made);
  return toMarkerRow(marker, [], signNote(toMarkerText(marker), signer));
}

async function make({ retentionDays = 30, change = (manifest) => manifest }: Made = {}): Promise<Buffer> {
  const file = join(folder, 'made.tar.age');
  const written = await writeArchive(file, [await identityToRecipient(identity)], async (members) => {
    await members.add(memberNames.restore, Buffer.from('#!/bin/sh\n'));
    await members.add(memberNames.schema, Buffer.from('BEGIN\n;\n'));
    await members.addTable(1, toCopyHead(table), toChunks(lines));
    await members.add(memberNames.after, Buffer.from('COMMIT;\n'));
    const text = toManifestText(
      change({
        format: 1,
        madeBy: { bauta: '0', server: 180_000 },
        database: { encoding: 'UTF8', locale: null },
        marker: toRow(retentionDays),
        tables: [{ ...table, rows: 400, bytes: lines.length, digest: '0'.repeat(32) }],
        members: [...members.members],
      }),
    );
    const note = toArchiveNoteText({ manifest: digestBytes(text), runId: 'r1', log: { origin: 'test-log/2026', index: 3 } });
    await members.add(memberNames.manifest, Buffer.from(text));
    await members.add(memberNames.note, Buffer.from(signNote(note, signer)));
    await members.end();
  });
  await written.publish();
  return readFileSync(file);
}

async function* toChunks(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
  for (let at = 0; at < text.length; at += 1000) yield Buffer.from(text.slice(at, at + 1000));
}

async function unsealed(bytes: Buffer): Promise<Buffer> {
  return opened(bytes, async (file) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.plain()) chunks.push(chunk);
    return Buffer.concat(chunks);
  });
}

async function opened<T>(bytes: Uint8Array, work: (file: ArchiveFile) => Promise<T>): Promise<T> {
  const path = join(folder, 'given.tar');
  writeFileSync(path, bytes);
  const file = await ArchiveFile.open(path, [identity]);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** The code by which it is refused; undefined: it is taken. */
async function refusalOf(bytes: Uint8Array): Promise<string | undefined> {
  try {
    await opened(bytes, async (file) => {
      const { signer: known } = await checkArchive(file, [signer.verifier], systemClock);
      if (known !== 'checked') throw toError('ARCHIVE_SIGNER_UNKNOWN');
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof BautaError)) throw error;
    expect(JSON.stringify({ message: error.message, where: error.where, hint: error.hint })).not.toContain(secret);
    return error.code;
  }
}

describe.each([
  ['sealed', () => sealed],
  ['as the tar inside', () => plain],
])('an archive %s', (_, given) => {
  it('is taken as it was written', async () => {
    expect(await refusalOf(given())).toBeUndefined();
  });

  it('is refused with any bit of it flipped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: given().length * 8 - 1 }), async (bit) => {
        const bytes = Buffer.from(given());
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(await refusalOf(bytes)).toMatch(/^ARCHIVE_/);
      }),
      { numRuns: 400 },
    );
  });

  it('is refused wherever it is cut, and with anything behind it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: given().length - 1 }), async (length) => {
        expect(await refusalOf(given().subarray(0, length))).toMatch(/^ARCHIVE_/);
      }),
      { numRuns: 150 },
    );
    expect(await refusalOf(Buffer.concat([given(), Buffer.from('x')]))).toMatch(/^ARCHIVE_/);
    expect(await refusalOf(Buffer.concat([given(), Buffer.alloc(512)]))).toMatch(/^ARCHIVE_/);
  });
});

/** The tar with its members changed; nothing is signed anew. */
async function rebuilt(
  change: (members: { name: string; content: Buffer }[]) => { name: string; content: Buffer; header?: Buffer }[],
): Promise<Buffer> {
  const members: { name: string; content: Buffer }[] = [];
  for await (const member of readTar(chunksOf(plain), () => 1 << 30)) members.push(member);
  const blocks = change(members).flatMap(({ name, content, header }) => [
    header ?? toTarHeader(name, content.length),
    content,
    toTarPadding(content.length),
  ]);
  return Buffer.concat([...blocks, tarEnd]);
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
  yield bytes;
}

const other = (name: string, change: (header: Buffer) => void): Buffer => {
  const header = Buffer.from(toTarHeader(name, 0));
  change(header);
  header.write('        ', 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
};
const empty = Buffer.alloc(0);

describe('a tar that somebody else made', () => {
  it.each([
    ['a path that leads out', '../../etc/passwd'],
    ['an absolute path', '/etc/passwd'],
    ['a folder of its own', 'data/sub/00001-000001.sql.gz'],
    ['a name that nobody knows', 'notes.txt'],
    ['table number 0', 'data/00000-000001.sql.gz'],
  ])('is refused with %s', async (_, name) => {
    expect(await refusalOf(await rebuilt((members) => [members[0]!, { name, content: empty }, ...members.slice(1)]))).toBe('ARCHIVE_FORM');
  });

  it.each([
    ['a symbolic link', (header: Buffer) => void header.write('2/etc/passwd', 156)],
    ['a hard link', (header: Buffer) => void header.write('1', 156)],
    ['a folder', (header: Buffer) => void header.write('5', 156)],
    ['an extended header', (header: Buffer) => void header.write('x', 156)],
    ['a program that may run as its owner', (header: Buffer) => void header.write('0004755\0', 100)],
    ['a prefix before the name', (header: Buffer) => void header.write('/etc', 345)],
    ['a size beyond measure', (header: Buffer) => void header.write('77777777777\0', 124)],
  ])('is refused with %s', async (_, change) => {
    const bytes = await rebuilt(([first, ...rest]) => [{ ...first!, header: other(memberNames.restore, change) }, ...rest]);
    expect(await refusalOf(bytes)).toBe('ARCHIVE_FORM');
  });

  it('is refused with a member twice, in another order, or left out', async () => {
    expect(await refusalOf(await rebuilt((members) => [members[0]!, ...members]))).toBe('ARCHIVE_FORM');
    expect(await refusalOf(await rebuilt((members) => members.toReversed()))).toBe('ARCHIVE_FORM');
    expect(await refusalOf(await rebuilt((members) => members.slice(0, -1)))).toBe('ARCHIVE_FORM');
    expect(await refusalOf(await rebuilt((members) => members.filter(({ name }) => name !== memberNames.manifest)))).toBe('ARCHIVE_FORM');
    expect(await refusalOf(await rebuilt((members) => members.filter(({ name }) => name !== toPartName(1, 1))))).toBe('ARCHIVE_DIGEST');
  });

  it('is refused with other content under a name, and with a part that unpacks to more than a part may hold', async () => {
    const put = (name: string, content: Buffer) =>
      rebuilt((members) => members.map((one) => (one.name === name ? { name, content } : one)));
    expect(await refusalOf(await put(memberNames.schema, Buffer.from('DROP DATABASE x;\n')))).toBe('ARCHIVE_DIGEST');
    expect(await refusalOf(await put(toPartName(1, 1), gzipSync('1\tx\n')))).toBe('ARCHIVE_DIGEST');
    expect(await refusalOf(await put(toPartName(1, 1), gzipSync(Buffer.alloc(partBytes * 40))))).toBe('ARCHIVE_PART_BROKEN');
    expect(await refusalOf(await put(toPartName(1, 0), gzipSync('DROP TABLE person;\n')))).toBe('ARCHIVE_DIGEST');
  });
});

describe('an archive that the log signed', () => {
  it('is refused when it has expired', async () => {
    expect(await refusalOf(await make({ retentionDays: 1 }))).toBe('ARCHIVE_EXPIRED');
  });

  it('is refused when a statement in it is not that of its table, or a table has more in it than the manifest says', async () => {
    const named = (name: string) => make({ change: (manifest) => ({ ...manifest, tables: [{ ...manifest.tables[0]!, table: name }] }) });
    expect(await refusalOf(await named('other'))).toBe('ARCHIVE_FORM');
    expect(await refusalOf(await make({ change: (m) => ({ ...m, tables: [{ ...m.tables[0]!, bytes: 1 }] }) }))).toBe('ARCHIVE_FORM');
    expect(await refusalOf(await make({ change: (m) => ({ ...m, tables: [] }) }))).toBe('ARCHIVE_FORM');
    expect(await refusalOf(await make({ change: (m) => ({ ...m, members: m.members.slice(1) }) }))).toBe('ARCHIVE_DIGEST');
  });

  it('is refused when its marker is not whole', async () => {
    const change = (m: ArchiveManifest): ArchiveManifest => ({ ...m, marker: { ...m.marker, expiresAt: '2099-01-01T00:00:00.000Z' } });
    expect(await refusalOf(await make({ change }))).toBe('ARCHIVE_UNSIGNED');
  });
});
