// The slow twin of permutation/ff1.ts: Algorithms 7 and 8 of NIST SP 800-38G word by word, one value at a time, in BigInt.
import type { EncryptBlocks } from '../../src/pipeline/mask/permutation/ff1.js';

function toBytes(value: bigint, length: number): number[] {
  const bytes: number[] = [];
  for (let i = length - 1; i >= 0; i--) bytes.push(Number((value >> BigInt(8 * i)) & 255n));
  return bytes;
}

function toNumber(numerals: readonly number[], radix: number): bigint {
  return numerals.reduce((sum, numeral) => sum * BigInt(radix) + BigInt(numeral), 0n);
}

function toNumerals(value: bigint, radix: number, length: number): number[] {
  const numerals: number[] = new Array<number>(length);
  for (let i = length - 1; i >= 0; i--, value /= BigInt(radix)) numerals[i] = Number(value % BigInt(radix));
  return numerals;
}

function round(cipher: EncryptBlocks, radix: number, n: number, tweak: Uint8Array, i: number, half: readonly number[]): bigint {
  const u = Math.floor(n / 2);
  const v = n - u;
  const b = Math.ceil((BigInt(radix) ** BigInt(v) - 1n).toString(2).length / 8);
  const d = 4 * Math.ceil(b / 4) + 4;
  const t = tweak.length;
  const p = [1, 2, 1, ...toBytes(BigInt(radix), 3), 10, u % 256, ...toBytes(BigInt(n), 4), ...toBytes(BigInt(t), 4)];
  const zeros = new Array<number>((((-t - b - 1) % 16) + 16) % 16).fill(0);
  const q = [...tweak, ...zeros, i, ...toBytes(toNumber(half, radix), b)];
  let r = new Uint8Array(16);
  const text = [...p, ...q];
  for (let at = 0; at < text.length; at += 16) r = Uint8Array.from(cipher(r.map((byte, k) => byte ^ (text[at + k] as number))));
  const s = [...r];
  for (let j = 1; s.length < d; j++) s.push(...cipher(r.map((byte, k) => byte ^ (toBytes(BigInt(j), 16)[k] as number))));
  return toNumber(s.slice(0, d), 256);
}

function run(cipher: EncryptBlocks, radix: number, numerals: readonly number[], tweak: Uint8Array, decrypt: boolean): number[] {
  const n = numerals.length;
  const u = Math.floor(n / 2);
  let a = numerals.slice(0, u);
  let b = numerals.slice(u);
  for (let step = 0; step < 10; step++) {
    const i = decrypt ? 9 - step : step;
    const m = i % 2 === 0 ? u : n - u;
    const modulus = BigInt(radix) ** BigInt(m);
    if (decrypt) {
      const c = (((toNumber(b, radix) - round(cipher, radix, n, tweak, i, a)) % modulus) + modulus) % modulus;
      [a, b] = [toNumerals(c, radix, m), a];
    } else {
      const c = (toNumber(a, radix) + round(cipher, radix, n, tweak, i, b)) % modulus;
      [a, b] = [b, toNumerals(c, radix, m)];
    }
  }
  return [...a, ...b];
}

export function encryptFf1(cipher: EncryptBlocks, radix: number, numerals: readonly number[], tweak: Uint8Array): number[] {
  return run(cipher, radix, numerals, tweak, false);
}

export function decryptFf1(cipher: EncryptBlocks, radix: number, numerals: readonly number[], tweak: Uint8Array): number[] {
  return run(cipher, radix, numerals, tweak, true);
}
