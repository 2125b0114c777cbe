// hot path: the text of one value between the escapes of COPY and the bytes that they stand for, byte by byte.
import type { ByteWriter } from './byte-writer.js';

const backslash = 92;
/** Letter after the backslash → byte; 0: COPY prints no such escape. */
const meanings = new Uint8Array(256);
/** Byte → letter; 0: printed as it is. */
const letters = new Uint8Array(256);
for (const [letter, byte] of [['b', 8], ['t', 9], ['n', 10], ['v', 11], ['f', 12], ['r', 13], ['\\', 92]] as const) {
  meanings[letter.charCodeAt(0)] = byte;
  letters[byte] = letter.charCodeAt(0);
} // prettier-ignore

/** Adds what `bytes[start .. end)` stands for; false where it holds what COPY TO never prints. */
export function unescapeField(bytes: Uint8Array, start: number, end: number, out: ByteWriter): boolean {
  out.reserve(end - start);
  const to = out.bytes;
  let at = out.length;
  for (let i = start; i < end; i++) {
    let byte = bytes[i] as number;
    if (byte === backslash) {
      byte = ++i < end ? (meanings[bytes[i] as number] as number) : 0;
      if (byte === 0) return false;
    }
    to[at++] = byte;
  }
  out.length = at;
  return true;
}

/** Adds the value as COPY prints it. `out` MUST be other memory than `bytes`. */
export function escapeField(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  out.reserve(2 * (end - start));
  const to = out.bytes;
  let at = out.length;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    const letter = letters[byte] as number;
    if (letter === 0) to[at++] = byte;
    else {
      to[at++] = backslash;
      to[at++] = letter;
    }
  }
  out.length = at;
}
