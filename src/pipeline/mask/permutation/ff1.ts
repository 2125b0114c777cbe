// hot path: FF1 of NIST SP 800-38G over a whole column at a time: one call of the block cipher per round, halves as exact doubles.
/** A block cipher in ECB over whole blocks of 16 bytes. MAY return an array that lives until its next call only. */
export type EncryptBlocks = (blocks: Uint8Array) => Uint8Array;

/** SP 800-38G Rev. 1 (draft), requirement on radix^minlen. */
export const FF1_LEAST_DOMAIN = 1_000_000n;
// Twice a half is still exact in a double.
const HALF_LIMIT = 2n ** 52n;
const ROUNDS = 10;

/**
 * One FF1 permutation: fixed radix, length and tweak. A numeral string is given as its two halves, `left` = NUM of the first ⌊n/2⌋ numerals,
 * `right` = NUM of the others. MUST be: radix^n ≥ 10^6 and radix^⌈n/2⌉ ≤ 2^52 (30 decimal digits, 20 base-36 digits, 104 bits).
 */
export class Ff1 {
  /** Numerals of the left and of the right half, and how many values each half has. */
  readonly leftLength: number;
  readonly rightLength: number;
  readonly leftCount: number;
  readonly rightCount: number;
  private readonly encryptBlocks: EncryptBlocks;
  /** Bytes of a half in the block, ⌈⌈v·log2 radix⌉/8⌉. */
  private readonly halfBytes: number;
  /** What the last block of P‖Q holds before round number and half are put in, already XORed with the cipher blocks before it. */
  private readonly template: DataView;
  private blocks = new Uint8Array(0);
  private view = new DataView(this.blocks.buffer);

  constructor(encryptBlocks: EncryptBlocks, radix: number, length: number, tweak: Uint8Array = new Uint8Array(0)) {
    const u = Math.floor(length / 2);
    const v = length - u;
    const rightCount = BigInt(radix) ** BigInt(v);
    if (BigInt(radix) ** BigInt(length) < FF1_LEAST_DOMAIN) throw new RangeError('FF1 needs a domain of at least 10^6');
    if (rightCount > HALF_LIMIT) throw new RangeError('FF1 here takes halves up to 2^52');
    this.encryptBlocks = encryptBlocks;
    this.leftLength = u;
    this.rightLength = v;
    this.leftCount = radix ** u;
    this.rightCount = Number(rightCount);
    this.halfBytes = Math.ceil((rightCount - 1n).toString(2).length / 8);
    this.template = this.toTemplate(radix, length, tweak);
  }

  /** Encrypts the first `count` strings in place. */
  encrypt(left: Float64Array, right: Float64Array, count: number): void {
    this.prepare(count);
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 0) this.step(round, right, left, this.leftCount, count, 1);
      else this.step(round, left, right, this.rightCount, count, 1);
    }
  }

  /** The inverse of `encrypt`. */
  decrypt(left: Float64Array, right: Float64Array, count: number): void {
    this.prepare(count);
    for (let round = ROUNDS - 1; round >= 0; round--) {
      if (round % 2 === 0) this.step(round, right, left, this.leftCount, count, -1);
      else this.step(round, left, right, this.rightCount, count, -1);
    }
  }

  private prepare(count: number): void {
    if (this.blocks.length < count * 16) {
      this.blocks = new Uint8Array(count * 16);
      this.view = new DataView(this.blocks.buffer);
    }
    const { view, template } = this;
    const [first, second] = [template.getUint32(0), template.getUint32(4)];
    for (let at = 0; at < count * 16; at += 16) {
      view.setUint32(at, first);
      view.setUint32(at + 4, second);
    }
  }

  /** into[k] = into[k] ± NUM(first bytes of PRF(round, from[k])) mod `modulus`. */
  private step(round: number, from: Float64Array, into: Float64Array, modulus: number, count: number, sign: 1 | -1): void {
    const { view, halfBytes, template } = this;
    const roundAt = 15 - halfBytes;
    const third = template.getUint32(8) ^ (roundAt < 12 ? round << (8 * (11 - roundAt)) : 0);
    const fourth = template.getUint32(12) ^ (roundAt >= 12 ? round << (8 * (15 - roundAt)) : 0);
    for (let k = 0, at = 8; k < count; k++, at += 16) {
      const half = from[k] as number;
      view.setInt32(at, third ^ (half / 0x1_0000_0000));
      view.setInt32(at + 4, fourth ^ half);
    }
    const sealed = this.encryptBlocks(this.blocks.subarray(0, count * 16));
    const out = new DataView(sealed.buffer, sealed.byteOffset, count * 16);
    const long = halfBytes > 4;
    const power = Math.log2(modulus);
    const mask = Number.isInteger(power) ? modulus - 1 : 0;
    const inverse = 1 / modulus;
    for (let k = 0, at = 0; k < count; k++, at += 16) {
      let y: number;
      if (mask > 0) y = toLowBits(out.getUint32(at + 4), long ? out.getUint32(at + 8) : -1, mask);
      else if (long) y = toRemainder(out.getUint32(at), out.getUint32(at + 4), out.getUint32(at + 8), modulus);
      else {
        const low = out.getUint32(at + 4);
        // Twice: the remainder of a number below 2^48. Its quotient by the inverse is off by one at most, and that times the modulus is exact.
        y = out.getUint32(at) * 0x1_0000 + (low >>> 16);
        y -= Math.floor(y * inverse) * modulus;
        y = y < 0 ? y + modulus : y >= modulus ? y - modulus : y;
        y = y * 0x1_0000 + (low & 0xffff);
        y -= Math.floor(y * inverse) * modulus;
        y = y < 0 ? y + modulus : y >= modulus ? y - modulus : y;
      }
      const sum = (into[k] as number) + sign * y;
      into[k] = sum >= modulus ? sum - modulus : sum < 0 ? sum + modulus : sum;
    }
  }

  private toTemplate(radix: number, length: number, tweak: Uint8Array): DataView {
    const t = tweak.length;
    const gap = (16 - ((t + this.halfBytes + 1) % 16)) % 16;
    const text = new Uint8Array(16 + t + gap + 1 + this.halfBytes);
    text.set([1, 2, 1, radix >>> 16, radix >>> 8, radix, 10, this.leftLength % 256]);
    const header = new DataView(text.buffer);
    header.setUint32(8, length);
    header.setUint32(12, t);
    text.set(tweak, 16);
    let chain = new Uint8Array(16);
    for (let at = 0; ; at += 16) {
      for (let i = 0; i < 16; i++) chain[i] = (chain[i] as number) ^ (text[at + i] as number);
      if (at + 16 === text.length) return new DataView(chain.buffer);
      chain = Uint8Array.from(this.encryptBlocks(chain));
    }
  }
}

/** The low bits of a big-endian number whose last 32-bit words are given; `last` is -1 where `word` is the last. `mask` is 2^k - 1. */
function toLowBits(word: number, last: number, mask: number): number {
  if (last < 0) return (word & mask) >>> 0;
  if (mask <= 0xffff_ffff) return (last & mask) >>> 0;
  return ((word & (mask / 0x1_0000_0000)) >>> 0) * 0x1_0000_0000 + last;
}

/** Remainder of a 96-bit number by a modulus above 2^32: rare (more than 18 decimal digits), so BigInt does it. */
function toRemainder(high: number, middle: number, low: number, modulus: number): number {
  return Number(((BigInt(high) << 64n) | (BigInt(middle) << 32n) | BigInt(low)) % BigInt(modulus));
}
