// The dictionary attack: values of a copy that look like digests are held against digests that anybody can make, because no key is in them: of originals
// that stood in the source, and of every day on which somebody who lives may be born.
import { hash } from 'node:crypto';

const algorithms = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const;
/** Originals that are tried. */
export const MOST_WORDS = 20_000;

const hexLengths: ReadonlySet<number> = new Set([32, 40, 56, 64, 96, 128]);

/** Bytes of a digest, as hexadecimal digits; undefined: the text has the form of none. */
export function toDigestForm(text: string): string | undefined {
  const bare = text.replace(/^(\\x|0x|\{[A-Za-z0-9-]{2,10}\}|(md5|sha\d{1,3})[:$-])/i, '');
  const hex = bare.replaceAll('-', '').toLowerCase();
  if (hexLengths.has(hex.length) && /^[0-9a-f]+$/.test(hex)) return hex;
  const base64 = bare.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/]{22,86}$/.test(base64)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return hexLengths.has(bytes.length * 2) && bytes.toString('base64').replace(/=+$/, '') === base64 ? bytes.toString('hex') : undefined;
}

export class Dictionary {
  readonly #digests = new Set<string>();
  readonly #lengths: ReadonlySet<number>;
  #words = 0;

  /** `lengths`: of the digests that there are to hold against, in hexadecimal digits. */
  constructor(lengths: ReadonlySet<number>) {
    this.#lengths = lengths;
    for (const day of days()) this.#add(day);
  }

  get tried(): number {
    return this.#digests.size;
  }

  /** An original in the forms in which people digest it. */
  add(word: string): void {
    if (this.#words >= MOST_WORDS) return;
    this.#words++;
    const bare = word.trim();
    const digits = bare.replace(/\D/g, '');
    const forms = new Set([word, bare, bare.toLowerCase(), bare.toUpperCase(), ...(digits.length >= 4 ? [digits] : [])]);
    for (const form of forms) this.#add(form);
  }

  has(digest: string): boolean {
    return this.#digests.has(digest);
  }

  #add(text: string): void {
    for (const algorithm of algorithms) {
      if (!this.#lengths.has(lengthOf[algorithm])) continue;
      this.#digests.add(hash(algorithm, text));
    }
  }
}

const lengthOf: Readonly<Record<(typeof algorithms)[number], number>> = {
  ...{ md5: 32, sha1: 40, sha224: 56, sha256: 64, sha384: 96, sha512: 128 },
};

/** 1920 to 2035, as ISO 8601 has them, without signs, and with points. */
function* days(): Generator<string> {
  const dayMs = 86_400_000;
  for (let at = Date.UTC(1920, 0, 1); at < Date.UTC(2036, 0, 1); at += dayMs) {
    const iso = new Date(at).toISOString().slice(0, 10);
    const [year, month, day] = iso.split('-');
    yield iso;
    yield `${year}${month}${day}`;
    yield `${day}.${month}.${year}`;
  }
}
