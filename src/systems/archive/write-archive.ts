// Writes an archive: members as they come, sealed on their way, into a file that has its name only when it is whole.
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';

import { toError } from '../../kernel/errors.js';
import { type ArchiveMember, partBytes, partKinds, toPartName } from '../../pipeline/archive.js';
import type { ArchiveFile } from './read-archive.js';
import { seal } from './seal.js';
import { tarEnd, toTarHeader, toTarPadding } from './tar.js';

const gzip = promisify(gzipCallback);
/** Parts that are packed at once, beside the one that is read. */
const packedAtOnce = 2;

export interface WrittenFile {
  readonly file: string;
  readonly bytes: number;
  /** Of the sealed file, as it lies there. */
  readonly sha256: string;
  /** Gives it its name. */
  publish(): Promise<void>;
  /** Leaves nothing of it, unless it was published. */
  drop(): Promise<void>;
}

/**
 * Writes what `work` adds beside `file`, 0600, synced. Nothing is there under that name until `publish`; what a killed process leaves is
 * `file.<hex>.part`. Throws ARCHIVE_UNWRITABLE, and what `work` throws.
 */
export function writeArchive(
  file: string,
  recipients: readonly string[],
  work: (members: MemberWriter) => Promise<void>,
): Promise<WrittenFile> {
  return writeBeside(file, async (handle) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const out = writable.getWriter();
    const sealed = await seal(readable, recipients);
    const producing = work(new MemberWriter((bytes) => out.write(bytes))).then(
      () => out.close(),
      async (error: unknown) => {
        await out.abort(error).catch(() => undefined);
        throw error;
      },
    );
    producing.catch(() => undefined);
    const written = await store(sealed, handle, file).catch(async (error: unknown) => {
      await out.abort(error).catch(() => undefined);
      // What broke first is the reason: the producer's own error, if it has one.
      await producing;
      throw error;
    });
    await producing;
    return written;
  });
}

/** An archive that was checked, under another name: sealed to these, or as the tar inside. It is whole or not there. */
export async function copyArchive(from: ArchiveFile, file: string, recipients: readonly string[]): Promise<void> {
  const plain = ReadableStream.from<Uint8Array>(from.plain());
  const bytes = recipients.length === 0 ? plain : await seal(plain, recipients);
  const written = await writeBeside(file, (handle) => store(bytes, handle, file));
  await written.publish();
}

async function writeBeside(
  file: string,
  write: (handle: FileHandle) => Promise<{ readonly bytes: number; readonly sha256: string }>,
): Promise<WrittenFile> {
  const beside = `${file}.${randomBytes(6).toString('hex')}.part`;
  const drop = (): Promise<void> => rm(beside, { force: true });
  const handle = await orUnwritable(dirname(file), async () => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return open(beside, 'wx', 0o600);
  });
  try {
    const written = await write(handle);
    const publish = (): Promise<void> => orUnwritable(file, () => rename(beside, file).then(() => syncFolder(dirname(file))));
    return { file, ...written, publish, drop };
  } catch (error) {
    await drop().catch(() => undefined);
    throw error;
  } finally {
    await handle.close().catch(() => undefined);
  }
}

export class MemberWriter {
  readonly members: ArchiveMember[] = [];
  readonly #write: (bytes: Uint8Array) => Promise<void>;

  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  async add(name: string, content: Uint8Array): Promise<void> {
    await this.#write(toTarHeader(name, content.length));
    if (content.length > 0) await this.#write(content);
    const padding = toTarPadding(content.length);
    if (padding.length > 0) await this.#write(padding);
    this.members.push({ name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
  }

  /** The rows of a table between its statement and its end, packed part by part. */
  async addTable(table: number, head: string, lines: AsyncIterable<Uint8Array>): Promise<void> {
    const packing: Promise<{ name: string; content: Uint8Array }>[] = [];
    const pack = (part: number, bytes: Uint8Array): void => {
      const name = toPartName(table, part);
      if (part > partKinds.tail) throw toError('ARCHIVE_TOO_LARGE');
      const packed = gzip(bytes, { level: 1 }).then((content) => ({ name, content }));
      packed.catch(() => undefined);
      packing.push(packed);
    };
    const next = async (): Promise<void> => {
      const { name, content } = await (packing.shift() as (typeof packing)[number]);
      await this.add(name, content);
    };
    pack(partKinds.head, Buffer.from(head));
    let part: number = partKinds.rows;
    for await (const bytes of toParts(lines)) {
      pack(part++, bytes);
      if (packing.length > packedAtOnce) await next();
    }
    if (part > partKinds.tail) throw toError('ARCHIVE_TOO_LARGE');
    pack(partKinds.tail, Buffer.from('\\.\n'));
    while (packing.length > 0) await next();
  }

  async end(): Promise<void> {
    await this.#write(tarEnd);
  }
}

/** Pieces of `partBytes`, the last one shorter. */
async function* toParts(lines: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let part = Buffer.allocUnsafe(partBytes);
  let used = 0;
  for await (const chunk of lines) {
    for (let from = 0; from < chunk.length;) {
      const piece = chunk.subarray(from, from + partBytes - used);
      part.set(piece, used);
      used += piece.length;
      from += piece.length;
      if (used < partBytes) continue;
      yield part;
      part = Buffer.allocUnsafe(partBytes);
      used = 0;
    }
  }
  if (used > 0) yield part.subarray(0, used);
}

async function store(
  sealed: ReadableStream<Uint8Array>,
  handle: FileHandle,
  file: string,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const digest = createHash('sha256');
  let bytes = 0;
  const reader = sealed.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    digest.update(value);
    bytes += value.length;
    await orUnwritable(file, async () => writeAll(handle, value));
  }
  await orUnwritable(file, () => handle.sync());
  return { bytes, sha256: digest.digest('hex') };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length;) from += (await handle.write(bytes, from)).bytesWritten;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function orUnwritable<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch {
    throw toError('ARCHIVE_UNWRITABLE', { file });
  }
}
