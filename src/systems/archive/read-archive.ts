// Reads an archive as what it is: bytes from somebody. Every member in its place, of its size and of no other name, until the manifest says what
// each of them has to be.
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';

import { toError } from '../../kernel/errors.js';
import { type ArchiveMember, memberNames, parsePartName, partBytes } from '../../pipeline/archive.js';
import { findHeader, mostHeaderBytes, openHeader, sealMark, unseal } from './seal.js';
import { type TarMember, readTar } from './tar.js';

const gunzip = promisify(gunzipCallback);
const readAtOnce = 256 * 1024;
/** Of SQL and of the manifest: a schema of some ten thousand objects. */
const mostTextBytes = 64 * 1024 * 1024;
/** What gzip makes of bytes that cannot be packed. */
const mostPackedBytes = partBytes + 64 * 1024;

/** One file, open; read as often as one likes, and always that same file. */
export class ArchiveFile {
  private constructor(
    readonly file: string,
    private readonly handle: FileHandle,
    private readonly fileKey: Uint8Array | undefined,
  ) {}

  /** `keys`: identities, or the key of this one file. Throws ARCHIVE_MISSING, ARCHIVE_FORM, ARCHIVE_KEY_UNKNOWN, ARCHIVE_IDENTITY_INVALID. */
  static async open(file: string, keys: readonly string[] | Uint8Array): Promise<ArchiveFile> {
    const handle = await open(file, 'r').catch(() => {
      throw toError('ARCHIVE_MISSING', { file });
    });
    try {
      const start = Buffer.alloc(mostHeaderBytes);
      const { bytesRead } = await handle.read(start, 0, start.length, 0);
      const sealed = start.toString('latin1', 0, sealMark.length) === sealMark;
      const header = sealed ? findHeader(start.subarray(0, bytesRead)) : undefined;
      const fileKey = header && (keys instanceof Uint8Array ? keys : await openHeader(header, keys));
      return new ArchiveFile(file, handle, fileKey);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Its members in their order. Throws ARCHIVE_FORM, ARCHIVE_CUT, ARCHIVE_SEAL_BROKEN. */
  async *members(): AsyncGenerator<TarMember, void, undefined> {
    let last = '';
    for await (const member of readTar(this.plain(), toMostBytes)) {
      if (!isAfter(last, member.name)) throw toError('ARCHIVE_FORM');
      last = member.name;
      yield member;
    }
    if (last !== memberNames.note) throw toError('ARCHIVE_FORM');
  }

  /** The tar inside. */
  plain(): AsyncIterable<Uint8Array> {
    return this.fileKey ? unseal(ReadableStream.from<Uint8Array>(this.read()), this.fileKey) : this.read();
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; ;) {
      const buffer = Buffer.allocUnsafe(readAtOnce);
      const { bytesRead } = await this.handle.read(buffer, 0, readAtOnce, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}

/** What a part holds; never more than a part may. Throws ARCHIVE_PART_BROKEN. */
export async function unpack({ content }: TarMember): Promise<Uint8Array> {
  try {
    return await gunzip(content, { maxOutputLength: partBytes });
  } catch {
    throw toError('ARCHIVE_PART_BROKEN');
  }
}

export function toMember({ name, content }: TarMember): ArchiveMember {
  return { name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

const order: readonly string[] = [memberNames.restore, memberNames.schema, '', memberNames.after, memberNames.manifest, memberNames.note];

function toMostBytes(name: string): number | undefined {
  if (parsePartName(name)) return mostPackedBytes;
  return order.includes(name) ? mostTextBytes : undefined;
}

/** Every other member comes once; parts come by their names, which sort as they are unpacked. */
function isAfter(last: string, name: string): boolean {
  const place = (one: string): number => (parsePartName(one) ? 2 : order.indexOf(one));
  if (last === '') return name === memberNames.restore;
  if (parsePartName(last) && parsePartName(name)) return last < name;
  return place(name) === place(last) + 1 || (last === memberNames.schema && name === memberNames.after);
}
