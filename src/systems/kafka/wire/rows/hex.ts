// hot path: bytea as the server prints it (`\x` and hex digits in lower case), as bytes, as base64, and back.
import type { ByteWriter } from './byte-writer.js';

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const hexDigits = Buffer.from('0123456789abcdef');
const values = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) values[hexDigits[digit] as number] = digit;
const sextets = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 64; digit++) sextets[alphabet[digit] as number] = digit;
const padding = 61;

/** Adds the bytes that the text stands for; false where it is none of bytea. */
export function readHex(bytes: Uint8Array, start: number, end: number, out: ByteWriter): boolean {
  if (end - start < 2 || (end - start) % 2 !== 0 || bytes[start] !== 92 || bytes[start + 1] !== 120) return false;
  out.reserve((end - start) / 2);
  for (let i = start + 2; i < end; i += 2) {
    const [high, low] = [values[bytes[i] as number] as number, values[bytes[i + 1] as number] as number];
    if (high < 0 || low < 0) return false;
    out.bytes[out.length++] = high * 16 + low;
  }
  return true;
}

export function writeHex(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  out.reserve(2 * (end - start) + 2);
  const to = out.bytes;
  to[out.length++] = 92;
  to[out.length++] = 120;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    to[out.length++] = hexDigits[byte >> 4] as number;
    to[out.length++] = hexDigits[byte & 15] as number;
  }
}

export function writeBase64(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  out.reserve(4 * Math.ceil((end - start) / 3));
  const to = out.bytes;
  for (let i = start; i < end; i += 3) {
    const left = end - i;
    const word = ((bytes[i] as number) << 16) | (left > 1 ? (bytes[i + 1] as number) << 8 : 0) | (left > 2 ? (bytes[i + 2] as number) : 0);
    to[out.length++] = alphabet[word >> 18] as number;
    to[out.length++] = alphabet[(word >> 12) & 63] as number;
    to[out.length++] = left > 1 ? (alphabet[(word >> 6) & 63] as number) : padding;
    to[out.length++] = left > 2 ? (alphabet[word & 63] as number) : padding;
  }
}

/** False where it is not what `writeBase64` writes. */
export function readBase64(bytes: Uint8Array, start: number, end: number, out: ByteWriter): boolean {
  if ((end - start) % 4 !== 0) return false;
  out.reserve(((end - start) / 4) * 3);
  for (let i = start; i < end; i += 4) {
    const last = i + 4 === end;
    const padded = last && bytes[i + 3] === padding ? (bytes[i + 2] === padding ? 2 : 1) : 0;
    let word = 0;
    for (let j = 0; j < 4; j++) {
      const digit = j >= 4 - padded ? 0 : (sextets[bytes[i + j] as number] as number);
      if (digit < 0) return false;
      word = word * 64 + digit;
    }
    if (padded > 0 && (word & (padded === 1 ? 0xff : 0xffff)) !== 0) return false;
    out.bytes[out.length++] = word >> 16;
    if (padded < 2) out.bytes[out.length++] = (word >> 8) & 255;
    if (padded < 1) out.bytes[out.length++] = word & 255;
  }
  return true;
}
