// An archive as `ZipWriter` writes it, and no other: what is read is written anew in thought and compared with every byte of the file.
import { type FileHandle, open } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

import { toError } from '../../kernel/errors.js';
import { END_BYTES, type Entry, byName, parseDirectory, toDirectoryHeader, toEnd, toLocalHeader } from './format.js';

const PIECE = 1 << 20;

export class ZipReader {
  private constructor(
    private readonly handle: FileHandle,
    private readonly size: number,
    /** By name. */
    readonly entries: ReadonlyMap<string, Entry & { readonly offset: number }>,
  ) {}

  /** Throws PACKAGE_UNREADABLE; undefined where it is no archive of this kind. */
  static async open(path: string): Promise<ZipReader | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'r');
    } catch {
      throw toError('PACKAGE_UNREADABLE', { file: path });
    }
    const { size } = await handle.stat();
    const reader = await readDirectory(handle, size);
    if (!reader) await handle.close();
    return reader && new ZipReader(handle, size, reader);
  }

  /** Undefined: there is no such entry. */
  async read(name: string): Promise<Buffer | undefined> {
    const entry = this.entries.get(name);
    return entry && readAt(this.handle, entry.offset + 30 + entry.name.length, entry.bytes);
  }

  /** `sha256:…` of a content. */
  async digest(name: string): Promise<string> {
    const hash = createHash('sha256');
    await this.pieces(name, (piece) => void hash.update(piece));
    return `sha256:${hash.digest('hex')}`;
  }

  /** Whether each byte of the file is the one that the writer would have written for these names and contents. */
  async isCanonical(): Promise<boolean> {
    const entries = [...this.entries.values()];
    if (entries.some((entry, i) => i > 0 && byName(entries[i - 1]!, entry) >= 0)) return false;
    const directory: Buffer[] = [];
    let at = 0;
    for (const entry of entries) {
      const header = toLocalHeader(entry);
      if (entry.offset !== at || !(await readAt(this.handle, at, header.length)).equals(header)) return false;
      let crc = 0;
      await this.pieces(entry.name, (piece) => void (crc = crc32(piece, crc)));
      if (crc !== entry.crc) return false;
      directory.push(toDirectoryHeader(entry, at));
      at += header.length + entry.bytes;
    }
    const headers = Buffer.concat(directory);
    const tail = Buffer.concat([headers, toEnd(entries.length, headers.length, at)]);
    return at + tail.length === this.size && (await readAt(this.handle, at, tail.length)).equals(tail);
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private async pieces(name: string, take: (piece: Buffer) => void): Promise<void> {
    const { offset, bytes } = this.entries.get(name)!;
    const from = offset + 30 + name.length;
    for (let at = 0; at < bytes; at += PIECE) take(await readAt(this.handle, from + at, Math.min(PIECE, bytes - at)));
  }
}

async function readDirectory(handle: FileHandle, size: number): Promise<ZipReader['entries'] | undefined> {
  if (size < END_BYTES) return undefined;
  const end = await readAt(handle, size - END_BYTES, END_BYTES);
  const [count, length, at] = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  if (!toEnd(count, length, at).equals(end) || at + length + END_BYTES !== size) return undefined;
  const found = parseDirectory(await readAt(handle, at, length), count);
  if (!found || found.some(({ offset, bytes, name }) => offset + 30 + name.length + bytes > at)) return undefined;
  return new Map(found.map((entry) => [entry.name, entry]));
}

/** Shorter only where the file ends. */
async function readAt(handle: FileHandle, from: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let have = 0;
  while (have < bytes) {
    const { bytesRead } = await handle.read(buffer, have, bytes - have, from + have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return buffer.subarray(0, have);
}
