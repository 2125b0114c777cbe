// The bytes of an archive without compression whose every bit follows from names and contents: entries in the order of their names, one instant for
// all, no field that anybody could hide something in. APPNOTE 6.3.10, without ZIP64.
export interface Entry {
  /** Of US-ASCII, with `/`. */
  readonly name: string;
  readonly crc: number;
  readonly bytes: number;
}

/** 1980-01-01 00:00, the first that the format can say. */
const DATE = 0x0021;
const VERSION = 20;
export const MOST_BYTES = 0xffff_fffe;
export const MOST_ENTRIES = 0xfffe;

export const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
  one.name < other.name ? -1 : one.name > other.name ? 1 : 0;

export function toLocalHeader({ name, crc, bytes }: Entry): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x0403_4b50, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(DATE, 12);
  header.writeUInt32LE(crc, 14);
  header.writeUInt32LE(bytes, 18);
  header.writeUInt32LE(bytes, 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name, 'latin1')]);
}

export function toDirectoryHeader({ name, crc, bytes }: Entry, offset: number): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x0201_4b50, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(VERSION, 6);
  header.writeUInt16LE(DATE, 14);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(bytes, 20);
  header.writeUInt32LE(bytes, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt32LE(offset, 42);
  return Buffer.concat([header, Buffer.from(name, 'latin1')]);
}

export const END_BYTES = 22;

export function toEnd(entries: number, directoryBytes: number, directoryAt: number): Buffer {
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(directoryBytes, 12);
  end.writeUInt32LE(directoryAt, 16);
  return end;
}

/** What stands in a directory's headers, one after the other; undefined where it is none of ours. */
export function parseDirectory(directory: Buffer, entries: number): readonly (Entry & { readonly offset: number })[] | undefined {
  const found: (Entry & { readonly offset: number })[] = [];
  let at = 0;
  for (let i = 0; i < entries; i++) {
    if (at + 46 > directory.length) return undefined;
    const end = at + 46 + directory.readUInt16LE(at + 28);
    if (end > directory.length) return undefined;
    found.push({
      name: directory.toString('latin1', at + 46, end),
      crc: directory.readUInt32LE(at + 16),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at = end;
  }
  return at === directory.length ? found : undefined;
}
