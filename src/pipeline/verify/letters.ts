// What the kernel is told of characters beyond ASCII: is it a letter or a number, its small letter, how likely a drawn one is the same. From the Unicode data
// of the JavaScript engine (UAX #44: General_Category, Alphabetic, Script, Lowercase_Mapping), made once a process.

/** Code points that the table knows: the basic and the supplementary multilingual plane. */
export const TABLE_CODES = 0x2_0000;
export const MOST_KINDS = 256;

export interface LetterTable {
  /** Per code point the number of its kind. */
  readonly kinds: Uint8Array;
  /** Per kind: what is added to a code point for its small letter. */
  readonly folds: Int32Array;
  /** Per kind: chance that a drawn character is this one, whatever its case; 0: neither letter nor number. */
  readonly chances: Float64Array;
  /** Per kind: 1 where ASCII letters beside it are another word, as in scripts without capitals. */
  readonly apart: Uint8Array;
}

/** Letters and numbers, private use (names that Unicode lacks), letters in circles. Marks belong to the letter before them. */
const written = /[\p{L}\p{N}\p{Co}]|(?=\p{So})\p{Alphabetic}/u;
const cased = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Lu}\p{Ll}\p{Lt}\p{N}\p{Co}\p{S}]/u;
/** They say nothing of a person, and transforms that draw characters keep them: ª ² ³ µ ¹ º ¼ ½ ¾ and signs of science. */
const silent = new Set([0xaa, 0xb2, 0xb3, 0xb5, 0xb9, 0xba, 0xbc, 0xbd, 0xbe, 0x2102, 0x2107, 0x2115, 0x2124, 0x2126, 0x2128, 0x214e]);

/** First and last code point, and one of how many. Elsewhere 16: alphabets have 32 characters and more, or half as many letters of either case. */
const USUAL = 16;
const sizes: readonly (readonly [first: number, last: number, size: number])[] = [
  [0xf8, 0xff, 7], [0x1c6, 0x1c6, 7], [0x1c9, 0x1c9, 7], [0x1cc, 0x1cc, 7], [0x1f3, 0x1f3, 7], [0x3c3, 0x3cb, 7], [0x2070, 0x209c, 7],
  [0x210a, 0x214d, 3], [0x3005, 0x3007, 3], [0x3021, 0x3029, 7], [0x3031, 0x303c, 3],
  [0x4e00, 0x9fa5, 20_902], [0xac00, 0xd7a3, 11_172], [0x1_f100, 0x1_f10c, 7], [0x1_fbf0, 0x1_fbf9, 7],
]; // prettier-ignore

let made: LetterTable | undefined;

export function toLetterTable(): LetterTable {
  return (made ??= makeTable());
}

/** One character as a small letter of as many bytes; ς as σ, because capitals do not tell them apart. */
export function toSmallLetter(sign: string): string {
  if (sign === 'ς') return 'σ';
  const small = sign.toLowerCase();
  const isAnother = [...small].length === 1 && Buffer.byteLength(small) === Buffer.byteLength(sign);
  return isAnother && !silent.has(small.codePointAt(0) as number) ? small : sign;
}

/** Whether the text holds a letter, or a number other than 0. U+FFFD stands for bytes that are no UTF-8, and counts: it may have been a letter. */
export function holdsLetter(text: string): boolean {
  return /[1-9a-z\ufffd]/i.test(text) || Array.from(text).some(isLetter);
}

/** A letter or number beyond ASCII. */
export function isLetter(sign: string): boolean {
  return sign > '\u007f' && written.test(sign) && !silent.has(sign.codePointAt(0) as number);
}

function makeTable(): LetterTable {
  const table = {
    ...{ kinds: new Uint8Array(TABLE_CODES), folds: new Int32Array(MOST_KINDS), chances: new Float64Array(MOST_KINDS) },
    apart: new Uint8Array(MOST_KINDS),
  };
  const numbers = new Map<string, number>([['0,0,false', 0]]);
  for (let code = 0x80; code < TABLE_CODES; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const sign = String.fromCodePoint(code);
    const isWritten = isLetter(sign);
    const fold = isWritten ? (toSmallLetter(sign).codePointAt(0) as number) - code : 0;
    const size = isWritten ? (sizes.find(([first, last]) => code >= first && code <= last)?.[2] ?? USUAL) : 0;
    const isApart = isWritten && !cased.test(sign);
    const key = `${fold},${size},${isApart}`;
    let kind = numbers.get(key);
    if (kind === undefined) {
      kind = numbers.size;
      if (kind >= MOST_KINDS) throw new RangeError('more kinds of characters than the table has room for');
      numbers.set(key, kind);
      table.folds[kind] = fold;
      table.chances[kind] = size === 0 ? 0 : 1 / size;
      table.apart[kind] = isApart ? 1 : 0;
    }
    table.kinds[code] = kind;
  }
  return table;
}
