// Values of a table that can be no fake of ours, counted by column while its lines go by. No value is kept anywhere.
import { type RawKind, findRaw } from './raw-value.js';

export interface RawCount {
  readonly column: string;
  readonly kind: RawKind;
  readonly values: number;
}

export class RawScan {
  private readonly found = new Map<string, RawCount>();
  private rest = '';

  constructor(private readonly columns: readonly string[]) {}

  /** The next bytes of `COPY … TO STDOUT`; lines may be cut anywhere. */
  update(chunk: Uint8Array): void {
    // hot path: what is looked for is ASCII, and a byte beyond it is none of it in any encoding of the server's.
    const text = this.rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    const end = text.lastIndexOf('\n') + 1;
    this.rest = text.slice(end);
    this.look(end === text.length ? text : text.slice(0, end));
  }

  counts(): readonly RawCount[] {
    this.look(this.rest);
    this.rest = '';
    return [...this.found.values()];
  }

  /** A value counts once for each kind, whatever stands in it. */
  private look(text: string): void {
    const counted = new Map<RawKind, number>();
    findRaw(text, (at, kind) => {
      const line = text.lastIndexOf('\n', at) + 1;
      const value = Math.max(line, text.lastIndexOf('\t', at) + 1);
      if (counted.get(kind) === value) return;
      counted.set(kind, value);
      const field = text.slice(line, value).split('\t').length - 1;
      const key = `${field} ${kind}`;
      const known = this.found.get(key) ?? { column: this.columns[field] ?? '', kind, values: 0 };
      this.found.set(key, { ...known, values: known.values + 1 });
    });
  }
}
