// hot path: what becomes of stretches of a value's text: replaced by a masked leaf, or left out. In ascending order within a value.

const removal = -1;

export class Edits {
  count = 0;
  starts = new Int32Array(1 << 8);
  ends = new Int32Array(1 << 8);
  /** Which path's column the replacement is in; -1: the stretch is left out. */
  slots = new Int32Array(1 << 8);
  leaves = new Int32Array(1 << 8);
  /** How the leaf stood there, for the format that writes it back. */
  styles = new Int32Array(1 << 8);

  reset(): void {
    this.count = 0;
  }

  remove(start: number, end: number): void {
    if (end > start) this.replace(start, end, removal, 0, 0);
  }

  replace(start: number, end: number, slot: number, leaf: number, style: number): void {
    const at = this.count++;
    if (at === this.starts.length) this.grow();
    this.starts[at] = start;
    this.ends[at] = end;
    this.slots[at] = slot;
    this.leaves[at] = leaf;
    this.styles[at] = style;
  }

  private grow(): void {
    const copy = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(from.length * 2);
      grown.set(from);
      return grown;
    };
    this.starts = copy(this.starts);
    this.ends = copy(this.ends);
    this.slots = copy(this.slots);
    this.leaves = copy(this.leaves);
    this.styles = copy(this.styles);
  }
}
