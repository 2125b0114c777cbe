// hot path: one draw of 128 bits spread over as many small numbers as a long text takes. Not a cipher: whoever could run it backwards would
// learn the draw, which is a pseudorandom function of the row's key and says nothing of the text.

export class Spread {
  private a = 0;
  private b = 0;
  private c = 0;
  private d = 0;

  start(draw: Uint8Array, row: number): void {
    const at = 16 * row;
    this.a = toInt(draw, at);
    this.b = toInt(draw, at + 4);
    this.c = toInt(draw, at + 8);
    this.d = toInt(draw, at + 12) | 1;
  }

  /** A number from 0 to count − 1, for count ≤ 2¹⁶. */
  below(count: number): number {
    let t = this.a ^ (this.a << 11);
    t ^= t >>> 8;
    this.a = this.b;
    this.b = this.c;
    this.c = this.d;
    this.d = this.d ^ (this.d >>> 19) ^ t;
    return ((this.d >>> 16) * count) >>> 16;
  }
}

function toInt(draw: Uint8Array, at: number): number {
  return (draw[at] as number) | ((draw[at + 1] as number) << 8) | ((draw[at + 2] as number) << 16) | ((draw[at + 3] as number) << 24);
}
