// What an archive will hold, gathered in a folder of its own while it is made: its headers come before contents whose size is known last.
import { createHash } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { toError } from '../../kernel/errors.js';
import { type Entry, MOST_BYTES, MOST_ENTRIES, byName, toDirectoryHeader, toEnd, toLocalHeader } from './format.js';

export interface Spooled extends Entry {
  /** `sha256:…` */
  readonly digest: string;
}

interface Part extends Spooled {
  readonly file: string;
  readonly from: number;
}

const PIECE = 1 << 20;

export class ZipWriter {
  readonly #parts = new Map<string, Part>();
  #small: { readonly handle: FileHandle; readonly file: string; at: number } | undefined;
  #open = 0;

  private constructor(readonly folder: string) {}

  static async open(): Promise<ZipWriter> {
    return new ZipWriter(await mkdtemp(join(tmpdir(), 'bauta-package-')));
  }

  /** What is in it so far, by name. */
  get entries(): readonly Spooled[] {
    return [...this.#parts.values()].sort(byName).map(({ name, crc, bytes, digest }) => ({ name, crc, bytes, digest }));
  }

  async add(name: string, content: Buffer | string): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    if (!this.#small) {
      const file = join(this.folder, 'small');
      this.#small = { handle: await open(file, 'w'), file, at: 0 };
    }
    const small = this.#small;
    await small.handle.write(bytes, 0, bytes.length, small.at);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    this.#put({ name, crc: crc32(bytes), bytes: bytes.length, digest, file: small.file, from: small.at });
    small.at += bytes.length;
  }

  /** A content that comes in pieces, beside others. Nothing of it counts before `end`. */
  async begin(name: string): Promise<{ readonly write: (text: string) => Promise<void>; readonly end: () => Promise<void> }> {
    const file = join(this.folder, `part-${this.#open++}`);
    const handle = await open(file, 'w');
    const hash = createHash('sha256');
    let [crc, bytes, waiting] = [0, 0, ''];
    const flush = async (): Promise<void> => {
      const piece = Buffer.from(waiting, 'utf8');
      waiting = '';
      hash.update(piece);
      crc = crc32(piece, crc);
      await handle.write(piece, 0, piece.length, bytes);
      bytes += piece.length;
    };
    return {
      write: async (text) => {
        waiting += text;
        if (waiting.length >= PIECE) await flush();
      },
      end: async () => {
        await flush();
        await handle.close();
        this.#put({ name, crc, bytes, digest: `sha256:${hash.digest('hex')}`, file, from: 0 });
      },
    };
  }

  /** Writes the archive. Throws PACKAGE_TOO_LARGE or OUTPUT_UNWRITABLE. */
  async write(path: string): Promise<void> {
    const parts = [...this.#parts.values()].sort(byName);
    const size = parts.reduce((sum, { name, bytes }) => sum + 30 + 46 + 2 * name.length + bytes, 22);
    if (size > MOST_BYTES || parts.length > MOST_ENTRIES) throw toError('PACKAGE_TOO_LARGE', { amount: `${size} bytes` });
    let out: FileHandle;
    try {
      out = await open(path, 'w', 0o600);
    } catch {
      throw toError('OUTPUT_UNWRITABLE', { file: path });
    }
    try {
      const directory: Buffer[] = [];
      let at = 0;
      const put = async (bytes: Buffer): Promise<void> => {
        await out.write(bytes, 0, bytes.length, at);
        at += bytes.length;
      };
      for (const part of parts) {
        directory.push(toDirectoryHeader(part, at));
        await put(toLocalHeader(part));
        await copy(part, put);
      }
      const directoryAt = at;
      for (const header of directory) await put(header);
      await put(toEnd(parts.length, at - directoryAt, directoryAt));
      await out.sync();
    } catch {
      throw toError('OUTPUT_UNWRITABLE', { file: path });
    } finally {
      await out.close();
    }
  }

  async close(): Promise<void> {
    await this.#small?.handle.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #put(part: Part): void {
    if (this.#parts.has(part.name) || !/^[\x21-\x7e]+$/.test(part.name)) throw toError('UNEXPECTED', { name: 'the name of an entry' });
    this.#parts.set(part.name, part);
  }
}

async function copy({ file, from, bytes }: Part, put: (bytes: Buffer) => Promise<void>): Promise<void> {
  const handle = await open(file, 'r');
  try {
    for (let at = 0; at < bytes;) {
      const piece = Buffer.alloc(Math.min(PIECE, bytes - at));
      const { bytesRead } = await handle.read(piece, 0, piece.length, from + at);
      if (bytesRead === 0) throw toError('UNEXPECTED', { name: 'a part of an archive' });
      await put(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
