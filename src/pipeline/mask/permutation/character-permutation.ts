// hot path: a keyed bijection among texts of equal pattern (which alphabet stands where, and all that is kept), in place, a column at a time.
// From 10^6 texts of the pattern on: FF1's Feistel network (10 rounds, halves of ⌊n/2⌋ and ⌈n/2⌉ characters) with mixed radices and addition
// character by character, as FFX (Bellare, Rogaway, Spies 2010, "method 2, characterwise addition") allows; the round function is CBC-MAC of pattern, round and half.
// Below: the text's number in its pattern goes through IntegerPermutation. There patterns of equal size share one permutation.
import { absorb, startChains } from './block-chain.js';
import { putCodePoint, toAlphabet, toAlphabetSize, toCodePoint, toLength } from './character-class.js';
import type { EncryptBlocks } from './ff1.js';
import { IntegerPermutation } from './integer-permutation.js';

const ROUNDS = 10;
const FEISTEL_FROM = 1_000_000;

export class CharacterPermutation {
  private readonly small = new Map<number, IntegerPermutation>();
  // Per permutable character of all texts: place, alphabet, its size, and the number in it.
  private at = new Int32Array(1 << 12);
  private first = new Int32Array(1 << 12);
  private size = new Int32Array(1 << 12);
  private digit = new Int32Array(1 << 12);

  constructor(private readonly encryptBlocks: EncryptBlocks) {}

  /** Permutes the texts `bytes[starts[i] .. ends[i])`, i < rows, in place; -1 as end is skipped. MUST be valid UTF-8. */
  permute(bytes: Uint8Array, starts: Int32Array, ends: Int32Array, rows: number): void {
    const from = new Int32Array(rows + 1);
    const wide: number[] = [];
    const narrow = new Map<number, number[]>();
    for (let row = 0, used = 0; row < rows; row++) {
      if ((ends[row] as number) >= 0) used = this.parse(bytes, starts[row] as number, ends[row] as number, used);
      from[row + 1] = used;
      const texts = this.countTexts(from[row] as number, used);
      if (texts >= FEISTEL_FROM) wide.push(row);
      else if (texts > 1) (narrow.get(texts) ?? narrow.set(texts, []).get(texts))?.push(row);
    }
    for (const [texts, members] of narrow) this.permuteNarrow(texts, members, from);
    if (wide.length > 0) this.permuteWide(wide, from, bytes, starts, ends);
    const used = from[rows] as number;
    for (let i = 0; i < used; i++) putCodePoint(bytes, this.at[i] as number, (this.first[i] as number) + (this.digit[i] as number));
  }

  /** Lists the permutable characters and puts the first of its alphabet in the place of each: what is left is the pattern. */
  private parse(bytes: Uint8Array, start: number, end: number, used: number): number {
    if (this.at.length < used + end - start) this.grow(2 * (used + end - start));
    for (let at = start; at < end;) {
      const code = toCodePoint(bytes, at);
      const first = toAlphabet(code);
      if (first >= 0) {
        this.at[used] = at;
        this.first[used] = first;
        this.size[used] = toAlphabetSize(first);
        this.digit[used++] = code - first;
        putCodePoint(bytes, at, first);
      }
      at += toLength(code);
    }
    return used;
  }

  private grow(length: number): void {
    const larger = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(length);
      grown.set(old);
      return grown;
    };
    this.at = larger(this.at);
    this.first = larger(this.first);
    this.size = larger(this.size);
    this.digit = larger(this.digit);
  }

  private countTexts(from: number, to: number): number {
    let texts = 1;
    for (let i = from; i < to && texts < FEISTEL_FROM; i++) texts *= this.size[i] as number;
    return texts;
  }

  private permuteNarrow(texts: number, members: readonly number[], from: Int32Array): void {
    let permutation = this.small.get(texts);
    if (!permutation) this.small.set(texts, (permutation = new IntegerPermutation(this.encryptBlocks, BigInt(texts))));
    const { size, digit } = this;
    const ranks = new Float64Array(members.length);
    members.forEach((row, k) => {
      let rank = 0;
      for (let i = from[row] as number; i < (from[row + 1] as number); i++) rank = rank * (size[i] as number) + (digit[i] as number);
      ranks[k] = rank;
    });
    permutation.permute(ranks, members.length);
    members.forEach((row, k) => {
      let rank = ranks[k] as number;
      for (let i = (from[row + 1] as number) - 1; i >= (from[row] as number); i--) {
        digit[i] = rank % (size[i] as number);
        rank = Math.floor(rank / (size[i] as number));
      }
    });
  }

  private permuteWide(members: readonly number[], from: Int32Array, bytes: Uint8Array, starts: Int32Array, ends: Int32Array): void {
    const count = members.length;
    const spans = new Int32Array(2 * count);
    members.forEach((row, k) => {
      spans[k] = starts[row] as number;
      spans[count + k] = ends[row] as number;
    });
    const patterns = startChains(this.encryptBlocks, 1, spans, spans.subarray(count), count);
    absorb(this.encryptBlocks, patterns, bytes, spans, spans.subarray(count), count);
    for (let round = 0; round < ROUNDS; round++) this.round(round, members, from, patterns);
  }

  /** Even rounds add to the left half a function of the right, odd rounds the reverse. */
  private round(round: number, members: readonly number[], from: Int32Array, patterns: Uint8Array): void {
    const count = members.length;
    const { digit, size } = this;
    const halves = new Int32Array(4 * count);
    const starts = new Int32Array(count);
    const ends = new Int32Array(count);
    let length = 0;
    for (let k = 0; k < count; k++) {
      const row = members[k] as number;
      const begin = from[row] as number;
      const end = from[row + 1] as number;
      const middle = begin + ((end - begin) >> 1);
      const even = round % 2 === 0;
      halves[4 * k] = even ? middle : begin;
      halves[4 * k + 1] = even ? end : middle;
      halves[4 * k + 2] = even ? begin : middle;
      halves[4 * k + 3] = even ? middle : end;
      starts[k] = length;
      ends[k] = length += 1 + 2 * ((halves[4 * k + 1] as number) - (halves[4 * k] as number));
    }
    const message = new Uint8Array(length);
    for (let k = 0; k < count; k++) {
      let at = starts[k] as number;
      message[at++] = round;
      for (let i = halves[4 * k] as number; i < (halves[4 * k + 1] as number); i++) {
        message[at++] = (digit[i] as number) >>> 8;
        message[at++] = digit[i] as number;
      }
    }
    const chains = patterns.slice();
    absorb(this.encryptBlocks, chains, message, starts, ends, count);
    const stream = this.toStream(chains, halves, count);
    for (let k = 0, word = 0; k < count; k++) {
      for (let i = halves[4 * k + 2] as number; i < (halves[4 * k + 3] as number); i++, word += 4) {
        digit[i] = ((digit[i] as number) + (stream.getUint32(word) % (size[i] as number))) % (size[i] as number);
      }
      word = (word + 15) & ~15;
    }
  }

  /** 32 bits for each character of the half that is added to, whole blocks per text: AES(chain ⊕ number of the block). */
  private toStream(chains: Uint8Array, halves: Int32Array, count: number): DataView {
    let blocks = 0;
    for (let k = 0; k < count; k++) blocks += ((halves[4 * k + 3] as number) - (halves[4 * k + 2] as number) + 3) >> 2;
    const input = new Uint8Array(16 * blocks);
    for (let k = 0, at = 0; k < count; k++) {
      const needed = ((halves[4 * k + 3] as number) - (halves[4 * k + 2] as number) + 3) >> 2;
      for (let block = 1; block <= needed; block++, at += 16) {
        for (let i = 0; i < 16; i++) input[at + i] = chains[16 * k + i] as number;
        input[at + 15] = (input[at + 15] as number) ^ block;
        input[at + 14] = (input[at + 14] as number) ^ (block >>> 8);
      }
    }
    const sealed = this.encryptBlocks(input);
    return new DataView(sealed.buffer, sealed.byteOffset, sealed.length);
  }
}
