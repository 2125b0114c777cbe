// The slow twin of the line-digest kernel: SipHash-2-4 with 128 bits of output in BigInt, as the reference implementation (siphash.c) has it.

const mask = (1n << 64n) - 1n;
const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & mask;

function word(bytes: Uint8Array, at: number, length: number): bigint {
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  return value;
}

/** The 16 bytes of output as a little-endian number. */
export function sipHash128(key: Uint8Array, input: Uint8Array): bigint {
  const k0 = word(key, 0, 8);
  const k1 = word(key, 8, 8);
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn ^ 0xeen;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v0 = (v0 + v1) & mask;
      v1 = rotate(v1, 13n) ^ v0;
      v0 = rotate(v0, 32n);
      v2 = (v2 + v3) & mask;
      v3 = rotate(v3, 16n) ^ v2;
      v0 = (v0 + v3) & mask;
      v3 = rotate(v3, 21n) ^ v0;
      v2 = (v2 + v1) & mask;
      v1 = rotate(v1, 17n) ^ v2;
      v2 = rotate(v2, 32n);
    }
  };
  const absorb = (value: bigint): void => {
    v3 ^= value;
    rounds(2);
    v0 ^= value;
  };
  const whole = input.length - (input.length % 8);
  for (let at = 0; at < whole; at += 8) absorb(word(input, at, 8));
  absorb((BigInt(input.length & 0xff) << 56n) | word(input, whole, input.length - whole));
  v2 ^= 0xeen;
  rounds(4);
  const first = v0 ^ v1 ^ v2 ^ v3;
  v1 ^= 0xddn;
  rounds(4);
  return ((v0 ^ v1 ^ v2 ^ v3) << 64n) | first;
}

export function sumOfLines(key: Uint8Array, lines: readonly Uint8Array[]): bigint {
  return lines.reduce((sum, line) => BigInt.asUintN(128, sum + sipHash128(key, line)), 0n);
}
