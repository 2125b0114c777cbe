// hot path: letters and digits replaced by drawn ones of their alphabet, in place, a column at a time. Not a bijection: the draw alone decides.
import { putCodePoint, toAlphabet, toAlphabetSize, toCodePoint, toLength } from './character-class.js';
import type { EncryptBlocks } from './ff1.js';

/**
 * Redraws the letters and digits of the texts `bytes[starts[i] .. ends[i])`, i < rows; -1 as end is skipped. Character k takes 32 bits of
 * AES(draw ⊕ number of the block), four characters to a block. MUST be valid UTF-8.
 */
export function drawCharacters(
  encryptBlocks: EncryptBlocks,
  draw: Uint8Array,
  bytes: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  rows: number,
): void {
  let blocks = 0;
  for (let row = 0; row < rows; row++) blocks += Math.max(0, ((ends[row] as number) - (starts[row] as number) + 3) >> 2);
  if (blocks === 0) return;
  const input = new Uint8Array(16 * blocks);
  for (let row = 0, at = 0; row < rows; row++) {
    const needed = ((ends[row] as number) - (starts[row] as number) + 3) >> 2;
    for (let block = 0; block < needed; block++, at += 16) {
      for (let i = 0; i < 16; i++) input[at + i] = draw[16 * row + i] as number;
      for (let i = 0; i < 3; i++) input[at + 15 - i] = (input[at + 15 - i] as number) ^ (block >>> (8 * i));
    }
  }
  const sealed = encryptBlocks(input);
  const words = new DataView(sealed.buffer, sealed.byteOffset, sealed.length);
  for (let row = 0, first = 0; row < rows; row++) {
    let word = 16 * first;
    for (let at = starts[row] as number; at < (ends[row] as number);) {
      const code = toCodePoint(bytes, at);
      const alphabet = toAlphabet(code);
      if (alphabet >= 0) {
        putCodePoint(bytes, at, alphabet + (words.getUint32(word) % toAlphabetSize(alphabet)));
        word += 4;
      }
      at += toLength(code);
    }
    first += Math.max(0, ((ends[row] as number) - (starts[row] as number) + 3) >> 2);
  }
}
