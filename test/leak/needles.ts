// Looks for what must not be there, in the spellings in which it could have got out: as it is, in capitals and small letters, in hexadecimal,
// base64, URL, JSON, COPY text and UTF-16, and in the bytes in which a server keeps it.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Shorter ones stand in any large file by chance. */
const shortest = 6;

export class Needles {
  /** By the first four bytes of a spelling. */
  readonly #spellings = new Map<number, { readonly name: string; readonly bytes: Buffer }[]>();
  readonly #begins = new Uint8Array(1 << 16);

  /** Names and what they stand for: texts, and bytes for what has a binary form of its own. */
  constructor(needles: Readonly<Record<string, string | readonly Buffer[]>>) {
    for (const [name, needle] of Object.entries(needles)) {
      const spellings = typeof needle === 'string' ? toSpellings(needle) : needle;
      for (const bytes of new Map(spellings.map((one) => [one.toString('latin1'), one])).values()) this.#add(name, bytes);
    }
  }

  /** Names of those that stand in a text, or in bytes. */
  find(place: string | Uint8Array): readonly string[] {
    const bytes = typeof place === 'string' ? Buffer.from(place) : Buffer.from(place.buffer, place.byteOffset, place.byteLength);
    const found = new Set<string>();
    for (let i = 0; i < bytes.length - 3; i++) {
      if (this.#begins[((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)] === 0) continue;
      for (const spelling of this.#spellings.get(bytes.readUInt32BE(i)) ?? []) {
        const end = i + spelling.bytes.length;
        if (end <= bytes.length && bytes.compare(spelling.bytes, 0, spelling.bytes.length, i, end) === 0) found.add(spelling.name);
      }
    }
    return [...found].sort();
  }

  #add(name: string, bytes: Buffer): void {
    if (bytes.length < shortest) throw new Error(`a spelling of ${name} is too short to tell anything`);
    const key = bytes.readUInt32BE(0);
    this.#begins[key >>> 16] = 1;
    this.#spellings.set(key, [...(this.#spellings.get(key) ?? []), { name, bytes }]);
  }
}

export function toSpellings(text: string): readonly Buffer[] {
  const utf8 = Buffer.from(text);
  const texts = [
    ...[text, text.toLowerCase(), text.toUpperCase()],
    ...[utf8.toString('hex'), utf8.toString('hex').toUpperCase()],
    ...[encodeURIComponent(text), encodeURIComponent(text).replaceAll('%20', '+')],
    ...[JSON.stringify(text).slice(1, -1), JSON.stringify(JSON.stringify(text)).slice(3, -3)],
    [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
    text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n'),
    ...[0, 1, 2].map((before) => toBase64Core(utf8, before)),
  ];
  const utf16 = Buffer.from(text, 'utf16le');
  const urlSafe = texts.slice(-3).map((one) => one.replaceAll('+', '-').replaceAll('/', '_'));
  return [...[...texts, ...urlSafe].map((one) => Buffer.from(one)), utf16, Buffer.from(utf16).swap16()].filter(
    ({ length }) => length >= shortest,
  );
}

/** The characters of base64 that depend on these bytes alone, when so many others stand before them. */
function toBase64Core(bytes: Buffer, before: number): string {
  const whole = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

/** Every file below a folder as bytes, but for what is called as one of `but`. A file that goes while it is looked for is gone. */
export function* readFiles(folder: string, ...but: readonly string[]): Generator<{ readonly path: string; readonly bytes: Buffer }> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (but.includes(basename(path))) continue;
    const kind = statSync(path, { throwIfNoEntry: false });
    if (kind?.isDirectory()) yield* readFiles(path, ...but);
    else if (kind?.isFile()) yield { path, bytes: readFileSync(path) };
  }
}

/** What stands where in a folder: `name in path`. File names are looked at too. */
export function findInFolder(needles: Needles, folder: string, ...but: readonly string[]): readonly string[] {
  return [...readFiles(folder, ...but)].flatMap(({ path, bytes }) =>
    [...new Set([...needles.find(bytes), ...needles.find(path)])].map((name) => `${name} in ${path}`),
  );
}
