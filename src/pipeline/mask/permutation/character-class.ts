// hot path: which characters are interchangeable: the alphabet that a letter or digit is permuted in. The alphabets part the code points, and all
// characters of one have the same number of UTF-8 bytes, so that a permuted text keeps its length. ASCII and the scripts below keep their case.

/** First and last code point of each alphabet beside ASCII, ascending; blocks not covered fall back to 32 neighbours. */
const alphabets = Int32Array.from([
  ...[0xc0, 0xd6, 0xd8, 0xde, 0xdf, 0xf6, 0xf8, 0xff, 0x370, 0x390, 0x391, 0x3a1, 0x3a2, 0x3a2, 0x3a3, 0x3ab, 0x3ac, 0x3ce, 0x3cf, 0x3ff],
  ...[0x400, 0x40f, 0x410, 0x42f, 0x430, 0x44f, 0x450, 0x45f],
  // Small and raised letters and numbers, letters as symbols, fractions and Roman numerals, letters and numbers in circles.
  ...[0x2070, 0x2079, 0x207f, 0x2089, 0x2090, 0x209c, 0x210a, 0x2113, 0x2119, 0x211d, 0x212a, 0x212d, 0x212f, 0x2139, 0x213c, 0x213f],
  ...[0x2145, 0x2149, 0x2150, 0x215f, 0x2160, 0x2189, 0x2460, 0x249b, 0x24b6, 0x24cf, 0x24d0, 0x24ff, 0x2776, 0x2793],
  // 々 〆 〇 and numerals among the punctuation of Han; Han; Hangul.
  ...[0x3005, 0x3007, 0x3021, 0x3029, 0x3031, 0x3035, 0x3038, 0x303c, 0x4e00, 0x9fa5, 0x9fa6, 0x9fff, 0xac00, 0xd7a3, 0xd7a4, 0xd7ff],
  // Private use: names that Unicode lacks are written with it. Letters in squares; digits of old screens.
  ...[0xe000, 0xf8ff, 0x1f100, 0x1f10c, 0x1f130, 0x1f149, 0x1f150, 0x1f169, 0x1f170, 0x1f189, 0x1fbf0, 0x1fbf9],
  ...[0xf_0000, 0xf_fffd, 0x10_0000, 0x10_fffd],
]);
/** Punctuation, symbols, emoji and what steers them: kept, but for the alphabets in them. */
const kept = Int32Array.from([
  ...[0x80, 0xbf, 0xd7, 0xd7, 0xf7, 0xf7, 0x300, 0x36f, 0x2000, 0x2bff, 0x3000, 0x303f, 0xfe00, 0xfe1f, 0xffe0, 0xffff],
  ...[0x1_f000, 0x1_fbff, 0xe_0000, 0x10_ffff],
]);

/** Where the range that holds `code` stands in a list of ranges, or -1. */
function toRange(ranges: Int32Array, code: number): number {
  for (let i = 0; i < ranges.length && code >= (ranges[i] as number); i += 2) if (code <= (ranges[i + 1] as number)) return i;
  return -1;
}

/** First code point of the alphabet of `code`, or -1 where the character is kept. */
export function toAlphabet(code: number): number {
  if (code < 0x80) {
    if (code >= 0x30 && code <= 0x39) return 0x30;
    if (code >= 0x61 && code <= 0x7a) return 0x61;
    return code >= 0x41 && code <= 0x5a ? 0x41 : -1;
  }
  const at = toRange(alphabets, code);
  if (at >= 0) return alphabets[at] as number;
  if (toRange(kept, code) >= 0) return -1;
  return code & ~31;
}

/** Number of characters of the alphabet that begins at `first`. */
export function toAlphabetSize(first: number): number {
  if (first < 0x80) return first === 0x30 ? 10 : 26;
  const at = toRange(alphabets, first);
  return at < 0 ? 32 : (alphabets[at + 1] as number) - first + 1;
}

/** Upper case as citext compares it, for the alphabets that have case; -1 where case is not known here. */
export function toFolded(code: number): number {
  if (code < 0x80) return code >= 0x41 && code <= 0x5a ? code + 32 : code;
  const first = toAlphabet(code);
  if (first === 0xc0 || first === 0xd8 || first === 0x410 || first === 0x391 || first === 0x3a3) return code + 32;
  if (first === 0x400) return code + 80;
  if (first === 0x2160 && code < 0x2170) return code + 16;
  if (first === 0x24b6) return code + 26;
  if (first === 0x212a) return -1;
  const known =
    first === -1 || first === 0xdf || first === 0xf8 || first === 0x3ac || first === 0x430 || first === 0x450 || first >= 0x2070;
  return known ? code : -1;
}

/** The code point whose UTF-8 begins at `at`. */
export function toCodePoint(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return lead;
  const second = (bytes[at + 1] as number) & 0x3f;
  if (lead < 0xe0) return ((lead & 0x1f) << 6) | second;
  const third = (bytes[at + 2] as number) & 0x3f;
  if (lead < 0xf0) return ((lead & 0xf) << 12) | (second << 6) | third;
  return ((lead & 7) << 18) | (second << 12) | (third << 6) | ((bytes[at + 3] as number) & 0x3f);
}

export function toLength(code: number): number {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
}

/** Writes the UTF-8 of a code point over one of the same length. */
export function putCodePoint(bytes: Uint8Array, at: number, code: number): void {
  const length = toLength(code);
  if (length === 1) bytes[at] = code;
  else {
    for (let i = length - 1, rest = code; i > 0; i--, rest >>= 6) bytes[at + i] = 0x80 | (rest & 0x3f);
    bytes[at] = (length === 2 ? 0xc0 : length === 3 ? 0xe0 : 0xf0) | (code >> (6 * (length - 1)));
  }
}
