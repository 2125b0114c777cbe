// The one form of tar that archives have: plain files, one header block each as POSIX ustar has it, every field but name and size always the same.
// What is read has to be, byte for byte, what would have been written: there is no link, no path out of the folder and nothing between members.
import { toError } from '../../kernel/errors.js';

const BLOCK = 512;
/** Two empty blocks. */
export const tarEnd: Uint8Array = new Uint8Array(2 * BLOCK);

/** `name` MUST be ASCII and of at most 100 characters. */
export function toTarHeader(name: string, bytes: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, at: number): void => void block.write(text, at, 'latin1');
  put(name, 0);
  put('0000644\0', 100);
  put('0000000\0', 108);
  put('0000000\0', 116);
  put(`${bytes.toString(8).padStart(11, '0')}\0`, 124);
  put('00000000000\0', 136);
  put('        ', 148);
  put('0', 156);
  put('ustar\0', 257);
  put('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** What stands between a member of so many bytes and the next header. */
export function toTarPadding(bytes: number): Uint8Array {
  return new Uint8Array((BLOCK - (bytes % BLOCK)) % BLOCK);
}

export interface TarMember {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * The members, each as a whole. `mostBytes` says how large one of that name may be; undefined: there is no such member. Throws ARCHIVE_FORM and
 * ARCHIVE_CUT.
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
  mostBytes: (name: string) => number | undefined,
): AsyncGenerator<TarMember, void, undefined> {
  const reader = new ByteReader(chunks);
  for (;;) {
    const block = await reader.read(BLOCK);
    if (block.every((byte) => byte === 0)) break;
    const name = block.toString('latin1', 0, Math.min(100, block.indexOf(0)));
    const size = block.toString('latin1', 124, 135);
    const bytes = /^[0-7]{11}$/.test(size) ? parseInt(size, 8) : -1;
    const most = mostBytes(name);
    if (most === undefined || bytes < 0 || bytes > most || !block.equals(toTarHeader(name, bytes))) throw toError('ARCHIVE_FORM');
    const content = await reader.read(bytes);
    const padding = await reader.read(toTarPadding(bytes).length);
    if (padding.some((byte) => byte !== 0)) throw toError('ARCHIVE_FORM');
    yield { name, content };
  }
  const rest = await reader.read(BLOCK);
  if (rest.some((byte) => byte !== 0) || !(await reader.isAtEnd())) throw toError('ARCHIVE_FORM');
}

/** Chunks of any size as pieces of the size that is asked for. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async read(bytes: number): Promise<Buffer> {
    const result = Buffer.allocUnsafe(bytes);
    let have = 0;
    while (have < bytes) {
      if (this.#chunk.length === 0 && !(await this.#next())) throw toError('ARCHIVE_CUT');
      const piece = this.#chunk.subarray(0, bytes - have);
      result.set(piece, have);
      have += piece.length;
      this.#chunk = this.#chunk.subarray(piece.length);
    }
    return result;
  }

  async isAtEnd(): Promise<boolean> {
    return this.#chunk.length === 0 && !(await this.#next());
  }

  /** False at the end. */
  async #next(): Promise<boolean> {
    for (;;) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#chunk = next.value;
      if (this.#chunk.length > 0) return true;
    }
  }
}
