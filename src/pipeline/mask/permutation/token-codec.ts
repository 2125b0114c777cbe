// hot path: texts of one alphabet into tokens and back by FF1 (NIST SP 800-38G), a column at a time; separators, a prefix and a suffix stay where they are.
// Numerals are the alphabet's signs in the order of TOKEN_ALPHABETS, halves are exact doubles. The tweak is the domain, in UTF-8.
// `card`: the digit after the permuted ones is Luhn's under a test prefix, and otherwise five away from it, so that no token is a card number.
import type { Column } from '../../batch.js';
import type { ColumnWriter } from '../column-writer.js';
import { type EncryptBlocks, Ff1, FF1_LEAST_DOMAIN } from './ff1.js';

const ten = '0123456789';
const small = 'abcdefghijklmnopqrstuvwxyz';
const capital = small.toUpperCase();

/** By form; the radix is the length. */
export const TOKEN_ALPHABETS = {
  card: ten,
  digits: ten,
  lower: small,
  upper: capital,
  letters: capital + small,
  'lower-alphanumeric': ten + small,
  'upper-alphanumeric': ten + capital,
  alphanumeric: ten + capital + small,
} as const;

export interface TokenForm {
  readonly form: keyof typeof TOKEN_ALPHABETS;
  /** Each value begins and ends so; it stays. ASCII. */
  readonly prefix: string;
  readonly suffix: string;
  /** Signs that stay where they are. */
  readonly separators: string;
  /** Of `card`: digits that a token has before the others, and its check digit is right. */
  readonly testPrefix: string;
}

/** Counts of signs that a form takes: from a domain of 10^6 on, to halves that are exact. Of `card` the check digit is among them. */
export function toTokenLengths(form: TokenForm['form']): { readonly least: number; readonly most: number } {
  if (form === 'card') return { least: 12, most: 19 };
  const radix = BigInt(TOKEN_ALPHABETS[form].length);
  let least = 1;
  while (radix ** BigInt(least) < FF1_LEAST_DOMAIN) least++;
  let half = 1;
  while (radix ** BigInt(half + 1) <= 2n ** 52n) half++;
  return { least, most: 2 * half };
}

/** How far the last digit of a token is from Luhn's where no test prefix tells it from a card number. */
export const TOKEN_LUHN_DISTANCE = 5;
const CHUNK = 2048;
const SEPARATOR = 0xfe;
const NONE = 0xff;
const doubled = Uint8Array.of(0, 2, 4, 6, 8, 1, 3, 5, 7, 9);

export class TokenCodec {
  private readonly ciphers = new Map<number, Ff1>();
  /** By byte: the numeral, SEPARATOR or NONE. */
  private readonly numerals = new Uint8Array(256).fill(NONE);
  /** The two signs of each number below radix², and room for all signs of a value. */
  private readonly pairs: Uint8Array;
  private readonly spelt = new Uint8Array(32);
  private readonly pairRadix: number;
  private readonly inverse: number;
  private readonly radix: number;
  private readonly least: number;
  private readonly most: number;
  private readonly isCard: boolean;
  private readonly prefix: Uint8Array;
  private readonly suffix: Uint8Array;
  private readonly testPrefix: Uint8Array;
  private readonly tweak: Uint8Array;
  /** Per row: where its body begins in the output, and of how many signs it is; 0: NULL. */
  private heads = new Int32Array(0);
  private counts = new Uint8Array(0);
  private wanted = 0;
  private readonly rows = new Int32Array(CHUNK);
  private readonly left = new Float64Array(CHUNK);
  private readonly right = new Float64Array(CHUNK);

  constructor(
    private readonly encryptBlocks: EncryptBlocks,
    domain: string,
    form: TokenForm,
  ) {
    const signs = Buffer.from(TOKEN_ALPHABETS[form.form]);
    for (const sign of Buffer.from(form.separators)) this.numerals[sign] = SEPARATOR;
    signs.forEach((sign, numeral) => (this.numerals[sign] = numeral));
    this.radix = signs.length;
    this.pairRadix = this.radix * this.radix;
    this.inverse = 1 / this.pairRadix;
    this.pairs = Uint8Array.from({ length: 2 * this.pairRadix }, (_, i) => {
      const pair = i >> 1;
      return signs[i % 2 === 0 ? Math.floor(pair / this.radix) : pair % this.radix] as number;
    });
    ({ least: this.least, most: this.most } = toTokenLengths(form.form));
    this.isCard = form.form === 'card';
    [this.prefix, this.suffix] = [Buffer.from(form.prefix), Buffer.from(form.suffix)];
    this.testPrefix = Buffer.from(form.testPrefix);
    this.tweak = Buffer.from(domain, 'utf8');
  }

  /** Values to tokens or, with `back`, tokens to values. What is not of the form is refused. */
  run(column: Column, out: ColumnWriter, refuse: (row: number) => never, back: boolean): void {
    if (this.heads.length < column.rows) {
      this.heads = new Int32Array(2 * column.rows);
      this.counts = new Uint8Array(2 * column.rows);
    }
    const seen = this.copy(column, out, refuse, back);
    for (let count = this.least; count <= this.most; count++) {
      if ((seen[count] as number) > 0) this.permute(column.rows, count, out.bytes, refuse, back);
    }
  }

  /** Writes prefix, body and suffix; the body's signs are those of the original yet. Returns how many rows there are of each count of signs. */
  private copy({ rows, bytes, starts, ends }: Column, out: ColumnWriter, refuse: (row: number) => never, back: boolean): Int32Array {
    const { numerals, least, most, testPrefix } = this;
    const seen = new Int32Array(most + 1);
    const [before, after] = [this.prefix.length, this.suffix.length];
    const extra = testPrefix.length;
    for (let row = 0; row < rows; row++) {
      const end = ends[row] as number;
      if (end === -1) {
        out.null(row);
        this.counts[row] = 0;
        continue;
      }
      const start = starts[row] as number;
      const from = start + before + (back ? extra : 0);
      const to = end - after;
      if (from > to || !stands(this.prefix, bytes, start) || !stands(this.suffix, bytes, to)) return refuse(row);
      if (back && !stands(testPrefix, bytes, start + before)) return refuse(row);
      let count = 0;
      for (let i = from; i < to; i++) {
        const numeral = numerals[bytes[i] as number] as number;
        if (numeral < SEPARATOR) count++;
        else if (numeral === NONE) return refuse(row);
      }
      if (count < least || count > most) return refuse(row);
      seen[count] = (seen[count] as number) + 1;
      this.counts[row] = count;
      out.reserve(end - start + extra);
      const into = out.bytes;
      let at = out.length;
      for (let i = start; i < start + before; i++) into[at++] = bytes[i] as number;
      if (!back) for (let i = 0; i < extra; i++) into[at++] = testPrefix[i] as number;
      this.heads[row] = at;
      for (let i = from; i < end; i++) into[at++] = bytes[i] as number;
      out.end(row, at);
    }
    return seen;
  }

  /** All rows of one count of signs, in chunks that stay in the cache. */
  private permute(rows: number, count: number, bytes: Uint8Array, refuse: (row: number) => never, back: boolean): void {
    const length = this.isCard ? count - 1 : count;
    let ff1 = this.ciphers.get(length);
    if (!ff1) this.ciphers.set(length, (ff1 = new Ff1(this.encryptBlocks, this.radix, length, this.tweak)));
    for (let row = 0; row < rows;) {
      let chosen = 0;
      for (; row < rows && chosen < CHUNK; row++) if (this.counts[row] === count) this.rows[chosen++] = row;
      if (this.isCard) this.check(chosen, count, bytes, refuse, back);
      this.parse(chosen, bytes, ff1);
      if (back) ff1.decrypt(this.left, this.right, chosen);
      else ff1.encrypt(this.left, this.right, chosen);
      this.print(chosen, bytes, ff1);
      if (this.isCard) this.close(chosen, count, bytes, back);
    }
  }

  private parse(chosen: number, bytes: Uint8Array, { leftLength, rightLength }: Ff1): void {
    const { numerals, radix, heads, rows, left, right } = this;
    for (let k = 0; k < chosen; k++) {
      let at = heads[rows[k] as number] as number;
      let value = 0;
      for (let open = leftLength; open > 0;) {
        const numeral = numerals[bytes[at++] as number] as number;
        if (numeral === SEPARATOR) continue;
        value = value * radix + numeral;
        open--;
      }
      left[k] = value;
      value = 0;
      for (let open = rightLength; open > 0;) {
        const numeral = numerals[bytes[at++] as number] as number;
        if (numeral === SEPARATOR) continue;
        value = value * radix + numeral;
        open--;
      }
      right[k] = value;
    }
  }

  private print(chosen: number, bytes: Uint8Array, { leftLength, rightLength }: Ff1): void {
    const { numerals, heads, rows, left, right, spelt } = this;
    const length = leftLength + rightLength;
    for (let k = 0; k < chosen; k++) {
      this.spell(left[k] as number, leftLength, leftLength);
      this.spell(right[k] as number, length, rightLength);
      let at = heads[rows[k] as number] as number;
      for (let i = 0; i < length; at++) if (numerals[bytes[at] as number] !== SEPARATOR) bytes[at] = spelt[i++] as number;
    }
  }

  /** The last `length` signs before `end` of `spelt`, two at a time. */
  private spell(value: number, end: number, length: number): void {
    const { spelt, pairs, pairRadix, inverse } = this;
    const begin = end - length;
    let rest = value;
    for (; end - 1 > begin; end -= 2) {
      // Half of the least step is added, so that a quotient that is a whole number is not taken for the one below it; wide halves are divided.
      const next = rest < 0x8000_0000 ? Math.floor((rest + 0.5) * inverse) : Math.floor(rest / pairRadix);
      const pair = 2 * (rest - next * pairRadix);
      spelt[end - 2] = pairs[pair] as number;
      spelt[end - 1] = pairs[pair + 1] as number;
      rest = next;
    }
    if (end > begin) spelt[begin] = pairs[2 * rest + 1] as number;
  }

  /** A value has Luhn's digit, a token the one that tells it: anything else is neither. */
  private check(chosen: number, count: number, bytes: Uint8Array, refuse: (row: number) => never, back: boolean): void {
    for (let k = 0; k < chosen; k++) {
      const row = this.rows[k] as number;
      const at = this.findCheckDigit(bytes, this.heads[row] as number, count, back);
      if (bytes[at] !== this.wanted) refuse(row);
    }
  }

  private close(chosen: number, count: number, bytes: Uint8Array, back: boolean): void {
    for (let k = 0; k < chosen; k++) {
      bytes[this.findCheckDigit(bytes, this.heads[this.rows[k] as number] as number, count, !back)] = this.wanted;
    }
  }

  /** Where the last of `count` digits from `head` on stands; `wanted` is the one that belongs there. */
  private findCheckDigit(bytes: Uint8Array, head: number, count: number, isToken: boolean): number {
    const { numerals, testPrefix } = this;
    let sum = 0;
    // Counted from the check digit, every other digit is doubled, beginning with its neighbour.
    let double = (count + (isToken ? testPrefix.length : 0)) % 2 === 0;
    if (isToken) {
      for (let i = 0; i < testPrefix.length; i++, double = !double) {
        const digit = (testPrefix[i] as number) - 0x30;
        sum += double ? (doubled[digit] as number) : digit;
      }
    }
    let at = head;
    for (let open = count - 1; open > 0; at++) {
      const digit = numerals[bytes[at] as number] as number;
      if (digit === SEPARATOR) continue;
      sum += double ? (doubled[digit] as number) : digit;
      double = !double;
      open--;
    }
    while (numerals[bytes[at] as number] === SEPARATOR) at++;
    const distance = isToken && testPrefix.length === 0 ? TOKEN_LUHN_DISTANCE : 0;
    this.wanted = 0x30 + ((10 - (sum % 10) + distance) % 10);
    return at;
  }
}

function stands(text: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}
